"""What a store can be asked of the entries it keeps: an expression over their terms and values. No query language.

Terms are those of ``matching.terms``: a store keeps them beside the entry, a column for each of ``COLUMNS``, and does
not know how they are made. Every condition is either true or false of an entry; an absent value makes it false.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

COLUMNS = ("title", "abstract", "keywords", "organization", "authors", "categories", "variants")


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """``terms`` side by side in one of ``columns``; with ``prefix`` the last is only a beginning."""

    columns: tuple[str, ...]
    terms: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Different ``terms`` in one column, in any order, at most ``between`` others between the first and the last."""

    columns: tuple[str, ...]
    terms: tuple[str, ...]
    between: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """``op`` is one of = < <= > >=; ``field`` is upvotes, comments, stars, authors or version."""

    field: str
    op: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedAt:
    op: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Has:
    """The entry has a (non-empty) abstract, code, keywords, org, pdf or project."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownBy:
    """A source of that name (case-folded) showed it."""

    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    announce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """The RE2 ``pattern`` is found, without case, in one of the fields' texts as stored."""

    fields: tuple[str, ...]
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    condition: Condition


Condition: TypeAlias = Phrase | Near | Number | PublishedAt | Has | ShownBy | Announced | Fits | AllOf | AnyOf | Without

EVERY = AllOf(conditions=())
NONE = AnyOf(conditions=())


def all_of(conditions: Iterable[Condition]) -> Condition:
    flat = _flat(AllOf, conditions)
    return NONE if NONE in flat else flat[0] if len(flat) == 1 else AllOf(conditions=flat)


def any_of(conditions: Iterable[Condition]) -> Condition:
    flat = _flat(AnyOf, conditions)
    return EVERY if EVERY in flat else flat[0] if len(flat) == 1 else AnyOf(conditions=flat)


def without(condition: Condition) -> Condition:
    if condition in (EVERY, NONE):
        return NONE if condition == EVERY else EVERY
    return condition.condition if isinstance(condition, Without) else Without(condition=condition)


def _flat(kind: type[AllOf] | type[AnyOf], conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    flat: dict[Condition, None] = {}
    for each in conditions:
        flat.update(dict.fromkeys(each.conditions if isinstance(each, kind) else (each,)))
    return tuple(flat)
