"""How a source is: fresh, quiet as usual, stale, failing, not announced today. Pure.

What is fresh follows from entries that a source had not shown before, never from dates in its feed. How long it may be
quiet follows from its own history; arXiv, whose calendar is known, is measured by that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from notifier import arxiv_calendar
from notifier.model import Gap, Health, News, SourceHealth, SourceRecord

_DAY = timedelta(days=1)
_WEEKEND = frozenset({5, 6})
_LEAST_SPAN, _LEAST_SILENCES = timedelta(days=14), 5
"""Less history than two weekends, or fewer silences than these, is no rhythm."""
_WORKDAYS = 3
"""On so many different weekdays a source brings something before its silent weekends are believed."""
_PATIENCE = timedelta(days=3)
"""A holiday is no fault, but three times the longest silence is one however short that was."""
_BEHIND = 5
"""Announcements, a week of them: small categories have days without a paper."""
_REBUILT = timedelta(hours=6)
"""After midnight US Eastern arXiv's feeds take their time, an hour or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a source: ``news`` oldest first, ``gaps`` that are open, ``parts`` such as arXiv's categories
    with when each last brought something unseen."""

    record: SourceRecord
    news: tuple[News, ...] = ()
    gaps: tuple[Gap, ...] = ()
    parts: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def has_calendar(self) -> bool:
        return self.record.kind == "arxiv"

    @property
    def last_new_at(self) -> datetime | None:
        return self.news[-1].at if self.news else self.record.last_new_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """``longest`` is the longest silence of the last weeks; with ``rests`` Saturdays and Sundays (UTC) do not count."""

    longest: timedelta
    rests: bool

    @property
    def bound(self) -> timedelta:
        """The silence from which on it is stale: between two and three times the longest."""
        return min(max(2 * self.longest, _PATIENCE), 3 * self.longest)

    def silence(self, start: datetime, end: datetime) -> timedelta:
        return (end - start) - (_weekends(start, end) if self.rests else timedelta(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """``since`` is when it began, or of fresh, quiet and stale the last news; ``next_at`` arXiv's next announcement."""

    health: Health
    since: datetime | None = None
    rhythm: Rhythm | None = None
    next_at: datetime | None = None


def state(known: Known, now: datetime) -> State:
    record = known.record
    if record.paused_at:
        health = Health.GONE if record.paused_reason else Health.PAUSED
        return State(health=health, since=record.paused_at)
    if record.failing_since:
        return State(health=Health.FAILING, since=record.failing_since, rhythm=rhythm(known.news))
    if record.last_success_at is None:
        return State(health=Health.NOT_READ)
    return _announced(known, now) if known.has_calendar else _by_rhythm(known, record.last_success_at)


def rhythm(news: Sequence[News]) -> Rhythm | None:
    """None where there is too little history to judge by."""
    times = [each.at for each in news]
    if len(times) <= _LEAST_SILENCES or times[-1] - times[0] < _LEAST_SPAN:
        return None
    weekdays = {each.weekday() for each in times}
    found = Rhythm(longest=timedelta(0), rests=not weekdays & _WEEKEND and len(weekdays) >= _WORKDAYS)
    longest = max(found.silence(*pair) for pair in pairwise(times))
    return Rhythm(longest=longest, rests=found.rests)


def of(known: Known, now: datetime) -> SourceHealth:
    """What a digest's footer says of it."""
    found = state(known, now)
    return SourceHealth(
        name=known.record.name,
        title=known.record.title,
        last_success_at=known.record.last_success_at,
        health=found.health,
        since=found.since,
        missing=known.gaps,
    )


def behind(known: Known, now: datetime) -> tuple[str, ...]:
    """Categories that brought nothing unseen in arXiv's last five announcements, though they did before."""
    if not known.has_calendar:
        return ()
    shown = now - _REBUILT
    return tuple(
        name
        for name, at in sorted(known.parts.items())
        if at < shown and len(arxiv_calendar.announcements_between(at, shown)) > _BEHIND
    )


def by_day(news: Sequence[News], days: int, now: datetime) -> list[tuple[date, int]]:
    """How many entries it showed for the first time on each of the last ``days`` days (UTC)."""
    today = now.date()
    counts = {today - n * _DAY: 0 for n in range(days - 1, -1, -1)}
    for each in news:
        if each.at.date() in counts:
            counts[each.at.date()] += each.brought
    return list(counts.items())


def _by_rhythm(known: Known, answered_at: datetime) -> State:
    """Silence counts up to its last answer: while nobody asks, nobody can know."""
    last, found = known.last_new_at, rhythm(known.news)
    if found and last and found.silence(last, answered_at) >= found.bound:
        health = Health.STALE
    elif last and answered_at - last <= _DAY:
        health = Health.FRESH
    else:
        health = Health.QUIET
    return State(health=health, since=last, rhythm=found)


def _announced(known: Known, now: datetime) -> State:
    """arXiv: its feeds show one evening's announcement for a day, and nothing behind an evening without one."""
    last, evening = known.last_new_at, arxiv_calendar.evening_shown(now)
    shown_at = arxiv_calendar.shown_since(evening)
    next_at = arxiv_calendar.announced_at(arxiv_calendar.next_announcement(now))
    answered_at = known.record.last_success_at
    if last and last >= shown_at:
        health = Health.FRESH
    elif not arxiv_calendar.announces(evening):
        health = Health.NOT_ANNOUNCED
    elif answered_at and answered_at >= shown_at + _REBUILT:
        health = Health.STALE
    else:
        health = Health.QUIET
    return State(health=health, since=last, rhythm=rhythm(known.news), next_at=next_at)


def _weekends(start: datetime, end: datetime) -> timedelta:
    """How much of the time from ``start`` to ``end`` is a Saturday or a Sunday."""
    total, at = timedelta(0), start.astimezone(UTC)
    while at < end:
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
        if at.weekday() in _WEEKEND:
            total += min(midnight, end) - at
        at = midnight
    return total
