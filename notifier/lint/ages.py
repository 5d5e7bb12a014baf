"""Conditions on age that cannot hold, or hardly can between two digests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from notifier.cadence import next_slot
from notifier.lint.findings import FEWEST_PAPERS, Advice, Finding, Term
from notifier.matching import Index, Query, format_query
from notifier.matching.formatting import duration
from notifier.matching.query import Age, And
from notifier.model import Cadence, Entry, Every

_CLOCK_CHANGE = timedelta(hours=2)


def never(query: Query, terms: Sequence[Term], index: Index, cadence: Cadence, zone: str) -> Iterator[Finding]:
    ages = [term.query for term in terms if isinstance(term.query, Age) and not term.negated]
    upper = [age for age in ages if age.op in ("<", "<=")]
    if isinstance(query, And):
        lower = [age for age in query.children if isinstance(age, Age) and age.op in (">", ">=")]
        for low, high in ((low, high) for low in lower for high in upper if high in query.children):
            if low.seconds >= high.seconds:
                both = f"{format_query(low)} {format_query(high)}"
                yield Finding(advice=Advice.NEVER, term=both, text=f"No paper can have both: {both}.")
    for age in upper:
        if text := _too_young(age, index.entries) or _between_digests(age, cadence, zone, index.now):
            yield Finding(advice=Advice.NEVER, term=format_query(age), text=text)


def _too_young(age: Age, entries: Sequence[Entry]) -> str | None:
    """Sources show papers hours or days after they are published: arXiv announces after up to four days."""
    seen = [e.first_seen_at - e.published_at for e in entries if e.first_seen_at and e.published_at]
    if age.seconds == 0:
        return f"{format_query(age)} never holds: no paper is younger than that."
    if len(seen) < FEWEST_PAPERS or min(seen) <= timedelta(seconds=age.seconds):
        return None
    youngest = duration(int(min(seen).total_seconds()) // 3600 * 3600)
    return f"{format_query(age)} never held: the youngest of {len(seen)} papers was {youngest} old when it was seen."


def _between_digests(age: Age, cadence: Cadence, zone: str, now: datetime) -> str | None:
    gap = longest_gap(cadence, zone, now=now)
    if timedelta(seconds=age.seconds) + _CLOCK_CHANGE >= gap:
        return None
    apart = f"{gap.days} days" if gap >= timedelta(days=2) else f"{round(gap / timedelta(hours=1))} hours"
    return (
        f"{format_query(age)} finds only what was published just before a digest, but up to {apart} lie between two: "
        "papers of the other days never come."
    )


def longest_gap(cadence: Cadence, zone: str, *, now: datetime) -> timedelta:
    """The longest time between two digests in the next two weeks, or between the next three."""
    if cadence.every is Every.INSTANT:
        return timedelta(0)
    if cadence.every is Every.HOURLY and not cadence.days:
        return timedelta(hours=1)
    due = [next_slot(cadence, zone, after=now).due_at]
    while len(due) < 3 or due[-1] - due[0] < timedelta(days=14):
        due.append(next_slot(cadence, zone, after=due[-1]).due_at)
    return max(later - earlier for earlier, later in pairwise(due))
