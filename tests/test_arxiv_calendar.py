"""When arXiv announces: weekdays, holidays, daylight saving."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier import arxiv_calendar as calendar

MONDAY = date(2025, 12, 1)
INSTANTS = st.timedeltas(timedelta(0), timedelta(days=4 * 365)).map(
    lambda each: datetime(2024, 1, 1, tzinfo=UTC) + each
)


def test_evenings_from_sunday_to_thursday_have_an_announcement() -> None:
    week = [MONDAY + timedelta(days=n) for n in range(7)]
    assert [calendar.announces(day) for day in week] == [True, True, True, True, False, False, True]


@pytest.mark.parametrize("day", ["2025-01-20", "2025-11-27", "2026-01-19", "2026-11-26", "2027-01-18"])
def test_a_holiday_has_none_though_the_week_would(day: str) -> None:
    evening = date.fromisoformat(day)
    assert calendar.may_announce(evening)
    assert not calendar.announces(evening)


def test_every_holiday_falls_on_an_evening_that_would_have_an_announcement() -> None:
    days = (date(2025, 1, 1) + timedelta(days=n) for n in range(3 * 365))
    holidays = [day for day in days if calendar.may_announce(day) and not calendar.announces(day)]
    assert {day.year for day in holidays} == {2025, 2026, 2027}
    assert len(holidays) >= 12


@pytest.mark.parametrize(
    ("evening", "hour"), [(date(2025, 12, 1), 1), (date(2026, 7, 1), 0), (date(2026, 3, 8), 0), (date(2026, 11, 1), 1)]
)
def test_an_announcement_is_at_20_00_in_the_east_over_daylight_saving(evening: date, hour: int) -> None:
    assert calendar.announced_at(evening) == datetime(evening.year, evening.month, evening.day, hour, tzinfo=UTC) + (
        timedelta(days=1)
    )


def test_feeds_show_an_evening_from_midnight_to_midnight_of_the_day_behind_it() -> None:
    assert calendar.shown_since(MONDAY) == datetime(2025, 12, 2, 5, tzinfo=UTC)
    assert calendar.evening_shown(datetime(2025, 12, 2, 5, tzinfo=UTC)) == MONDAY
    assert calendar.evening_shown(datetime(2025, 12, 2, 4, 59, tzinfo=UTC)) == date(2025, 11, 30)


def test_saturday_is_not_announced_and_the_next_is_sundays() -> None:
    saturday = datetime(2025, 12, 6, 15, tzinfo=UTC)
    assert not calendar.announces(calendar.evening_shown(saturday))
    assert calendar.previous_announcement(saturday) == date(2025, 12, 4)
    assert calendar.next_announcement(saturday) == date(2025, 12, 7)


def test_evenings_between_two_leave_out_fridays_and_saturdays_but_not_holidays() -> None:
    found = calendar.evenings_between(date(2025, 11, 25), date(2025, 12, 2))
    assert [day.isoformat() for day in found] == ["2025-11-26", "2025-11-27", "2025-11-30", "2025-12-01"]


@given(INSTANTS, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_announcements_between_instants_are_those_made_then(start: datetime, length: timedelta) -> None:
    found = calendar.announcements_between(start, start + length)
    assert all(start < calendar.announced_at(day) <= start + length for day in found)
    days = (start.date() + timedelta(days=n - 2) for n in range(length.days + 5))
    made = [d for d in days if calendar.announces(d) and start < calendar.announced_at(d) <= start + length]
    assert list(found) == made


@given(INSTANTS)
def test_previous_and_next_announcement_stand_on_both_sides_of_now(now: datetime) -> None:
    before, after = calendar.previous_announcement(now), calendar.next_announcement(now)
    assert calendar.announced_at(before) <= now < calendar.announced_at(after)
    assert calendar.announcements_between(calendar.announced_at(before), now) == ()


@pytest.mark.parametrize(
    ("evening", "start", "end"),
    [
        ("2025-12-02", "2025-12-01", "2025-12-02"),
        ("2025-12-04", "2025-12-03", "2025-12-04"),
        ("2025-12-07", "2025-12-04", "2025-12-05"),
        ("2025-12-08", "2025-12-05", "2025-12-08"),
    ],
)
def test_an_evening_announces_what_was_submitted_by_the_deadlines_before_it(evening: str, start: str, end: str) -> None:
    found = calendar.submissions(date.fromisoformat(evening), date.fromisoformat(evening))
    assert [each.isoformat() for each in found] == [f"{start}T19:00:00+00:00", f"{end}T19:00:00+00:00"]
