"""Mail that came back, and addresses that get none any more."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from notifier.model import Bounce, BounceKind, Suppression
from notifier.store import rows
from notifier.store.statements import queries

SQL = queries("bounces")


class BounceRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def note(self, bounce: Bounce) -> None:
        self._conn.execute(
            SQL["note"],
            {
                "address": bounce.address.lower(),
                "at": rows.stamp(bounce.at),
                "kind": str(bounce.kind),
                "delivery": bounce.delivery_id,
                "status": bounce.status,
                "reason": bounce.reason,
            },
        )

    def of(self, address: str, *, since: datetime) -> list[Bounce]:
        wanted = {"address": address.lower(), "since": rows.stamp(since)}
        return [_bounce(row) for row in self._conn.execute(SQL["of"], wanted)]

    def newest(self, *, limit: int = 100) -> list[Bounce]:
        return [_bounce(row) for row in self._conn.execute(SQL["newest"], {"limit": limit})]

    def suppress(self, suppression: Suppression) -> None:
        self._conn.execute(
            SQL["suppress"],
            {
                "address": suppression.address.lower(),
                "since": rows.stamp(suppression.since),
                "reason": suppression.reason,
            },
        )

    def release(self, address: str) -> bool:
        wanted = {"address": address.lower()}
        self._conn.execute(SQL["forget"], wanted)
        return self._conn.execute(SQL["release"], wanted).rowcount > 0

    def suppressed(self) -> list[Suppression]:
        return [
            Suppression(address=row["address"], since=datetime.fromisoformat(row["since"]), reason=row["reason"])
            for row in self._conn.execute(SQL["suppressed"])
        ]

    def address_of(self, delivery_id: str) -> str | None:
        row = self._conn.execute(SQL["address_of"], {"delivery": delivery_id}).fetchone()
        return row["address"] if row else None


def _bounce(row: rows.Row) -> Bounce:
    return Bounce(
        address=row["address"],
        kind=BounceKind(row["kind"]),
        at=datetime.fromisoformat(row["at"]),
        status=row["status"],
        reason=row["reason"],
        delivery_id=row["delivery"],
    )
