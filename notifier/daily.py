"""The papers of a day, a week or a month, as the front page shows them: what became news then, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from notifier.model import Entry
from notifier.ports import Order, Store

PAGE = 30
"""Papers on one page: with their abstracts cut about 60 KB of HTML."""


class Span(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of what became news from ``first`` to ``last``, local days both included."""

    span: Span
    order: Order
    first: date
    last: date
    entries: tuple[Entry, ...]
    total: int
    """How many papers all its pages have."""
    behind: str | None
    """The id behind which the next page begins; None on the last one."""
    earlier: date | None
    """A day of the nearest span before this one that has papers."""
    later: date | None


def listing(
    store: Store,
    *,
    span: Span,
    day: date | None = None,
    order: Order,
    after: str | None = None,
    limit: int = PAGE,
    zone: str,
    now: datetime,
) -> Listing:
    """The span that ``day`` lies in, by default that of the latest news up to ``now``; without news that of today."""
    tz = ZoneInfo(zone)
    if day is None:
        latest = store.entries.news_before(now + timedelta(microseconds=1)) or now
        day = latest.astimezone(tz).date()
    first, end = bounds(span, day)
    since, until = _midnight(first, tz), _midnight(end, tz)
    found = store.entries.listed(since, until, order=order, limit=limit + 1, after=after)
    before, later = store.entries.news_before(since), store.entries.news_from(until)
    return Listing(
        span=span,
        order=order,
        first=first,
        last=end - timedelta(days=1),
        entries=tuple(found[:limit]),
        total=store.entries.news_count(since, until),
        behind=found[limit - 1].id if len(found) > limit else None,
        earlier=before.astimezone(tz).date() if before else None,
        later=later.astimezone(tz).date() if later and later <= now else None,
    )


def bounds(span: Span, day: date) -> tuple[date, date]:
    """The first day of the span that ``day`` lies in, and the first one behind it; weeks begin on Monday."""
    if span is Span.DAY:
        return day, day + timedelta(days=1)
    if span is Span.WEEK:
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Where a day begins; in a gap of daylight saving with the instant behind it, as near as a list needs it."""
    return datetime.combine(day, time(), zone)
