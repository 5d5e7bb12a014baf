"""A parsed rule: frozen, hashable, in one normal form.

AND and OR are flattened, sorted and without repeats, NOT NOT is gone, one child stands for itself; so two
texts that differ in the order or case of their operators are equal here. What people wrote (``shown``) is
kept beside it and takes no part in equality.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias


class Kind(StrEnum):
    """How the atoms of a text clause are compared."""

    WORD = "word"
    EXACT = "exact"
    PREFIX = "prefix"
    """The last atom is a prefix, those before it are words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """``*``: every entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Atoms that stand side by side; with ``slop``, within that many other atoms, in any order.

    ``field`` is title, abstract, keywords, organization, or empty for title, abstract and keywords.
    ``parts`` are folded atoms (surfaces where exact); one that is glued to its predecessor starts with ``-``.
    """

    field: str = ""
    parts: tuple[str, ...]
    kind: Kind = Kind.WORD
    slop: int | None = None
    shown: str = dataclasses.field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """A name's folded words, given names first; ``prefix`` where the last one is only a beginning."""

    words: tuple[str, ...]
    prefix: bool = False
    shown: str = dataclasses.field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """``category:``, ``source:``, ``announce:`` or ``has:``, compared whole and without case.

    A category also stands for what lies beneath it: ``cs`` and ``cs.*`` for ``cs.CL``.
    """

    field: str
    value: str
    shown: str = dataclasses.field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """``field op value``; counts only, see ``Age`` and ``Published`` for time."""

    field: str
    op: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """``age op seconds`` since publication."""

    op: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """``published op`` a day, month or year in UTC, ``start`` to ``end`` (half-open)."""

    op: str
    start: datetime
    end: datetime
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Regex:
    """An RE2 pattern, looked for without case in the text as stored."""

    field: str = ""
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A named query; what it names is part of it."""

    name: str
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    children: tuple[Query, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    children: tuple[Query, ...]


Leaf: TypeAlias = All | Text | Author | Label | Compare | Age | Published | Regex
Query: TypeAlias = Leaf | Topic | Not | And | Or

GROWING = frozenset({"upvotes", "comments", "stars"})


def leaves(query: Query) -> Iterator[Leaf]:
    """Every leaf, those inside topics too."""
    stack: list[Query] = [query]
    while stack:
        match stack.pop():
            case And(children=children) | Or(children=children):
                stack.extend(children)
            case Not(query=inner) | Topic(query=inner):
                stack.append(inner)
            case leaf:
                yield leaf


def grows(query: Query) -> bool:
    """Whether a condition is on something that grows, so that an entry seen before may match later."""
    return any(isinstance(leaf, Compare) and leaf.field in GROWING for leaf in leaves(query))
