"""What could not be sent goes into the next digest: nothing is lost, nothing comes twice."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier import delivery as life
from notifier.collect import absorb
from notifier.delivery import OPEN, Limits
from notifier.errors import Refused, SendError, TryLater, Unknown, Unreachable
from notifier.matching import RuleSet
from notifier.model import Cadence, Delivery, DeliveryState, Every, FollowUps
from notifier.plan import plan
from notifier.store import SqliteStore
from tests.builders import MORNING, NOW, rule, sighting, subscriber, subscription

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LATER = TryLater("450 greylisted.")
HOURLY = Cadence(every=Every.HOURLY)
INSTANT = Cadence(every=Every.INSTANT)


class World:
    """One subscription, papers that come in, and a channel that does with each delivery as it is told."""

    def __init__(self, store: SqliteStore, cadence: Cadence = MORNING, **fields: object) -> None:
        self.store = store
        with store.write():
            store.subscribers.add(subscriber())
            store.subscriptions.put(subscription(cadence=cadence, next_due_at=NOW, **fields))
            store.rules.put([rule()], actor="t", via="cli", now=NOW - DAY)
        self.sent: Counter[str] = Counter()

    def news(self, *numbers: int, at: datetime) -> None:
        absorb(self.store, [sighting(n) for n in numbers], source="feed", baseline=False, now=at)

    def plan(self, at: datetime) -> int:
        return plan(self.store, RuleSet(), look_back=timedelta(days=7), now=at).deliveries

    def deliver(self, error: SendError | None, at: datetime, *, arrives: bool = False) -> None:
        """Try what is due; with an error nothing arrives, or nobody knows and it ``arrives``."""
        with self.store.write():
            for each in self.store.deliveries.claim(at, lease=HOUR, limit=99):
                if error is None or arrives:
                    self.sent.update(item.entry_id for item in self.store.deliveries.items(each.id))
                done = (
                    life.failure(each, error, at=at, limits=Limits()) if error else life.arrived(each, ("ok",), at=at)
                )
                assert self.store.deliveries.finish([done])

    def entries(self, delivery: Delivery) -> list[str]:
        return [item.entry_id[-1] for item in self.store.deliveries.items(delivery.id)]

    def arrived(self) -> dict[str, int]:
        return {id[-1]: times for id, times in self.sent.items()}

    def deliveries(self, *states: DeliveryState) -> list[Delivery]:
        return self.store.deliveries.all(states=states, limit=10_000)

    def newest(self) -> Delivery:
        return self.deliveries()[0]


def test_a_digest_that_was_put_off_overnight_comes_with_the_next_one_as_one_mail(store: SqliteStore) -> None:
    world = World(store)
    world.news(1, at=NOW - HOUR)
    world.plan(NOW + HOUR)
    world.deliver(LATER, NOW + HOUR)
    world.news(2, at=NOW + 2 * HOUR)
    world.plan(NOW + HOUR + DAY)
    world.deliver(None, NOW + HOUR + DAY)
    assert world.arrived() == {"1": 1, "2": 1}
    assert [each.state for each in world.deliveries()] == [DeliveryState.SENT, DeliveryState.SUPERSEDED]


def test_the_digest_that_takes_over_says_that_it_is_late_and_since_when(store: SqliteStore) -> None:
    world = World(store)
    world.news(1, at=NOW - HOUR)
    world.plan(NOW + HOUR)
    first = world.newest()
    world.deliver(LATER, NOW + HOUR)
    world.news(2, at=NOW + 2 * HOUR)
    world.plan(NOW + HOUR + DAY)
    both = world.newest()
    assert (both.late, both.period_start, both.checked) == (True, first.period_start, 2)
    assert both.failing_since == NOW + HOUR


def test_its_entries_are_ranked_together_and_the_cap_is_that_of_one_digest(store: SqliteStore) -> None:
    world = World(store, max_entries=2)
    absorb(store, [sighting(1, upvotes=5), sighting(2, upvotes=1)], source="feed", baseline=False, now=NOW - HOUR)
    world.plan(NOW + HOUR)
    world.deliver(LATER, NOW + HOUR)
    absorb(store, [sighting(3, upvotes=3)], source="feed", baseline=False, now=NOW + 2 * HOUR)
    world.plan(NOW + HOUR + DAY)
    items = store.deliveries.items(world.newest().id)
    assert [(item.entry_id[-1], item.rank, item.shown) for item in items] == [
        ("1", 0, True),
        ("3", 1, True),
        ("2", 2, False),
    ]
    assert all(item.reasons for item in items)


def test_where_the_next_slot_brings_nothing_the_old_digest_keeps_its_papers(store: SqliteStore) -> None:
    world = World(store)
    world.news(1, at=NOW - HOUR)
    world.plan(NOW + HOUR)
    world.deliver(LATER, NOW + HOUR)
    assert world.plan(NOW + HOUR + DAY) == 0
    world.deliver(None, NOW + HOUR + DAY)
    assert world.arrived() == {"1": 1}


@pytest.mark.parametrize("error", [Unknown("The line broke."), TryLater("Part 2 failed.", accepted=("1.1",))])
def test_what_may_have_arrived_in_part_is_never_handed_on(store: SqliteStore, error: SendError) -> None:
    world = World(store)
    world.news(1, at=NOW - HOUR)
    world.plan(NOW + HOUR)
    world.deliver(error, NOW + HOUR)
    world.news(2, at=NOW + 2 * HOUR)
    world.plan(NOW + HOUR + DAY)
    assert [world.entries(each) for each in world.deliveries()] == [["2"], ["1"]]


def test_an_hourly_digest_has_its_retries_before_the_next_one_takes_it_over(store: SqliteStore) -> None:
    world = World(store, HOURLY)
    world.news(1, at=NOW)
    world.plan(NOW)
    world.deliver(LATER, NOW)
    world.deliver(LATER, NOW + timedelta(minutes=6))
    world.news(2, at=NOW + timedelta(minutes=30))
    world.plan(NOW + HOUR)
    assert [each.state for each in world.deliveries()] == [DeliveryState.PLANNED, DeliveryState.SUPERSEDED]
    world.deliver(None, NOW + HOUR)
    assert world.arrived() == {"1": 1, "2": 1}


def test_an_instant_digest_is_handed_on_only_when_it_has_waited(store: SqliteStore) -> None:
    world = World(store, INSTANT)
    world.news(1, at=NOW)
    world.plan(NOW)
    world.deliver(LATER, NOW)
    world.news(2, at=NOW + timedelta(minutes=2))
    world.plan(NOW + timedelta(minutes=2))
    assert [world.entries(each) for each in world.deliveries()] == [["2"], ["1"]]
    world.deliver(LATER, NOW + timedelta(minutes=2))
    world.news(3, at=NOW + HOUR)
    world.plan(NOW + HOUR)
    assert sorted(world.entries(world.newest())) == ["1", "2", "3"]


@pytest.mark.parametrize("cadence", [MORNING, HOURLY, INSTANT])
def test_after_four_and_a_half_days_all_of_it_has_failed_with_its_reason_and_can_be_sent_again(
    store: SqliteStore, cadence: Cadence
) -> None:
    world = World(store, cadence)
    for hour in range(1, 24 * 5):
        at = NOW + hour * HOUR
        if hour % 24 == 1:
            world.news(hour // 24 + 1, at=at)
        world.plan(at)
        world.deliver(LATER, at)
    (failed,) = world.deliveries(DeliveryState.FAILED)
    assert "put off since 2025-12-16" in (failed.reason or "")
    with store.write():
        assert store.deliveries.retry(failed.id, at=NOW + 5 * DAY)
    for hour in range(24 * 5, 24 * 7):
        world.plan(NOW + hour * HOUR)
        world.deliver(None, NOW + hour * HOUR)
    assert world.arrived() == {str(number): 1 for number in range(1, 6)}


def test_a_server_that_is_away_for_a_week_costs_one_digest_and_no_paper(store: SqliteStore) -> None:
    world = World(store)
    for day in range(7):
        world.news(day + 1, at=NOW + day * DAY - HOUR)
        world.plan(NOW + day * DAY)
        world.deliver(Unreachable("Connection refused."), NOW + day * DAY)
    world.deliver(None, NOW + 7 * DAY)
    assert world.arrived() == {str(number): 1 for number in range(1, 8)}
    assert len(world.deliveries(DeliveryState.SENT)) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Some time, papers or none, whether the planner and the sender run, and what the channel does."""

    wait: timedelta
    papers: int
    plans: bool
    ends: str


turns = st.builds(
    Turn,
    wait=st.sampled_from([1, 7, 40, 60, 90, 600, 1440]).map(lambda minutes: timedelta(minutes=minutes)),
    papers=st.integers(0, 2),
    plans=st.booleans(),
    ends=st.sampled_from(["ok", "later", "later", "later", "away", "lost", "taken", "refused", "idle"]),
)
ENDS_WITH: dict[str, SendError | None] = {
    "ok": None,
    "later": LATER,
    "away": Unreachable("Connection refused."),
    "lost": Unknown("The line broke."),
    "taken": Unknown("The line broke."),
    "refused": Refused("550 no."),
}


@settings(max_examples=30)
@given(cadence=st.sampled_from([MORNING, HOURLY, INSTANT]), script=st.lists(turns, max_size=25))
def test_in_any_weather_each_paper_is_in_one_delivery_and_arrives_once_but_for_unknown_ends(
    cadence: Cadence, script: list[Turn]
) -> None:
    with TemporaryDirectory() as folder, closing(SqliteStore(Path(folder) / "store.db")) as store:
        world = World(store, cadence)
        given_out = lived_through(world, script)
        rows = world.deliveries()
        home = {item.entry_id: each for each in rows for item in store.deliveries.items(each.id)}
        assert home.keys() == given_out
        assert sum(len(store.deliveries.items(each.id)) for each in rows) == len(given_out)
        assert not {each.state for each in rows} & OPEN
        for id, row in home.items():
            if not row.unknowns:
                assert world.sent[id] == (row.state is DeliveryState.SENT)


def lived_through(world: World, script: list[Turn]) -> set[str]:
    """All turns, then two calm days; the ids of the papers that came."""
    now, numbers = NOW, count(1)
    world.plan(now)
    for turn in script:
        now += turn.wait
        world.news(*(next(numbers) for _ in range(turn.papers)), at=now)
        if turn.plans:
            world.plan(now)
        if turn.ends != "idle":
            world.deliver(ENDS_WITH[turn.ends], now, arrives=turn.ends == "taken")
    world.plan(now + 2 * DAY)
    for hour in range(48, 72):
        world.deliver(None, now + hour * HOUR)
    return {f"arxiv:2512.{number:05}" for number in range(1, next(numbers))}


def test_follow_ups_that_were_put_off_come_with_the_next_digest_once(store: SqliteStore) -> None:
    world = World(store, follow_ups=FollowUps(version=True))
    world.news(1, at=NOW - HOUR)
    world.plan(NOW + HOUR)
    world.deliver(None, NOW + HOUR)
    absorb(store, [sighting(1, version=2)], source="feed", baseline=False, now=NOW + 2 * HOUR)
    world.plan(NOW + DAY + HOUR)
    world.deliver(LATER, NOW + DAY + HOUR)
    world.news(2, at=NOW + DAY + 2 * HOUR)
    world.plan(NOW + 2 * DAY + HOUR)
    world.deliver(None, NOW + 2 * DAY + HOUR)
    followed = {
        each.slot.key: [one.value for one in store.deliveries.follow_ups(each.id)] for each in world.deliveries()
    }
    assert followed == {"2025-12-18": ["2"], "2025-12-17": [], "2025-12-16": []}
    assert world.arrived() == {"1": 1, "2": 1}
