"""The papers of a day, a week, a month, in the zone of the page."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.daily import Listing, Span, bounds, listing
from notifier.model import Entry
from notifier.ports import Order
from notifier.store import SqliteStore
from tests.builders import NOW, entry, sighted

DAY = timedelta(days=1)
TUESDAY = NOW.date()


def keep(store: SqliteStore, *entries: Entry) -> None:
    with store.write():
        store.entries.put([sighted(each) for each in entries], now=NOW)


def news(number: int, at: datetime = NOW, **fields: object) -> Entry:
    return entry(number, new_at=at, first_seen_at=at, **fields)


def ids(found: Listing) -> list[int]:
    return [int(each.id[-3:]) for each in found.entries]


def of(
    store: SqliteStore,
    span: Span = Span.DAY,
    day: date | None = None,
    *,
    order: Order = Order.VOTES,
    zone: str = "UTC",
    after: str | None = None,
    limit: int = 30,
) -> Listing:
    return listing(store, span=span, day=day, order=order, zone=zone, after=after, limit=limit, now=NOW)


def test_without_a_day_it_is_the_latest_one_that_had_news(store: SqliteStore) -> None:
    keep(store, news(1, NOW - 3 * DAY), news(2, NOW - 4 * DAY), entry(3, first_seen_at=NOW))
    found = of(store)
    assert (found.first, found.last, ids(found), found.total) == (TUESDAY - 3 * DAY, TUESDAY - 3 * DAY, [1], 1)
    assert (found.earlier, found.later) == (TUESDAY - 4 * DAY, None)


def test_an_empty_archive_shows_today(store: SqliteStore) -> None:
    found = of(store)
    assert (found.first, found.entries, found.earlier, found.later) == (TUESDAY, (), None, None)


def test_most_votes_or_the_newest_stand_first(store: SqliteStore) -> None:
    keep(store, news(1, NOW - DAY / 24, upvotes=9), news(2, upvotes=3), news(3))
    assert ids(of(store, order=Order.VOTES)) == [1, 2, 3]
    assert ids(of(store, order=Order.TIME)) == [2, 3, 1]


@pytest.mark.parametrize("order", list(Order))
def test_pages_come_to_the_whole_without_a_gap_or_a_repeat(store: SqliteStore, order: Order) -> None:
    keep(
        store,
        *(news(n, NOW - timedelta(minutes=n % 3), upvotes=n % 4 or None) for n in range(1, 20)),
        *(news(n, published_at=NOW - n * DAY, upvotes=2) for n in range(20, 29)),
    )
    whole, pages, after = ids(of(store, order=order)), list[int](), None
    while True:
        page = of(store, order=order, limit=4, after=after)
        pages += ids(page)
        if (after := page.behind) is None:
            break
    assert (pages, len(whole), of(store).total) == (whole, 28, 28)


def test_a_page_behind_an_entry_that_is_gone_is_the_first_one(store: SqliteStore) -> None:
    keep(store, news(1), news(2))
    assert ids(of(store, after="arxiv:0000.00000")) == [1, 2]


def test_a_day_is_that_of_the_zone(store: SqliteStore) -> None:
    keep(store, news(1, datetime(2025, 12, 15, 23, 30, tzinfo=UTC)))
    assert of(store, zone="UTC").first == date(2025, 12, 15)
    assert of(store, zone="Europe/Berlin").first == date(2025, 12, 16)


def test_a_week_and_a_month_hold_their_days_and_lead_past_empty_ones(store: SqliteStore) -> None:
    keep(store, news(1), news(2, NOW - DAY), news(3, NOW - 2 * DAY), news(4, NOW - 40 * DAY))
    week, month = of(store, Span.WEEK), of(store, Span.MONTH)
    assert (ids(week), week.first, week.earlier) == ([1, 2], date(2025, 12, 15), date(2025, 12, 14))
    assert (ids(month), month.first, month.last) == ([1, 2, 3], date(2025, 12, 1), date(2025, 12, 31))
    assert month.earlier == date(2025, 11, 6)
    assert of(store, Span.MONTH, date(2025, 11, 6)).later == date(2025, 12, 14)


@given(st.sampled_from(Span), st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_every_day_lies_in_one_span_and_spans_follow_one_another(span: Span, day: date) -> None:
    first, end = bounds(span, day)
    assert first <= day < end
    assert bounds(span, end)[0] == end
    assert bounds(span, end - DAY) == (first, end)
