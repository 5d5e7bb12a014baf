"""Frozen messages: what many have in common is kept once, and each comes back as it was, byte for byte."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.errors import DamagedDatabase
from notifier.model import DeliveryState, Message, Outcome, Shared, Start
from notifier.store import SqliteStore
from notifier.store.messages import SWEPT_UPTO
from tests.builders import NOW, entry, planned, rule, sighted, subscriber, subscription

LEASE = timedelta(minutes=5)
PAPER = b"<p>A paper that many get</p>\r\n" * 20
OTHER = b"<p>Another paper</p>\r\n" * 30


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = peopled(tmp_path, 4)
    yield store
    store.close()


def peopled(folder: Path, count: int) -> SqliteStore:
    store = SqliteStore(folder / "notifier.db")
    with store.write():
        store.entries.put([sighted(entry(1))], now=NOW)
        for number in range(count):
            person = subscriber(f"person{number}@example.org", id=f"p_{number}")
            store.subscribers.add(person)
            store.subscriptions.put(subscription(f"s_{number}", person))
        rules = [rule("reward", id=f"r_{n}", subscription_id=f"s_{n}") for n in range(count)]
        store.rules.put(rules, actor="test", via="cli", now=NOW)
        made = planned()
        assert made.delivery
        store.deliveries.record(
            [
                replace(
                    made,
                    subscription_id=f"s_{number}",
                    delivery=replace(made.delivery, id=f"d_{number}", subscription_id=f"s_{number}"),
                    items=(),
                )
                for number in range(count)
            ]
        )
        store.deliveries.claim(NOW, lease=LEASE, limit=count)
    return store


def message(number: int, *shared: bytes, own: bytes = b"To: %d\r\n") -> Message:
    """A body of own bytes before and behind each shared text."""
    mark = own.replace(b"%d", str(number).encode())
    at, found = len(mark), []
    for text in shared:
        found.append(Shared(0, at, text))
        at += len(text) + len(mark)
    return Message(
        delivery_id=f"d_{number}",
        format="email",
        subject="1 paper",
        target="ada@example.org",
        parts=(b"".join([mark, *(text + mark for text in shared)]),),
        created_at=NOW,
        shared=tuple(found),
    )


def freeze(store: SqliteStore, *messages: Message) -> None:
    with store.write():
        starts = [
            Start(delivery_id=each.delivery_id, fence=1, at=NOW, lease_until=NOW + LEASE, message=each)
            for each in messages
        ]
        assert len(store.deliveries.begin(starts)) == len(messages)


def sent(store: SqliteStore, *numbers: int) -> None:
    with store.write():
        store.deliveries.finish(
            [Outcome(delivery_id=f"d_{n}", fence=1, state=DeliveryState.SENT, at=NOW) for n in numbers]
        )


def fragments(store: SqliteStore) -> int:
    number: int = store._db.execute("SELECT count(*) FROM fragment").fetchone()[0]
    return number


def test_what_messages_have_in_common_is_kept_once_and_each_comes_back_byte_for_byte(store: SqliteStore) -> None:
    messages = [message(0, PAPER, OTHER), message(1, OTHER, PAPER, PAPER), message(2)]
    freeze(store, *messages)
    assert fragments(store) == 2
    assert [store.deliveries.message(each.delivery_id) for each in messages] == messages


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([PAPER, OTHER])), max_size=8), st.data())
def test_any_bytes_come_back_wherever_the_hints_point(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes], data: st.DataObject
) -> None:
    body = b"".join(chunks)
    place = st.integers(-3, len(body) + 3)
    hints = tuple(
        Shared(0, data.draw(place), data.draw(st.sampled_from([PAPER, OTHER, body[:5], b"x"]))) for _ in range(3)
    )
    true = tuple(Shared(0, len(b"".join(chunks[:n])), chunk) for n, chunk in enumerate(chunks))
    store = peopled(tmp_path_factory.mktemp("hints"), 2)
    found = [replace(message(0), parts=(body,), shared=hints), replace(message(1), parts=(body,), shared=true)]
    freeze(store, *found)
    assert [store.deliveries.message(each.delivery_id) for each in found] == found
    store.close()


def test_what_was_rolled_back_is_not_remembered_as_kept(store: SqliteStore) -> None:
    with pytest.raises(KeyboardInterrupt), store.write():
        store.deliveries.begin(
            [
                Start(delivery_id="d_0", fence=1, at=NOW, lease_until=NOW, message=message(0, PAPER)),
            ]
        )
        raise KeyboardInterrupt
    assert fragments(store) == 0
    freeze(store, message(0, PAPER))
    assert store.deliveries.message("d_0") == message(0, PAPER)


def test_what_another_process_threw_away_is_written_again(store: SqliteStore, tmp_path: Path) -> None:
    freeze(store, message(0, PAPER))
    sent(store, 0)
    other = SqliteStore(tmp_path / "notifier.db")
    with other.write():
        assert other.deliveries.sweep() == 1
    other.close()
    freeze(store, message(1, PAPER))
    assert store.deliveries.message("d_1") == message(1, PAPER)


def test_only_what_no_frozen_message_needs_is_thrown_away(store: SqliteStore) -> None:
    freeze(store, message(0, PAPER, OTHER), message(1, OTHER))
    sent(store, 0)
    with store.write():
        assert store.deliveries.sweep() == 1
        assert store.deliveries.sweep() == 0
    assert store.deliveries.message("d_1") == message(1, OTHER)


def test_nothing_is_thrown_away_where_too_many_would_have_to_be_looked_through(tmp_path: Path) -> None:
    count = SWEPT_UPTO + 2
    store = peopled(tmp_path, count)
    freeze(store, message(0, PAPER), *(message(n, OTHER) for n in range(1, count)))
    sent(store, 0)
    with store.write():
        assert store.deliveries.sweep() == 0
    sent(store, 1)
    with store.write():
        assert store.deliveries.sweep() == 1
    store.close()


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE fragment SET body = x'00'",
        "DELETE FROM fragment",
        "UPDATE message_part SET body = x'00'",
        "UPDATE message_part SET pieces = '[0, 1]'",
    ],
)
def test_a_message_that_is_not_what_was_frozen_is_not_given_out(store: SqliteStore, tmp_path: Path, harm: str) -> None:
    freeze(store, message(0, PAPER))
    with sqlite3.connect(tmp_path / "notifier.db") as db:
        db.execute(harm)
    with pytest.raises(DamagedDatabase, match="d_0 is not what was written"):
        store.deliveries.message("d_0")
