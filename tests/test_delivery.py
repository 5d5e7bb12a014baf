"""The life of a delivery: every sequence of claims, outcomes, words and time keeps what is promised of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier import delivery as life
from notifier.delivery import ENDS, MOST_UNKNOWN, OPEN, TABLE, Event, Limits, Standing
from notifier.errors import Broken, ChannelStopped, Refused, SendError, TryLater, Unknown, Unreachable
from notifier.model import Delivery, DeliveryState, Outcome
from notifier.store import SqliteStore
from tests.builders import NOW, planned, rule, subscriber, subscription

LEASE = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)
LIMITS = Limits(lease=LEASE)


def fresh(id: str = "d_one", **fields: Any) -> Delivery:
    made = planned(id).delivery
    assert made is not None
    return replace(made, **fields)


def claimed(**fields: Any) -> Delivery:
    return fresh(**{"state": DeliveryState.CLAIMED, "attempts": 1, "fence": 1, "lease_until": NOW + LEASE, **fields})


def after(delivery: Delivery, error: SendError, *, limits: Limits = LIMITS, at: timedelta = timedelta(0)) -> Delivery:
    done = life.concluded(delivery, life.failure(delivery, error, at=NOW + at, limits=limits))
    assert done is not None
    return done


def test_the_table_in_the_docstring_is_the_one_that_counts() -> None:
    lines = re.findall(r"^    (\w+)  +((?:\w+ )+) +(\w+)$", life.__doc__ or "", flags=re.MULTILINE)
    drawn = {event: (set(sources.split()), target) for event, sources, target in lines if event != "event"}
    assert drawn == {str(event): (set(map(str, sources)), str(target)) for event, (sources, target) in TABLE.items()}


@pytest.mark.parametrize(("event", "state"), list(product(Event, DeliveryState)))
def test_what_is_not_drawn_does_not_happen(event: Event, state: DeliveryState) -> None:
    sources, target = TABLE[event]
    if state in sources:
        assert life.moved(fresh(state=state), event).state is target
    else:
        with pytest.raises(ValueError, match=f"d_one is {state}"):
            life.moved(fresh(state=state), event)


def test_nothing_leads_out_of_an_end() -> None:
    assert [event for event, (sources, _) in TABLE.items() if sources & ENDS] == []


# What can happen to a delivery, and when: a claim by somebody, the end of the latest or of a stale claim, a word.


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    kind: str
    wait: timedelta
    standing: Standing
    error: SendError | None = None
    hold_unknown: bool = False
    parts: int = 0


errors = st.builds(
    lambda kind, pause: kind("It failed.", retry_after=pause),
    st.sampled_from([TryLater, Unreachable, Broken, Refused, Unknown, ChannelStopped]),
    st.none() | st.just(timedelta(hours=3)),
)
steps = st.builds(
    Step,
    kind=st.sampled_from(["claim", "claim", "claim", "end", "end", "end", "stale", "retry", "cancel", "supersede"]),
    wait=st.sampled_from([0, 1, 6, 20, 70, 600, 3000]).map(lambda minutes: minutes * MINUTE),
    error=st.none() | errors,
    standing=st.builds(Standing, unwanted=st.integers(0, 15).map(lambda n: n == 0), begun=st.booleans()),
    hold_unknown=st.booleans(),
    parts=st.integers(0, 2),
)


def outcome_of(delivery: Delivery, step: Step, at: Any) -> Outcome:
    limits = replace(LIMITS, hold_unknown=step.hold_unknown)
    if step.error is None:
        return life.arrived(delivery, ("1.1",), at=at)
    step.error.accepted = delivery.accepted + ("1.1",) * step.parts
    return life.failure(delivery, step.error, at=at, limits=limits)


def stepped(delivery: Delivery, step: Step, at: Any) -> Delivery | None:
    match step.kind:
        case "claim":
            return life.claim(delivery, step.standing, now=at, lease=LEASE, hold_unknown=step.hold_unknown)
        case "end":
            return life.concluded(delivery, outcome_of(delivery, step, at))
        case "stale":
            stale = replace(outcome_of(delivery, step, at), fence=delivery.fence - 1)
            return life.concluded(delivery, stale)
        case "supersede":
            return life.superseded(delivery, fresh("d_two", created_at=at))
        case word:
            return life.told(delivery, Event(word), at=at)


def played(start: Delivery, script: list[Step]) -> Iterator[tuple[Step, Any, Delivery, Delivery | None]]:
    now, current = NOW, start
    for step in script:
        now += step.wait
        moved = stepped(current, step, now)
        yield step, now, current, moved
        current = moved or current


@settings(max_examples=400)
@given(st.lists(steps, max_size=40))
def test_whatever_happens_in_whatever_order_the_promises_hold(script: list[Step]) -> None:
    for step, now, before, moved in played(fresh(), script):
        if moved is None:
            continue
        assert step.kind != "stale", "a stale fence changed something"
        assert before.state not in ENDS
        assert any(before.state in sources and moved.state is target for sources, target in TABLE.values())
        if before.state in (DeliveryState.FAILED, DeliveryState.HELD):
            assert step.kind in ("retry", "cancel")
        assert moved.fence == before.fence + (step.kind == "claim" and moved.state is DeliveryState.CLAIMED)
        assert moved.unknowns >= before.unknowns
        assert moved.accepted[: len(before.accepted)] == before.accepted
        away = isinstance(step.error, Unreachable | ChannelStopped) and not isinstance(step.error, Broken)
        given_back = step.kind == "end" and away
        claims = moved.state is DeliveryState.CLAIMED
        assert moved.attempts == before.attempts + claims - given_back
        if moved.state in OPEN:
            assert life.is_due(moved, max(moved.next_attempt_at, moved.lease_until or now))
            assert moved.next_attempt_at <= now + timedelta(hours=3)
        else:
            assert not life.is_due(moved, now + timedelta(days=999))
        if moved.state not in (DeliveryState.SENT, *OPEN):
            assert moved.reason
        if moved.state is DeliveryState.SUPERSEDED:
            assert not before.unknowns and not before.accepted


@settings(max_examples=60)
@given(script=st.lists(steps.filter(lambda step: step.kind != "supersede"), max_size=15))
def test_the_store_moves_a_delivery_exactly_as_it_is_drawn(mirror: Mirror, script: list[Step]) -> None:
    start = mirror.start()
    for step, now, _, moved in played(start, [replace(each, standing=Standing()) for each in script]):
        current = mirror.row(start.id)
        assert mirror.does(current, step, now) == (moved is not None)
        if moved is not None:
            assert mirror.row(start.id) == moved


class Mirror:
    """A store in which the same things are done through its port; each example has a subscription of its own."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self._numbers = count()
        with store.write():
            store.subscribers.add(subscriber())

    def start(self) -> Delivery:
        number = next(self._numbers)
        with self.store.write():
            # What an example before this one left open would be claimed with it.
            for each in self.store.subscriptions.all():
                self.store.subscriptions.remove(each.id)
            self.store.subscriptions.put(subscription(f"s_{number}"))
            self.store.rules.put([rule(id=f"r_{number}", subscription_id=f"s_{number}")], actor="t", via="cli", now=NOW)
            self.store.deliveries.record([planned(f"d_{number}", f"s_{number}")])
        return self.row(f"d_{number}")

    def row(self, id: str) -> Delivery:
        found = self.store.deliveries.get(id)
        assert found is not None
        return found

    def does(self, current: Delivery, step: Step, at: Any) -> bool:
        deliveries = self.store.deliveries
        with self.store.write():
            match step.kind:
                case "claim":
                    return bool(deliveries.claim(at, lease=LEASE, limit=9, hold_unknown=step.hold_unknown))
                case "end":
                    return bool(deliveries.finish([outcome_of(current, step, at)]))
                case "stale":
                    stale = replace(outcome_of(current, step, at), fence=current.fence - 1)
                    return bool(deliveries.finish([stale]))
                case "retry":
                    return deliveries.retry(current.id, at=at)
                case _:
                    return deliveries.cancel(current.id, at=at)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    store = SqliteStore(Path(tmp_path_factory.mktemp("mirror")) / "mirror.db")
    yield Mirror(store)
    store.close()


def test_the_first_retry_comes_after_five_minutes_and_the_wait_doubles_to_an_hour() -> None:
    waits = [life.backoff(attempts) / MINUTE for attempts in (1, 2, 3, 4, 5, 6, 100)]
    assert waits == [5, 10, 20, 40, 60, 60, 60]


def test_four_and_a_half_days_of_being_put_off_are_a_failure_with_its_reason() -> None:
    row = claimed()
    now = timedelta(0)
    while row.state is DeliveryState.CLAIMED:
        row = after(row, TryLater("450 greylisted."), at=now)
        now = row.next_attempt_at - NOW
        row = life.claim(row, Standing(), now=NOW + now, lease=LEASE, hold_unknown=False) or row
    assert timedelta(days=4.5) <= now < timedelta(days=4.6)
    assert row.state is DeliveryState.FAILED
    assert row.reason == "450 greylisted. Given up: it has been put off since 2025-12-16 07:00 UTC."


def test_a_person_who_says_retry_gives_it_the_whole_time_again() -> None:
    failed = fresh(state=DeliveryState.FAILED, attempts=110, failing_since=NOW - timedelta(days=5), reason="Given up.")
    again = life.told(failed, Event.RETRY, at=NOW)
    assert again is not None
    assert (again.state, again.attempts, again.next_attempt_at) == (DeliveryState.DEFERRED, 110, NOW)
    taken = life.claim(again, Standing(), now=NOW, lease=LEASE, hold_unknown=False)
    assert taken is not None
    assert after(taken, TryLater("450 later.")).state is DeliveryState.DEFERRED


@pytest.mark.parametrize(("hold", "state"), [(False, DeliveryState.DEFERRED), (True, DeliveryState.HELD)])
def test_an_unknown_end_goes_again_or_waits_for_a_person_by_the_setting(hold: bool, state: DeliveryState) -> None:
    ended = after(claimed(), Unknown("The line broke."), limits=replace(LIMITS, hold_unknown=hold))
    assert (ended.state, ended.unknowns) == (state, 1)


def test_what_ended_unknown_too_often_waits_for_a_person_whatever_is_set() -> None:
    assert after(claimed(unknowns=MOST_UNKNOWN - 2), Unknown("Broken.")).state is DeliveryState.DEFERRED
    assert after(claimed(unknowns=MOST_UNKNOWN - 1), Unknown("Broken.")).state is DeliveryState.HELD


@pytest.mark.parametrize("hold", [False, True])
def test_a_process_that_went_away_while_sending_is_an_unknown_end(hold: bool) -> None:
    taken = life.claim(claimed(), Standing(begun=True), now=NOW + LEASE, lease=LEASE, hold_unknown=hold)
    assert taken is not None
    assert (taken.state, taken.unknowns) == (DeliveryState.HELD if hold else DeliveryState.CLAIMED, 1)


def test_a_process_that_went_away_before_sending_is_simply_taken_over() -> None:
    taken = life.claim(claimed(), Standing(), now=NOW + LEASE, lease=LEASE, hold_unknown=True)
    assert taken is not None
    assert (taken.state, taken.attempts, taken.fence, taken.unknowns) == (DeliveryState.CLAIMED, 2, 2, 0)


def test_nothing_goes_to_an_address_that_is_suppressed() -> None:
    ended = life.claim(fresh(), Standing(obstacle="It bounced."), now=NOW, lease=LEASE, hold_unknown=False)
    assert ended is not None
    assert (ended.state, ended.reason) == (DeliveryState.CANCELLED, "It bounced.")


def test_no_word_reaches_what_is_being_sent() -> None:
    assert life.told(claimed(), Event.CANCEL, at=NOW) is None
    ended = life.told(claimed(), Event.CANCEL, at=NOW + LEASE)
    assert ended is not None
    assert ended.state is DeliveryState.CANCELLED


def test_what_breaks_the_line_waits_longer_each_time_so_that_others_come_first() -> None:
    waits = [(after(claimed(attempts=n), Broken("Cut.")).next_attempt_at - NOW) / MINUTE for n in (1, 2, 3)]
    assert waits == [5, 10, 20]


def test_a_channel_that_asks_for_a_long_pause_gets_it() -> None:
    paused = after(claimed(), Unreachable("Slack wants a pause.", retry_after=timedelta(hours=2)))
    assert (paused.next_attempt_at - NOW, paused.attempts) == (timedelta(hours=2), 0)
