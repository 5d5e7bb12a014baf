"""What the rule editor shows: a draft and what it would do, the rules beside it, what may be done about one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from notifier.amend import mutes_of, narrowed
from notifier.errors import NotFound, RuleError, UsageError
from notifier.lint import Finding
from notifier.matching import Index, Topics, explain, parse
from notifier.model import Entry, Mode, Rule, Subscription
from notifier.ports import Store
from notifier.render import Catalog, PaperView, listed, message, paper_path, paper_view, title
from notifier.trying import Load, Trial, loads, try_rule, without_rule
from notifier.web.graph import Graph, bars
from notifier.web.recent import SPAN
from notifier.web.trial import Fault, fault_of, in_words

_MATCHES = 8
_TITLES = 5
_NEAR = 5
_CUT = 280
_NO_DATE = message("The end of a mute is a date, such as 2026-01-31.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What stands in the form. ``rule`` is the id of the rule that it changes, empty for a new one."""

    query: str = ""
    label: str = ""
    mode: Mode = Mode.INCLUDE
    until: str = ""
    """A day in the zone of the subscription, or empty."""
    rule: str = ""
    version: int = 0

    def ends_at(self, zone: str) -> datetime | None:
        """Raises UsageError where it is no date."""
        if not self.until or self.mode is not Mode.MUTE:
            return None
        try:
            return datetime.combine(date.fromisoformat(self.until), time(), ZoneInfo(zone))
        except ValueError:
            raise UsageError(_NO_DATE) from None


def draft_of(rule: Rule, zone: str) -> Draft:
    until = rule.until.astimezone(ZoneInfo(zone)).date().isoformat() if rule.until else ""
    return Draft(query=rule.query, label=rule.label, mode=rule.mode, until=until, rule=rule.id, version=rule.version)


def own_rule(store: Store, subscription: Subscription, id: str) -> Rule:
    """Raises NotFound for a rule of any other subscription, there or not."""
    rule = store.rules.get(id)
    if rule is None or rule.subscription_id != subscription.id:
        raise NotFound("There is no such rule in this subscription.")
    return rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Papers that digests would have more, or less: how many, and the first titles with where they lead."""

    count: int
    papers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a draft does to the papers of the last 30 days; ``fault`` where it cannot be read."""

    draft: Draft
    fault: Fault | None = None
    meaning: str = ""
    checked: int = 0
    matched: int = 0
    graph: Graph | None = None
    papers: tuple[PaperView, ...] = ()
    adds: Changed | None = None
    takes: Changed | None = None
    baseline: int = 0
    near: tuple[tuple[str, str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    thorough: bool = False


def preview(
    store: Store,
    topics: Topics,
    subscription: Subscription,
    draft: Draft,
    catalog: Catalog,
    *,
    index: Index,
    thorough: bool,
    now: datetime,
) -> Preview:
    """``thorough`` looks for near misses and advice, too, which takes longer than somebody who types can wait."""
    try:
        trial = try_rule(
            store,
            topics,
            subscription.id,
            draft.query,
            mode=draft.mode,
            last=SPAN,
            most=_MATCHES,
            instead_of=draft.rule or None,
            thorough=thorough,
            index=index,
            now=now,
        )
    except RuleError as error:
        return Preview(draft=draft, fault=fault_of(draft.query, error))
    return _preview(draft, trial, catalog, thorough=thorough, now=now)


def _preview(draft: Draft, trial: Trial, catalog: Catalog, *, thorough: bool, now: datetime) -> Preview:
    return Preview(
        draft=draft,
        meaning=in_words(trial.query),
        checked=trial.checked,
        matched=trial.matched,
        graph=bars(trial.days, catalog),
        papers=tuple(
            paper_view(listed(each.entry, each.evidence), catalog, year=now.year, limit=_CUT) for each in trial.matches
        ),
        adds=_changed(trial.adds, catalog),
        takes=_changed(trial.takes, catalog),
        baseline=trial.baseline,
        near=tuple(
            (title(each.entry, catalog), paper_path(each.entry.id), each.failed) for each in trial.near_misses[:_NEAR]
        ),
        findings=trial.findings,
        thorough=thorough,
    )


def _changed(entries: Sequence[Entry], catalog: Catalog) -> Changed | None:
    if not entries:
        return None
    return Changed(
        count=len(entries), papers=tuple((title(each, catalog), paper_path(each.id)) for each in entries[:_TITLES])
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A rule as it stands in the list, with what it does; ``load`` is None for one that is off."""

    rule: Rule
    load: Load | None
    until: str


def standings(
    store: Store, topics: Topics, subscription: Subscription, rules: Sequence[Rule], *, index: Index, now: datetime
) -> list[Standing]:
    found = loads(store, topics, subscription.id, last=SPAN, index=index, now=now)
    by_rule = {each.rule.id: each for each in found.rules}
    zone = subscription.subscriber.timezone
    return [Standing(rule=rule, load=by_rule.get(rule.id), until=draft_of(rule, zone).until) for rule in rules]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One thing to do about a rule: where it can be seen whole before it is saved, and what it would take."""

    kind: str
    query: str
    url: str
    takes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoned:
    """A paper that a rule brought, and what may be done about that."""

    title: str
    path: str
    options: tuple[Option, ...]


def reasoned(
    store: Store,
    topics: Topics,
    subscription: Subscription,
    rule: Rule,
    entry: Entry,
    catalog: Catalog,
    *,
    index: Index,
    now: datetime,
) -> Reasoned:
    base = f"/s/{subscription.id}"

    def takes(query: str, mode: Mode, instead_of: str | None) -> int:
        trial = try_rule(
            store,
            topics,
            subscription.id,
            query,
            mode=mode,
            last=SPAN,
            most=0,
            instead_of=instead_of,
            thorough=False,
            index=index,
            now=now,
        )
        return len(trial.takes)

    try:
        query = parse(rule.query, topics)
    except RuleError:
        mutes, narrow = [], None
    else:
        mutes, narrow = mutes_of(explain(query, entry, now=now) or ()), narrowed(query)
    options = [
        Option(
            kind="mute",
            query=each,
            url=f"{base}?{urlencode({'query': each, 'mode': Mode.MUTE})}",
            takes=takes(each, Mode.MUTE, None),
        )
        for each in mutes
    ]
    if narrow:
        wanted = {"rule": rule.id, "query": narrow, "label": rule.label or rule.query, "mode": rule.mode}
        options.append(
            Option(
                kind="narrow",
                query=narrow,
                url=f"{base}?{urlencode({**wanted, 'version': rule.version})}",
                takes=takes(narrow, rule.mode, rule.id),
            )
        )
    _, lost = without_rule(store, topics, rule, last=SPAN, index=index, now=now)
    options.append(Option(kind="drop", query=rule.query, url=f"{base}/rules/{rule.id}/drop", takes=len(lost)))
    return Reasoned(title=title(entry, catalog), path=paper_path(entry.id), options=tuple(options))


def lost_without(
    store: Store, topics: Topics, rule: Rule, catalog: Catalog, *, index: Index, now: datetime
) -> tuple[Changed | None, Changed | None]:
    """What digests would have more, and less, were the rule gone."""
    adds, takes = without_rule(store, topics, rule, last=SPAN, index=index, now=now)
    return _changed(adds, catalog), _changed(takes, catalog)
