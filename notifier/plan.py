"""Plan: decide which entries each due subscription gets, and record it as deliveries.

    due      subscriptions whose slot has come, longest due first, a batch at a time
    choose   their rules against the entries of the look-back window (pure, see digest)
    follow   what became of papers sent earlier, for those who ask for it (pure, see followup)
    gather   what an earlier delivery could not bring so far goes into the new one (pure, see delivery)
    record   one delivery per (subscription, slot) with its entries, reasons and follow-ups, and the next slot; rules
             that broke

One transaction a batch, under the write lock, so that two planners never decide the same thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from notifier.cadence import due_slot, next_slot
from notifier.delivery import may_be_handed_on
from notifier.digest import Choice, Want, Window, choose, reach, together, want_of
from notifier.followup import pending
from notifier.ids import new_id
from notifier.matching import RuleSet, collector_paused
from notifier.model import Delivery, DeliveryItem, FollowUp, Mode, Planned, Rule, Slot, Subscription
from notifier.ports import Store

log = structlog.get_logger()

BATCH = 5000
"""Subscriptions a transaction: the write lock is held for two or three seconds at most, others wait 30."""
Broken = Sequence[tuple[Rule, str | None]]
# After this the digest says that it is late, as one that stands for several missed slots does.
_LATE = timedelta(hours=2)
_MORE_THAN_A_DAY = timedelta(hours=26)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """What one pass came to: subscriptions looked at, deliveries recorded, entries in these."""

    looked_at: int = 0
    deliveries: int = 0
    entries: int = 0


def plan(store: Store, rules: RuleSet, *, look_back: timedelta, now: datetime, batch: int = BATCH) -> Plans:
    """Plan everything that is due at ``now``. ``rules`` may know the rules already; what it does not it learns."""
    window: Window | None = None
    total = Plans()
    while True:
        with collector_paused(), store.write():
            due = store.subscriptions.due(now, limit=batch)
            if not due:
                return total
            window = _window_for(due, window, store, rules, look_back=look_back, now=now)
            planned, broken = _plan_batch(due, window, store, look_back=look_back, now=now)
            recorded = set(store.deliveries.record(planned))
            _note_broken(_told(planned, broken, recorded), store, now)
        total = _sum(total, planned, recorded)


def _window_for(
    due: Sequence[Subscription],
    window: Window | None,
    store: Store,
    rules: RuleSet,
    *,
    look_back: timedelta,
    now: datetime,
) -> Window:
    since = min(reach(subscription, look_back, now) for subscription in due)
    if window is not None and window.since <= since:
        return window
    return Window(store.entries.window(since, now), rules, since=since, now=now)


def _plan_batch(
    due: Sequence[Subscription], window: Window, store: Store, *, look_back: timedelta, now: datetime
) -> tuple[list[Planned], list[Broken]]:
    """What each of ``due`` gets, and which rules of each stopped parsing or parse again."""
    ids = [subscription.id for subscription in due]
    rules = store.rules.of(ids)
    ledger = store.deliveries.ledger(ids, since=window.since)
    wants = [
        want_of(
            subscription,
            rules.get(subscription.id, ()),
            ledger.get(subscription.id, frozenset()),
            look_back=look_back,
            now=now,
        )
        for subscription in due
    ]
    choices = choose(wants, window)
    told = pending(due, store.deliveries, look_back=look_back, now=now)
    stale = _stale(ids, store, now)
    planned = [
        _with_earlier(
            _planned(want, choice, told.get(want.subscription.id, ()), now),
            stale.get(want.subscription.id, ()),
            want,
            window,
        )
        for want, choice in zip(wants, choices, strict=True)
    ]
    return planned, [choice.broken for choice in choices]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Earlier:
    """A delivery that the next one may supersede, with its items."""

    delivery: Delivery
    items: Sequence[DeliveryItem]
    follow_ups: Sequence[FollowUp]


def _stale(ids: Sequence[str], store: Store, now: datetime) -> dict[str, list[_Earlier]]:
    return {
        id: [
            _Earlier(
                delivery=each,
                items=store.deliveries.items(each.id),
                follow_ups=store.deliveries.follow_ups(each.id),
            )
            for each in deferred
            if may_be_handed_on(each, now=now)
        ]
        for id, deferred in store.deliveries.deferred(ids).items()
    }


def _with_earlier(planned: Planned, earlier: Sequence[_Earlier], want: Want, window: Window) -> Planned:
    """``planned`` with what the earlier deliveries could not bring; only a new delivery takes it over."""
    if planned.delivery is None or not earlier:
        return planned
    since = [each.delivery.failing_since for each in earlier if each.delivery.failing_since]
    delivery = replace(
        planned.delivery,
        period_start=min(each.delivery.period_start for each in earlier),
        checked=planned.delivery.checked + sum(each.delivery.checked for each in earlier),
        late=True,
        failing_since=min(since, default=None),
    )
    return replace(
        planned,
        delivery=delivery,
        items=together(
            [planned.items, *(each.items for each in earlier)], window, max_entries=want.subscription.max_entries
        ),
        follow_ups=(*(one for each in earlier for one in each.follow_ups), *planned.follow_ups),
        supersedes=tuple(each.delivery.id for each in earlier),
    )


def _planned(want: Want, choice: Choice, told: tuple[FollowUp, ...], now: datetime) -> Planned:
    subscription = want.subscription
    cadence, zone = subscription.cadence, subscription.subscriber.timezone
    # A microsecond earlier, because the slot that is due may be next_due_at itself.
    found = due_slot(cadence, zone, since=subscription.next_due_at - timedelta(microseconds=1), now=now)
    slot, missed = found or (Slot(key="", due_at=now, zone=zone), 0)
    includes = any(rule.mode is Mode.INCLUDE for rule in want.rules)
    # That a rule stopped parsing is told at once, be there papers or not; later digests only repeat it.
    news = bool(choice.items or told) or any(reason for _, reason in choice.broken)
    wanted = news or (subscription.send_empty and includes)
    late = missed > 1 or now - slot.due_at > _LATE or _is_catch_up(subscription, now)
    return Planned(
        subscription_id=subscription.id,
        slot=slot,
        checked=choice.checked,
        planned_until=now if found else subscription.planned_until or now,
        next_due_at=next_slot(cadence, zone, after=now).due_at,
        delivery=_delivery(want, slot, choice, late=late, now=now) if found and wanted else None,
        items=choice.items,
        follow_ups=told,
        follows=bool(subscription.follow_ups),
    )


def _is_catch_up(subscription: Subscription, now: datetime) -> bool:
    """After a pause, or where a cadence has become shorter: slots have passed since the last one was planned."""
    since = subscription.planned_until
    if since is None or now - since < _MORE_THAN_A_DAY:
        return False
    found = due_slot(subscription.cadence, subscription.subscriber.timezone, since=since, now=now)
    return found is not None and found[1] > 1


def _delivery(want: Want, slot: Slot, choice: Choice, *, late: bool, now: datetime) -> Delivery:
    return Delivery(
        id=new_id("d"),
        subscription_id=want.subscription.id,
        slot=slot,
        created_at=now,
        period_start=want.fresh_since,
        period_end=now,
        checked=choice.checked,
        late=late,
        next_attempt_at=now,
    )


def _told(planned: Sequence[Planned], broken: Sequence[Broken], recorded: set[str]) -> list[tuple[Rule, str | None]]:
    """The changes that a digest tells, and good news; the others wait for a digest, so that nobody is left unaware."""
    return [
        (rule, reason)
        for each, changes in zip(planned, broken, strict=True)
        for rule, reason in changes
        if reason is None or (each.delivery is not None and each.delivery.id in recorded)
    ]


def _note_broken(changes: Sequence[tuple[Rule, str | None]], store: Store, now: datetime) -> None:
    if changes:
        changed = [replace(rule, broken=reason) for rule, reason in changes]
        store.rules.put(changed, actor="notifier", via="plan", now=now)
    for rule, reason in changes:
        log.warning("rule disabled" if reason else "rule works again", rule=rule.id, query=rule.query, reason=reason)


def _sum(total: Plans, planned: Sequence[Planned], recorded: set[str]) -> Plans:
    fresh = [each for each in planned if each.delivery and each.delivery.id in recorded]
    return Plans(
        looked_at=total.looked_at + len(planned),
        deliveries=total.deliveries + len(fresh),
        entries=total.entries + sum(len(each.items) for each in fresh),
    )
