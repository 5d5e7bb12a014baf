"""Digests that were made, opened again: whole, as the ledger has them, with the papers as they are known today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from notifier.digest import compose, evidence_of
from notifier.lookup import subscription_of
from notifier.matching import Topics
from notifier.model import Contents, Delivery, PastDigest
from notifier.ports import Store


def past_digests(store: Store, topics: Topics, subscription_id: str, *, limit: int) -> list[PastDigest]:
    """The latest of a subscription, newest first. Raises NotFound where there is no such subscription."""
    subscription_of(store, subscription_id)
    return reopened(store, topics, store.deliveries.past(subscription_id, limit=limit))


def reopened(store: Store, topics: Topics, deliveries: Sequence[Delivery], *, whole: bool = False) -> list[PastDigest]:
    """What these deliveries said, in their order; a paper that is gone is left out.

    Without what was true only on its day: how the sources were, and which rules did not parse. A ``whole`` digest
    shows in full what stood behind "more", too.
    """
    contents = store.deliveries.contents(each.id for each in deliveries)
    entries = store.entries.get({id for each in contents.values() for id in _named(each)})
    late = store.gaps.late(entries)
    subscriptions = store.subscriptions.get({each.subscription_id for each in deliveries})
    return [
        PastDigest(
            digest=compose(
                each,
                [replace(item, shown=True) for item in contents[each.id].items] if whole else contents[each.id].items,
                entries=entries,
                evidence=evidence_of(topics, now=each.period_end),
                subscription=subscriptions[each.subscription_id],
                follow_ups=contents[each.id].follow_ups,
                late=late,
            ),
            at=each.sent_at or each.slot.due_at,
        )
        for each in deliveries
        if each.subscription_id in subscriptions
    ]


def _named(contents: Contents) -> set[str]:
    return {each.entry_id for each in contents.items} | {each.entry_id for each in contents.follow_ups}
