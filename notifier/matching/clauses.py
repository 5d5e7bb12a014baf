"""The single clauses of a rule, from what stands in the text to a leaf of the query."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from notifier.errors import RuleError
from notifier.matching.names import name_words
from notifier.matching.normalize import clean, pieces_of, raw_runs
from notifier.matching.query import Age, Author, Compare, Kind, Label, Leaf, Published, Query, Regex, Text
from notifier.model import Announce

TEXT_FIELDS = {"title": "title", "abstract": "abstract", "keyword": "keywords", "org": "organization"}
_LABELS = ("category", "source", "announce", "has")
_FIELDS = (*TEXT_FIELDS, "author", *_LABELS, "topic")
_ALIASES = {"authors": "author", "keywords": "keyword", "organization": "org", "organisation": "org", "abs": "abstract"}
HAS = ("abstract", "code", "keywords", "org", "pdf", "project")
_COUNTS = ("upvotes", "comments", "stars", "authors", "version")
COMPARED = (*_COUNTS, "age", "published")
_SECONDS = {"min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_COMPARISON = re.compile(r"([A-Za-z_]+)\s*([<>]=?|==?|[≤≥])\s*(.*)", re.DOTALL)
_OPERATORS = {"≤": "<=", "≥": ">=", "==": "="}
_AGE = re.compile(r"(\d{1,6})(min|h|d|w)")
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_QUANTITY = re.compile(r"\d{1,12}(?:\.\d{1,6})?")
# An escape such as \b or \W names no character; \w, \d, \pL and all others that end in a letter or digit do.
_NAMELESS = re.compile(r"\\[bBWDSsAzQE]|\\[^A-Za-z0-9]|\(\?[^:)]*[:)]?|\{[\d,]*\}")
_WORD_CHARACTER = re.compile(r"[^\W_]")
_STRAY_STAR = re.compile(r"(?<![^\W_])[a-z]\*|[^\W_]{2}\*")
_QUOTES = re.compile(r'["“”„]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a clause stands: the field before it (its written name, or empty) and its 1-based column."""

    field: str
    column: int


def unknown(what: str, name: str, known: Iterable[str], column: int) -> RuleError:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return RuleError(f"unknown {what} '{name}'", column=column, suggestion=near[0] if near else None)


def field_name(name: str, column: int) -> str:
    field = _ALIASES.get(name.casefold(), name.casefold())
    if field in _FIELDS:
        return field
    if field in COMPARED:
        raise RuleError(f"'{field}' is compared, not searched: write {field}{_example(field)}", column=column)
    raise unknown("field", name, (*_FIELDS, *COMPARED), column)


def _example(field: str) -> str:
    return {"age": "<3d", "published": ">=2026-01-01"}.get(field, ">=20")


def text(content: str, place: Place, *, exact: bool, quoted: bool, slop: int | None) -> Query:
    """The clause of a word or of what stands in quotation marks."""
    if place.field in ("author", *_LABELS):
        if exact or slop is not None:
            raise RuleError(f"{place.field}: takes a plain value: expected a word or a phrase", column=place.column)
        return _author(content, place) if place.field == "author" else label(content, place)
    shown = f'"{content}"' if quoted else content
    field = TEXT_FIELDS.get(place.field, "")
    if exact:
        return Text(field=field, parts=_parts(content, place, exact=True), kind=Kind.EXACT, shown=shown)
    prefix = _is_prefix(content)
    stem = content[:-1] if prefix else content
    if _STRAY_STAR.search(stem):
        raise RuleError("A * has to stand at the end", column=place.column)
    parts = _parts(stem, place, exact=False)
    if prefix and len(parts[-1].lstrip("-")) < 2:
        raise RuleError("A beginning needs at least two letters before the *", column=place.column)
    if slop is not None:
        if prefix or len(parts) < 2:
            raise RuleError('A distance needs at least two whole words, as in "reward model"~3', column=place.column)
        return Text(field=field, parts=tuple(sorted(_bare(parts))), slop=slop, shown=shown)
    return Text(field=field, parts=parts, kind=Kind.PREFIX if prefix else Kind.WORD, shown=shown)


def _is_prefix(content: str) -> bool:
    """A star behind a word, but not the one of ``A*`` and ``Q*``, which are names."""
    return bool(re.search(r"\w\*$", content)) and not re.search(r"(?:^|[^\w])[A-Z]\*$", content)


def _bare(parts: tuple[str, ...]) -> list[str]:
    return [part.removeprefix("-") for part in parts]


def _parts(content: str, place: Place, *, exact: bool) -> tuple[str, ...]:
    parts: list[str] = []
    for run in raw_runs(content):
        for piece in pieces_of(run):
            parts.append(("-" if piece.glued else "") + (piece.atom.surface if exact else piece.atom.folded))
    if not parts:
        raise RuleError(f"'{content}' has no letter or digit to look for", column=place.column)
    return tuple(parts)


def _author(content: str, place: Place) -> Author:
    prefix = content.endswith("*")
    words = name_words(content.rstrip("*"))
    if not words:
        raise RuleError(f"'{content}' has no letter to look for in a name", column=place.column)
    return Author(words=words, prefix=prefix, shown=content)


def label(content: str, place: Place) -> Label:
    value = " ".join(_QUOTES.sub(" ", clean(content)).casefold().split())
    if place.field == "category":
        value = value.removesuffix(".*")
    if not value or not _WORD_CHARACTER.search(value):
        raise RuleError(f"{place.field}: needs a value behind it", column=place.column)
    allowed = {"has": HAS, "announce": tuple(Announce)}.get(place.field)
    if allowed and value not in allowed:
        raise unknown(f"value of {place.field}:", value, allowed, place.column)
    return Label(field=place.field, value=value, shown=content.strip())


def comparison(content: str, place: Place) -> Leaf:
    found = _COMPARISON.fullmatch(content)
    if not found:
        raise RuleError(f"'{content}' is no comparison", column=place.column)
    name, op, value = found[1].casefold(), _OPERATORS.get(found[2], found[2]), found[3].strip()
    if name in _FIELDS and name not in COMPARED:
        raise RuleError(f"'{name}' is searched, not compared: write {name}:…", column=place.column)
    if name not in COMPARED:
        raise unknown("field", found[1], (*COMPARED, *_FIELDS), place.column)
    column = place.column + found.start(3)
    if name == "age":
        return _age(op, value, column)
    if name == "published":
        return _published(op, value, column)
    if not _QUANTITY.fullmatch(value):
        raise RuleError(f"'{name}' needs a number, such as {name}>=20", column=column)
    return Compare(field=name, op=op, value=float(value))


def _age(op: str, value: str, column: int) -> Age:
    found = _AGE.fullmatch(value.casefold())
    if not found:
        raise RuleError("'age' needs a number of days or another unit (min, h, d, w), such as age<3d", column=column)
    return Age(op=op, seconds=int(found[1]) * _SECONDS[found[2]])


def _published(op: str, value: str, column: int) -> Published:
    found = _DATE.fullmatch(value)
    try:
        if not found:
            raise ValueError(value)
        year, month, day = (int(part) if part else None for part in found.groups())
        start = datetime(year or 0, month or 1, day or 1, tzinfo=UTC)
        if day:
            end = start + timedelta(days=1)
        elif month:
            end = (start + timedelta(days=31)).replace(day=1)
        else:
            end = start.replace(year=start.year + 1)
    except (ValueError, OverflowError):
        raise RuleError("'published' needs a date, such as published>=2026-01-01", column=column) from None
    return Published(op=op, start=start, end=end, value=value)


def regex(pattern: str, place: Place) -> Regex:
    if place.field and place.field not in TEXT_FIELDS:
        raise RuleError(f"{place.field}: takes no regular expression: expected a word or a phrase", column=place.column)
    if not _WORD_CHARACTER.search(_NAMELESS.sub("", pattern)):
        raise RuleError("A regular expression needs at least one letter or digit to look for", column=place.column)
    if isinstance(compiled := compile_regex(pattern), str):
        raise RuleError(f"The regular expression is not valid: {compiled}", column=place.column)
    if compiled.search("") is not None:
        raise RuleError("The regular expression fits even an empty text", column=place.column)
    return Regex(field=TEXT_FIELDS.get(place.field, ""), pattern=pattern)


@lru_cache(maxsize=4_096)
def compile_regex(pattern: str) -> Any:
    """The RE2 program, looking without case; or, as text, what is wrong with the pattern."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    except UnicodeEncodeError:
        return "it contains half a character"


def searchable(text: str) -> str:
    """``text`` with the same positions, fit for RE2, which takes no lone surrogates."""
    return text if text.isascii() else re.sub("[\ud800-\udfff]", "\ufffd", text)
