"""What webhooks are signed with."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from notifier.store import rows
from notifier.store.statements import queries

SQL = queries("signing")


class SigningRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def put(self, subscription_id: str, secret: str, *, now: datetime, old_until: datetime) -> None:
        wanted = {"id": subscription_id, "now": rows.stamp(now)}
        self._conn.execute(SQL["forget"], wanted)
        self._conn.execute(SQL["retire"], {"id": subscription_id, "until": rows.stamp(old_until)})
        self._conn.execute(SQL["put"], wanted | {"secret": secret})

    def of(self, subscription_id: str, *, now: datetime) -> list[str]:
        return self._read("of", subscription_id, now)

    def of_delivery(self, delivery_id: str, *, now: datetime) -> list[str]:
        return self._read("of_delivery", delivery_id, now)

    def _read(self, name: str, id: str, now: datetime) -> list[str]:
        return [row["secret"] for row in self._conn.execute(SQL[name], {"id": id, "now": rows.stamp(now)})]
