"""Find what a person named, or say where the right name is to be seen; and how rules are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from notifier.errors import NotFound, RuleError
from notifier.identity import parse_reference
from notifier.matching import Topics, parse
from notifier.model import Delivery, Entry, Rule, SourceRecord, Subscriber, Subscription
from notifier.ports import Store

T = TypeVar("T")


def subscriber_of(store: Store, email: str) -> Subscriber:
    return _named(store.subscribers.get(email), f"subscriber {email}", f"'notifier subscriber add {email}' adds one")


def subscription_of(store: Store, id: str) -> Subscription:
    return _named(
        store.subscriptions.get([id]).get(id), f"subscription {id}", "'notifier subscription list' shows them"
    )


def rule_of(store: Store, id: str) -> Rule:
    return _named(store.rules.get(id), f"rule {id}", "'notifier rule list SUBSCRIPTION' shows them")


def delivery_of(store: Store, id: str) -> Delivery:
    return _named(store.deliveries.get(id), f"delivery {id}", "'notifier deliveries' shows them")


def fault(query: str, topics: Topics) -> str | None:
    """Why ``query`` does not parse; None where it does."""
    try:
        parse(query, topics)
    except RuleError as error:
        return str(error)
    return None


def examined(rules: Iterable[Rule], topics: Topics) -> list[Rule]:
    """``rules`` with what is wrong with them now: what planning noted last may be out of date."""
    return [replace(rule, broken=fault(rule.query, topics)) for rule in rules]


def source_of(store: Store, name: str) -> SourceRecord:
    return _named(store.sources.get(name), f"source {name}", "'notifier source list' shows them")


def _named(found: T | None, what: str, how: str) -> T:
    if found is None:
        raise NotFound(f"There is no {what}: {how}.")
    return found


def entry_of(store: Store, reference: str) -> Entry:
    """The entry that an id, arXiv id, DOI, URL or words of its title, else of a former title, name.

    Raises NotFound where nothing, or more than one title, answers to it.
    """
    if exact := store.entries.get([reference.strip()]):
        return next(iter(exact.values()))
    by_key = store.entries.by_keys(keys := (*parse_reference(reference), reference.strip()))
    if known := [by_key[key] for key in keys if key in by_key]:
        return known[0]
    titles = store.entries.search_title(reference, limit=4) or store.entries.by_former_title(reference, limit=4)
    if not titles:
        raise NotFound(f"No stored paper answers to '{reference}': give its id, DOI, URL or words of its title.")
    if len(titles) > 1 and titles[0].title.casefold() != reference.strip().casefold():
        listed = "; ".join(f"{entry.id} {entry.title[:60]}" for entry in titles[:3])
        raise NotFound(f"Several papers answer to '{reference}', such as {listed}. Give more words, or an id.")
    return titles[0]
