"""Rules: ``rule add``, ``list``, ``remove``, ``history`` and ``undo``."""

from __future__ import annotations

import getpass
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from notifier import edit
from notifier.app import App
from notifier.cli.base import Json, command, group, instant, local, print_json, print_table, say, warn
from notifier.cli.subscriptions import SubscriptionId
from notifier.errors import NotifierError, RuleError
from notifier.library import load_taxonomy
from notifier.lookup import subscription_of
from notifier.matching import meaning, parse
from notifier.model import Mode, Rule
from notifier.trying import advice

rule_group = group("What a subscription is about.")
_MOST_ADVICE = 3


def register(app: typer.Typer) -> None:
    app.add_typer(rule_group, name="rule")
    command(rule_group, "add")(add)
    command(rule_group, "list")(list_)
    command(rule_group, "remove")(remove)
    command(rule_group, "history")(history)
    command(rule_group, "undo")(undo)


def add(
    app: App,
    id: SubscriptionId,
    query: Annotated[str, typer.Argument(help="In the rule language, such as '\"reward model\" -survey'.")],
    label: Annotated[str, typer.Option(help="How digests call it. Default: the query itself.")] = "",
    mute: Annotated[bool, typer.Option("--mute", help="Leave out what matches; wins over every other rule.")] = False,
    until: Annotated[str, typer.Option(help="With --mute: the date it ends, in the person's zone.")] = "",
    json: Json = False,
) -> None:
    """Add a rule to a subscription."""
    with app.store() as store:
        zone = ZoneInfo(subscription_of(store, id).subscriber.timezone)
        try:
            rule = edit.add_rule(
                store,
                app.topics,
                id,
                query,
                label=label,
                mode=Mode.MUTE if mute else Mode.INCLUDE,
                until=instant(until, zone, what="--until"),
                author=author(),
                now=app.clock(),
            )
        except RuleError as error:
            raise RuleNotSaved(query, error) from error
        only_mutes = all(each.mode is Mode.MUTE for each in store.rules.of([id])[id])
        findings = () if json else advice(store, app.topics, rule, now=app.clock())
    if json:
        print_json(rule_data(rule))
        return
    say(rule.id)
    # On stderr, so that a script can take the id from stdout.
    words = meaning(parse(query, app.topics), load_taxonomy().title)
    warn(f"It {'leaves out' if mute else 'finds'} papers where {words}.")
    if only_mutes:
        warn(f"{id} has only mutes so far and gets nothing until it has a rule without --mute.")
    for finding in findings[:_MOST_ADVICE]:
        warn(f"Advice: {finding.text}")


class RuleNotSaved(NotifierError):
    """A refused rule, with a mark under the column where reading stopped."""

    exit_code = 2

    def __init__(self, query: str, error: RuleError) -> None:
        super().__init__(f"Rule not saved: {error}.{pointer(query, error.column)}")


def pointer(query: str, column: int) -> str:
    """The query with a caret under ``column`` (1-based), where it fits on a line."""
    if "\n" in query or len(query) > 100 or not query.isprintable():
        return ""
    return f"\n  {query}\n  {' ' * (column - 1)}^"


def list_(app: App, id: SubscriptionId, json: Json = False) -> None:
    """Show a subscription's rules."""
    with app.store() as store:
        zone = subscription_of(store, id).subscriber.timezone
        rules = edit.examined_rules(store, app.topics, id)
    if json:
        print_json([rule_data(rule) for rule in rules])
        return
    print_table(
        ["RULE", "MODE", "LABEL", "QUERY", "STATE"],
        [[rule.id, rule.mode, rule.label or "-", rule.query, _state(rule, zone)] for rule in rules],
        empty=f"No rules yet, so it gets nothing: notifier rule add {id} 'QUERY'",
    )


def remove(app: App, rule: Annotated[str, typer.Argument(help="The rule, such as r_k3m9x2tq7p.")]) -> None:
    """Remove a rule; its history stays with the subscription."""
    with app.store() as store:
        removed = edit.remove_rule(store, rule, author=author(), now=app.clock())
    say(f"Removed {removed.id}: {removed.query}")


def history(app: App, id: SubscriptionId, json: Json = False) -> None:
    """Show who changed a subscription's rules, through what, when, and how."""
    with app.store() as store:
        zone = subscription_of(store, id).subscriber.timezone
        steps = edit.history(store, id)
    if json:
        print_json([_step_data(step) for step in steps])
        return
    print_table(
        ["WHEN", "WHO", "THROUGH", "RULE", "CHANGE"],
        [
            [
                local(each.at, zone),
                each.author.name,
                _through(each),
                each.rule.id,
                change(each.before, each.after, zone),
            ]
            for each in steps
        ],
        empty=f"No rule of {id} was ever added.",
    )


def undo(app: App, id: SubscriptionId, json: Json = False) -> None:
    """Take back the latest change of a subscription's rules; again, the one before it."""
    with app.store() as store:
        zone = subscription_of(store, id).subscriber.timezone
        steps = edit.undo(store, app.topics, id, author=author(), now=app.clock())
        broken = [rule for rule in edit.rules_of(store, id) if rule.broken and rule.id in {s.rule.id for s in steps}]
    if json:
        print_json([_step_data(step) for step in steps])
        return
    for step in steps:
        say(f"Took back: {step.rule.id} {change(step.before, step.after, zone)}")
    for rule in broken:
        warn(f"{rule.id} is back, and off, because it does not parse: {rule.broken}")


def change(before: Rule | None, after: Rule | None, zone: str) -> str:
    """One change in words, such as ``query: reward → "reward model"; label: - → RLHF``."""
    if before is None or after is None:
        ends = "removed" if after is None else "added"
        one = after or before
        return f"{ends}: {_in_words(one, zone)}" if one else ends
    pairs = (
        ("query", before.query, after.query),
        ("label", before.label, after.label),
        ("mode", before.mode, after.mode),
        ("until", before.until and local(before.until, zone), after.until and local(after.until, zone)),
        ("off", before.broken, after.broken),
    )
    return "; ".join(f"{name}: {old or '-'} → {new or '-'}" for name, old, new in pairs if old != new) or "no change"


def _in_words(rule: Rule, zone: str) -> str:
    notes = [
        f"label {rule.label}" if rule.label else "",
        "mute" if rule.mode is Mode.MUTE else "",
        f"until {local(rule.until, zone)}" if rule.until else "",
    ]
    noted = ", ".join(filter(None, notes))
    return f"{rule.query} ({noted})" if noted else rule.query


def _through(step: edit.Step) -> str:
    return f"{step.author.via}, undo" if step.undo else step.author.via


def _step_data(step: edit.Step) -> dict[str, object]:
    return {
        "rule": step.rule.id,
        "at": step.at,
        "who": step.author.name,
        "via": step.author.via,
        "undo": step.undo,
        "before": step.before and _text_data(step.before),
        "after": step.after and _text_data(step.after),
    }


def _text_data(rule: Rule) -> dict[str, object]:
    """What a person can change of a rule, and whether it is off."""
    return {
        "query": rule.query,
        "label": rule.label,
        "mode": rule.mode,
        "until": rule.until,
        "broken": rule.broken,
    }


def author() -> edit.Author:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "somebody"
    return edit.Author(name=name, via="cli")


def rule_data(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "subscription": rule.subscription_id,
        "query": rule.query,
        "label": rule.label,
        "mode": rule.mode,
        "until": rule.until,
        "version": rule.version,
        "broken": rule.broken,
        "created_at": rule.created_at,
    }


def _state(rule: Rule, zone: str) -> str:
    if rule.broken:
        return f"off: {rule.broken}"
    return f"until {local(rule.until, zone)}" if rule.until else "on"
