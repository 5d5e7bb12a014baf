"""When a source is asked again, when its new address is believed, when it is given up."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from notifier.errors import SourceError
from notifier.model import SourceRecord
from notifier.upkeep import given_up, moved, pause, resume, wait_after
from tests.builders import NOW, source

DAY = timedelta(days=1)
NEW = "https://example.org/new"


def seen(record: SourceRecord, *days: float, to: str | None = NEW) -> SourceRecord:
    for day in days:
        record = moved(record, to, NOW + day * DAY)
    return record


def missed(record: SourceRecord, *days: float) -> SourceRecord:
    for day in days:
        record = given_up(record, SourceError("Nothing there.", missing=True), NOW + day * DAY)
    return record


@given(st.text(max_size=20), st.integers(0, 50), st.none() | st.integers(0, 10**6))
def test_a_wait_is_never_shorter_than_asked_for_and_at_most_a_fifth_longer(
    name: str, failures: int, asked: int | None
) -> None:
    record, error = source(name, failures=failures), SourceError("x", retry_after=asked and timedelta(seconds=asked))
    wait = wait_after(record, error)
    least = max(timedelta(seconds=asked or 0), min(timedelta(minutes=5) * 2 ** min(failures, 10), record.every))
    assert least <= wait <= least * 1.2
    assert wait == wait_after(record, error)


def test_sources_that_failed_together_do_not_come_back_together() -> None:
    assert len({wait_after(source(f"feed{n}"), SourceError("x")) for n in range(100)}) > 90


def test_a_move_is_believed_after_three_times_and_three_days() -> None:
    assert seen(source(), 0, 1, 2).url == "https://example.org/feed"
    assert seen(source(), 0, 3).url == "https://example.org/feed"
    believed = seen(source(), 0, 1, 3)
    assert (believed.url, believed.moved_from, believed.moving) == (NEW, "https://example.org/feed", None)


def test_a_move_that_is_taken_back_or_changes_starts_anew() -> None:
    assert seen(seen(seen(source(), 0, 1), 2, to=None), 3).url == "https://example.org/feed"
    assert seen(seen(seen(source(), 0, 1), 2, to=NEW + "er"), 3).url == "https://example.org/feed"


def test_a_move_from_https_to_http_is_followed_but_never_kept() -> None:
    assert seen(source(), 0, 2, 4, 6, to="http://example.org/new").moving is None


def test_404_pauses_a_source_after_three_days_and_says_since_when() -> None:
    assert missed(source(), 0, 1, 2.9).paused_at is None
    given = missed(source(), 0, 1, 3)
    assert given.paused_at == NOW + 3 * DAY
    assert given.paused_reason == f"Missing since {NOW:%Y-%m-%d}. Nothing there."


def test_another_failure_between_404s_starts_the_three_days_anew() -> None:
    away = given_up(missed(source(), 0, 1), SourceError("A fault."), NOW + 2 * DAY)
    assert missed(away, 3).paused_at is None


def test_410_pauses_a_source_at_once() -> None:
    assert given_up(source(), SourceError("Gone.", gone=True), NOW).paused_reason == "Gone."


def test_resuming_starts_with_a_clean_slate() -> None:
    back = resume(missed(source(failures=9, failing_since=NOW), 0, 3), NOW + 5 * DAY)
    assert back == source(next_fetch_at=NOW + 5 * DAY)


def test_pausing_what_is_paused_keeps_its_reason() -> None:
    given = missed(source(), 0, 3)
    assert pause(given, NOW + 4 * DAY) == given
