"""What a digest holds: chosen from the window by the subscription's rules, then composed for its reader. Pure.

Window    the entries of a look-back window, indexed once; each distinct query evaluated once
choose    for many subscriptions at once: included, not muted, not yet in the ledger; best first
compose   one delivery's lines of the ledger, with the entries they name, become a Digest
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from notifier.errors import RuleError
from notifier.followup import growth_of
from notifier.matching import BROKEN, Groups, Index, Matches, RuleSet, Topics, explain, parse, select
from notifier.model import (
    NOTHING_EARLIER,
    Delivery,
    DeliveryItem,
    Digest,
    DigestFollowUp,
    DigestItem,
    Earlier,
    Entry,
    Evidence,
    FollowUp,
    Growth,
    Mode,
    Point,
    Reason,
    Rule,
    SourceHealth,
    Subscription,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What is asked for one subscription: entries that became news after ``since`` and are not in ``ledger``.

    ``fresh_since`` is where the last digest ended: what came after it is counted as checked.
    """

    subscription: Subscription
    rules: Sequence[Rule]
    since: datetime
    fresh_since: datetime
    ledger: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The answer to a Want: its items best first, and which rules' state of health has changed."""

    items: tuple[DeliveryItem, ...]
    checked: int
    broken: tuple[tuple[Rule, str | None], ...] = ()
    """Rules whose ``broken`` reason is to be written: they stopped parsing, or parse again (None)."""


@dataclass(frozen=True, slots=True)
class _Active:
    """The rules of one subscription that count now, each with the row of its query."""

    include: tuple[tuple[Rule, int], ...]
    mute: tuple[int, ...]


class Window:
    """Entries in rank order, all news in ``(since, now]``; what is computed once is kept for all batches."""

    def __init__(self, entries: Sequence[Entry], rules: RuleSet, *, since: datetime, now: datetime) -> None:
        self.entries = entries
        self.since = since
        self.now = now
        self._rules = rules
        self._matches = Matches(rules, Index(entries, now=now))
        self._words = -(-len(entries) // 64)
        self._position = {entry.id: i for i, entry in enumerate(entries)}
        self._news = sorted(entry.new_at for entry in entries if entry.new_at)
        self._masks: dict[datetime, NDArray[np.uint64]] = {}

    def rows_of(self, queries: Sequence[str]) -> list[int]:
        """The row of each query among ``rows``, BROKEN for one that does not parse; good until more are asked for."""
        numbers: list[int] = self._rules.rows(queries).tolist()
        return numbers

    def fault(self, query: str) -> str | None:
        """Why a query of ``rows_of`` does not parse."""
        return self._rules.errors.get(query)

    @property
    def rows(self) -> NDArray[np.uint64]:
        """One bitset over the entries for each row."""
        return self._matches.rows()

    def positions(self, entry_ids: Iterable[str]) -> list[int]:
        return sorted(self._position[id] for id in entry_ids if id in self._position)

    def rank(self, entry_id: str) -> int:
        """Its place among the window's entries, best first; one that is not there comes behind them."""
        return self._position.get(entry_id, len(self.entries))

    def mask(self, since: datetime) -> NDArray[np.uint64]:
        """The bitset of entries that became news after ``since``."""
        if since not in self._masks:
            bits = np.zeros(self._words * 64, np.uint8)
            bits[: len(self.entries)] = [entry.new_at is not None and entry.new_at > since for entry in self.entries]
            self._masks[since] = np.packbits(bits, bitorder="little").view(np.uint64)
        return self._masks[since]

    def news_since(self, since: datetime) -> int:
        return len(self._news) - bisect_right(self._news, since)

    def holding(self, rows: Sequence[int], positions: NDArray[np.int32]) -> list[tuple[bool, ...]]:
        """For each position, which of ``rows`` hold there."""
        bits = self.rows[np.array(rows, np.int64)[:, None], positions >> 6] >> (positions & 63).astype(np.uint64)
        return list(map(tuple, ((bits & np.uint64(1)).T == 1).tolist()))


LONGEST_CATCH_UP = timedelta(days=31)
"""After a longer pause a digest would be of papers that nobody has waited for; the archive has them (``match``)."""


def reach(subscription: Subscription, look_back: timedelta, now: datetime) -> datetime:
    """Where a subscription's window begins: the look-back, or its last digest if that lies further back, to a bound."""
    start = now - look_back
    if subscription.planned_until is None:
        return start
    return min(start, max(subscription.planned_until, now - LONGEST_CATCH_UP))


def want_of(
    subscription: Subscription,
    rules: Sequence[Rule],
    ledger: frozenset[str],
    *,
    look_back: timedelta,
    now: datetime,
) -> Want:
    since = reach(subscription, look_back, now)
    return Want(
        subscription=subscription,
        rules=rules,
        since=since,
        fresh_since=max(subscription.planned_until or since, since),
        ledger=ledger,
    )


def choose(wants: Sequence[Want], window: Window) -> list[Choice]:
    """One Choice for each Want, in order."""
    live = [[rule for rule in want.rules if rule.until is None or rule.until > window.now] for want in wants]
    rows = iter(window.rows_of([rule.query for rules in live for rule in rules]))
    numbered = [[(rule, next(rows)) for rule in rules] for rules in live]
    broken = [_changes_of_health(rules, window) for rules in numbered]
    active = [_active(rules) for rules in numbered]
    sinces = list(dict.fromkeys(want.since for want in wants))
    window_of = {since: i for i, since in enumerate(sinces)}
    selection = select(
        window.rows,
        Groups.of([[row for _, row in each.include] for each in active]),
        Groups.of([each.mute for each in active]),
        seen=Groups.of([window.positions(want.ledger) for want in wants]),
        windows=np.stack([window.mask(since) for since in sinces]),
        window_of=np.array([window_of[want.since] for want in wants], np.int32),
    )
    return [
        Choice(
            items=_items(selection.members[start:stop], want, each, window),
            # A paper that crossed a bar today may be older than the last digest: it counts as checked, too.
            checked=max(window.news_since(want.fresh_since), int(stop - start)),
            broken=tuple(changes),
        )
        for want, each, changes, start, stop in zip(
            wants, active, broken, selection.indptr[:-1].tolist(), selection.indptr[1:].tolist(), strict=True
        )
    ]


def _changes_of_health(rules: Sequence[tuple[Rule, int]], window: Window) -> list[tuple[Rule, str | None]]:
    faults = [(rule, window.fault(rule.query) if row == BROKEN else None) for rule, row in rules]
    return [(rule, fault) for rule, fault in faults if fault != rule.broken]


def _active(rules: Sequence[tuple[Rule, int]]) -> _Active:
    return _Active(
        include=tuple((rule, row) for rule, row in rules if rule.mode is Mode.INCLUDE and row != BROKEN),
        mute=tuple(row for rule, row in rules if rule.mode is Mode.MUTE and row != BROKEN),
    )


def _items(positions: NDArray[np.int32], want: Want, active: _Active, window: Window) -> tuple[DeliveryItem, ...]:
    """What more of the rules want stands first; among equals the window's order holds."""
    reasons = [Reason(rule_id=r.id, label=r.label, query=r.query, version=r.version) for r, _ in active.include]
    holding = window.holding([row for _, row in active.include], positions)
    # Most entries are there for the same few combinations of rules.
    several = {held: tuple(compress(reasons, held)) for held in set(holding)}
    ranked = sorted(zip(positions.tolist(), holding, strict=True), key=lambda each: -len(several[each[1]]))
    return tuple(
        DeliveryItem(
            entry_id=window.entries[position].id,
            rank=rank,
            shown=rank < want.subscription.max_entries,
            reasons=several[held],
        )
        for rank, (position, held) in enumerate(ranked)
    )


def together(
    several: Sequence[Sequence[DeliveryItem]], window: Window, *, max_entries: int
) -> tuple[DeliveryItem, ...]:
    """The items of several deliveries as those of one, best first; what left the window comes last, in its order."""
    found = [(window.rank(item.entry_id), n, item) for n, items in enumerate(several) for item in items]
    found.sort(key=lambda each: (each[0], each[1], each[2].rank))
    return tuple(replace(item, rank=rank, shown=rank < max_entries) for rank, (_, _, item) in enumerate(found))


_EVIDENCE_KEPT = 2**16

EvidenceOf = Callable[[Reason, Entry], tuple[Evidence, ...]]


def evidence_of(topics: Topics, *, now: datetime) -> EvidenceOf:
    """Finds the evidence of a reason again: its query as it stood, against the entry; empty where it holds no more.

    The ledger keeps reasons without evidence: it is most of their bytes, and only what is read needs it.
    """
    found: dict[tuple[str, str], tuple[Evidence, ...]] = {}

    def evidence(reason: Reason, entry: Entry) -> tuple[Evidence, ...]:
        key = (reason.query, entry.id)
        if key not in found:
            if len(found) >= _EVIDENCE_KEPT:
                found.clear()
            try:
                found[key] = explain(parse(reason.query, topics), entry, now=now) or ()
            except RuleError:
                found[key] = ()
        return found[key]

    return evidence


def compose(
    delivery: Delivery,
    items: Sequence[DeliveryItem],
    *,
    entries: Mapping[str, Entry],
    evidence: EvidenceOf,
    subscription: Subscription,
    follow_ups: Sequence[FollowUp] = (),
    growth: Mapping[str, Sequence[Point]] | None = None,
    sources: Sequence[SourceHealth] = (),
    rules: Sequence[Rule] = (),
    late: Collection[str] = (),
    earlier: Earlier = NOTHING_EARLIER,
) -> Digest:
    """The digest that ``delivery`` says; an item or a follow-up whose entry is gone is left out.

    ``growth`` has the points of the entries that ``passed_over`` names; ``rules`` are the subscription's as they are
    now, with what is wrong with them; ``late`` the ids of entries that came through a gap.
    """
    grown = {id: growth_of(entries[id], points, delivery) for id, points in (growth or {}).items() if id in entries}
    found = [
        (item, _composed(item, entries[item.entry_id], evidence, grown.get(item.entry_id), late=item.entry_id in late))
        for item in items
        if item.entry_id in entries
    ]
    includes = [rule for rule in rules if rule.mode is Mode.INCLUDE]
    broken = tuple(rule for rule in rules if rule.broken and (rule.until is None or rule.until > delivery.period_end))
    return Digest(
        delivery_id=delivery.id,
        subscription=subscription,
        slot=delivery.slot,
        period_start=delivery.period_start,
        period_end=delivery.period_end,
        items=tuple(each for item, each in found if item.shown),
        more=tuple(each for item, each in found if not item.shown),
        follow_ups=tuple(
            DigestFollowUp(entry=entries[each.entry_id], what=each) for each in follow_ups if each.entry_id in entries
        ),
        checked=delivery.checked,
        sources=tuple(sources),
        late=delivery.late,
        warnings=broken,
        blind=bool(includes) and all(rule.broken for rule in includes),
        earlier=earlier,
    )


def _composed(
    item: DeliveryItem, entry: Entry, evidence: EvidenceOf, growth: Growth | None, *, late: bool
) -> DigestItem:
    """What stands behind "more" is a line without evidence."""
    if not item.shown:
        return DigestItem(entry=entry, reasons=item.reasons, late=late)
    reasons = tuple(
        Reason(
            rule_id=reason.rule_id,
            label=reason.label,
            query=reason.query,
            version=reason.version,
            evidence=evidence(reason, entry),
        )
        for reason in item.reasons
    )
    return DigestItem(entry=entry, reasons=reasons, growth=growth, late=late)
