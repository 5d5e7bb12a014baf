"""A query as canonical text, and in plain words."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from notifier.matching.query import (
    Age,
    All,
    And,
    Author,
    Compare,
    Kind,
    Label,
    Leaf,
    Not,
    Or,
    Published,
    Query,
    Regex,
    Text,
    Topic,
)

Title = Callable[[str], str]

# The name a person writes for each field of an entry.
WRITTEN = {"title": "title", "abstract": "abstract", "keywords": "keyword", "organization": "org"}
_PLAIN_VALUE = re.compile(r"\w[\w.+-]*")
_UNITS = ((604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "min"))
_NAMES = {"w": "week", "d": "day", "h": "hour", "min": "minute"}
AT_LEAST = {">=": "at least", "<=": "at most", ">": "more than", "<": "fewer than", "=": "exactly"}
_WHEN = {">=": "in or after", "<=": "in or before", ">": "after", "<": "before", "=": "in"}
_OLD = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than", "=": "exactly"}
_HAS = {
    "code": "code",
    "pdf": "a PDF",
    "project": "a project page",
    "org": "an organization",
}


@lru_cache(maxsize=2**16)
def format_query(query: Query) -> str:
    """The canonical text: parsing it gives the same query, and formatting that the same text."""
    match query:
        case Or(children=children):
            return " OR ".join(format_query(child) for child in children)
        case And(children=children):
            return " ".join(_grouped(child) for child in children)
        case Not(query=inner):
            return f"-({format_query(inner)})" if isinstance(inner, And | Or | All) else f"-{format_query(inner)}"
        case Topic(name=name):
            return f"topic:{name}"
        case leaf:
            return _format_leaf(leaf)


def _grouped(query: Query) -> str:
    return f"({format_query(query)})" if isinstance(query, Or) else format_query(query)


def _format_leaf(leaf: Leaf) -> str:
    match leaf:
        case All():
            return "*"
        case Text(field=field):
            return _field(field) + format_parts(leaf)
        case Author(words=words, prefix=prefix):
            text = " ".join(words)
            return f"author:{text}*" if prefix and len(words) == 1 else f'author:"{text}{"*" if prefix else ""}"'
        case Label(field=field, value=value):
            return f"{field}:{value}" if _PLAIN_VALUE.fullmatch(value) else f'{field}:"{value}"'
        case Compare(field=field, op=op, value=value):
            return f"{field}{op}{number(value)}"
        case Age(op=op, seconds=seconds):
            return f"age{op}{duration(seconds)}"
        case Published(op=op, value=value):
            return f"published{op}{value}"
        case Regex(field=field, pattern=pattern):
            return f"{_field(field)}/{pattern}/"


def _field(field: str) -> str:
    return f"{WRITTEN[field]}:" if field else ""


def format_parts(text: Text) -> str:
    words = "".join(part if part.startswith("-") else f" {_sign(part)}" for part in text.parts)[1:]
    if text.kind is Kind.PREFIX:
        words += "*"
    if text.slop is not None:
        return f'"{words}"~{text.slop}'
    exact = "=" if text.kind is Kind.EXACT else ""
    plain = " " not in words and words not in ("and", "or", "not")
    return exact + (words if plain else f'"{words}"')


def _sign(part: str) -> str:
    """``*PO`` and ``A*`` are recognised in capitals only."""
    return part.upper() if "*" in part else part


def number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def duration(seconds: int) -> str:
    unit, name = next(((size, name) for size, name in _UNITS if seconds % size == 0), (1, "s"))
    return f"{seconds // unit}{name}"


def meaning(query: Query, title: Title = lambda _: "") -> str:
    """The query in plain words: ``title contains "world model" and text does not contain survey``.

    ``title`` gives the title of a category by its name, or an empty text.
    """
    match query:
        case Or(children=children):
            return " or ".join(meaning(child, title) for child in children)
        case And(children=children):
            ordered = sorted(children, key=lambda child: isinstance(child, Not))
            return " and ".join(_part_meaning(each, title) for each in ordered)
        case Not(query=Text() as inner):
            return _text_meaning(inner).replace(" contains ", " does not contain ", 1)
        case Not(query=inner):
            return f"not ({meaning(inner, title)})" if isinstance(inner, And | Or) else f"not {meaning(inner, title)}"
        case Topic(name=name):
            return f"the topic is {name}"
        case leaf:
            return _leaf_meaning(leaf, title)


def _part_meaning(query: Query, title: Title) -> str:
    return f"({meaning(query, title)})" if isinstance(query, Or) else meaning(query, title)


def _leaf_meaning(leaf: Leaf, title: Title) -> str:
    match leaf:
        case All():
            return "every entry"
        case Text():
            return _text_meaning(leaf)
        case Author(shown=shown, words=words):
            return f"an author is {shown or ' '.join(words)}"
        case Label(field="has", value=value):
            return f"has {_HAS.get(value, value)}"
        case Label(field="announce", value=value):
            return f"announced as {value}"
        case Label(field="category", value=value, shown=shown) if (found := title(value)).casefold() not in ("", value):
            return f"category is {shown or value} ({found})"
        case Label(field=field, value=value, shown=shown):
            return f"{field} is {shown or value}"
        case Compare(field=field, op=op, value=value):
            return f"{field} {AT_LEAST[op]} {number(value)}"
        case Age(op=op, seconds=seconds):
            return f"{_OLD[op]} {_long_duration(seconds)} old"
        case Published(op=op, value=value):
            return f"published {_WHEN[op]} {value}"
        case Regex(field=field, pattern=pattern):
            return f"{field or 'text'} fits /{pattern}/"


def _text_meaning(leaf: Text) -> str:
    field, shown = leaf.field or "text", leaf.shown or format_parts(leaf)
    if leaf.slop is not None:
        return f"{field} contains {shown} within {leaf.slop} words"
    if leaf.kind is Kind.EXACT:
        return f"{field} contains exactly {shown}"
    if leaf.kind is Kind.PREFIX:
        return f"{field} contains words that begin with {shown}"
    return f"{field} contains {shown}"


def _long_duration(seconds: int) -> str:
    short = duration(seconds)
    count = short.rstrip("abcdefghijklmnopqrstuvwxyz")
    name = _NAMES.get(short[len(count) :], "second")
    return f"{count} {name}" if count == "1" else f"{count} {name}s"
