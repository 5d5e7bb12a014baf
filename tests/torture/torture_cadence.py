"""Every zone against an oracle: 2024 to 2030 whole, and the days around every change from 1970 to 2037.

The oracle never asks what UTC a wall time is. It reads from each zone where its offset changes, cuts time
into stretches of one offset, and looks within each stretch when a local date first reaches the time. Zones
whose stretches are the same (aliases mostly) are one clock and are gone through once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from multiprocessing.pool import Pool
from zoneinfo import ZoneInfo, available_timezones

from notifier.cadence import due_slot, next_slot
from notifier.model import Cadence, Every

DAY = timedelta(days=1)
HALF_HOURS = [time(minutes // 60, minutes % 60) for minutes in range(0, 24 * 60, 30)]
WHOLE = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC))
CHANGES = (datetime(1970, 1, 3, tzinfo=UTC), datetime(2037, 12, 29, tzinfo=UTC))


@dataclass(frozen=True)
class Stretch:
    """From ``start`` until before ``end`` (UTC) the clock stands ``offset`` off."""

    start: datetime
    end: datetime
    offset: timedelta


def stretches(zone: str, start: datetime, end: datetime) -> tuple[Stretch, ...]:
    tz = ZoneInfo(zone)
    found, begun, moment, offset = [], start, start, offset_at(start, tz)
    while moment < end:
        later = min(moment + timedelta(hours=12), end)
        if (new := offset_at(later, tz)) != offset:
            change = change_between(moment, later, tz)
            found.append(Stretch(begun, change, offset))
            begun, offset = change, new
        moment = later
    return (*found, Stretch(begun, end, offset))


def offset_at(moment: datetime, tz: ZoneInfo) -> timedelta:
    return moment.astimezone(tz).replace(tzinfo=UTC) - moment


def change_between(early: datetime, late: datetime, tz: ZoneInfo) -> datetime:
    before = offset_at(early, tz)
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=int((late - early).total_seconds()) // 2)
        early, late = (middle, late) if offset_at(middle, tz) == before else (early, middle)
    return late


def expected(clock: Iterable[Stretch], at: time) -> dict[date, datetime]:
    """When each local date first reaches ``at``, or the end of the stretch in which it ends before that."""
    reached: dict[date, datetime] = {}
    ended: dict[date, datetime] = {}
    for stretch in clock:
        local_start = (stretch.start + stretch.offset).replace(tzinfo=None)
        local_end = (stretch.end + stretch.offset).replace(tzinfo=None)
        day = local_start.date()
        while datetime.combine(day, time()) < local_end:
            ended[day] = stretch.end
            wall = max(datetime.combine(day, at), local_start)
            if wall < local_end and wall.date() == day:
                reached.setdefault(day, wall.replace(tzinfo=UTC) - stretch.offset)
            day += DAY
    return {day: reached.get(day, ended[day]) for day in ended}


def check_dates(zone: str, clock: tuple[Stretch, ...]) -> tuple[int, list[str]]:
    """All dates that ``clock`` holds whole, at each half-hour; and the count over all of them."""
    checked, wrong = 0, []
    for at in HALF_HOURS:
        cadence = Cadence(every=Every.DAILY, at=at)
        wanted = expected(clock, at)
        days = sorted(wanted)[1:-1]
        moment = wanted[days[0]] - timedelta(microseconds=1)
        for day in days:
            slot = next_slot(cadence, zone, after=moment)
            if (slot.key, slot.due_at) != (day.isoformat(), wanted[day]):
                wrong.append(f"{zone} {day} {at:%H:%M}: {slot.due_at} instead of {wanted[day]}")
                break
            moment = slot.due_at
        found = due_slot(cadence, zone, since=wanted[days[0]] - timedelta(microseconds=1), now=moment)
        if found is None or found[1] != len(days):
            wrong.append(f"{zone} {at:%H:%M}: counted {found} instead of {len(days)}")
        checked += len(days)
    return checked, wrong


def check_around_changes(zone: str, clock: tuple[Stretch, ...]) -> tuple[int, list[str]]:
    checked = 0
    wrong: list[str] = []
    for stretch in clock[:-1]:
        start, end = stretch.end - 2 * DAY, stretch.end + 2 * DAY
        near = tuple(
            Stretch(max(each.start, start), min(each.end, end), each.offset)
            for each in clock
            if each.start < end and each.end > start
        )
        count, faults = check_dates(zone, near)
        checked, wrong = checked + count, wrong + faults
    return checked, wrong


def clocks(pool: Pool, start: datetime, end: datetime) -> list[tuple[str, tuple[Stretch, ...]]]:
    """One zone of each clock, with its stretches."""
    zones = sorted(available_timezones() - {"localtime", "Factory"})
    found = pool.starmap(stretches, [(zone, start, end) for zone in zones])
    different = dict(zip(reversed(found), reversed(zones), strict=True))
    print(f"   {len(zones)} zones with {len(different)} different clocks, {start:%Y} to {end:%Y}")
    return [(zone, clock) for clock, zone in different.items()]


def main() -> int:
    wrong: list[str] = []
    with Pool(os.cpu_count()) as pool:
        for check, span in ((check_dates, WHOLE), (check_around_changes, CHANGES)):
            results = pool.starmap(check, clocks(pool, *span), chunksize=1)
            faults = [fault for _, found in results for fault in found]
            print(f"   {sum(count for count, _ in results):,} slots, {len(faults)} wrong", flush=True)
            wrong += faults
    print("\n".join(wrong[:50]))
    return 1 if wrong else 0
