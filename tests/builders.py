"""Small nouns for tests: what is not said has a sensible value."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from notifier.cadence import next_slot
from notifier.model import (
    Address,
    Cadence,
    Delivery,
    DeliveryItem,
    Entry,
    Every,
    Planned,
    Rule,
    Sighting,
    Slot,
    SourceRecord,
    Subscriber,
    Subscription,
)
from notifier.ports import SightedEntry, StoredSighting

NOW = datetime(2025, 12, 16, 7, 0, tzinfo=UTC)
MORNING = Cadence(every=Every.DAILY, at=time(8))


def entry(number: int = 1, **fields: Any) -> Entry:
    given: dict[str, Any] = {"id": f"arxiv:2512.{number:05}", "title": f"Paper {number} on reward models"}
    return Entry(**(given | fields))


def sighting(number: int = 1, *, keys: tuple[str, ...] = (), announce: Any = None, **fields: Any) -> Sighting:
    made = entry(number, **fields)
    return Sighting(entry=made, keys=keys or (made.id,), announce=announce)


def subscriber(email: str = "ada@example.org", **fields: Any) -> Subscriber:
    given: dict[str, Any] = {"id": f"p_{email}", "email": email, "created_at": NOW - timedelta(days=30)}
    return Subscriber(**(given | fields))


def subscription(id: str = "s_one", person: Subscriber | None = None, **fields: Any) -> Subscription:
    person = person or subscriber()
    made = Subscription(
        id=id,
        subscriber=person,
        address=Address(kind="outbox"),
        cadence=MORNING,
        created_at=NOW - timedelta(days=30),
        next_due_at=NOW,
    )
    changed = replace(made, **fields)
    if "cadence" in fields and "next_due_at" not in fields:
        due = next_slot(changed.cadence, person.timezone, after=NOW - timedelta(days=1)).due_at
        changed = replace(changed, next_due_at=due)
    return changed


def rule(query: str = "reward", id: str = "r_one", subscription_id: str = "s_one", **fields: Any) -> Rule:
    return Rule(id=id, subscription_id=subscription_id, query=query, created_at=NOW, **fields)


def source(name: str = "feed", **fields: Any) -> SourceRecord:
    given: dict[str, Any] = {
        "name": name,
        "kind": "feed",
        "url": "https://example.org/feed",
        "every": timedelta(hours=1),
        "added_at": NOW,
        "next_fetch_at": NOW,
    }
    return SourceRecord(**(given | fields))


def planned(id: str = "d_one", subscription_id: str = "s_one", key: str = "2025-12-16", *entries: str) -> Planned:
    slot = Slot(key=key, due_at=NOW, zone="UTC")
    delivery = Delivery(
        id=id,
        subscription_id=subscription_id,
        slot=slot,
        created_at=NOW,
        period_start=NOW - timedelta(days=1),
        period_end=NOW,
        checked=9,
        next_attempt_at=NOW,
    )
    return Planned(
        subscription_id=subscription_id,
        slot=slot,
        checked=9,
        planned_until=NOW,
        next_due_at=NOW + timedelta(days=1),
        delivery=delivery,
        items=tuple(DeliveryItem(entry_id=e, rank=i, shown=True, reasons=()) for i, e in enumerate(entries)),
    )


def sighted(entry: Entry, *sources: str, at: datetime = NOW) -> SightedEntry:
    """As it goes into the store, shown by ``sources`` at one instant."""
    names = sources or ("feed",)
    shown = tuple(StoredSighting(source=each, first_at=at, last_at=at, announce=entry.announce) for each in names)
    return SightedEntry(entry=entry, keys=(entry.id,), sightings=shown)
