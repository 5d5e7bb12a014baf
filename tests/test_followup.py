"""Follow-ups, from what is asked for to what is planned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier import account
from notifier.collect import absorb
from notifier.errors import UsageError
from notifier.explain import preview
from notifier.followup import KEPT, follow_ups, format_follow_ups, parse_follow_ups
from notifier.matching import RuleSet
from notifier.model import Cadence, DeliveryState, Every, Followed, FollowUpKind, FollowUps, Outcome
from notifier.plan import plan
from notifier.store import SqliteStore
from tests.builders import NOW, rule, sighting, subscriber, subscription

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
ALL = FollowUps(version=True, code=True, votes=100)
PAPER = "arxiv:2512.00001"


@pytest.mark.parametrize("text", ["", "off", " OFF ", ","])
def test_nothing_is_followed_unless_it_is_asked_for(text: str) -> None:
    assert not parse_follow_ups(text)


def test_what_is_followed_reads_in_any_order_and_case() -> None:
    assert parse_follow_ups("votes:100, CODE,version") == ALL


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("citations", "'citations' is no follow-up"),
        ("votes", "write it like votes:100"),
        ("votes:0", "write it like votes:100"),
        ("votes:many", "write it like votes:100"),
        ("code,off", "'off' is no follow-up"),
        ("votes:10,votes:20", "twice"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_what_can(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_follow_ups(text)


@given(st.builds(FollowUps, version=st.booleans(), code=st.booleans(), votes=st.none() | st.integers(1, 10**6)))
def test_the_canonical_text_says_the_same(wanted: FollowUps) -> None:
    assert parse_follow_ups(format_follow_ups(wanted)) == wanted


def was(**fields: Any) -> Followed:
    unknown: dict[str, Any] = {"version": None, "had_code": False, "upvotes": None}
    unknown |= {"now_version": None, "now_code_url": None, "now_upvotes": None}
    return Followed(**{"subscription_id": "s", "entry_id": PAPER, "since": NOW} | unknown | fields)


def kinds(paper: Followed, wanted: FollowUps = ALL) -> list[tuple[FollowUpKind, str]]:
    return [(each.kind, each.value) for each in follow_ups(wanted, paper)]


def test_a_first_version_that_is_only_now_known_is_no_news() -> None:
    assert kinds(was(now_version=1)) == []
    assert kinds(was(now_version=2)) == [(FollowUpKind.VERSION, "2")]


def test_a_bar_is_crossed_from_below_only() -> None:
    assert kinds(was(upvotes=99, now_upvotes=100)) == [(FollowUpKind.VOTES, "100")]
    assert kinds(was(upvotes=100, now_upvotes=500)) == kinds(was(upvotes=120, now_upvotes=99)) == []


def test_only_what_is_asked_for_is_told() -> None:
    everything = was(now_version=2, now_code_url="https://c/", now_upvotes=100)
    assert [kind for kind, _ in kinds(everything)] == list(FollowUpKind)
    assert kinds(everything, FollowUps(code=True)) == [(FollowUpKind.CODE, "https://c/")]


def people(store: SqliteStore, wanted: FollowUps = ALL, **fields: Any) -> None:
    with store.write():
        store.subscribers.add(subscriber())
        store.subscriptions.put(subscription(follow_ups=wanted, **fields))
        store.rules.put([rule()], actor="t", via="cli", now=NOW - WEEK)


def news(store: SqliteStore, *, at: datetime, source: str = "feed", **fields: Any) -> None:
    absorb(store, [sighting(1, **fields)], source=source, baseline=False, now=at)


def planned(store: SqliteStore, day: int) -> None:
    plan(store, RuleSet(), look_back=WEEK, now=NOW + day * DAY + timedelta(hours=1))


def told(store: SqliteStore) -> dict[str, list[tuple[str, str]]]:
    """By slot, oldest first, what its delivery follows up."""
    return {
        each.slot.key: [(one.kind.value, one.value) for one in store.deliveries.follow_ups(each.id)]
        for each in reversed(store.deliveries.all())
    }


@pytest.fixture
def sent(store: SqliteStore) -> Iterator[SqliteStore]:
    """A paper with 35 votes was sent on day 0 to somebody who follows everything."""
    people(store)
    news(store, at=NOW - DAY, upvotes=35)
    planned(store, 0)
    yield store


def test_each_change_is_told_once_in_the_next_digest(sent: SqliteStore) -> None:
    news(sent, at=NOW + DAY / 2, upvotes=60, version=2)
    planned(sent, 1)
    news(sent, at=NOW + 3 * DAY / 2, upvotes=155, version=2, code_url="https://c/")
    for day in (2, 3, 4):
        planned(sent, day)
    news(sent, at=NOW + 9 * DAY / 2, upvotes=170, version=3, code_url="https://c/")
    planned(sent, 5)
    assert told(sent) == {
        "2025-12-16": [],
        "2025-12-17": [("version", "2")],
        "2025-12-18": [("votes", "100"), ("code", "https://c/")],
        "2025-12-21": [("version", "3")],
    }
    votes = sent.deliveries.follow_ups(sent.deliveries.all()[1].id)[0]
    assert (votes.before, votes.after, votes.since) == (35, 155, NOW + timedelta(hours=1))


def test_votes_that_fall_and_rise_again_are_told_once(sent: SqliteStore) -> None:
    for day, votes in enumerate((120, 90, 130)):
        news(sent, at=NOW + day * DAY + DAY / 2, upvotes=votes)
        planned(sent, day + 1)
    assert [each for each in told(sent).values() if each] == [[("votes", "100")]]


def test_who_did_not_ask_is_told_nothing_and_nothing_is_kept_for_them(store: SqliteStore) -> None:
    people(store, FollowUps())
    news(store, at=NOW - DAY)
    planned(store, 0)
    news(store, at=NOW + DAY / 2, version=2, upvotes=500, code_url="https://c/")
    planned(store, 1)
    assert told(store) == {"2025-12-16": []}
    assert store.deliveries.followed({"s_one": ALL}, since=NOW - DAY, changed_after=NOW - DAY) == {}


def test_a_pass_that_is_undone_tells_it_the_next_time(sent: SqliteStore) -> None:
    news(sent, at=NOW + DAY / 2, version=2)
    with pytest.raises(RuntimeError), sent.write():
        planned(sent, 1)
        raise RuntimeError
    planned(sent, 1)
    planned(sent, 1)
    assert told(sent) == {"2025-12-16": [], "2025-12-17": [("version", "2")]}


def test_an_answer_that_came_late_over_a_slot_is_told_in_the_next(sent: SqliteStore) -> None:
    planned(sent, 1)
    news(sent, at=NOW + DAY, version=2)
    planned(sent, 2)
    assert told(sent) == {"2025-12-16": [], "2025-12-18": [("version", "2")]}


def test_of_a_digest_that_never_went_out_nothing_is_followed(sent: SqliteStore) -> None:
    with sent.write():
        (claimed,) = sent.deliveries.claim(NOW + DAY / 2, lease=DAY, limit=9)
        failed = Outcome(delivery_id=claimed.id, fence=claimed.fence, state=DeliveryState.FAILED, at=NOW)
        sent.deliveries.finish([failed])
    news(sent, at=NOW + DAY / 2, version=2)
    planned(sent, 1)
    assert told(sent) == {"2025-12-16": []}


def test_a_paper_is_followed_for_half_a_year(sent: SqliteStore) -> None:
    days = KEPT.days
    news(sent, at=NOW + (days - 1) * DAY, version=2)
    planned(sent, days - 1)
    news(sent, at=NOW + (days + 1) * DAY, version=3)
    planned(sent, days + 1)
    assert [each for each in told(sent).values() if each] == [[("version", "2")]]


def test_an_instant_subscription_is_told_at_the_next_tick(store: SqliteStore) -> None:
    people(store, cadence=Cadence(every=Every.INSTANT), next_due_at=NOW)
    for minute, version in ((1, 1), (2, 2), (3, 2)):
        at = NOW + timedelta(minutes=minute)
        news(store, at=at, version=version)
        plan(store, RuleSet(), look_back=WEEK, now=at)
    assert list(told(store).values()) == [[], [("version", "2")]]


def test_asking_for_follow_ups_counts_from_now_on(store: SqliteStore) -> None:
    people(store, FollowUps())
    news(store, at=NOW - DAY, upvotes=35)
    planned(store, 0)
    news(store, at=NOW + DAY / 2, upvotes=150, version=2)
    account.follow(store, "s_one", ALL, now=NOW + DAY / 2)
    planned(store, 1)
    news(store, at=NOW + 3 * DAY / 2, upvotes=200, version=3)
    planned(store, 2)
    assert told(store) == {"2025-12-16": [], "2025-12-18": [("version", "3")]}


def test_asking_for_none_ends_it(sent: SqliteStore) -> None:
    account.follow(sent, "s_one", FollowUps(), now=NOW + DAY / 2)
    news(sent, at=NOW + DAY / 2, version=2)
    planned(sent, 1)
    assert told(sent) == {"2025-12-16": []}


def test_the_preview_shows_follow_ups_and_leaves_them_for_the_digest(sent: SqliteStore) -> None:
    news(sent, at=NOW + DAY / 2, version=2)
    shown = preview(sent, {}, "s_one", look_back=WEEK, sources=[], now=NOW + DAY / 2)
    assert [(each.entry.id, each.what.value) for each in shown.follow_ups] == [(PAPER, "2")]
    planned(sent, 1)
    assert told(sent)["2025-12-17"] == [("version", "2")]


def growth_shown(store: SqliteStore, now: datetime) -> tuple[int, str] | None:
    (item,) = preview(store, {}, "s_one", look_back=WEEK, sources=[], now=now).items
    return (item.growth.gained, f"{item.growth.since:%a}") if item.growth else None


def test_a_paper_that_comes_late_says_how_it_grew(store: SqliteStore) -> None:
    people(store, FollowUps())
    with store.write():
        store.rules.put([rule("upvotes>=100")], actor="t", via="cli", now=NOW - WEEK)
    news(store, at=NOW - DAY, upvotes=35)
    planned(store, 0)
    news(store, at=NOW + DAY, upvotes=155)
    assert growth_shown(store, NOW + DAY + timedelta(hours=2)) == (120, "Mon")


def test_a_paper_of_the_digests_own_time_says_its_votes_alone(store: SqliteStore) -> None:
    people(store, FollowUps())
    planned(store, 0)
    news(store, at=NOW + 2 * DAY, upvotes=35)
    news(store, at=NOW + 3 * DAY, upvotes=155)
    assert growth_shown(store, NOW + 4 * DAY) is None
