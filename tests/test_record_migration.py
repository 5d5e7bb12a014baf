"""A database that an earlier version wrote is opened, brought up to date, and goes on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from sqlite_utils import Database

from notifier.model import DeliveryState
from notifier.store import SqliteStore
from notifier.store.migrations import migrations
from notifier.store.people import SubscriberRows
from notifier.store.rows import stamp
from tests.builders import NOW, subscriber


def test_what_was_on_its_way_before_the_record_was_kept_is_sent_after(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    with closing(Database(sqlite3.connect(file))) as old:
        old.conn.row_factory = sqlite3.Row
        migrations.apply(old, stop_before="m0006_delivery_record")
        add_people(old)
        old.execute(
            "INSERT INTO delivery (id, subscription, slot, due_at, zone, state, created_at, period_start, period_end,"
            " checked, late, attempts, next_attempt_at, fence, reason, accepted)"
            " VALUES ('d_old', 1, 'k', :now, 'UTC', 'deferred', :now, :now, :now, 1, 0, 3, :now, 3, 'later', '[]')",
            {"now": stamp(NOW)},
        )
        old.conn.commit()
    with closing(SqliteStore(file)) as store:
        with store.write():
            (claimed,) = store.deliveries.claim(NOW, lease=timedelta(minutes=5), limit=9)
        assert (claimed.state, claimed.attempts, claimed.unknowns) == (DeliveryState.CLAIMED, 4, 0)
        assert store.deliveries.attempts("d_old") == []


def add_people(old: Database) -> None:
    SubscriberRows(old.conn).add(subscriber())
    old.execute(
        "INSERT INTO subscription (id, subscriber, channel, target, every, at, days, max_entries, send_empty,"
        " created_at, paused, next_due_at, touched_at)"
        " VALUES ('s_one', 1, 'outbox', '', 'daily', '08:00', '[]', 20, 0, :now, 0, :now, :now)",
        {"now": stamp(NOW)},
    )
    old.execute(
        "INSERT INTO rule (id, subscription, query, label, mode, version, created_at)"
        " VALUES ('r_one', 1, 'reward', '', 'include', 1, :now)",
        {"now": stamp(NOW)},
    )
