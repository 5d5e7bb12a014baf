"""The form of a subscription: when its digests come, how long they are, and its rules as lines of text.

Its fields are checked before Slack is answered, so that what is wrong stands under its field; it is saved afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from notifier import account, edit, rulefile
from notifier.cadence import parse_time
from notifier.errors import NotifierError, UsageError
from notifier.lint import hits_of
from notifier.matching import Index, Topics, parse
from notifier.model import Cadence, Entry, Every, Mode, Rule, Subscription
from notifier.ports import Store
from notifier.render.blocks import Block, actions, button, context, field, modal, option, plain_text, section
from notifier.render.catalog import Catalog, message
from notifier.render.mrkdwn import escape
from notifier.rulefile import Item
from notifier.slack import answers, lines
from notifier.slack.asking import FORM, Ask, by_id, carried, memory
from notifier.slack.calls import Call, tell
from notifier.slack.fields import value, values
from notifier.slack.verbs import TRIED
from notifier.slack.work import Result, Tools

EDIT = "notifier_edit"
TRY = "notifier_try"
_LONGEST = 3_000
"""Characters that a field of Slack's takes."""
_RHYTHMS = {
    Every.INSTANT: message("as papers come"),
    Every.HOURLY: message("every hour"),
    Every.DAILY: message("every day"),
    Every.WEEKLY: message("every week"),
    Every.MONTHLY: message("every month"),
}


def opened(store: Store, ask: Ask, tools: Tools, id: str) -> Result:
    subscription = by_id(store, ask, id)
    rules = edit.examined_rules(store, tools.topics, id)
    view = form(subscription, rules, ask)
    return [Call(method="views.open", arguments={"trigger_id": ask.origin.trigger, "view": view})]


def form(subscription: Subscription, rules: Sequence[Rule], ask: Ask, shown: Sequence[Block] = ()) -> Block:
    """``shown`` is what a preview came to, below the rules."""
    say = ask.words.say
    zone = ZoneInfo(subscription.subscriber.timezone)
    off = [_mark(lines.line_of(rule, zone)) for rule in rules if rule.broken]
    blocks = [
        context(escape(f"{answers.name_of(subscription, ask)} · {subscription.id}")),
        *_hours(subscription, ask),
        *_rules(lines.dump(rules, zone), ask),
        *actions([button(TRY, say("Preview"), value=subscription.id)]),
        *shown,
    ]
    kept = carried(ask, id=subscription.id, zone=zone.key, off=off, seen=_mark(lines.dump(rules, zone)))
    return modal(EDIT, say("Edit digest"), say("Save"), say("Cancel"), blocks, kept)


def _hours(subscription: Subscription, ask: Ask) -> list[Block]:
    say, cadence = ask.words.say, subscription.cadence
    rhythms = {each: option(say(text), each) for each, text in _RHYTHMS.items()}
    names = ask.words.locale.days["stand-alone"]["wide"]
    days = [option(names[number], str(number)) for number in range(7)]
    chosen = {"initial_options": [days[day] for day in sorted(cadence.days)]} if cadence.days else {}
    every = {"type": "static_select", "options": list(rhythms.values()), "initial_option": rhythms[cadence.every]}
    most = {"is_decimal_allowed": False, "min_value": "1", "max_value": "200"}
    return [
        field("every", say("How often"), every),
        field("at", say("Time of day"), {"type": "timepicker", "initial_time": f"{cadence.at:%H:%M}"}),
        field(
            "days",
            say("Only on these days"),
            {"type": "multi_static_select", "options": days, **chosen},
            is_optional=True,
        ),
        *_zone(subscription, ask),
        field(
            "cap",
            say("Papers in full, at most"),
            {"type": "number_input", "initial_value": str(subscription.max_entries), **most},
        ),
    ]


def _zone(subscription: Subscription, ask: Ask) -> list[Block]:
    if not may_set_zone(subscription, ask):
        return []
    zone = {"type": "plain_text_input", "initial_value": subscription.subscriber.timezone, "max_length": 60}
    hint = ask.words.say("Your Slack profile says %(zone)s.", zone=ask.profile.zone)
    return [field("zone", ask.words.say("Time zone"), zone, hint=hint)]


def may_set_zone(subscription: Subscription, ask: Ask) -> bool:
    """A zone belongs to a subscriber: a channel's members may not move another person's hours."""
    owner = subscription.subscriber
    return owner.is_team or (ask.subscriber is not None and ask.subscriber.id == owner.id)


def _rules(text: str, ask: Ask) -> list[Block]:
    say = ask.words.say
    if len(text) > _LONGEST:
        return [section(escape(say("There are more rules than this form can hold: use /papers add and remove.")))]
    element = {
        "type": "plain_text_input",
        "multiline": True,
        "max_length": _LONGEST,
        **({"initial_value": text} if text else {}),
        "placeholder": plain_text('"reward model" OR DPO # RLHF', 150),
    }
    hint = say("One rule a line; a label after #; mute: or mute until 2026-12-24: before what is to be left out.")
    return [field("rules", say("Rules"), element, hint=hint, is_optional=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A form as it was sent. ``items`` is None where the rules were too many to be in it."""

    cadence: Cadence
    cap: int
    zone: str
    items: tuple[Item, ...] | None


def checked(body: dict[str, Any], topics: Topics, now: Any, words: Catalog) -> dict[str, Any] | None:
    """What is wrong, for Slack to show under the fields; None where all is well."""
    faults: dict[str, str] = {}
    for name in ("at", "cap", "zone"):
        try:
            _READ[name](value(body, name))
        except NotifierError as error:
            faults[name] = str(error)
    off = memory(body).get("off") or ()
    zone = ZoneInfo(str(memory(body).get("zone") or "UTC"))
    _, wrong = lines.read(value(body, "rules"), (), topics, zone=zone, now=now)
    told = [str(fault) for fault in wrong if _mark(fault.line) not in off]
    if told:
        faults["rules"] = _short("\n".join(told[:3]))
    if value(body, "rules").count("\n") >= edit.RULES_A_SUBSCRIPTION:
        faults["rules"] = words.say("These are more than %(most)s rules.", most=edit.RULES_A_SUBSCRIPTION)
    return {"response_action": "errors", "errors": faults} if faults else None


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _cap(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 200:
        raise UsageError("Write a number from 1 to 200.")
    return int(text)


_READ: dict[str, Any] = {
    "at": parse_time,
    "cap": _cap,
    # Where it may not be set, it is not in the form.
    "zone": lambda text: account.known_zone(text.strip()) if text else "",
}


def saved(store: Store, ask: Ask, tools: Tools, body: dict[str, Any]) -> Result:
    subscription = by_id(store, ask, str(memory(body).get("id")))
    zone = ZoneInfo(subscription.subscriber.timezone)
    rules = edit.rules_of(store, subscription.id)
    cadence = _cadence(body)
    cap = _cap(value(body, "cap"))
    is_same = memory(body).get("seen") == _mark(lines.dump(rules, zone))
    items, _ = lines.read(value(body, "rules"), rules, tools.topics, zone=zone, now=ask.now)
    has_rules = len(lines.dump(rules, zone)) <= _LONGEST

    def change() -> list[Call]:
        if not is_same:
            raise UsageError(
                ask.words.say(
                    "The rules were changed meanwhile by somebody else: open the form again; nothing is saved."
                )
            )
        _rezone(store, ask, subscription, value(body, "zone"))
        account.change(
            store,
            subscription.id,
            cadence=lambda before: replace(before, every=cadence.every, at=cadence.at, days=cadence.days),
            max_entries=cap,
            now=ask.now,
        )
        if has_rules:
            _apply(store, ask, tools, subscription, items, rules, zone)
        after = by_id(store, ask, subscription.id)
        said = ask.words.say("Saved.")
        blocks = answers.subscription_blocks(after, edit.examined_rules(store, tools.topics, after.id), ask)
        return [tell(ask, said, [section(escape(said)), *blocks])]

    return change


def _cadence(body: dict[str, Any]) -> Cadence:
    days = frozenset(int(day) for day in values(body, "days") if day in "0123456")
    return Cadence(every=Every(value(body, "every")), at=parse_time(value(body, "at")), days=days)


def _rezone(store: Store, ask: Ask, subscription: Subscription, zone: str) -> None:
    owner = subscription.subscriber
    if zone.strip() and zone.strip() != owner.timezone and may_set_zone(subscription, ask):
        account.change_subscriber(store, owner.email, name=None, timezone=zone.strip(), language=None, now=ask.now)


def _apply(
    store: Store,
    ask: Ask,
    tools: Tools,
    subscription: Subscription,
    items: Sequence[Item],
    rules: Sequence[Rule],
    zone: ZoneInfo,
) -> None:
    document = rulefile.Document(subscription_id=subscription.id, items=tuple(items))
    found = rulefile.difference(document, rules, zone=zone, now=ask.now)
    if found:
        edit.apply(
            store,
            tools.topics,
            subscription.id,
            put=[*found.added, *(after for _, after in found.changed)],
            remove=found.removed,
            seen=rules,
            author=replace(ask.author, via=FORM),
            now=ask.now,
        )


def tried(store: Store, ask: Ask, tools: Tools, body: dict[str, Any]) -> Result:
    """Show in the form, as it stands, what its rules would bring."""
    subscription = by_id(store, ask, str(memory(body).get("id")))
    rules = edit.examined_rules(store, tools.topics, subscription.id)
    zone = ZoneInfo(subscription.subscriber.timezone)
    items, faults = lines.read(value(body, "rules"), rules, tools.topics, zone=zone, now=ask.now)
    entries = store.entries.seen(ask.now - TRIED, ask.now)
    wanted = _wanted(entries, items, tools.topics, ask)
    say = ask.words.count(
        "These rules bring %(num)s paper of the %(all)s of the last 30 days.",
        "These rules bring %(num)s papers of the %(all)s of the last 30 days.",
        len(wanted),
        all=ask.words.number(len(entries)),
    )
    shown = [section(escape("\n".join(str(fault) for fault in faults)))] if faults else []
    shown.append(section(escape(say)))
    if wanted:
        shown.append(section(answers.listed(answers.paper(entry, ask.words) for entry in wanted[: answers.TITLES])))
    view = form(subscription, rules, ask, shown)
    # Without the marks of what stands now: they are as they were when the form was opened.
    view["private_metadata"] = body["view"]["private_metadata"]
    update = {"view_id": body["view"]["id"], "hash": body["view"]["hash"], "view": view}
    return [Call(method="views.update", arguments=update)]


def _wanted(entries: Sequence[Entry], items: Sequence[Item], topics: Topics, ask: Ask) -> list[Entry]:
    """What the items include and do not mute, newest first."""
    index = Index(entries, now=ask.now)
    parsed = [(item, parse(item.query, topics)) for item in items if _parses(item, topics)]
    hits = hits_of(index, [query for _, query in parsed])
    flags = {mode: np.zeros(len(index.entries), bool) for mode in Mode}
    for item, query in parsed:
        flags[item.mode] |= hits[query]
    return [index.entries[place] for place in np.flatnonzero(flags[Mode.INCLUDE] & ~flags[Mode.MUTE]).tolist()]


def _parses(item: Item, topics: Topics) -> bool:
    try:
        parse(item.query, topics)
    except NotifierError:
        return False
    return True


def _mark(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
