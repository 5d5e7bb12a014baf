"""What every store does with letters beside the moves that are drawn: who gets none, what is forgotten, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from notifier.errors import Cause
from notifier.model import DeliveryState, Letter, LetterKind, Message, Outcome, Posting, Start, Suppression
from notifier.ports import Store
from tests.builders import NOW

LEASE = timedelta(minutes=5)
HOUR = timedelta(hours=1)
ADA = "Ada@example.org"


def letter(id: str = "l_one", **fields: Any) -> Letter:
    given: dict[str, Any] = {
        "id": id,
        "to": ADA,
        "kind": LetterKind.LOGIN,
        "values": (("link", "https://papers.example.org/t"),),
        "created_at": NOW,
        "expires_at": NOW + HOUR,
    }
    return Letter(**(given | fields))


def put(store: Store, *letters: Letter) -> None:
    with store.write():
        store.letters.put(letters or [letter()])


def claim(store: Store, at: timedelta = timedelta(0)) -> list[Posting]:
    with store.write():
        return store.letters.claim(NOW + at, lease=LEASE, limit=9)


def begin(store: Store, fence: int = 1, message: Message | None = None, at: timedelta = timedelta(0)) -> bool:
    now = NOW + at
    with store.write():
        start = Start(delivery_id="l_one", fence=fence, at=now, lease_until=now + LEASE, message=message)
        return store.letters.begin(start)


def finish(store: Store, state: DeliveryState, fence: int = 1, **fields: Any) -> bool:
    with store.write():
        return store.letters.finish(Outcome(delivery_id="l_one", fence=fence, state=state, at=NOW, **fields))


def state(store: Store) -> tuple[DeliveryState, str | None]:
    found = store.letters.get("l_one")
    assert found is not None
    return found.state, found.reason


MESSAGE = Message(
    delivery_id="l_one",
    format="email",
    subject="Log in",
    target=ADA,
    sender="bounces@example.org",
    parts=(b"Subject: Log in\r\n\r\n.\r\n",),
    created_at=NOW,
)


def test_it_is_claimed_once_with_what_it_is_to_say(store: Store) -> None:
    put(store)
    assert store.letters.is_due(NOW) and not store.letters.is_due(NOW - HOUR)
    (claimed,) = claim(store)
    assert (claimed.letter, claimed.attempts, claimed.fence) == (letter(), 1, 1)
    assert claim(store) == [] and not store.letters.is_due(NOW)


def test_it_is_put_once_and_only_with_the_transaction_it_is_put_in(store: Store) -> None:
    with pytest.raises(RuntimeError, match="afterwards"), store.write():
        store.letters.put([letter()])
        raise RuntimeError("something went wrong afterwards")
    assert store.letters.all() == []
    put(store)
    put(store, letter(to="eve@example.org"))
    assert [each.letter.to for each in store.letters.all()] == [ADA]


def test_a_lost_claim_is_taken_over_with_the_same_bytes_and_counted(store: Store) -> None:
    put(store)
    claim(store)
    assert begin(store, message=MESSAGE)
    (again,) = claim(store, LEASE)
    assert (again.fence, again.unknowns, store.letters.message("l_one")) == (2, 1, MESSAGE)
    assert not begin(store, 1, at=LEASE) and not finish(store, DeliveryState.SENT, 1)
    assert begin(store, 2, at=LEASE) and finish(store, DeliveryState.SENT, 2, accepted=("<id>",))


def test_what_it_said_is_forgotten_once_it_was_sent(store: Store) -> None:
    put(store)
    claim(store)
    begin(store, message=MESSAGE)
    finish(store, DeliveryState.SENT, accepted=("<id>",))
    sent = store.letters.get("l_one")
    assert sent is not None and (sent.state, sent.sent_at, sent.letter.values) == (DeliveryState.SENT, NOW, ())
    assert store.letters.message("l_one") is None


def test_one_that_has_expired_is_dropped_with_the_reason_it_waited(store: Store) -> None:
    put(store)
    claim(store)
    begin(store)
    finish(store, DeliveryState.DEFERRED, reason="Greylisted.", next_attempt_at=NOW + HOUR, cause=Cause.PUT_OFF)
    (dropped,) = claim(store, HOUR)
    assert dropped.state is DeliveryState.CANCELLED
    assert state(store)[1] == "It was good until 2025-12-16 08:00 UTC only. Last attempt: Greylisted."
    assert [each.letter.values for each in store.letters.all()] == [()]


@pytest.mark.parametrize("kind", LetterKind)
def test_an_address_that_is_suppressed_is_only_asked_whether_it_may_be_used(store: Store, kind: LetterKind) -> None:
    with store.write():
        store.bounces.suppress(Suppression(address=ADA, since=NOW, reason="Mailbox full."))
    put(store, letter(kind=kind))
    claim(store)
    wanted = kind is LetterKind.CONFIRM_ADDRESS
    assert state(store)[0] is (DeliveryState.CLAIMED if wanted else DeliveryState.CANCELLED)
    assert wanted or state(store)[1] == "Nothing is sent to this address any more. Mailbox full."


def test_an_address_that_is_not_there_is_suppressed(store: Store) -> None:
    put(store)
    claim(store)
    begin(store)
    finish(store, DeliveryState.FAILED, reason="550 5.1.1 No such user", cause=Cause.ADDRESS)
    assert [(each.address, each.reason) for each in store.bounces.suppressed()] == [
        ("ada@example.org", "550 5.1.1 No such user")
    ]


def test_an_operator_may_have_it_sent_again(store: Store) -> None:
    put(store)
    claim(store)
    begin(store, message=MESSAGE)
    finish(store, DeliveryState.FAILED, reason="552 too big", cause=Cause.SIZE)
    with store.write():
        assert store.letters.retry("l_one", at=NOW) and not store.letters.retry("l_none", at=NOW)
    assert [each.fence for each in claim(store)] == [2]
    assert store.letters.message("l_one") == MESSAGE


def test_its_bounce_is_about_its_address(store: Store) -> None:
    put(store)
    assert store.bounces.address_of("l_one") == "ada@example.org"
    assert store.bounces.address_of("l_two") is None


def test_those_of_an_address_are_counted_and_old_ones_forgotten_but_for_what_is_on_its_way(store: Store) -> None:
    put(store, *(letter(f"l_{number}", created_at=NOW + number * HOUR) for number in range(4)), letter())
    assert store.letters.count(ADA, since=NOW) == 3 and store.letters.count("eve@example.org", since=NOW) == 0
    claim(store)
    finish(store, DeliveryState.SENT)
    with store.write():
        store.letters.forget(NOW + 2 * HOUR)
    assert {each.id for each in store.letters.all()} == {"l_0", "l_1", "l_2", "l_3"}
    assert [each.id for each in store.letters.all(states=[DeliveryState.CLAIMED])] == ["l_0"]
