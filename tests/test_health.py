"""When a source is fresh, quiet as usual, stale, failing or without an announcement."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier import arxiv_calendar
from notifier.health import Known, behind, by_day, rhythm, state
from notifier.model import Health, News
from tests.builders import NOW, source

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def news(*times: datetime) -> tuple[News, ...]:
    return tuple(News(at=at, brought=1) for at in times)


def known(*times: datetime, now: datetime = NOW, **fields: object) -> Known:
    record = source(last_success_at=now, last_new_at=times[-1] if times else None)
    return Known(record=replace(record, **fields), news=news(*times))  # type: ignore[arg-type]


def arxiv(last: datetime | None, now: datetime) -> Known:
    return known(*([last] if last else []), now=now, kind="arxiv")


pauses = st.lists(st.integers(min_value=60, max_value=20 * 24 * 60), min_size=6, max_size=40).filter(
    lambda minutes: sum(minutes) >= 14 * 24 * 60
)
FIRST = datetime(2024, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
starts = st.datetimes(min_value=FIRST, max_value=FIRST.replace(year=2026), timezones=st.just(UTC))


@st.composite
def histories(draw: st.DrawFn) -> tuple[News, ...]:
    at = draw(starts)
    times = [at]
    for minutes in draw(pauses):
        at += timedelta(minutes=minutes)
        times.append(at)
    return news(*times)


@given(histories(), st.floats(min_value=0, max_value=1))
def test_a_source_that_keeps_its_rhythm_is_never_stale(past: tuple[News, ...], share: float) -> None:
    found = rhythm(past)
    assert found is not None
    now = past[-1].at + share * found.longest
    kept = Known(record=source(last_success_at=now), news=past)
    assert state(kept, now).health in (Health.FRESH, Health.QUIET)


@given(histories(), st.integers(min_value=0, max_value=10**6))
def test_a_source_silent_three_times_its_longest_pause_is_stale(past: tuple[News, ...], more: int) -> None:
    found = rhythm(past)
    assert found is not None
    now = past[-1].at + 3 * found.longest + timedelta(minutes=more)
    while found.silence(past[-1].at, now) < 3 * found.longest:
        now += HOUR
    silent = Known(record=source(last_success_at=now), news=past)
    assert state(silent, now).health is Health.STALE


@given(histories(), st.integers(min_value=0, max_value=10**6))
def test_a_source_that_fails_is_failing_whatever_it_brought(past: tuple[News, ...], minutes: int) -> None:
    now = past[-1].at + timedelta(minutes=minutes)
    record = source(last_success_at=past[-1].at, failing_since=now)
    found = state(Known(record=record, news=past), now)
    assert (found.health, found.since) == (Health.FAILING, now)


@given(histories(), st.integers(min_value=0, max_value=10**6))
def test_while_nobody_asks_a_source_does_not_grow_stale(past: tuple[News, ...], minutes: int) -> None:
    record = source(last_success_at=past[-1].at)
    found = state(Known(record=record, news=past), past[-1].at + timedelta(minutes=minutes))
    assert found.health is Health.FRESH


def test_too_little_history_is_no_rhythm() -> None:
    few = [NOW - n * 7 * DAY for n in (9, 8, 7, 6)]
    short = [NOW - 60 * DAY + n * HOUR for n in range(20)]
    for times in (few, short, []):
        found = state(known(*times), NOW)
        assert (found.health, found.rhythm) == (Health.QUIET, None)


def weekdays(first: datetime, weeks: int) -> list[datetime]:
    days = (first + n * DAY for n in range(7 * weeks))
    return [day for day in days if day.weekday() < 5]


MONDAY = datetime(2025, 11, 3, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("silent", "health"),
    [
        (2 * DAY, Health.QUIET),  # Sunday
        (3 * DAY - HOUR, Health.QUIET),  # Monday before its time
        (4 * DAY, Health.QUIET),  # a holiday on Monday
        (5 * DAY, Health.STALE),  # Wednesday: three working days without a word
    ],
)
def test_a_weekend_is_not_counted_against_a_source_that_never_works_then(silent: timedelta, health: Health) -> None:
    times = weekdays(MONDAY, 4)
    now = times[-1] + silent
    assert state(known(*times, now=now), now).health is health


def test_a_weekly_blog_is_given_two_weeks() -> None:
    times = [MONDAY + n * 7 * DAY for n in range(8)]
    after = {n: state(known(*times, now=times[-1] + n * DAY), times[-1] + n * DAY).health for n in (1, 9, 13, 14)}
    assert after == {1: Health.FRESH, 9: Health.QUIET, 13: Health.QUIET, 14: Health.STALE}


def test_a_pause_of_the_program_is_another_thing_than_one_of_a_person() -> None:
    assert state(known(NOW, paused_at=NOW), NOW).health is Health.PAUSED
    assert state(known(NOW, paused_at=NOW, paused_reason="It is gone."), NOW).health is Health.GONE


def test_a_source_that_was_never_read_is_said_to_be_so() -> None:
    assert state(Known(record=source()), NOW).health is Health.NOT_READ


@given(st.dates(min_value=date(2025, 1, 1), max_value=date(2027, 12, 31)), st.integers(min_value=0, max_value=1439))
def test_arxiv_is_not_stale_on_days_without_an_announcement(day: date, minutes: int) -> None:
    now = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minutes)
    shown = arxiv_calendar.evening_shown(now)
    found = state(arxiv(arxiv_calendar.shown_since(shown) - HOUR, now), now)
    if arxiv_calendar.announces(shown):
        assert found.health in (Health.QUIET, Health.STALE)
    else:
        assert found.health is Health.NOT_ANNOUNCED
    assert found.next_at is not None and found.next_at > now


@pytest.mark.parametrize(
    ("now", "health"),
    [
        (datetime(2025, 12, 20, 12, tzinfo=UTC), Health.NOT_ANNOUNCED),  # Saturday
        (datetime(2025, 12, 21, 12, tzinfo=UTC), Health.NOT_ANNOUNCED),  # Sunday
        (datetime(2025, 12, 26, 12, tzinfo=UTC), Health.NOT_ANNOUNCED),  # behind Christmas
        (datetime(2025, 12, 22, 7, tzinfo=UTC), Health.QUIET),  # Monday: the feed may not be rebuilt
        (datetime(2025, 12, 22, 12, tzinfo=UTC), Health.STALE),  # Monday noon: it should be
    ],
)
def test_arxiv_is_measured_by_its_calendar(now: datetime, health: Health) -> None:
    assert state(arxiv(datetime(2025, 12, 19, 6, tzinfo=UTC), now), now).health is health


def test_arxiv_is_fresh_once_the_announcement_of_the_day_was_seen() -> None:
    now = datetime(2025, 12, 22, 18, tzinfo=UTC)
    assert state(arxiv(datetime(2025, 12, 22, 6, tzinfo=UTC), now), now).health is Health.FRESH


def test_a_day_without_news_is_a_day_of_the_chart() -> None:
    assert [count for _, count in by_day(news(NOW - 2 * DAY, NOW - HOUR, NOW), 4, NOW)] == [0, 1, 0, 2]


@given(st.integers(min_value=0, max_value=60 * 24))
def test_a_category_is_behind_after_more_than_a_week_of_announcements(hours: int) -> None:
    now = datetime(2025, 12, 19, 12, tzinfo=UTC)
    parts = {"cs.CL": now - 6 * HOUR, "cs.RO": now - hours * HOUR}
    found = behind(replace(arxiv(now - 6 * HOUR, now), parts=parts), now)
    days = hours / 24
    assert found == () if days < 7 else found == ("cs.RO",) if days > 9 else set(found) <= {"cs.RO"}
