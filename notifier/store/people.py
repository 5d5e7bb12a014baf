"""Subscribers, their subscriptions, and the rules of these with their history."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from notifier.model import Rule, Subscriber, Subscription
from notifier.ports import RuleChange
from notifier.store import rows
from notifier.store.statements import queries

SQL = queries("people")


class SubscriberRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def add(self, subscriber: Subscriber) -> None:
        self._conn.execute(
            SQL["add_subscriber"],
            {
                "id": subscriber.id,
                "email": subscriber.email,
                "name": subscriber.name,
                "timezone": subscriber.timezone,
                "language": subscriber.language,
                "created_at": rows.stamp(subscriber.created_at),
            },
        )

    def put(self, subscriber: Subscriber) -> None:
        self._conn.execute(
            SQL["put_subscriber"],
            {
                "id": subscriber.id,
                "name": subscriber.name,
                "timezone": subscriber.timezone,
                "language": subscriber.language,
            },
        )

    def get(self, email: str) -> Subscriber | None:
        row = self._conn.execute(SQL["get_subscriber"], {"email": email}).fetchone()
        return rows.subscriber(row) if row else None

    def all(self) -> list[Subscriber]:
        return [rows.subscriber(row) for row in self._conn.execute(SQL["all_subscribers"])]

    def page(self, *, text: str = "", after: str = "", limit: int) -> list[Subscriber]:
        wanted = {"text": text.lower(), "after": after, "limit": limit}
        return [rows.subscriber(row) for row in self._conn.execute(SQL["page_of_subscribers"], wanted)]

    def subscriptions_of(self, ids: Iterable[str]) -> dict[str, int]:
        found = self._conn.execute(SQL["subscriptions_of"], {"ids": rows.array(ids)})
        return {row["id"]: row["number"] for row in found}

    def remove(self, email: str) -> bool:
        for each in ("forget_tickets_of", "forget_letters_to"):
            self._conn.execute(SQL[each], {"email": email})
        return self._conn.execute(SQL["remove_subscriber"], {"email": email}).rowcount > 0


class SubscriptionRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def put(self, subscription: Subscription) -> None:
        self._conn.execute(SQL["put_subscription"], rows.subscription_params(subscription))

    def get(self, ids: Iterable[str]) -> dict[str, Subscription]:
        found = self._conn.execute(SQL["get_subscriptions"], {"ids": rows.array(ids)})
        return {row["id"]: rows.subscription(row) for row in found}

    def all(self, email: str | None = None) -> list[Subscription]:
        return [rows.subscription(row) for row in self._conn.execute(SQL["all_subscriptions"], {"email": email})]

    def page(self, *, after: str = "", limit: int) -> list[Subscription]:
        found = self._conn.execute(SQL["page_of_subscriptions"], {"after": after, "limit": limit})
        return [rows.subscription(row) for row in found]

    def addressed(self, kind: str, targets: Iterable[str]) -> list[Subscription]:
        wanted = {"channel": kind, "targets": rows.array(targets)}
        return [rows.subscription(row) for row in self._conn.execute(SQL["addressed_subscriptions"], wanted)]

    def due(self, now: datetime, *, limit: int) -> list[Subscription]:
        wanted = {"now": rows.stamp(now), "limit": limit}
        return [rows.subscription(row) for row in self._conn.execute(SQL["due_subscriptions"], wanted)]

    def remove(self, id: str) -> bool:
        return self._conn.execute(SQL["remove_subscription"], {"id": id}).rowcount > 0


class RuleRows:
    """Every change goes with a line of history, in the same transaction."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def put(self, changed: Sequence[Rule], *, actor: str, via: str, now: datetime) -> None:
        before = {rule.id: rule for rule in map(self.get, (rule.id for rule in changed)) if rule}
        self._conn.executemany(SQL["put_rule"], [rows.rule_params(rule) for rule in changed])
        self._note([(before.get(rule.id), rule) for rule in changed], actor=actor, via=via, now=now)

    def get(self, id: str) -> Rule | None:
        row = self._conn.execute(SQL["get_rule"], {"id": id}).fetchone()
        return rows.rule(row) if row else None

    def of(self, subscription_ids: Iterable[str]) -> dict[str, list[Rule]]:
        found: dict[str, list[Rule]] = {}
        for row in self._conn.execute(SQL["rules_of"], {"ids": rows.array(subscription_ids)}):
            found.setdefault(row["s_id"], []).append(rows.rule(row))
        return found

    def arrange(self, ids: Sequence[str]) -> None:
        self._conn.executemany(SQL["arrange"], [{"id": id, "place": place} for place, id in enumerate(ids)])

    def queries(self) -> list[str]:
        return [row["query"] for row in self._conn.execute(SQL["queries"])]

    def naming_categories(self) -> list[str]:
        return [row["query"] for row in self._conn.execute(SQL["naming_categories"])]

    def remove(self, id: str, *, actor: str, via: str, now: datetime) -> bool:
        before = self.get(id)
        if before is None:
            return False
        self._conn.execute(SQL["remove_rule"], {"id": id})
        self._note([(before, None)], actor=actor, via=via, now=now)
        return True

    def history(self, subscription_id: str) -> list[RuleChange]:
        return [
            RuleChange(
                rule_id=row["rule_id"],
                at=datetime.fromisoformat(row["at"]),
                actor=row["actor"],
                via=row["via"],
                before=row["before"],
                after=row["after"],
            )
            for row in self._conn.execute(SQL["changes_of"], {"id": subscription_id})
        ]

    def _note(self, changes: Sequence[tuple[Rule | None, Rule | None]], *, actor: str, via: str, now: datetime) -> None:
        lines = [
            {
                "subscription": either.subscription_id,
                "rule_id": either.id,
                "at": rows.stamp(now),
                "actor": actor,
                "via": via,
                "before": before and rows.rule_text(before),
                "after": after and rows.rule_text(after),
                "now": rows.stamp(now),
            }
            for before, after in changes
            if (either := after or before) is not None
        ]
        self._conn.executemany(SQL["add_change"], lines)
        self._conn.executemany(SQL["touch"], lines)


class FeedRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def secret(self, subscription_id: str) -> str | None:
        row = self._conn.execute(SQL["feed_secret"], {"id": subscription_id}).fetchone()
        return row["secret"] if row else None

    def subscription(self, secret: str) -> str | None:
        row = self._conn.execute(SQL["feed_subscription"], {"secret": secret}).fetchone()
        return row["id"] if row else None

    def put(self, subscription_id: str, secret: str, *, now: datetime) -> None:
        self._conn.execute(SQL["put_feed"], {"id": subscription_id, "secret": secret, "now": rows.stamp(now)})

    def remove(self, subscription_id: str) -> bool:
        return self._conn.execute(SQL["remove_feed"], {"id": subscription_id}).rowcount > 0
