"""What people do with their rules: add and remove them. A rule that does not parse is refused here, loudly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from notifier.errors import UsageError
from notifier.ids import new_id
from notifier.lookup import rule_of, subscription_of
from notifier.matching import Topics, parse
from notifier.model import Mode, Rule
from notifier.ports import Store

RULES_A_SUBSCRIPTION = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who changes a rule, and through what: ``cli``, ``web``, ``slack`` or ``file``."""

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
    if until is not None and mode is not Mode.MUTE:
        raise UsageError("Only a mute can end at a date: add --mute, or leave --until out.")
    if until is not None and until <= now:
        raise UsageError(f"The mute would end in the past ({until:%Y-%m-%d %H:%M}): give a later date.")
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


def remove_rule(store: Store, id: str, *, author: Author, now: datetime) -> Rule:
    with store.write():
        rule = rule_of(store, id)
        store.rules.remove(id, actor=author.name, via=author.via, now=now)
    return rule
