"""Digests to render: built by hand, so that a test can say exactly what it varies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from notifier.model import (
    Address,
    Cadence,
    Digest,
    DigestItem,
    Entry,
    Every,
    Evidence,
    Health,
    Reason,
    Slot,
    SourceHealth,
    Subscriber,
    Subscription,
)

NOW = datetime(2025, 12, 16, 7, 0, 3, tzinfo=UTC)
DUE = datetime(2025, 12, 16, 7, 0, tzinfo=UTC)

ABSTRACT = (
    "Legged machines fall. We study why a humanoid that walks well indoors loses its footing outdoors, and collect "
    "two thousand hours of mishaps. A policy trained on them recovers from nine pushes in ten. "
    "It needs no new sensors. Code and data are public."
)


def entry(number: int = 1, **fields: Any) -> Entry:
    base = Entry(
        id=f"arxiv:2512.{number:05}",
        title=f"Falling Well, Part {number}",
        abstract=ABSTRACT,
        authors=("Ada Lovelace", "Rosalind van der Berg", "Grace Hopper", "Wang, Wei", "Emmy Noether"),
        categories=("cs.RO", "cs.LG"),
        published_at=datetime(2025, 12, 14, 18, 30, tzinfo=UTC),
        url=f"https://arxiv.org/abs/2512.{number:05}",
        pdf_url=f"https://arxiv.org/pdf/2512.{number:05}",
        code_url="https://example.org/falling?part=1&all=yes",
        upvotes=35,
        comments=2,
    )
    return replace(base, **fields)


def found(entry: Entry, word: str = "humanoid", *, rule: str = "r_legs", label: str = "legs") -> DigestItem:
    at = entry.abstract.find(word)
    evidence = (Evidence(field="abstract", spans=((at, at + len(word)),), text=word),) if at >= 0 else ()
    return DigestItem(entry=entry, reasons=(Reason(rule_id=rule, label=label, query=word, evidence=evidence),))


def subscription(**fields: Any) -> Subscription:
    person = Subscriber(
        id="p_1", email="ada@example.org", name="Ada", timezone="Europe/Berlin", language="en", created_at=NOW
    )
    base = Subscription(
        id="s_7h2k9q",
        subscriber=replace(person, **fields.pop("subscriber", {})),
        address=Address(kind="email"),
        cadence=Cadence(every=Every.DAILY),
        created_at=NOW,
        next_due_at=DUE + timedelta(days=1),
    )
    return replace(base, **fields)


def digest(*items: DigestItem, **fields: Any) -> Digest:
    base = Digest(
        delivery_id="d_4m8x1c",
        subscription=subscription(),
        slot=Slot(key="2025-12-16", due_at=DUE, zone="Europe/Berlin"),
        period_start=DUE - timedelta(days=1),
        period_end=DUE,
        items=items or (found(entry()),),
        checked=112,
        sources=(
            SourceHealth(name="arxiv", title="arXiv", last_success_at=DUE - timedelta(hours=2), health=Health.FRESH),
            SourceHealth(
                name="hf", title="Daily Papers", last_success_at=DUE - timedelta(hours=1), health=Health.FRESH
            ),
        ),
    )
    return replace(base, **fields)


def german(**fields: Any) -> Subscription:
    return subscription(subscriber={"language": "de"}, **fields)
