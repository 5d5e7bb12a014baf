"""When arXiv announces, and which submissions an announcement holds. Pure.

An announcement is named by its evening: the US Eastern day at whose 20:00 it is made. Feeds show it from midnight to
midnight of the day after. Schedule and deferred mailings: https://info.arxiv.org/help/availability.html
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
_EVENING = time(20)
_DEADLINE = time(14)
_DAY = timedelta(days=1)
_NO_EVENING = frozenset({4, 5})
"""Friday and Saturday, as weekdays (Monday = 0); feeds have the days behind them in their skipDays."""

# The page above lists each year's evenings without an announcement, and often late: 2025 stood there but for December,
# of 2026 Martin Luther King Day was known. The others are those it has listed year after year (New Year, Juneteenth,
# Independence Day, Labor Day, Thanksgiving, Christmas), where they fall on an evening that would have one.
_HOLIDAYS = frozenset(
    map(
        date.fromisoformat,
        (
            "2025-01-01", "2025-01-20", "2025-06-19", "2025-07-06", "2025-09-01", "2025-11-27", "2025-12-25",
            "2026-01-01", "2026-01-19", "2026-09-07", "2026-11-26",
            "2027-01-18", "2027-07-04", "2027-09-06", "2027-11-25",
        ),
    )
)  # fmt: skip


def may_announce(evening: date) -> bool:
    """Whether the week has an announcement then; a holiday, of which the list may be wrong, does not count."""
    return evening.weekday() not in _NO_EVENING


def announces(evening: date) -> bool:
    return may_announce(evening) and evening not in _HOLIDAYS


def announced_at(evening: date) -> datetime:
    """The instant of that evening's announcement, in UTC."""
    return datetime.combine(evening, _EVENING, EASTERN).astimezone(UTC)


def previous_announcement(now: datetime) -> date:
    """The evening of the latest announcement at or before ``now``."""
    evening = now.astimezone(EASTERN).date()
    while not announces(evening) or announced_at(evening) > now:
        evening -= _DAY
    return evening


def next_announcement(now: datetime) -> date:
    """The evening of the first announcement after ``now``."""
    evening = now.astimezone(EASTERN).date()
    while not announces(evening) or announced_at(evening) <= now:
        evening += _DAY
    return evening


def evening_shown(now: datetime) -> date:
    """The evening that feeds show at ``now``; where it ``announces`` nothing, they are rightly empty."""
    return now.astimezone(EASTERN).date() - _DAY


def shown_since(evening: date) -> datetime:
    """When feeds begin to show it: midnight behind it. They are rebuilt about then, not at the second."""
    return datetime.combine(evening + _DAY, time(0), EASTERN).astimezone(UTC)


def evenings_between(after: date, before: date) -> tuple[date, ...]:
    """The evenings strictly between that may have had an announcement, holidays among them."""
    days = (after + timedelta(days=n) for n in range(1, (before - after).days))
    return tuple(day for day in days if may_announce(day))


def announcements_between(start: datetime, end: datetime) -> tuple[date, ...]:
    """The evenings whose announcement falls into ``(start, end]``, without holidays."""
    first, last = start.astimezone(EASTERN).date(), end.astimezone(EASTERN).date()
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return tuple(day for day in days if announces(day) and start < announced_at(day) <= end)


def submissions(first: date, last: date) -> tuple[datetime, datetime]:
    """From when to when the papers were submitted that the evenings ``first`` to ``last`` announced, in UTC.

    Those that moderators held back are older, and where a mailing was deferred the first reaches further back.
    """
    opened = first - timedelta(days=3 if first.weekday() in (0, 6) else 1)
    closed = last - timedelta(days={6: 2, 5: 1}.get(last.weekday(), 0))
    start, end = (datetime.combine(day, _DEADLINE, EASTERN).astimezone(UTC) for day in (opened, closed))
    return start, end
