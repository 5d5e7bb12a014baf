"""What every store does with deliveries beside the moves that are drawn: attempts, rules that are gone, handing on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.delivery import concluded
from notifier.errors import Cause
from notifier.model import (
    Attempt,
    Delivery,
    DeliveryItem,
    DeliveryState,
    Earlier,
    Mode,
    Outcome,
    Planned,
    Reason,
    Start,
)
from notifier.ports import Store
from tests.builders import NOW, planned, rule

LEASE = timedelta(minutes=5)
DAY = timedelta(days=1)


def outcome(state: DeliveryState, fence: int = 1, **fields: object) -> Outcome:
    return Outcome(delivery_id="d_one", fence=fence, state=state, at=NOW, **fields)  # type: ignore[arg-type]


def begin(store: Store, fence: int = 1, *, accepted: tuple[str, ...] = (), at: timedelta = timedelta(0)) -> bool:
    now = NOW + at
    start = Start(delivery_id="d_one", fence=fence, accepted=accepted, at=now, lease_until=now + LEASE)
    return store.deliveries.begin([start]) == ["d_one"]


def claim(store: Store, at: timedelta = timedelta(0), *, hold_unknown: bool = False) -> list[Delivery]:
    return store.deliveries.claim(NOW + at, lease=LEASE, limit=9, hold_unknown=hold_unknown)


def test_an_attempt_that_was_begun_is_remembered_with_its_end(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
        claim(peopled)
        assert begin(peopled)
        (under_way,) = peopled.deliveries.attempts("d_one")
        later = outcome(DeliveryState.DEFERRED, next_attempt_at=NOW + DAY, reason="greylisted", cause=Cause.PUT_OFF)
        peopled.deliveries.finish([later])
    assert under_way == Attempt(fence=1, began_at=NOW)
    (ended,) = peopled.deliveries.attempts("d_one")
    assert ended == replace(under_way, ended_at=NOW, state=DeliveryState.DEFERRED, reason="greylisted")
    row = peopled.deliveries.get("d_one")
    assert row is not None
    assert (row.cause, row.failing_since) == (Cause.PUT_OFF, NOW)


def test_only_the_latest_attempts_are_remembered(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
        for fence in range(1, 31):
            claim(peopled)
            assert begin(peopled, fence)
            peopled.deliveries.finish([outcome(DeliveryState.DEFERRED, fence, next_attempt_at=NOW)])
    assert [each.fence for each in peopled.deliveries.attempts("d_one")] == list(range(11, 31))


def test_a_lost_claim_begins_nothing(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
        claim(peopled)
        claim(peopled, LEASE)
        assert not begin(peopled, 1, at=LEASE)
        assert begin(peopled, 2, at=LEASE)


def test_each_part_that_goes_out_makes_the_lease_last_longer(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
        claim(peopled)
        begin(peopled, at=LEASE / 2)
        assert claim(peopled, LEASE) == []
        assert len(claim(peopled, 1.5 * LEASE)) == 1


def test_a_claim_that_is_taken_over_goes_on_behind_the_parts_that_were_accepted(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
        claim(peopled)
        begin(peopled)
        begin(peopled, accepted=("1.1", "1.2"))
        (again,) = claim(peopled, LEASE)
    assert (again.accepted, again.unknowns) == (("1.1", "1.2"), 1)
    assert peopled.deliveries.unknowns() == 1
    assert [each.unknown for each in peopled.deliveries.attempts("d_one")] == [True]


def test_a_lost_claim_that_had_begun_is_held_where_that_is_wished(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
        claim(peopled)
        begin(peopled)
        (held,) = claim(peopled, LEASE, hold_unknown=True)
        assert claim(peopled, 9 * DAY) == []
    assert held.state is DeliveryState.HELD
    assert peopled.deliveries.counts() == {DeliveryState.HELD: 1}


def reasoned(rule_id: str) -> tuple[DeliveryItem, ...]:
    reason = Reason(rule_id=rule_id, label="", query="reward")
    return (DeliveryItem(entry_id="arxiv:2512.00001", rank=0, shown=True, reasons=(reason,)),)


def test_what_was_made_for_rules_that_are_gone_is_cancelled_and_its_entries_are_free(peopled: Store) -> None:
    with peopled.write():
        peopled.rules.put([rule("other", id="r_two")], actor="ada", via="cli", now=NOW)
        peopled.deliveries.record([replace(planned(), items=reasoned("r_one"))])
        peopled.rules.remove("r_one", actor="ada", via="cli", now=NOW)
        (ended,) = claim(peopled)
    assert (ended.state, ended.attempts) == (DeliveryState.CANCELLED, 0)
    assert "rules" in (ended.reason or "")
    assert peopled.deliveries.ledger(["s_one"], since=NOW - 9 * DAY) == {}


def test_one_of_its_rules_is_enough_and_a_changed_one_is_still_there(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([replace(planned(), items=reasoned("r_one"))])
        peopled.rules.put([rule("changed")], actor="ada", via="cli", now=NOW)
        assert [each.state for each in claim(peopled)] == [DeliveryState.CLAIMED]


def test_an_empty_digest_goes_out_as_long_as_any_rule_includes_papers(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
        peopled.rules.put([rule(mode=Mode.MUTE)], actor="ada", via="cli", now=NOW)
        assert [each.state for each in claim(peopled)] == [DeliveryState.CANCELLED]


def deferred_one(store: Store, *entries: str, **fields: object) -> None:
    """``d_one`` with ``entries``, planned two hours ago and put off."""
    first = planned("d_one", "s_one", "k1", *entries)
    assert first.delivery is not None
    made = replace(first.delivery, created_at=NOW - timedelta(hours=2))
    store.deliveries.record([replace(first, delivery=made)])
    claim(store)
    store.deliveries.finish([outcome(DeliveryState.DEFERRED, next_attempt_at=NOW, reason="greylisted", **fields)])


def handed_on(*entries: str) -> Planned:
    return replace(planned("d_two", "s_one", "k2", *entries), supersedes=("d_one",))


def test_a_superseded_delivery_gives_its_entries_up_and_is_never_sent(peopled: Store) -> None:
    with peopled.write():
        deferred_one(peopled, "arxiv:2512.00001")
        peopled.deliveries.record([handed_on("arxiv:2512.00001", "arxiv:2512.00002")])
        assert [each.id for each in claim(peopled)] == ["d_two"]
    assert [item.entry_id[-1] for item in peopled.deliveries.items("d_two")] == ["1", "2"]
    assert peopled.deliveries.items("d_one") == []
    old = peopled.deliveries.get("d_one")
    assert old is not None
    assert old.state is DeliveryState.SUPERSEDED
    assert "d_two" in (old.reason or "")


@pytest.mark.parametrize("sign", [{"unknown": True}, {"accepted": ("1.1",)}])
def test_what_may_have_arrived_keeps_its_entries_whoever_plans_them_again(peopled: Store, sign: object) -> None:
    with peopled.write():
        deferred_one(peopled, "arxiv:2512.00001", **sign)  # type: ignore[arg-type]
        peopled.deliveries.record([handed_on("arxiv:2512.00001", "arxiv:2512.00002")])
    assert [item.entry_id[-1] for item in peopled.deliveries.items("d_one")] == ["1"]
    assert [item.entry_id[-1] for item in peopled.deliveries.items("d_two")] == ["2"]


def test_a_slot_that_has_its_delivery_supersedes_nothing(peopled: Store) -> None:
    with peopled.write():
        deferred_one(peopled, "arxiv:2512.00001")
        again = replace(planned("d_two", "s_one", "k1", "arxiv:2512.00001"), supersedes=("d_one",))
        assert peopled.deliveries.record([again]) == []
    assert [item.entry_id[-1] for item in peopled.deliveries.items("d_one")] == ["1"]


def test_what_is_put_off_is_found_by_subscription(peopled: Store) -> None:
    with peopled.write():
        deferred_one(peopled)
        peopled.deliveries.record([planned("d_two", "s_one", "k2")])
    found = peopled.deliveries.deferred(["s_one", "s_other"])
    assert {id: [each.id for each in rows] for id, rows in found.items()} == {"s_one": ["d_one"]}


def test_an_operators_words_move_what_they_may_and_nothing_else(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
        assert not peopled.deliveries.retry("d_one", at=NOW)
        claim(peopled)
        assert not peopled.deliveries.cancel("d_one", at=NOW)
        peopled.deliveries.finish([outcome(DeliveryState.FAILED, reason="no such user")])
        assert peopled.deliveries.retry("d_one", at=NOW)
        assert [each.attempts for each in claim(peopled)] == [2]
        peopled.deliveries.finish([outcome(DeliveryState.FAILED, fence=2, reason="no such user")])
        assert peopled.deliveries.cancel("d_one", at=NOW)
        assert not peopled.deliveries.retry("d_one", at=NOW)
        assert not peopled.deliveries.retry("d_none", at=NOW)


def test_deliveries_are_listed_from_an_instant_on(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
    assert [each.id for each in peopled.deliveries.all(since=NOW)] == ["d_one"]
    assert peopled.deliveries.all(since=NOW + LEASE) == []


def test_a_list_of_deliveries_goes_on_behind_its_last(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned(f"d_{n}", "s_one", f"2025-12-{n}") for n in (14, 15, 16)])
    assert [each.id for each in peopled.deliveries.all(limit=2)] == ["d_16", "d_15"]
    assert [each.id for each in peopled.deliveries.all(after="d_15", limit=2)] == ["d_14"]
    assert peopled.deliveries.all(after="d_none") == []


@given(
    before=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    accepted=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    fence=st.integers(1, 2),
    unknown=st.booleans(),
    reason=st.sampled_from([None, "why"]),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_arrived_is_written_as_the_life_of_a_delivery_has_it(
    peopled: Store, before: tuple[str, ...], accepted: tuple[str, ...], fence: int, unknown: bool, reason: str | None
) -> None:
    with suppress(KeyboardInterrupt), peopled.write():
        peopled.deliveries.record([planned()])
        claim(peopled)
        begin(peopled, accepted=before)
        was = peopled.deliveries.get("d_one")
        assert was
        arrived = outcome(DeliveryState.SENT, fence, accepted=accepted, unknown=unknown, reason=reason)
        recorded = peopled.deliveries.finish([arrived])
        after = concluded(was, arrived)
        assert peopled.deliveries.get("d_one") == (after or was)
        assert recorded == ([after.id] if after else [])
        (attempt,) = peopled.deliveries.attempts("d_one")
        assert attempt.state == (after and after.state)
        # So that each example finds the store as the first one did.
        raise KeyboardInterrupt


def test_what_was_sent_before_may_be_answered_and_what_never_went_out_not(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned(f"d_{key}", "s_one", f"2025-12-{key}") for key in ("14", "15", "16")])
        assert peopled.deliveries.earlier(["d_14", "d_15", "d_none"]) == {}
        claim(peopled)
        sent = [Outcome(delivery_id=id, fence=1, state=DeliveryState.SENT, at=NOW) for id in ("d_14", "d_16")]
        peopled.deliveries.finish(sent)
    last = Earlier(last=("d_14", "2025-12-14"))
    assert peopled.deliveries.earlier(["d_14", "d_15", "d_16"]) == {"d_15": last, "d_16": last}
