"""Starter sets of rules: ``packs list``, ``show`` and ``add``."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

import typer

from notifier import edit, rulefile
from notifier.app import App
from notifier.cli.base import Json, command, group, print_json, print_table, say
from notifier.cli.rulefile import offer
from notifier.cli.subscriptions import SubscriptionId
from notifier.errors import NotFound
from notifier.lookup import subscription_of
from notifier.topics import Pack

Name = Annotated[str, typer.Argument(help="The pack, such as robotics-lab.", metavar="NAME")]


def register(app: typer.Typer) -> None:
    packs = group("Starter sets of rules.")
    app.add_typer(packs, name="packs")
    command(packs, "list")(list_)
    command(packs, "show")(show)
    command(packs, "add")(add)


def list_(app: App, json: Json = False) -> None:
    """Show the packs, the bundled and your own."""
    packs = app.packs.values()
    if json:
        print_json([_data(pack) for pack in packs])
        return
    print_table(
        ["PACK", "TITLE", "RULES", "DESCRIPTION"],
        [[pack.name, pack.title, str(len(pack.rules)), pack.description] for pack in packs],
        empty="There are no packs.",
    )


def show(app: App, name: Name, json: Json = False) -> None:
    """Show the rules of a pack."""
    pack = _named(name, app.packs)
    if json:
        print_json(_data(pack))
        return
    say(f"{pack.title} ({pack.name})\n{pack.description}\n")
    print_table(
        ["MODE", "LABEL", "QUERY"],
        [[rule.mode, rule.label, rule.query] for rule in pack.rules],
        empty="The pack has no rules.",
    )
    say(f"\nInto a subscription: notifier packs add ID {pack.name}")


def add(
    app: App,
    id: SubscriptionId,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Add the rules without asking.")] = False,
    json: Json = False,
) -> None:
    """Add the rules of a pack to a subscription, but for those it has; shows them first, and asks."""
    pack = _named(name, app.packs)
    with app.store() as store:
        subscription_of(store, id)
        rules = edit.rules_of(store, id)
        found = rulefile.addition(pack, id, rules, app.topics, now=app.clock())
        offer(app, store, id, found, seen=rules, via="pack", yes=yes, json=json)


def _named(name: str, packs: dict[str, Pack]) -> Pack:
    wanted = name.strip().casefold()
    if wanted in packs:
        return packs[wanted]
    near = get_close_matches(wanted, packs, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "'notifier packs list' shows them."
    raise NotFound(f"There is no pack '{name}': {hint}")


def _data(pack: Pack) -> dict[str, object]:
    return {
        "name": pack.name,
        "title": pack.title,
        "description": pack.description,
        "rules": [{"query": each.query, "label": each.label, "mode": each.mode} for each in pack.rules],
    }
