"""Mail that came back, and addresses that get none any more."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from notifier import consent
from notifier.model import Bounce, BounceKind, Question, Suppression
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
        self.put(consent.suppressed(self.get(suppression.address), suppression))

    def refuse(self, id: str, *, reason: str, at: datetime) -> None:
        """The server said in the conversation itself that the address is not there."""
        if address := self.address_of(id):
            self.suppress(Suppression(address=address, since=at, reason=reason, kind=BounceKind.HARD))

    def put(self, suppression: Suppression) -> None:
        question = suppression.question
        self._conn.execute(
            SQL["suppress"],
            {
                "address": suppression.address.lower(),
                "since": rows.stamp(suppression.since),
                "reason": suppression.reason,
                "kind": suppression.kind,
                "question": question and question.id,
                "asked_at": question and rows.stamp(question.at),
                "asked_until": question and rows.stamp(question.until),
            },
        )

    def get(self, address: str) -> Suppression | None:
        row = self._conn.execute(SQL["get"], {"address": address.lower()}).fetchone()
        return _suppression(row) if row else None

    def asked(self, question_id: str) -> Suppression | None:
        row = self._conn.execute(SQL["by_question"], {"question": question_id}).fetchone()
        return _suppression(row) if row else None

    def release(self, address: str) -> bool:
        wanted = {"address": address.lower()}
        self._conn.execute(SQL["forget"], wanted)
        return self._conn.execute(SQL["release"], wanted).rowcount > 0

    def suppressed(self) -> list[Suppression]:
        return [_suppression(row) for row in self._conn.execute(SQL["suppressed"])]

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


def _suppression(row: rows.Row) -> Suppression:
    question = None
    if row["question"]:
        at, until = datetime.fromisoformat(row["asked_at"]), datetime.fromisoformat(row["asked_until"])
        question = Question(id=row["question"], at=at, until=until)
    return Suppression(
        address=row["address"],
        since=datetime.fromisoformat(row["since"]),
        reason=row["reason"],
        kind=BounceKind(row["kind"]) if row["kind"] else None,
        question=question,
    )
