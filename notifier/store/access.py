"""Logins, mailed links, and who owns a subscription with whom."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from notifier.model import Session, Subscriber, Subscription, Ticket, TicketKind
from notifier.store import rows
from notifier.store.statements import queries

SQL = queries("access")


class SessionRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def add(self, session: Session, hash: str) -> None:
        self._conn.execute(SQL["forget_sessions"], {"now": rows.stamp(session.created_at)})
        self._conn.execute(
            SQL["add_session"],
            {
                "hash": hash,
                "id": session.id,
                "subscriber": session.subscriber.id,
                "browser": session.browser,
                "created_at": rows.stamp(session.created_at),
                "expires_at": rows.stamp(session.expires_at),
            },
        )

    def get(self, hash: str, *, now: datetime) -> Session | None:
        row = self._conn.execute(SQL["get_session"], {"hash": hash, "now": rows.stamp(now)}).fetchone()
        return _session(row) if row else None

    def of(self, email: str, *, now: datetime) -> list[Session]:
        found = self._conn.execute(SQL["sessions_of"], {"email": email, "now": rows.stamp(now)})
        return [_session(row) for row in found]

    def end(self, email: str, *, ids: Iterable[str] | None = None) -> int:
        wanted = {"email": email, "ids": None if ids is None else rows.array(ids)}
        return self._conn.execute(SQL["end_sessions"], wanted).rowcount


class TicketRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def add(self, ticket: Ticket, hash: str) -> None:
        self._conn.execute(SQL["forget_tickets"], {"now": rows.stamp(ticket.created_at)})
        self._conn.execute(
            SQL["add_ticket"],
            {
                "hash": hash,
                "kind": str(ticket.kind),
                "email": ticket.email,
                "values": json.dumps(ticket.values, ensure_ascii=False),
                "created_at": rows.stamp(ticket.created_at),
                "expires_at": rows.stamp(ticket.expires_at),
            },
        )

    def get(self, hash: str, kind: TicketKind, *, now: datetime) -> Ticket | None:
        wanted = {"hash": hash, "kind": str(kind), "now": rows.stamp(now)}
        row = self._conn.execute(SQL["get_ticket"], wanted).fetchone()
        return _ticket(row) if row else None

    def use(self, hash: str, kind: TicketKind, *, now: datetime) -> Ticket | None:
        ticket = self.get(hash, kind, now=now)
        if ticket:
            self._conn.execute(SQL["remove_ticket"], {"hash": hash, "kind": str(kind)})
        return ticket

    def waiting(self, email: str, kind: TicketKind, *, now: datetime) -> int:
        wanted = {"email": email, "kind": str(kind), "now": rows.stamp(now)}
        return int(self._conn.execute(SQL["tickets_waiting"], wanted).fetchone()[0])


class MemberRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def of(self, subscription_id: str) -> list[Subscriber]:
        return [rows.subscriber(row) for row in self._conn.execute(SQL["members_of"], {"id": subscription_id})]

    def add(self, subscription_id: str, email: str, *, now: datetime) -> None:
        self._conn.execute(SQL["add_member"], {"id": subscription_id, "email": email, "now": rows.stamp(now)})

    def remove(self, subscription_id: str, email: str) -> bool:
        wanted = {"id": subscription_id, "email": email}
        return self._conn.execute(SQL["remove_member"], wanted).rowcount > 0

    def share_ledger(self, subscription_id: str, email: str, *, shares: bool, now: datetime) -> None:
        wanted = {"id": subscription_id, "email": email, "shares": int(shares), "now": rows.stamp(now)}
        self._conn.execute(SQL["share_ledger"], wanted)

    def shares_ledger(self, subscription_id: str, email: str) -> bool:
        row = self._conn.execute(SQL["shares_ledger"], {"id": subscription_id, "email": email}).fetchone()
        return bool(row and row["shares_ledger"])

    def subscriptions(self, email: str) -> list[Subscription]:
        return [rows.subscription(row) for row in self._conn.execute(SQL["shared_subscriptions"], {"email": email})]


def _session(row: sqlite3.Row) -> Session:
    return Session(
        id=row["v_id"],
        subscriber=rows.subscriber(row),
        browser=row["browser"],
        created_at=datetime.fromisoformat(row["v_created_at"]),
        expires_at=datetime.fromisoformat(row["expires_at"]),
    )


def _ticket(row: sqlite3.Row) -> Ticket:
    return Ticket(
        kind=TicketKind(row["kind"]),
        email=row["email"],
        values=tuple((name, value) for name, value in json.loads(row["values"])),
        created_at=datetime.fromisoformat(row["created_at"]),
        expires_at=datetime.fromisoformat(row["expires_at"]),
    )
