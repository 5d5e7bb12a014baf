"""What advice is made of: the terms of a rule, which papers each matches, and one sentence about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from notifier.matching import Index, Query, format_query, rows_of
from notifier.matching.query import And, Label, Leaf, Not, Or, Text, Topic

Flags = NDArray[np.bool_]

FEWEST_PAPERS = 20
"""With fewer papers at hand, that a term is common or was never seen says nothing."""
FEWEST_HITS = 3
"""With fewer matches, that one rule covers or empties another may be chance."""


class Advice(StrEnum):
    COVERED = "covered"
    EMPTIED = "emptied"
    NEVER = "never"
    MISNAMED = "misnamed"
    UNSEEN = "unseen"
    INSIDE = "inside"
    AMBIGUOUS = "ambiguous"
    COMMON = "common"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One sentence of advice; ``term`` is the part of the rule it is about, ``instead`` what may be meant."""

    advice: Advice
    text: str
    term: str = ""
    instead: str | None = None
    rule_id: str | None = None
    """The other rule, where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A leaf or topic of the rule; ``joined`` where others narrow it down, ``negated`` behind a NOT."""

    query: Leaf | Topic
    joined: bool
    negated: bool


def hits_of(index: Index, queries: Iterable[Query]) -> dict[Query, Flags]:
    """For each distinct query, which of ``index.entries`` it matches."""
    distinct = list(dict.fromkeys(queries))
    rows = np.ascontiguousarray(rows_of(index, distinct)).astype("<u8")
    flags = np.zeros((len(distinct), len(index.entries)), bool)
    if flags.size:
        flags[:] = np.unpackbits(rows.view(np.uint8), axis=1, count=len(index.entries), bitorder="little")
    return dict(zip(distinct, flags, strict=True))


def terms_of(query: Query, *, joined: bool = False, negated: bool = False) -> Iterator[Term]:
    """The terms a person wrote; what is inside a topic is its librarian's business."""
    match query:
        case And(children=children) | Or(children=children):
            for child in children:
                yield from terms_of(child, joined=joined or isinstance(query, And), negated=negated)
        case Not(query=inner):
            yield from terms_of(inner, negated=not negated)
        case leaf:
            yield Term(query=leaf, joined=joined, negated=negated)


def written_of(query: Leaf | Topic) -> str:
    match query:
        case Text(field="", shown=shown) if shown:
            return shown
        case Label(field=field, shown=shown) if shown:
            return f"{field}:{shown}"
        case _:
            return format_query(query)


def name_of(query: Leaf | Topic) -> str:
    written = written_of(query)
    return f"“{written.strip(chr(34)) if written.startswith(chr(34)) else written}”"
