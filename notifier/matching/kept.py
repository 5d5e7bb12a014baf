"""An index that is asked again and again, as somebody types: what each query matched is kept, topics first of all."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from notifier.matching.evaluation import evaluate
from notifier.matching.index import Index, Made, Row
from notifier.matching.query import Age, And, Not, Or, Query, Topic, leaves
from notifier.model import Entry

_KEPT = 4_096
"""Rows: with 10,000 entries 5 MB."""


class KeptIndex(Index):
    """As an Index of any instant that ``at`` is asked for; a topic among others costs nothing after the first time."""

    def __init__(self, entries: Sequence[Entry], *, now: datetime) -> None:
        super().__init__(entries, now=now)
        self._kept: OrderedDict[Query, Row] = OrderedDict()
        self._passing: dict[Query, Row] = {}
        self._lock = Lock()
        self._notes: dict[Hashable, Any] = {}
        # What each look-up would else compute for its own copy.
        _ = self._postings, self._by_term, self._by_surface, self._alphabetical, self._names
        _ = self.used, self.atoms, self.term_numbers, self.joined, self.term_hashes

    def at(self, now: datetime) -> KeptIndex:
        """The same entries, of another instant: only the age of a paper is another."""
        other = copy.copy(self)
        other.now = now
        other._rows = {}
        other._passing = {}
        return other

    def noted(self, key: Hashable, make: Callable[[], Made]) -> Made:
        if key not in self._notes:
            self._notes[key] = make()
        found: Made = self._notes[key]
        return found

    def rows(self, queries: Sequence[Query]) -> NDArray[np.uint64]:
        """As ``evaluate`` answers: one bitset row for each query."""
        self._learn({plain for query in queries for plain in self._unknown(query)})
        found = np.zeros((len(queries), self.words), np.uint64)
        for place, query in enumerate(queries):
            found[place] = self._row_of(query)
        return found

    def _unknown(self, query: Query) -> Iterator[Query]:
        """What has to be evaluated before the rest can be put together."""
        if query in self._kept:
            return
        if not _has_topic(query):
            yield query
        for part in _parts(query) if _has_topic(query) else ():
            yield from self._unknown(part)

    def _learn(self, queries: Iterable[Query]) -> None:
        """In one evaluation, which costs little more than that of one of them."""
        unknown = list(queries)
        # An age is another a minute later: it is kept for this instant only.
        for query, row in zip(unknown, evaluate(self, unknown) if unknown else (), strict=True):
            if any(isinstance(leaf, Age) for leaf in leaves(query)):
                self._passing[query] = row
            else:
                self._keep(query, row)

    def _row_of(self, query: Query) -> Row:
        kept = self._passing.get(query)
        if kept is None and (kept := self._recalled(query)) is None:
            kept = self._composed(query)
            if not any(isinstance(leaf, Age) for leaf in leaves(query)):
                self._keep(query, kept)
        return kept

    def _composed(self, query: Query) -> Row:
        """What has topics is put together from their rows; all else is one evaluation, as words of an AND may join."""
        if not _has_topic(query):
            row: Row = evaluate(self, [query])[0]
            return row
        rows = [self._row_of(part) for part in _parts(query)]
        match query:
            case Not():
                return ~rows[0] & self._full()
            case Or():
                return reduce(np.bitwise_or, rows)
            case _:
                return reduce(np.bitwise_and, rows)

    def _full(self) -> Row:
        return self.bits(range(len(self.entries)))

    def _recalled(self, query: Query) -> Row | None:
        with self._lock:
            if (row := self._kept.get(query)) is not None:
                self._kept.move_to_end(query)
            return row

    def _keep(self, query: Query, row: Row) -> None:
        with self._lock:
            self._kept[query] = row
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)


def rows_of(index: Index, queries: Sequence[Query]) -> NDArray[np.uint64]:
    """One bitset row for each query, from what is kept where the index keeps it."""
    return index.rows(queries) if isinstance(index, KeptIndex) else evaluate(index, queries)


def _parts(query: Query) -> list[Query]:
    """What the row of a query with topics is put together from; the words beside a topic stay together."""
    match query:
        case Topic(query=inner) | Not(query=inner):
            return [inner]
        case And(children=children) | Or(children=children):
            plain = tuple(each for each in children if not _has_topic(each))
            together = [replace(query, children=plain)] if len(plain) > 1 else list(plain)
            return [*together, *(each for each in children if _has_topic(each))]
        case _:
            return []


def _has_topic(query: Query) -> bool:
    match query:
        case Topic():
            return True
        case Not(query=inner):
            return _has_topic(inner)
        case And(children=children) | Or(children=children):
            return any(map(_has_topic, children))
        case _:
            return False
