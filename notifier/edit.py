"""What people do with rules: add, remove, take back, bring from a file or pack. What does not parse is refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile

from notifier.errors import UsageError
from notifier.ids import new_id
from notifier.lookup import examined, fault, rule_of, subscription_of
from notifier.matching import Topics, parse
from notifier.model import Mode, Rule
from notifier.ports import Store

RULES_A_SUBSCRIPTION = 200

# What comes through one of these comes together and goes back together.
_TOGETHER = ("file", "pack")
# What ``plan`` notes: a rule stopped parsing, or parses again. Nobody decided that, so nobody takes it back.
_PROGRAM = "plan"
# Stands behind the way of a change in its history, such as "cli undo".
_UNDO = " undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who changes a rule, and through what: ``cli``, ``web``, ``api``, ``slack``, ``file`` or ``pack``."""

    name: str
    via: str


def add_rule(
    store: Store,
    topics: Topics,
    subscription_id: str,
    query: str,
    *,
    label: str = "",
    mode: Mode = Mode.INCLUDE,
    until: datetime | None = None,
    author: Author,
    now: datetime,
) -> Rule:
    """Raises RuleError where the query does not parse, UsageError where the rule could never work."""
    parse(query, topics)
    _demand_end(mode, until, now)
    with store.write():
        subscription = subscription_of(store, subscription_id)
        if len(store.rules.of([subscription.id]).get(subscription.id, ())) >= RULES_A_SUBSCRIPTION:
            raise UsageError(f"{subscription.id} has {RULES_A_SUBSCRIPTION} rules, the most there can be: remove some.")
        rule = Rule(
            id=new_id("r"),
            subscription_id=subscription.id,
            query=query.strip(),
            label=" ".join(label.split()),
            mode=mode,
            until=until,
            created_at=now,
        )
        store.rules.put([rule], actor=author.name, via=author.via, now=now)
    return rule


def change_rule(
    store: Store,
    topics: Topics,
    id: str,
    *,
    query: str,
    label: str,
    mode: Mode,
    until: datetime | None,
    version: int | None = None,
    author: Author,
    now: datetime,
) -> Rule:
    """Give a rule all of it anew; where that changes nothing, nothing is written.

    ``version`` is that of the rule as the person saw it, where they saw it: UsageError where it is another by now.
    Raises as ``add_rule`` does, too.
    """
    parse(query, topics)
    with store.write():
        rule = rule_of(store, id)
        if version not in (None, rule.version):
            raise UsageError(f"The rule “{rule.name}” was changed meanwhile: look at it as it is now, and change that.")
        if until != rule.until or mode is not rule.mode:
            _demand_end(mode, until, now)
        wanted = replace(rule, query=query.strip(), label=" ".join(label.split()), mode=mode, until=until, broken=None)
        if wanted == rule:
            return rule
        changed = replace(wanted, version=rule.version + 1)
        store.rules.put([changed], actor=author.name, via=author.via, now=now)
    return changed


def move_rule(store: Store, id: str, *, by: int) -> None:
    """Move a rule up (-1) or down (+1) among those of its subscription: digests name reasons in that order."""
    with store.write():
        ids = [each.id for each in rules_of(store, rule_of(store, id).subscription_id)]
        here = ids.index(id)
        ids.insert(min(max(here + by, 0), len(ids) - 1), ids.pop(here))
        store.rules.arrange(ids)


def remove_rule(store: Store, id: str, *, author: Author, now: datetime) -> Rule:
    with store.write():
        rule = rule_of(store, id)
        store.rules.remove(id, actor=author.name, via=author.via, now=now)
    return rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of one rule: ``before`` is None where it was added, ``after`` where it was removed."""

    at: datetime
    author: Author
    before: Rule | None
    after: Rule | None
    undo: bool
    """It took an earlier change back."""

    @property
    def rule(self) -> Rule:
        found = self.after or self.before
        assert found is not None  # noqa: S101 - a change has at least one end
        return found


def history(store: Store, subscription_id: str) -> list[Step]:
    """All changes of a subscription's rules, oldest first."""
    subscription = subscription_of(store, subscription_id)
    steps = []
    latest: dict[str, Rule] = {}
    for change in store.rules.history(subscription.id):
        earlier = latest.get(change.rule_id) or Rule(
            id=change.rule_id, subscription_id=subscription.id, query="", version=0, created_at=change.at
        )
        # The program noting that a rule stopped parsing makes no new version of it.
        version = earlier.version + (change.after is not None and change.via != _PROGRAM)
        after = change.after and _from_text(change.after, replace(earlier, version=version))
        before = change.before and _from_text(change.before, earlier)
        via = change.via.removesuffix(_UNDO)
        author = Author(name=change.actor, via=via)
        steps.append(
            Step(at=change.at, author=author, before=before or None, after=after or None, undo=via != change.via)
        )
        latest[change.rule_id] = steps[-1].rule
    return steps


def undo(store: Store, topics: Topics, subscription_id: str, *, author: Author, now: datetime) -> list[Step]:
    """Take back the latest change that still stands, and note that; what one file or pack changed goes back as one.

    The next call goes a step further back: an undo is itself never undone. A rule that comes back keeps its id.
    Raises UsageError where nothing is left. Returns the steps taken back, latest first.
    """
    with store.write():
        steps = history(store, subscription_id)
        versions = {step.rule.id: step.rule.version for step in steps}
        taken = _latest(steps)
        if not taken:
            raise UsageError(f"There is nothing left to undo: no change of the rules of {subscription_id} stands.")
        # The id of a removed rule may have gone to another subscription by a file.
        demand_own(store, subscription_id, [step.rule for step in taken])
        via = author.via + _UNDO
        for step in taken:
            if step.before is None:
                store.rules.remove(step.rule.id, actor=author.name, via=via, now=now)
            else:
                versions[step.rule.id] += 1
                back = replace(step.before, version=versions[step.rule.id])
                back = replace(back, broken=fault(back.query, topics))
                store.rules.put([back], actor=author.name, via=via, now=now)
        _demand_room(store, subscription_id)
    return taken


def apply(
    store: Store,
    topics: Topics,
    subscription_id: str,
    *,
    put: Sequence[Rule],
    remove: Sequence[Rule],
    seen: Sequence[Rule],
    author: Author,
    now: datetime,
) -> None:
    """Put and remove rules in one transaction; a rule with an empty id is new and gets one.

    Raises UsageError where the rules are no longer those that were ``seen``, or an id is another subscription's.
    """
    for rule in put:
        parse(rule.query, topics)
    with store.write():
        subscription = subscription_of(store, subscription_id)
        if list(seen) != rules_of(store, subscription.id):
            raise UsageError(f"The rules of {subscription.id} were changed meanwhile: nothing was written; try again.")
        demand_own(store, subscription.id, put)
        known = {step.rule.id: step.rule for step in history(store, subscription.id)}
        for rule in remove:
            store.rules.remove(rule.id, actor=author.name, via=author.via, now=now)
        numbered = [_numbered(rule, known.get(rule.id)) for rule in put]
        store.rules.put(numbered, actor=author.name, via=author.via, now=now)
        _demand_room(store, subscription.id)


def rules_of(store: Store, subscription_id: str) -> list[Rule]:
    return list(store.rules.of([subscription_id]).get(subscription_id, ()))


def examined_rules(store: Store, topics: Topics, subscription_id: str) -> list[Rule]:
    """``rules_of`` as they are now: ``broken`` says why one does not parse, whether or not that was noted yet."""
    return examined(rules_of(store, subscription_id), topics)


def demand_own(store: Store, subscription_id: str, rules: Iterable[Rule]) -> None:
    """Raises UsageError where a rule's id belongs to another subscription."""
    for rule in rules:
        other = store.rules.get(rule.id) if rule.id else None
        if other is not None and other.subscription_id != subscription_id:
            raise UsageError(
                f"Rule {rule.id} belongs to {other.subscription_id}: leave its id out to make a new rule of it."
            )


def _demand_end(mode: Mode, until: datetime | None, now: datetime) -> None:
    if until is not None and mode is not Mode.MUTE:
        raise UsageError("Only a mute can end at a date: make it a mute, or leave the date out.")
    if until is not None and until <= now:
        raise UsageError(f"The mute would end in the past ({until:%Y-%m-%d %H:%M}): give a later date.")


def _latest(steps: Iterable[Step]) -> list[Step]:
    standing: list[Step] = []
    for step in steps:
        if step.author.via == _PROGRAM:
            continue
        if step.undo:
            standing.pop()
        else:
            standing.append(step)
    together = takewhile(lambda step: _came_together(step, standing[-1]), reversed(standing))
    return list(together) or standing[-1:]


def _came_together(one: Step, other: Step) -> bool:
    return one.author.via in _TOGETHER and (one.at, one.author) == (other.at, other.author)


def _numbered(rule: Rule, known: Rule | None) -> Rule:
    if known is None:
        return replace(rule, id=rule.id or new_id("r"))
    return replace(rule, version=known.version + 1, created_at=known.created_at)


def _demand_room(store: Store, subscription_id: str) -> None:
    if (count := len(rules_of(store, subscription_id))) > RULES_A_SUBSCRIPTION:
        raise UsageError(
            f"{subscription_id} would have {count} rules, and {RULES_A_SUBSCRIPTION} are the most there can be: "
            "nothing was written; remove some."
        )


def _from_text(text: str, rule: Rule) -> Rule:
    """``rule`` as a line of its history says it was (the store's ``rule_text``)."""
    kept = json.loads(text)
    until = kept["until"] and datetime.fromisoformat(kept["until"])
    return replace(
        rule,
        query=kept["query"],
        label=kept["label"],
        mode=Mode(kept["mode"]),
        until=until,
        broken=kept["broken"],
    )
