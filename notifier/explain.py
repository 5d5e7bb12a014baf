"""What people ask: what would the next digest be, and why (not) this paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifier.cadence import next_slot
from notifier.digest import Choice, Window, choose, compose, evidence_of, reach, want_of
from notifier.followup import passed_over, pending
from notifier.lookup import examined, subscription_of
from notifier.matching import RuleSet, Topics, parse, verdict
from notifier.model import (
    Delivery,
    DeliveryState,
    Digest,
    Entry,
    Every,
    Evidence,
    Mode,
    Point,
    Rule,
    SourceHealth,
    Subscription,
)
from notifier.ports import Store, StoredSighting, Titled

PREVIEW_ID = "d_preview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one rule says of an entry: whether it holds and, in words, which clause decided."""

    rule: Rule
    holds: bool
    words: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The whole story of one entry and one subscription; ``answer`` is it in a sentence."""

    entry: Entry
    subscription: Subscription
    sightings: tuple[StoredSighting, ...]
    titles: tuple[Titled, ...]
    """Other titles that it has or had."""
    growth: tuple[Point, ...]
    verdicts: tuple[Verdict, ...]
    delivery: Delivery | None
    answer: str


def preview(
    store: Store,
    topics: Topics,
    subscription_id: str,
    *,
    look_back: timedelta,
    sources: Sequence[SourceHealth],
    now: datetime,
) -> Digest:
    """The next digest as it would be now; nothing is recorded."""
    subscription = subscription_of(store, subscription_id)
    rules = store.rules.of([subscription.id]).get(subscription.id, [])
    return foreseen(store, topics, subscription, rules, look_back=look_back, sources=sources, now=now)


def foreseen(
    store: Store,
    topics: Topics,
    subscription: Subscription,
    rules: Sequence[Rule],
    *,
    look_back: timedelta,
    sources: Sequence[SourceHealth],
    now: datetime,
) -> Digest:
    """As ``preview``, by these rules, of a subscription that may not be there yet."""
    choice = _choice(store, topics, subscription, rules, look_back=look_back, now=now)
    slot = next_slot(subscription.cadence, subscription.subscriber.timezone, after=now)
    delivery = Delivery(
        id=PREVIEW_ID,
        subscription_id=subscription.id,
        slot=slot,
        created_at=now,
        period_start=subscription.planned_until or reach(subscription, look_back, now),
        period_end=now,
        checked=choice.checked,
        next_attempt_at=now,
    )
    told = pending([subscription], store.deliveries, look_back=look_back, now=now).get(subscription.id, ())
    entries = store.entries.get([*(each.entry_id for each in choice.items), *(each.entry_id for each in told)])
    return compose(
        delivery,
        choice.items,
        entries=entries,
        evidence=evidence_of(topics, now=now),
        subscription=subscription,
        follow_ups=told,
        growth=store.entries.growth(passed_over(delivery, choice.items, entries)),
        sources=sources,
        rules=examined(rules, topics),
        late=store.gaps.late(item.entry_id for item in choice.items),
    )


def _choice(
    store: Store,
    topics: Topics,
    subscription: Subscription,
    rules: Sequence[Rule],
    *,
    look_back: timedelta,
    now: datetime,
) -> Choice:
    since = reach(subscription, look_back, now)
    ledger = store.deliveries.ledger([subscription.id], since=since).get(subscription.id, frozenset())
    want = want_of(subscription, rules, ledger, look_back=look_back, now=now)
    window = Window(store.entries.window(since, now), RuleSet(topics), since=since, now=now)
    return choose([want], window)[0]


def why(
    store: Store, topics: Topics, entry: Entry, subscription_id: str, *, look_back: timedelta, now: datetime
) -> Why:
    """Why ``entry`` is, is not or is not yet in a digest of the subscription."""
    subscription = subscription_of(store, subscription_id)
    rules = examined(store.rules.of([subscription.id]).get(subscription.id, ()), topics)
    verdicts = tuple(_verdict(rule, entry, topics, now) for rule in rules)
    found = store.deliveries.of_entry(subscription.id, entry.id)
    delivery = found[0] if found else None
    return Why(
        entry=entry,
        subscription=subscription,
        sightings=tuple(store.entries.sightings([entry.id]).get(entry.id, ())),
        titles=tuple(each for each in store.entries.titles(entry.id) if each.title != entry.title),
        growth=tuple(store.entries.growth([entry.id]).get(entry.id, ())),
        verdicts=verdicts,
        delivery=delivery,
        answer=_answer(entry, subscription, verdicts, delivery, look_back=look_back, now=now),
    )


def _verdict(rule: Rule, entry: Entry, topics: Topics, now: datetime) -> Verdict:
    if rule.until is not None and rule.until <= now:
        return Verdict(rule=rule, holds=False, words=f"this mute ended on {rule.until:%Y-%m-%d}")
    if rule.broken:
        return Verdict(rule=rule, holds=False, words=f"off, because it does not parse: {rule.broken}")
    query = parse(rule.query, topics)
    found = verdict(query, entry, now=now)
    words = "; ".join(_told(found.evidence) if found.matched else found.failed)
    return Verdict(rule=rule, holds=found.matched, words=words, evidence=found.evidence)


def _told(evidence: Sequence[Evidence]) -> list[str]:
    return list(dict.fromkeys(f"“{each.text}” in {each.field}" if each.spans else each.text for each in evidence))


def _answer(
    entry: Entry,
    subscription: Subscription,
    verdicts: Sequence[Verdict],
    delivery: Delivery | None,
    *,
    look_back: timedelta,
    now: datetime,
) -> str:
    if delivery is not None:
        return _delivered(delivery)
    includes = [each for each in verdicts if each.rule.mode is Mode.INCLUDE]
    holding = [each for each in includes if each.holds]
    mutes = [each for each in verdicts if each.rule.mode is Mode.MUTE and each.holds]
    if not includes:
        return "Not sent: the subscription has no rule that includes papers."
    if not holding:
        off = sum(each.rule.broken is not None for each in includes)
        return f"Not sent: no rule matches it{_also_off(off, len(includes))}."
    names = ", ".join(f"“{each.rule.name}”" for each in holding)
    if mutes:
        return f"Not sent: {names} would include it, but the mute “{mutes[0].rule.name}” leaves it out."
    if entry.new_at is None:
        return f"Not sent: {names} would include it, but it was only ever seen in a source's baseline or as a revision."
    if entry.new_at <= reach(subscription, look_back, now):
        return (
            f"Not sent: {names} would include it, but it was news on {entry.new_at:%Y-%m-%d}, "
            f"before the look-back of {look_back.days} days."
        )
    return f"Not yet sent: {names} will include it {_waiting(subscription, now)}."


def _also_off(off: int, all: int) -> str:
    if not off:
        return ""
    why = "is off, because it does not parse" if off == 1 else "are off, because they do not parse"
    return f", and {off} of {all} {why}"


def _delivered(delivery: Delivery) -> str:
    match delivery.state:
        case DeliveryState.SENT:
            return f"Sent in the digest of {delivery.slot} ({delivery.id})."
        case DeliveryState.FAILED:
            return f"In the digest of {delivery.slot} ({delivery.id}), which failed: {delivery.reason}"
        case DeliveryState.PLANNED | DeliveryState.CLAIMED:
            return f"In the digest of {delivery.slot} ({delivery.id}), which is about to be sent."
        case _:
            reason = f": {delivery.reason}" if delivery.reason else "."
            return f"In the digest of {delivery.slot} ({delivery.id}), which is {delivery.state}{reason}"


def _waiting(subscription: Subscription, now: datetime) -> str:
    zone = subscription.subscriber.timezone
    if subscription.paused and (subscription.paused_until is None or subscription.paused_until > now):
        return "when the pause has ended"
    if subscription.cadence.every is Every.INSTANT:
        return "as soon as the program runs"
    return f"in the digest of {next_slot(subscription.cadence, zone, after=now)}"
