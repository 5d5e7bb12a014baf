"""Rules: ``rule add``, ``rule list``, ``rule remove``."""

from __future__ import annotations

import getpass
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from notifier import edit
from notifier.app import App
from notifier.cli.base import Json, command, group, instant, local, print_json, print_table, say, warn
from notifier.cli.people import SubscriptionId
from notifier.errors import NotifierError, RuleError
from notifier.lookup import subscription_of
from notifier.matching import meaning, parse
from notifier.model import Mode, Rule


def register(app: typer.Typer) -> None:
    rules = group("What a subscription is about.")
    app.add_typer(rules, name="rule")
    command(rules, "add")(add)
    command(rules, "list")(list_)
    command(rules, "remove")(remove)


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
    if json:
        print_json(rule_data(rule))
        return
    say(rule.id)
    # On stderr, so that a script can take the id from stdout.
    warn(f"It {'leaves out' if mute else 'finds'} papers where {meaning(parse(query, app.topics))}.")
    if only_mutes:
        warn(f"{id} has only mutes so far and gets nothing until it has a rule without --mute.")


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
        rules = store.rules.of([id]).get(id, [])
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
