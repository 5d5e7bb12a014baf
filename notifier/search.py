"""Search the whole archive in the rule language.

    narrow     the query's bounds, from the terms that occur at all (pure)
    pages      what meets the necessary one, newest first, from the store
    evaluate   decides on each page, with the function that decides everywhere (pure)

The search ends when it has as many as are wanted; the total is counted from the bounds where that is quick.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from notifier.conditions import EVERY, NONE, Condition
from notifier.matching import Bounds, Index, Query, Topics, evaluate, explain, narrow, parse, positions, vocabulary
from notifier.model import Entry, Evidence
from notifier.ports import Store

PATIENCE = 5_000
"""Candidates that one search looks at, about a second's worth."""
_COUNTED = 300
"""Candidates that are looked at only to know the total."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A stored entry that a query matches, with why."""

    entry: Entry
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search came to. ``matched`` is how many match; unless ``exact``, at least so many."""

    hits: tuple[Hit, ...]
    """The newest, as many as were wanted."""
    matched: int
    exact: bool
    searched: int
    """How many entries the time asked for holds."""
    gave_up_at: datetime | None = None
    """Where too many candidates did not match: only what was first seen since then was looked at."""
    behind: str | None = None
    """The entry behind which a search for more goes on; None where everything was looked at."""


def search(
    store: Store,
    topics: Topics,
    query: str,
    *,
    last: timedelta | None = None,
    limit: int,
    after: str | None = None,
    patience: int = PATIENCE,
    now: datetime,
) -> Found:
    """The newest ``limit`` entries that ``query`` matches, of all or of those first seen in the ``last`` days.

    ``after`` is where the search before this one ended (``Found.behind``). It gives up after ``patience`` candidates.
    Raises RuleError where the query does not parse.
    """
    since = now - last if last else None
    return _Search(store, parse(query, topics), since=since, after=after, now=now).found(limit, patience)


class _Search:
    def __init__(self, store: Store, query: Query, *, since: datetime | None, after: str | None, now: datetime) -> None:
        self._store, self._query, self._since, self._after, self._now = store, query, since, after, now
        known = store.entries.known_terms(vocabulary(query, now=now))
        self._bounds: Bounds = narrow(query, known, now=now)

    def found(self, limit: int, patience: int) -> Found:
        hits: list[Entry] = []
        looked_at, last = 0, None
        # One more than is wanted: whether there is more to come is to be known.
        for page in self._pages(self._bounds.necessary, limit + 1, after=self._after):
            hits += self._matching(page)
            looked_at, last = looked_at + len(page), page[-1]
            if len(hits) > limit or looked_at >= patience:
                break
        else:
            return self._ended(hits, limit)
        matched, exact = self._total()
        told = self._told(hits, limit, matched=max(matched, len(hits)), exact=exact)
        if len(hits) > limit:
            return replace(told, behind=hits[limit - 1].id)
        return replace(told, behind=last.id, gave_up_at=last.first_seen_at or self._now)

    def _ended(self, hits: list[Entry], limit: int) -> Found:
        """Everything was looked at: of a search that went on, the first part is counted with it."""
        matched, exact = (len(hits), True) if self._after is None else self._total()
        return self._told(hits, limit, matched=max(matched, len(hits)), exact=exact)

    def _told(self, hits: list[Entry], limit: int, *, matched: int, exact: bool) -> Found:
        return Found(
            hits=tuple(
                Hit(entry=entry, evidence=explain(self._query, entry, now=self._now) or ()) for entry in hits[:limit]
            ),
            matched=matched,
            exact=exact,
            searched=self._count(EVERY),
        )

    def _total(self) -> tuple[int, bool]:
        """What surely matches is counted by the store; what may match is looked at, up to a point."""
        sure = self._count(self._bounds.sufficient)
        if (between := self._bounds.between) == NONE:
            return sure, True
        page = next(self._pages(between, _COUNTED), [])
        return sure + len(self._matching(page)), len(page) < _COUNTED

    def _matching(self, entries: list[Entry]) -> list[Entry]:
        row = evaluate(Index(entries, now=self._now), [self._query])[0]
        return [entries[place] for place in positions(row)]

    def _pages(self, condition: Condition, first: int, *, after: str | None = None) -> Iterator[list[Entry]]:
        return self._store.entries.search(condition, since=self._since, until=self._now, first=first, after=after)

    def _count(self, condition: Condition) -> int:
        return self._store.entries.count_of(condition, since=self._since, until=self._now)
