"""When a digest is due, in the subscriber's own calendar: a local date, a wall-clock time and an IANA zone.

What the clocks do to it, on every day of every year:

- wall time that occurs twice: the first time only;
- wall time that is jumped over: the instant of the jump, so that every local date has its slot;
- a local date that never was (Samoa, 2011-12-30): no slot;
- hourly: every instant at which the local clock shows the minute, so both times in a repeated hour.

A date's slot is named by the date alone: an hour changed at noon gives no second digest that day.

Quiet hours and free weekends hold a digest back, and what is found meanwhile comes in the next one:

- a daily, weekly or monthly slot in quiet hours is due when they end; one on a free weekend moves to Monday;
- an hourly one is left out, for the next hour brings its papers too;
- an instant one is due at the end of the quiet time.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from notifier.errors import UsageError
from notifier.model import Cadence, Every, Quiet, Slot

_DAY = timedelta(days=1)
_MONDAY = frozenset({0})
_WEEKEND = frozenset({5, 6})
_LONGEST_QUIET = 23 * 60
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def next_slot(cadence: Cadence, zone: str, *, after: datetime) -> Slot:
    """The first slot that is due later than ``after`` (aware)."""
    if cadence.every is Every.INSTANT:
        soon = after.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        return _instant(_awake(cadence, zone, soon), zone)
    day = _local_date(after, zone)
    found = _near(cadence, zone, day, lambda slot: slot.due_at > after)
    day += _DAY
    while not found:
        day += _DAY
        found = _slots(cadence, zone, day)
    return min(found, key=_due_at)


def due_slot(cadence: Cadence, zone: str, *, since: datetime, now: datetime) -> tuple[Slot, int] | None:
    """The latest slot due in ``(since, now]`` and how many there are: more than one is a catch-up."""
    if since >= now:
        return None
    if cadence.every is Every.INSTANT:
        is_quiet = _awake(cadence, zone, now) > now
        return None if is_quiet else (_instant(now.astimezone(UTC), zone), 1)
    latest = _latest_slot(cadence, zone, since=since, now=now)
    return (latest, _count(cadence, zone, since=since, now=now)) if latest else None


def _latest_slot(cadence: Cadence, zone: str, *, since: datetime, now: datetime) -> Slot | None:
    day, earliest = _local_date(now, zone), _local_date(since, zone) - _DAY
    found = _near(cadence, zone, day, lambda slot: slot.due_at <= now)
    day -= _DAY
    while not found and day > earliest:
        day -= _DAY
        found = _slots(cadence, zone, day)
    latest = max(found, key=_due_at, default=None)
    return latest if latest and latest.due_at > since else None


def _count(cadence: Cadence, zone: str, *, since: datetime, now: datetime) -> int:
    """Slots in ``(since, now]``; only the days at the two ends need a look at the instants."""
    first, last = _local_date(since, zone) - _DAY, _local_date(now, zone) + _DAY
    inner = range(first.toordinal() + 3, last.toordinal() - 2)
    ends = [n for n in range(first.toordinal(), last.toordinal() + 1) if n not in inner]
    at_ends = [slot for n in ends for slot in _slots(cadence, zone, date.fromordinal(n))]
    within = sum(_slots_on(cadence, zone, date.fromordinal(n)) for n in inner)
    return within + sum(since < slot.due_at <= now for slot in at_ends)


def _slots_on(cadence: Cadence, zone: str, day: date) -> int:
    if not _falls_on(cadence, day):
        return 0
    if cadence.every is Every.HOURLY:
        is_whole = cadence.quiet is None and _is_steady(day, ZoneInfo(zone))
        return 24 if is_whole else len(_slots(cadence, zone, day))
    return _to_utc(day, cadence.at, ZoneInfo(zone)) is not None


def _near(cadence: Cadence, zone: str, day: date, wanted: Callable[[Slot], bool]) -> tuple[Slot, ...]:
    """Slots of ``day`` and its neighbours: a jump at midnight may put a slot just outside its own date."""
    return tuple(slot for each in (day - _DAY, day, day + _DAY) for slot in _slots(cadence, zone, each) if wanted(slot))


# Planning asks the same few days again for every subscriber of one cadence and zone.
@lru_cache(maxsize=8192)
def _slots(cadence: Cadence, zone: str, day: date) -> tuple[Slot, ...]:
    """The slots that belong to the local date ``day``."""
    if not _falls_on(cadence, day):
        return ()
    if cadence.every is Every.HOURLY:
        hours = _hours(day, cadence.at.minute, ZoneInfo(zone))
        loud = (due for due in hours if _after_quiet(cadence.quiet, zone, due) == due)
        return tuple(Slot(key=f"{due:%Y-%m-%dT%H:%MZ}", due_at=due, zone=zone) for due in loud)
    due = _to_utc(day, cadence.at, ZoneInfo(zone))
    return (Slot(key=day.isoformat(), due_at=_after_quiet(cadence.quiet, zone, due), zone=zone),) if due else ()


def _after_quiet(quiet: Quiet | None, zone: str, instant: datetime) -> datetime:
    """``instant``, or the end of the quiet hours that it lies in."""
    if quiet is None:
        return instant
    day = _local_date(instant, zone)
    for first in (day - _DAY, day):
        start, end = _hours_of(quiet, zone, first)
        if start <= instant < end:
            return end
    return instant


@lru_cache(maxsize=8192)
def _hours_of(quiet: Quiet, zone: str, day: date) -> tuple[datetime, datetime]:
    """The quiet hours that begin on the local date ``day``, as UTC; two equal instants where there are none."""
    tz = ZoneInfo(zone)
    last = day if quiet.start < quiet.end else day + _DAY
    start, end = _to_utc(day, quiet.start, tz), _to_utc(last, quiet.end, tz)
    whole = start and end and start < end
    return (start, end) if whole else (datetime.max.replace(tzinfo=UTC),) * 2  # type: ignore[return-value]


def _awake(cadence: Cadence, zone: str, instant: datetime) -> datetime:
    """The first instant from ``instant`` on that is in no quiet hours and on no free weekend."""
    while True:
        day = _local_date(instant, zone)
        later = _after_quiet(cadence.quiet, zone, instant)
        if not cadence.weekends and day.weekday() in _WEEKEND:
            later = _to_utc(day + (7 - day.weekday()) * _DAY, time(), ZoneInfo(zone)) or instant + _DAY
        if later <= instant:
            return instant
        instant = later


def _falls_on(cadence: Cadence, day: date) -> bool:
    if cadence.weekends:
        return _is_day(cadence, day)
    if day.weekday() in _WEEKEND:
        return False
    only_weekends = bool(cadence.days) and cadence.days <= _WEEKEND
    moved = day.weekday() == 0 and (cadence.every is not Every.HOURLY or only_weekends)
    return _is_day(cadence, day) or (moved and any(_is_day(cadence, day - back * _DAY) for back in (1, 2)))


def _is_day(cadence: Cadence, day: date) -> bool:
    if cadence.every is Every.MONTHLY:
        return day.day == (_first_of(cadence.days, day) if cadence.days else 1)
    days = cadence.days or (_MONDAY if cadence.every is Every.WEEKLY else None)
    return days is None or day.weekday() in days


def _first_of(days: frozenset[int], month: date) -> int:
    """The day of ``month`` that is the first of these weekdays."""
    first = month.replace(day=1).weekday()
    return 1 + min((day - first) % 7 for day in days)


def _to_utc(day: date, at: time, tz: ZoneInfo) -> datetime | None:
    """The instant of a wall-clock time; the jump where it is jumped over; None if the whole date is."""
    wall = datetime.combine(day, at, tz)
    due = wall.astimezone(UTC)
    if _wall(due, tz) == wall.replace(tzinfo=None):
        return due
    jump = _jump_over(wall, tz)
    midnight = datetime.combine(day, time())
    gap_start = _wall(jump - timedelta(seconds=1), tz) + timedelta(seconds=1)
    is_skipped = gap_start <= midnight and midnight + _DAY <= _wall(jump, tz)
    return None if is_skipped else jump


def _jump_over(wall: datetime, tz: ZoneInfo) -> datetime:
    """When the clocks jumped over ``wall``, to the second.

    PEP 495: for a wall time that never was, fold=1 takes the offset after the jump and so lands before
    it, fold=0 lands behind it.
    """
    early = wall.replace(fold=1, microsecond=0).astimezone(UTC)
    late = wall.replace(fold=0).astimezone(UTC)
    before = _offset(early, tz)
    seconds = range(int((late - early).total_seconds()))
    return early + timedelta(
        seconds=bisect_left(seconds, True, key=lambda s: _offset(early + timedelta(seconds=s), tz) != before)
    )


def _hours(day: date, minute: int, tz: ZoneInfo) -> Iterator[datetime]:
    """Every instant at which the local clock shows ``day`` and this minute, as UTC, in no order."""
    for hour in range(24):
        wall = datetime.combine(day, time(hour, minute), tz)
        first, second = wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
        if first == second:
            yield first
        elif first < second:  # a repeated hour; in a gap they stand the other way round
            yield from (first, second)


def _is_steady(day: date, tz: ZoneInfo) -> bool:
    """Whether the clocks stand still all day: its two midnights have one offset, whichever way asked."""
    midnights = (datetime.combine(each, time(), tz) for each in (day, day + _DAY))
    return len({wall.replace(fold=fold).utcoffset() for wall in midnights for fold in (0, 1)}) == 1


def _instant(due: datetime, zone: str) -> Slot:
    return Slot(key=f"{due:%Y-%m-%dT%H:%M:%SZ}", due_at=due, zone=zone)


def _due_at(slot: Slot) -> datetime:
    return slot.due_at


def _local_date(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def _wall(instant: datetime, tz: ZoneInfo) -> datetime:
    return instant.astimezone(tz).replace(tzinfo=None)


def _offset(instant: datetime, tz: ZoneInfo) -> timedelta | None:
    return instant.astimezone(tz).utcoffset()


def parse_days(text: str) -> frozenset[int]:
    """``mon,thu`` or ``mon-fri`` as weekdays, Monday = 0. Raises UsageError."""
    return frozenset(day for part in text.split(",") for day in _span(part))


def _span(part: str) -> Iterator[int]:
    first, dash, last = part.partition("-")
    start = _weekday(first)
    end = _weekday(last) if dash else start
    return ((start + step) % 7 for step in range((end - start) % 7 + 1))


def _weekday(name: str) -> int:
    word = name.strip().casefold()
    for number, weekday in enumerate(_WEEKDAYS):
        if len(word) >= 3 and weekday.casefold().startswith(word):
            return number
    raise UsageError(f"'{name.strip()}' is no weekday: write mon, tue, wed, thu, fri, sat or sun, such as mon,thu.")


def parse_time(text: str) -> time:
    """``08:00`` or ``8:00``, 24 hours. Raises UsageError."""
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text.strip())
    if found and int(found[1]) < 24 and int(found[2]) < 60:
        return time(int(found[1]), int(found[2]))
    raise UsageError(f"'{text.strip()}' is no time of day: write hours and minutes, such as 08:00 or 17:30.")


def parse_quiet(text: str) -> Quiet:
    """``22:00-07:00``. Raises UsageError."""
    first, dash, last = text.partition("-")
    if not dash:
        raise UsageError(f"'{text.strip()}' is no span of hours: write when they begin and end, such as 22:00-07:00.")
    quiet = Quiet(start=parse_time(first), end=parse_time(last))
    minutes = (quiet.end.hour - quiet.start.hour) * 60 + quiet.end.minute - quiet.start.minute
    if not 0 < minutes % 1440 <= _LONGEST_QUIET:
        raise UsageError(
            "Quiet hours have to leave an hour of the day, as 22:00-07:00 does; or pause the subscription."
        )
    return quiet


def describe(cadence: Cadence, zone: str) -> str:
    """The cadence in English: ``Mondays and Thursdays at 08:00 Europe/Berlin``."""
    quiet = f", quiet {cadence.quiet.start:%H:%M}-{cadence.quiet.end:%H:%M}" if cadence.quiet else ""
    return f"{_described(cadence, zone)}{quiet}{'' if cadence.weekends else ', not on weekends'}"


def _described(cadence: Cadence, zone: str) -> str:
    at = f"{cadence.at:%H:%M} {zone}"
    match cadence.every:
        case Every.INSTANT:
            return "as soon as something matches"
        case Every.HOURLY:
            days = f", {_plural(cadence.days)}" if cadence.days else ""
            return f"every hour at minute {cadence.at.minute:02}{days} {zone}"
        case Every.DAILY:
            return f"{_plural(cadence.days)} at {at}"
        case Every.WEEKLY:
            return f"{_plural(cadence.days or _MONDAY)} at {at}"
        case Every.MONTHLY:
            names = [_WEEKDAYS[day] for day in sorted(cadence.days)]
            day = f"first {_listed(names, 'or')}" if names else "1st"
            return f"the {day} of each month at {at}"


def _plural(days: frozenset[int]) -> str:
    if len(days) in (0, 7):
        return "every day"
    if days == frozenset(range(5)):
        return "Mondays to Fridays"
    return _listed([f"{_WEEKDAYS[day]}s" for day in sorted(days)], "and")


def _listed(words: list[str], joint: str) -> str:
    *others, last = words
    return f"{', '.join(others)} {joint} {last}" if others else last
