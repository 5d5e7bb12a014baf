"""What a rule would do before it is saved, and what each rule of a subscription does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from notifier.library import load_taxonomy
from notifier.lint import Finding, Flags, hits_of, lint
from notifier.lookup import examined, subscription_of
from notifier.matching import Index, Query, Topics, explain, parse, verdict
from notifier.matching.query import And, Author, Or, Regex, Text, Topic
from notifier.model import Entry, Evidence, Mode, Rule, Subscription
from notifier.ports import Store

NEAR_MISSES = 20
_LINTED = timedelta(days=30)
_MOST_LINTED = 5_000
"""Advice on a rule just saved is drawn from the newest of these papers, so that it comes within a second or so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A stored entry that the tried query matches, with why."""

    entry: Entry
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """An entry for which all clauses hold but one; ``failed`` is that one in words."""

    entry: Entry
    failed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a query would have matched among the ``checked`` entries first seen in the time asked for.

    Entries stand newest first; ages and votes are those of now. ``matches`` may be fewer than ``matched``,
    see ``try_rule``. ``days`` counts by local day, from the first day with any entry on. ``adds`` and ``takes`` are
    how the digests would differ from those of the subscription as it stands: a new rule does one of both, one that
    takes the place of another may do both.
    """

    subscription: Subscription
    query: Query
    mode: Mode
    checked: int
    matched: int
    matches: tuple[Match, ...]
    days: tuple[tuple[date, int], ...]
    adds: tuple[Entry, ...]
    takes: tuple[Entry, ...]
    baseline: int
    """Matches that no digest gets, because they were only ever seen in a source's first reading or as revisions."""
    near_misses: tuple[NearMiss, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one rule does. For a mute, ``share`` and ``alone`` are about what it leaves out of the digests."""

    rule: Rule
    matched: int
    a_week: float
    share: float
    """Of the digests' papers (for a mute: of what rules include), 0 to 1."""
    alone: int
    """How many papers only this rule brings (or leaves out)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loads:
    """``sent`` is how many of ``checked`` entries the subscription, as it stands, gets in ``days``."""

    subscription: Subscription
    rules: tuple[Load, ...]
    broken: tuple[Rule, ...]
    checked: int
    sent: int
    days: float


def try_rule(
    store: Store,
    topics: Topics,
    subscription_id: str,
    query: str,
    *,
    mode: Mode = Mode.INCLUDE,
    last: timedelta,
    most: int | None = None,
    instead_of: str | None = None,
    thorough: bool = True,
    index: Index | None = None,
    now: datetime,
) -> Trial:
    """Evidence is looked up for the newest ``most`` matches only; near misses and advice only if ``thorough``.

    ``instead_of`` is the id of a rule whose place it would take, ``index`` has the entries of the time where somebody
    keeps them. Raises RuleError where the query does not parse.
    """
    parsed = parse(query, topics)
    subscription = subscription_of(store, subscription_id)
    tried = [parsed, *_all_but_one(parsed)] if thorough else [parsed]
    bench = _Bench(store, topics, subscription, tried, last=last, index=index, now=now)
    own, entries = bench.hits[parsed], bench.index.entries
    after = bench.sent_with(mode, own, instead_of=instead_of)
    return Trial(
        subscription=subscription,
        query=parsed,
        mode=mode,
        checked=len(entries),
        matched=int(own.sum()),
        matches=tuple(
            Match(entry=entry, evidence=explain(parsed, entry, now=now) or ()) for entry in bench.where(own)[:most]
        ),
        days=tuple(_by_day(bench.index, own, ZoneInfo(subscription.subscriber.timezone), now)),
        adds=tuple(bench.where(after & ~bench.sent)),
        takes=tuple(bench.where(bench.sent & ~after)),
        baseline=int((own & ~bench.news).sum()),
        near_misses=tuple(_near_misses(parsed, bench)) if thorough else (),
        findings=bench.lint(parsed, mode, without=instead_of or "") if thorough else (),
    )


def without_rule(
    store: Store, topics: Topics, rule: Rule, *, last: timedelta, index: Index | None = None, now: datetime
) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """What the digests of the time would have had more, and what less, without a rule that is there."""
    bench = _Bench(store, topics, subscription_of(store, rule.subscription_id), [], last=last, index=index, now=now)
    after = bench.sent_with(None, None, instead_of=rule.id)
    return tuple(bench.where(after & ~bench.sent)), tuple(bench.where(bench.sent & ~after))


def advice(store: Store, topics: Topics, rule: Rule, *, now: datetime) -> tuple[Finding, ...]:
    """What to think over about a rule that is saved."""
    subscription = subscription_of(store, rule.subscription_id)
    bench = _Bench(store, topics, subscription, [], last=_LINTED, most=_MOST_LINTED, now=now)
    return bench.lint(parse(rule.query, topics), rule.mode, without=rule.id)


def loads(
    store: Store, topics: Topics, subscription_id: str, *, last: timedelta, index: Index | None = None, now: datetime
) -> Loads:
    """What each rule of a subscription did to the entries first seen in the ``last`` days."""
    subscription = subscription_of(store, subscription_id)
    bench = _Bench(store, topics, subscription, [], last=last, index=index, now=now)
    oldest = min((entry.first_seen_at for entry in bench.index.entries if entry.first_seen_at), default=now)
    # A young archive is not diluted by days it knows nothing of, nor is a single hour blown up to a week.
    days = max((now - max(oldest, now - last)) / timedelta(days=1), 1.0)
    return Loads(
        subscription=subscription,
        rules=tuple(_load(number, bench, days) for number in range(len(bench.rules))),
        broken=tuple(bench.broken),
        checked=len(bench.index.entries),
        sent=int(bench.sent.sum()),
        days=days,
    )


class _Bench:
    """A subscription's rules, and what they and the queries tried match among the entries of a time."""

    def __init__(
        self,
        store: Store,
        topics: Topics,
        subscription: Subscription,
        tried: Sequence[Query],
        *,
        last: timedelta,
        most: int | None = None,
        index: Index | None = None,
        now: datetime,
    ) -> None:
        self.subscription = subscription
        self.index = index if index is not None else Index(store.entries.seen(now - last, now)[:most], now=now)
        self.rules: list[tuple[Rule, Query]] = []
        self.broken: list[Rule] = []
        for rule in examined(store.rules.of([subscription.id]).get(subscription.id, ()), topics):
            if rule.until is not None and rule.until <= now:
                continue
            if rule.broken:
                self.broken.append(rule)
            else:
                self.rules.append((rule, parse(rule.query, topics)))
        self.hits = hits_of(self.index, [*tried, *(query for _, query in self.rules)])
        self.news: Flags = np.array([entry.new_at is not None for entry in self.index.entries], bool)
        self.included = self.any_of(Mode.INCLUDE)
        self.muted = self.any_of(Mode.MUTE)
        self.sent = self.included & ~self.muted & self.news

    def sent_with(self, mode: Mode | None, own: Flags | None, *, instead_of: str | None) -> Flags:
        """What would be sent were ``own`` the matches of one more rule, or of one in the place of another."""
        number = next((n for n, (rule, _) in enumerate(self.rules) if rule.id == instead_of), None)
        included = self.any_of(Mode.INCLUDE, without=number)
        muted = self.any_of(Mode.MUTE, without=number)
        if own is not None:
            included, muted = (included | own, muted) if mode is Mode.INCLUDE else (included, muted | own)
        return included & ~muted & self.news

    def any_of(self, mode: Mode, *, without: int | None = None) -> Flags:
        """What the rules of ``mode`` match together, one of them (by its number) left out."""
        found: Flags = np.zeros(len(self.index.entries), bool)
        for number, (rule, query) in enumerate(self.rules):
            if rule.mode is mode and number != without:
                found |= self.hits[query]
        return found

    def where(self, flags: Flags) -> list[Entry]:
        return [self.index.entries[place] for place in np.flatnonzero(flags).tolist()]

    def lint(self, query: Query, mode: Mode, *, without: str = "") -> tuple[Finding, ...]:
        return lint(
            query,
            mode=mode,
            others=[(rule, other) for rule, other in self.rules if rule.id != without],
            index=self.index,
            cadence=self.subscription.cadence,
            zone=self.subscription.subscriber.timezone,
            taxonomy=load_taxonomy(),
        )


def _load(number: int, bench: _Bench, days: float) -> Load:
    rule, query = bench.rules[number]
    own = bench.hits[query]
    if rule.mode is Mode.INCLUDE:
        effect, whole = own & bench.sent, bench.sent
    else:
        whole = bench.included & bench.news
        effect = own & whole
    return Load(
        rule=rule,
        matched=int(own.sum()),
        a_week=own.sum() * 7 / days,
        share=float(effect.sum() / whole.sum()) if whole.any() else 0.0,
        alone=int((effect & ~bench.any_of(rule.mode, without=number)).sum()),
    )


def _by_day(index: Index, own: Flags, zone: ZoneInfo, now: datetime) -> Iterator[tuple[date, int]]:
    seen = index.noted(("day first seen", zone.key), lambda: _days_seen(index.entries, zone))
    known = seen[seen > 0]
    if not len(known):
        return
    first, last = int(known.min()), now.astimezone(zone).date().toordinal()
    counts = np.bincount(seen[own & (seen > 0)] - first, minlength=last - first + 1)
    for ordinal in range(first, last + 1):
        yield date.fromordinal(ordinal), int(counts[ordinal - first])


def _days_seen(entries: Iterable[Entry], zone: ZoneInfo) -> NDArray[np.int64]:
    """The local day on which each was first seen, as its ordinal; 0 where that is not known."""
    seen = (entry.first_seen_at for entry in entries)
    return np.array([at.astimezone(zone).date().toordinal() if at else 0 for at in seen], np.int64)


def _all_but_one(query: Query) -> list[Query]:
    """``query`` without one of its clauses, each in turn; nothing where it is no AND.

    What is left has to be about something: that a paper is no survey or has votes brings it near to no rule.
    """
    if not isinstance(query, And):
        return []
    children = query.children
    rests = [(*children[:i], *children[i + 1 :]) for i in range(len(children))]
    telling = [rest for rest in rests if any(isinstance(each, Text | Author | Regex | Topic | Or) for each in rest)]
    return [rest[0] if len(rest) == 1 else And(children=rest) for rest in telling]


def _near_misses(query: Query, bench: _Bench) -> Iterator[NearMiss]:
    near: Flags = np.zeros(len(bench.index.entries), bool)
    for rest in _all_but_one(query):
        near |= bench.hits[rest]
    found = 0
    for entry in bench.where(near & ~bench.hits[query]):
        # A clause that is a topic may lack several things at once: that is no near miss.
        if len(failed := verdict(query, entry, now=bench.index.now).failed) == 1:
            yield NearMiss(entry=entry, failed=failed[0])
            found += 1
        if found == NEAR_MISSES:
            return
