"""Claim what is due, and put together all that sending it needs: the frozen message, or the digest to make it from."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from notifier.checkup import told
from notifier.delivery import Limits
from notifier.digest import EvidenceOf, compose
from notifier.followup import passed_over
from notifier.matching import collector_paused
from notifier.model import (
    NOTHING_EARLIER,
    Contents,
    Delivery,
    DeliveryState,
    Digest,
    Entry,
    Message,
    Subscription,
)
from notifier.ports import Store

_PAPERS_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A claimed delivery with what is needed to send it."""

    delivery: Delivery
    subscription: Subscription
    message: Message | None
    digest: Digest | None


class Papers:
    """What the digests of one run name, as it was when the first one named it: read, and later rendered, once."""

    def __init__(self, evidence: EvidenceOf) -> None:
        self.evidence = evidence
        self._kept: dict[str, Entry] = {}

    def get(self, store: Store, ids: Set[str]) -> dict[str, Entry]:
        if len(self._kept) > _PAPERS_KEPT:
            self._kept.clear()
        self._kept |= store.entries.get(ids - self._kept.keys())
        return {id: self._kept[id] for id in ids if id in self._kept}


@collector_paused()
def claim(store: Store, papers: Papers, now: datetime, limits: Limits) -> tuple[list[Delivery], list[Job]]:
    """What came to its end instead of being claimed, and what is to be sent."""
    with store.write():
        touched = store.deliveries.claim(now, lease=limits.lease, limit=limits.batch, hold_unknown=limits.hold_unknown)
    claimed = [each for each in touched if each.state is DeliveryState.CLAIMED]
    ended = [each for each in touched if each.state is not DeliveryState.CLAIMED]
    return ended, _jobs(store, claimed, papers, now)


def _jobs(store: Store, claimed: Sequence[Delivery], papers: Papers, now: datetime) -> list[Job]:
    subscriptions = store.subscriptions.get({delivery.subscription_id for delivery in claimed})
    rules = store.rules.of(subscriptions)
    sources = told(store, now)
    contents = store.deliveries.contents(each.id for each in claimed)
    fresh = [id for id, each in contents.items() if each.message is None]
    entries = papers.get(store, _named([contents[id] for id in fresh]))
    late = store.gaps.late(entries)
    passed = {each.id: passed_over(each, contents[each.id].items, entries) for each in claimed}
    growth = store.entries.growth({id for ids in passed.values() for id in ids})
    earlier = store.deliveries.earlier(fresh)

    def composed(delivery: Delivery) -> Digest:
        return compose(
            delivery,
            contents[delivery.id].items,
            entries=entries,
            evidence=papers.evidence,
            subscription=subscriptions[delivery.subscription_id],
            follow_ups=contents[delivery.id].follow_ups,
            growth={id: growth[id] for id in passed[delivery.id] if id in growth},
            sources=sources,
            rules=rules.get(delivery.subscription_id, ()),
            late=late,
            earlier=earlier.get(delivery.id, NOTHING_EARLIER),
        )

    return [
        Job(
            delivery=each,
            subscription=subscriptions[each.subscription_id],
            message=contents[each.id].message,
            digest=composed(each) if contents[each.id].message is None else None,
        )
        # First what can come to nobody twice, so that a process that dies often still comes through all of it.
        for each in sorted(claimed, key=lambda each: each.unknowns)
        if each.subscription_id in subscriptions
    ]


def _named(contents: Sequence[Contents]) -> set[str]:
    """The entries of them all."""
    items = {each.entry_id for one in contents for each in one.items}
    return items | {each.entry_id for one in contents for each in one.follow_ups}
