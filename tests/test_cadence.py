"""Slots against an oracle that only ever goes from UTC to the wall clock, a minute at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.cadence import describe, due_slot, next_slot, parse_days, parse_quiet, parse_time
from notifier.errors import UsageError
from notifier.model import Cadence, Every, Quiet, Slot

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slots(cadence: Cadence, zone: str, start: datetime, end: datetime) -> list[Slot]:
    found = []
    while (slot := next_slot(cadence, zone, after=start)).due_at <= end:
        found.append(slot)
        start = slot.due_at
    return found


def daily(at: str, days: str = "") -> Cadence:
    return Cadence(every=Every.DAILY, at=time.fromisoformat(at), days=parse_days(days) if days else frozenset())


Walk = list[tuple[datetime, date, time]]


def walk(zone: str, start: datetime, end: datetime) -> Walk:
    """Each UTC minute in ``[start, end)`` with what the wall clock shows."""
    tz = ZoneInfo(zone)
    minutes = [start + n * MINUTE for n in range((end - start) // MINUTE)]
    return [(minute, wall.date(), wall.time()) for minute in minutes for wall in [minute.astimezone(tz)]]


def walked_dates(walked: Walk, at: time) -> dict[date, datetime]:
    """Each local date's first minute at or after ``at``; where the date ends before it, the minute it ends."""
    reached: dict[date, datetime] = {}
    last_minute: dict[date, datetime] = {}
    for instant, day, clock in walked:
        last_minute[day] = instant
        if clock >= at:
            reached.setdefault(day, instant)
    return {day: reached.get(day, last + MINUTE) for day, last in last_minute.items()}


# Zone and a UTC instant near which its clocks, or its calendar, do something.
ODD_DAYS = [
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-04"),  # by half an hour
    ("Australia/Lord_Howe", "2026-10-03"),
    ("Asia/Beirut", "2026-03-28"),  # 00:00 is jumped over
    ("Asia/Beirut", "2026-10-24"),
    ("Africa/Cairo", "2026-04-23"),
    ("Africa/Cairo", "2026-10-29"),
    ("America/Asuncion", "2023-10-01"),
    ("America/Santiago", "2026-04-05"),
    ("America/Santiago", "2026-09-06"),
    ("America/Havana", "2026-03-08"),
    ("America/Scoresbysund", "2024-03-31"),
    ("America/Nuuk", "2023-03-26"),  # 22:00 to 23:00
    ("America/Nuuk", "2024-03-31"),
    ("America/St_Johns", "2000-04-02"),  # at 00:01, so that a date begins twice
    ("America/St_Johns", "2000-10-29"),
    ("Antarctica/Troll", "2026-03-29"),  # by two hours
    ("Africa/Casablanca", "2026-02-15"),
    ("Pacific/Apia", "2011-12-30"),  # a date that never was
    ("Pacific/Kiritimati", "1994-12-31"),
    ("Pacific/Kwajalein", "1993-08-21"),
    ("Asia/Pyongyang", "2018-05-04"),  # 23:30 to 24:00
    ("America/Caracas", "2016-05-01"),
    ("Asia/Kathmandu", "1985-12-31"),  # 15 minutes
    ("UTC", "2026-01-01"),
]
HALF_HOURS = [time(hour, minute) for hour in range(24) for minute in (0, 30)]


@pytest.mark.parametrize(("zone", "near"), ODD_DAYS)
def test_every_local_date_that_exists_has_its_slot_when_the_clock_first_reaches_the_time(zone: str, near: str) -> None:
    start, end = utc(near) - 2 * DAY, utc(near) + 3 * DAY
    minutes = walk(zone, start, end)
    for at in [*HALF_HOURS, time(0, 1), time(23, 59), time(2, 15)]:
        walked = walked_dates(minutes, at)
        inner = sorted(walked)[1:-1]  # the walk cuts the outer two
        cadence = Cadence(every=Every.DAILY, at=at)
        found = {slot.key: slot.due_at for slot in slots(cadence, zone, start - DAY, end + DAY)}
        assert {day.isoformat(): walked[day] for day in inner}.items() <= found.items()
        assert [key for key in found if inner[0].isoformat() <= key <= inner[-1].isoformat()] == [
            day.isoformat() for day in inner
        ]


@pytest.mark.parametrize(("zone", "near"), ODD_DAYS)
def test_an_hourly_slot_is_every_instant_at_which_the_clock_shows_the_minute(zone: str, near: str) -> None:
    start, end = utc(near) - DAY, utc(near) + 2 * DAY
    minutes = walk(zone, start + MINUTE, end + MINUTE)
    for minute in (0, 1, 15, 30, 45):
        cadence = Cadence(every=Every.HOURLY, at=time(8, minute))
        found = slots(cadence, zone, start, end)
        assert [slot.due_at for slot in found] == [instant for instant, _, clock in minutes if clock.minute == minute]
        assert len({slot.key for slot in found}) == len(found)


def clock(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


zones = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))
instants = st.datetimes(datetime(1970, 1, 10), datetime(2037, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
weekdays = st.frozensets(st.integers(0, 6))
spans = st.tuples(st.integers(0, 1439), st.integers(1, 23 * 60))
quiets = spans.map(lambda span: Quiet(start=clock(span[0]), end=clock(sum(span) % 1440)))
cadences = st.builds(
    Cadence,
    every=st.sampled_from(Every),
    at=times,
    days=weekdays,
    quiet=st.none() | quiets,
    weekends=st.sampled_from([True, True, False]),
)
calendar_cadences = cadences.filter(lambda cadence: cadence.every is not Every.INSTANT)


@given(cadences, zones, instants)
def test_the_next_slot_is_later_and_is_the_one_that_comes_due(cadence: Cadence, zone: str, after: datetime) -> None:
    slot = next_slot(cadence, zone, after=after)
    assert slot.due_at > after
    assert due_slot(cadence, zone, since=after, now=slot.due_at) == (slot, 1)


@given(calendar_cadences, zones, instants)
def test_nothing_is_due_before_the_next_slot(cadence: Cadence, zone: str, after: datetime) -> None:
    slot = next_slot(cadence, zone, after=after)
    assert due_slot(cadence, zone, since=after, now=slot.due_at - timedelta(microseconds=1)) is None
    assert next_slot(cadence, zone, after=slot.due_at - timedelta(microseconds=1)) == slot


@settings(max_examples=60)
@given(calendar_cadences, zones, instants, st.timedeltas(timedelta(0), timedelta(days=20)))
def test_catching_up_names_the_latest_slot_and_counts_what_was_missed(
    cadence: Cadence, zone: str, since: datetime, away: timedelta
) -> None:
    now = since + away
    missed = slots(cadence, zone, since, now)
    assert due_slot(cadence, zone, since=since, now=now) == ((missed[-1], len(missed)) if missed else None)


@settings(max_examples=60)
@given(zones, instants, times, weekdays)
def test_on_any_day_in_any_zone_the_walk_agrees(zone: str, near: datetime, at: time, days: frozenset[int]) -> None:
    start = near.replace(second=0, microsecond=0)
    tz = ZoneInfo(zone)
    if any((start + n * DAY).astimezone(tz).second for n in range(4)):
        start += timedelta(seconds=60 - start.astimezone(tz).second)  # Liberia until 1972 was 44:30 off
    walked = walked_dates(walk(zone, start, start + 3 * DAY), at)
    found = slots(Cadence(every=Every.DAILY, at=at, days=days), zone, start - 2 * DAY, start + 4 * DAY)
    for day in sorted(walked)[1:-1]:
        expected = [walked[day]] if not days or day.weekday() in days else []
        assert [slot.due_at for slot in found if slot.key == day.isoformat()] == expected


@given(calendar_cadences, zones, instants)
def test_slot_keys_never_repeat(cadence: Cadence, zone: str, start: datetime) -> None:
    found = slots(cadence, zone, start, start + 4 * DAY)
    assert len({slot.key for slot in found}) == len(found)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Apia", "Australia/Lord_Howe"])
@pytest.mark.parametrize("cadence", [daily("08:00"), daily("02:30", "sun"), Cadence(every=Every.HOURLY)], ids=str)
def test_after_downtime_of_a_year_the_count_is_exact(cadence: Cadence, zone: str) -> None:
    start, end = utc("2011-01-10T00:00"), utc("2012-01-17T12:00")
    every = slots(cadence, zone, start, end)
    assert due_slot(cadence, zone, since=start, now=end) == (every[-1], len(every))


def test_hours_of_a_date_that_was_come_back_to_after_midnight_are_counted() -> None:
    cadence, zone = Cadence(every=Every.HOURLY, at=time(0, 30)), "America/St_Johns"  # 00:01 went back to 23:01
    start, end = utc("2010-10-30T00:00"), utc("2010-11-15T00:00")
    every = slots(cadence, zone, start, end)
    assert due_slot(cadence, zone, since=start, now=end) == (every[-1], len(every)) == (every[-1], 16 * 24)


def test_the_slot_that_was_missed_may_be_of_the_very_day_it_was_last_looked_at() -> None:
    cadence = Cadence(every=Every.WEEKLY, at=time(18))
    found = due_slot(cadence, "UTC", since=utc("2026-11-23T09:00"), now=utc("2026-11-29T09:00"))
    assert found == (Slot(key="2026-11-23", due_at=utc("2026-11-23T18:00"), zone="UTC"), 1)


def test_the_time_jumped_over_in_spring_is_due_when_the_clocks_jump() -> None:
    slot = next_slot(daily("02:30"), "Europe/Berlin", after=utc("2026-03-28T12:00"))
    assert (slot.key, slot.due_at, str(slot)) == (
        "2026-03-29",
        utc("2026-03-29T01:00"),
        "2026-03-29T03:00 Europe/Berlin",
    )


def test_the_time_that_comes_twice_in_autumn_is_due_the_first_time_only() -> None:
    found = slots(daily("02:30"), "Europe/Berlin", utc("2026-10-24T12:00"), utc("2026-10-25T23:59"))
    assert [slot.due_at for slot in found] == [utc("2026-10-25T00:30")]


def test_a_date_that_samoa_never_had_has_no_slot() -> None:
    found = slots(daily("08:00"), "Pacific/Apia", utc("2011-12-28T20:00"), utc("2011-12-31T20:00"))
    assert [slot.key for slot in found] == ["2011-12-29", "2011-12-31", "2012-01-01"]


def test_a_changed_hour_does_not_make_a_second_slot_of_one_date() -> None:
    morning = next_slot(daily("08:00"), "Europe/Berlin", after=utc("2026-11-23T00:00"))
    evening = next_slot(daily("18:00"), "Europe/Berlin", after=morning.due_at)
    assert morning.key == evening.key == "2026-11-23"


def test_a_weekly_cadence_without_days_falls_on_mondays() -> None:
    found = slots(Cadence(every=Every.WEEKLY), "Asia/Tokyo", utc("2026-11-18T00:00"), utc("2026-12-08T00:00"))
    assert [slot.key for slot in found] == ["2026-11-23", "2026-11-30", "2026-12-07"]


def test_a_weekly_cadence_falls_on_each_of_its_days() -> None:
    cadence = Cadence(every=Every.WEEKLY, days=parse_days("mon,thu"))
    found = slots(cadence, "UTC", utc("2026-11-22T00:00"), utc("2026-11-29T00:00"))
    assert [slot.key for slot in found] == ["2026-11-23", "2026-11-26"]


def test_a_monthly_cadence_falls_on_the_first() -> None:
    found = slots(Cadence(every=Every.MONTHLY), "UTC", utc("2026-11-23T00:00"), utc("2027-03-01T12:00"))
    assert [slot.key for slot in found] == ["2026-12-01", "2027-01-01", "2027-02-01", "2027-03-01"]


@pytest.mark.parametrize(
    ("days", "keys"),
    [
        ("mon", ["2026-11-02", "2026-12-07", "2027-01-04", "2027-02-01"]),
        ("sun", ["2026-11-01", "2026-12-06", "2027-01-03", "2027-02-07"]),
        ("mon,thu", ["2026-11-02", "2026-12-03", "2027-01-04", "2027-02-01"]),
    ],
)
def test_a_monthly_cadence_with_days_falls_on_the_first_of_them(days: str, keys: list[str]) -> None:
    cadence = Cadence(every=Every.MONTHLY, days=parse_days(days))
    found = slots(cadence, "UTC", utc("2026-11-01T00:00"), utc("2027-02-28T00:00"))
    assert [slot.key for slot in found] == keys


def test_an_hourly_cadence_keeps_to_its_weekdays_in_local_time() -> None:
    cadence = Cadence(every=Every.HOURLY, at=time(0, 5), days=parse_days("mon"))
    found = slots(cadence, "Asia/Tokyo", utc("2026-11-20T00:00"), utc("2026-11-27T00:00"))
    assert (len(found), found[0].due_at, found[-1].due_at) == (
        24,
        utc("2026-11-22T15:05"),
        utc("2026-11-23T14:05"),
    )


def test_an_instant_cadence_is_always_due_now() -> None:
    cadence, now = Cadence(every=Every.INSTANT), utc("2026-11-23T08:00:07.5")
    slot = Slot(key="2026-11-23T08:00:07Z", due_at=now, zone="Europe/Berlin")
    assert due_slot(cadence, "Europe/Berlin", since=utc("2020-01-01T00:00"), now=now) == (slot, 1)
    assert next_slot(cadence, "Europe/Berlin", after=now).key == "2026-11-23T08:00:08Z"


@pytest.mark.parametrize("every", Every)
def test_nothing_is_due_when_the_clock_went_back(every: Every) -> None:
    now = utc("2026-11-23T08:00")
    assert due_slot(Cadence(every=every), "UTC", since=now + DAY, now=now) is None
    assert due_slot(Cadence(every=every), "UTC", since=now, now=now) is None


def test_instants_may_come_in_any_zone() -> None:
    after = datetime(2026, 11, 23, 7, 59, tzinfo=ZoneInfo("Europe/Berlin"))
    slot = next_slot(daily("08:00"), "Europe/Berlin", after=after)
    assert (slot.due_at, slot.due_at.tzinfo) == (utc("2026-11-23T07:00"), UTC)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon,thu", {0, 3}),
        (" Mon , THURSDAY ", {0, 3}),
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("fri-mon", {4, 5, 6, 0}),
        ("sun", {6}),
    ],
)
def test_days_are_read_as_people_write_them(text: str, days: set[int]) -> None:
    assert parse_days(text) == days


@pytest.mark.parametrize("text", ["", "mon,", "mo", "montag", "mon-", "mon--fri", "1", "mon thu"])
def test_days_that_are_none_are_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(UsageError, match="is no weekday: write mon, tue"):
        parse_days(text)


@pytest.mark.parametrize(("text", "at"), [("08:00", time(8)), ("8:05", time(8, 5)), (" 23:59 ", time(23, 59))])
def test_times_are_read_as_people_write_them(text: str, at: time) -> None:
    assert parse_time(text) == at


@pytest.mark.parametrize("text", ["", "8", "24:00", "08:60", "08:00:00", "8am", "-1:00", "٠٨:٠٠"])
def test_times_that_are_none_are_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(UsageError, match="is no time of day: write hours and minutes"):
        parse_time(text)


@pytest.mark.parametrize(
    ("every", "days", "sentence"),
    [
        (Every.INSTANT, "", "as soon as something matches"),
        (Every.HOURLY, "", "every hour at minute 05 Europe/Berlin"),
        (Every.HOURLY, "mon-fri", "every hour at minute 05, Mondays to Fridays Europe/Berlin"),
        (Every.DAILY, "", "every day at 08:05 Europe/Berlin"),
        (Every.DAILY, "mon-sun", "every day at 08:05 Europe/Berlin"),
        (Every.DAILY, "mon,thu", "Mondays and Thursdays at 08:05 Europe/Berlin"),
        (Every.DAILY, "mon,wed,fri", "Mondays, Wednesdays and Fridays at 08:05 Europe/Berlin"),
        (Every.WEEKLY, "", "Mondays at 08:05 Europe/Berlin"),
        (Every.MONTHLY, "", "the 1st of each month at 08:05 Europe/Berlin"),
        (Every.MONTHLY, "tue,fri", "the first Tuesday or Friday of each month at 08:05 Europe/Berlin"),
    ],
)
def test_a_cadence_is_described_in_words(every: Every, days: str, sentence: str) -> None:
    cadence = Cadence(every=every, at=time(8, 5), days=parse_days(days) if days else frozenset())
    assert describe(cadence, "Europe/Berlin") == sentence


def at_work(every: Every, at: str = "08:00", days: str = "", *, weekends: bool = True, quiet: str = "") -> Cadence:
    return Cadence(
        every=every,
        at=parse_time(at),
        days=parse_days(days) if days else frozenset(),
        weekends=weekends,
        quiet=parse_quiet(quiet) if quiet else None,
    )


def dues(cadence: Cadence, zone: str, start: str, end: str) -> list[str]:
    tz = ZoneInfo(zone)
    return [f"{slot.due_at.astimezone(tz):%a %d %H:%M}" for slot in slots(cadence, zone, utc(start), utc(end))]


@pytest.mark.parametrize(
    ("cadence", "expected"),
    [
        (at_work(Every.DAILY, "06:00", quiet="22:00-07:00"), ["Fri 05 07:00", "Sat 06 07:00", "Sun 07 07:00"]),
        (at_work(Every.DAILY, "23:00", quiet="22:00-07:00"), ["Fri 05 07:00", "Sat 06 07:00", "Sun 07 07:00"]),
        (at_work(Every.DAILY, "22:00", quiet="09:00-22:00"), ["Fri 05 22:00", "Sat 06 22:00"]),
        (at_work(Every.DAILY, weekends=False), ["Fri 05 08:00"]),
        (at_work(Every.WEEKLY, days="sat"), ["Sat 06 08:00"]),
    ],
    ids=str,
)
def test_a_daily_slot_in_quiet_time_waits_for_its_end(cadence: Cadence, expected: list[str]) -> None:
    assert dues(cadence, "Europe/Berlin", "2025-12-05T00:00", "2025-12-07T12:00") == expected


def test_what_falls_on_a_free_weekend_moves_to_monday_once() -> None:
    span = ("Europe/Berlin", "2025-12-05T00:00", "2025-12-10T00:00")
    assert dues(at_work(Every.WEEKLY, days="sat", weekends=False), *span) == ["Mon 08 08:00"]
    assert dues(at_work(Every.DAILY, weekends=False), *span) == ["Fri 05 08:00", "Mon 08 08:00", "Tue 09 08:00"]
    assert dues(at_work(Every.WEEKLY, days="sat,mon", weekends=False), *span) == ["Mon 08 08:00"]


def test_hours_of_a_weekend_that_is_free_move_to_monday() -> None:
    cadence = at_work(Every.HOURLY, "08:30", days="sat,sun", weekends=False)
    found = dues(cadence, "Europe/Berlin", "2025-12-05T00:00", "2025-12-09T12:00")
    assert (found[0], found[-1], len(found)) == ("Mon 08 00:30", "Mon 08 23:30", 24)


def test_hours_in_quiet_time_are_left_out() -> None:
    cadence = at_work(Every.HOURLY, "08:30", quiet="20:00-18:00", weekends=False)
    assert dues(cadence, "Europe/Berlin", "2025-12-05T00:00", "2025-12-08T19:00") == [
        "Fri 05 18:30", "Fri 05 19:30", "Mon 08 18:30", "Mon 08 19:30",
    ]  # fmt: skip


def test_an_instant_alert_waits_until_the_quiet_time_is_over() -> None:
    cadence = at_work(Every.INSTANT, quiet="22:00-07:00", weekends=False)
    friday = utc("2025-12-05T21:30")
    assert due_slot(cadence, "Europe/Berlin", since=friday - DAY, now=friday) is None
    monday = next_slot(cadence, "Europe/Berlin", after=friday).due_at
    assert monday == utc("2025-12-08T06:00")
    assert due_slot(cadence, "Europe/Berlin", since=friday, now=monday) is not None


@given(cadences.filter(lambda cadence: not cadence.weekends), zones, instants)
def test_nothing_is_due_on_a_free_weekend_but_what_quiet_hours_held_back(
    cadence: Cadence, zone: str, after: datetime
) -> None:
    due = next_slot(replace(cadence, quiet=None), zone, after=after).due_at
    assert due.astimezone(ZoneInfo(zone)).weekday() < 5 or due.astimezone(ZoneInfo(zone)).hour < 3


@pytest.mark.parametrize("text", ["", "22:00", "22:00-22:00", "22:00-21:30", "25:00-07:00", "late-early"])
def test_quiet_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_quiet(text)


def test_quiet_time_is_described_in_words() -> None:
    cadence = at_work(Every.DAILY, quiet="22:00-07:00", weekends=False)
    assert describe(cadence, "Europe/Berlin") == (
        "every day at 08:00 Europe/Berlin, quiet 22:00-07:00, not on weekends"
    )
