"""Clauses that look at one value of an entry rather than at its text. An absent value makes them false."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

from notifier.matching.categories import names_of
from notifier.matching.names import name_fits, name_words
from notifier.matching.query import Age, All, Author, Compare, Label, Published
from notifier.model import Entry

ValueLeaf: TypeAlias = All | Author | Label | Compare | Age | Published

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


def count(entry: Entry, field: str) -> int | None:
    """The number a ``Compare`` looks at."""
    if field == "authors":
        return entry.author_count
    value: int | None = getattr(entry, field)
    return value


def age(entry: Entry, now: datetime) -> float | None:
    """Seconds since publication."""
    return (now - entry.published_at).total_seconds() if entry.published_at else None


def labels(entry: Entry, field: str) -> tuple[str, ...]:
    """Everything a ``Label`` of this field can name for ``entry``, folded."""
    match field:
        case "category":
            return tuple(label for name in entry.categories for label in with_parents(name))
        case "source":
            return tuple(" ".join(name.casefold().split()) for name in entry.sources)
        case "announce":
            return (entry.announce,) if entry.announce else ()
        case _:
            return tuple(name for name, value in _properties(entry).items() if value)


@lru_cache(maxsize=2**14)
def with_parents(name: str) -> tuple[str, ...]:
    """``cs.cl`` lies beneath ``cs``. ``cs.sy`` is ``eess.sy``, too, yet only what says so lies beneath ``eess``."""
    folded, *other = names_of(name)
    pieces = folded.split(".")
    return (*(".".join(pieces[:size]) for size in range(1, len(pieces) + 1)), *other)


def _properties(entry: Entry) -> dict[str, object]:
    return {
        "abstract": entry.abstract,
        "code": entry.code_url,
        "keywords": entry.keywords,
        "org": entry.organization,
        "pdf": entry.pdf_url,
        "project": entry.project_url,
    }


def fitting_authors(leaf: Author, entry: Entry) -> tuple[str, ...]:
    return tuple(name for name in entry.authors if name_fits(leaf.words, leaf.prefix, name_words(name)))


def published_fits(leaf: Published, at: datetime) -> bool:
    """A day, month or year is one thing: after 2026-01 means from February on."""
    match leaf.op:
        case ">=":
            return at >= leaf.start
        case ">":
            return at >= leaf.end
        case "<":
            return at < leaf.start
        case "<=":
            return at < leaf.end
        case _:
            return leaf.start <= at < leaf.end


def holds(leaf: ValueLeaf, entry: Entry, now: datetime) -> bool:
    match leaf:
        case All():
            return True
        case Author():
            return bool(fitting_authors(leaf, entry))
        case Label(field=field, value=value):
            return value in labels(entry, field)
        case Compare(field=field, op=op, value=bound):
            have = count(entry, field)
            return have is not None and OPERATORS[op](have, bound)
        case Age(op=op, seconds=seconds):
            old = age(entry, now)
            return old is not None and OPERATORS[op](old, seconds)
        case Published():
            return entry.published_at is not None and published_fits(leaf, entry.published_at)
