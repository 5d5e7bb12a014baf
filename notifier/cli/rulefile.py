"""Rules as a file that a lab keeps in version control: ``rules export`` and ``rules import``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from notifier import edit, rulefile
from notifier.app import App
from notifier.cli.base import Json, command, group, print_json, say, warn
from notifier.cli.rules import author, change, rule_data
from notifier.cli.subscriptions import SubscriptionId
from notifier.errors import NotFound, UsageError
from notifier.lookup import subscription_of
from notifier.model import Rule
from notifier.ports import Store
from notifier.rulefile import Difference


def register(app: typer.Typer) -> None:
    files = group("A subscription's rules as a file.")
    app.add_typer(files, name="rules")
    command(files, "export")(export)
    command(files, "import")(import_)


def export(
    app: App,
    id: SubscriptionId,
    file: Annotated[str, typer.Argument(help="Where to write. Default, and -: standard output.")] = "-",
) -> None:
    """Write a subscription's rules as YAML, to be kept and changed in version control."""
    with app.store() as store:
        subscription_of(store, id)
        rules = edit.examined_rules(store, app.topics, id)
    text = rulefile.dump(id, rules)
    if file == "-":
        sys.stdout.write(text)
        return
    try:
        Path(file).write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}): name another file.") from error
    warn(f"Wrote {len(rules)} rules to {file}.")


def import_(
    app: App,
    file: Annotated[str, typer.Argument(help="A file as 'rules export' writes it, or - for input.")],
    yes: Annotated[bool, typer.Option("--yes", help="Apply the difference without asking.")] = False,
    json: Json = False,
) -> None:
    """Make a subscription's rules those of a file; shows the difference first, and asks."""
    document = rulefile.load(_read(file), file=file)
    id, now = document.subscription_id, app.clock()
    with app.store() as store:
        zone = ZoneInfo(subscription_of(store, id).subscriber.timezone)
        rules = edit.rules_of(store, id)
        rulefile.check(document, edit.examined_rules(store, app.topics, id), app.topics, file=file)
        found = rulefile.difference(document, rules, zone=zone, now=now)
        offer(app, store, id, found, seen=rules, via="file", yes=yes, json=json, asking=file != "-")


def offer(
    app: App,
    store: Store,
    id: str,
    found: Difference,
    *,
    seen: Sequence[Rule],
    via: str,
    yes: bool,
    json: bool,
    asking: bool = True,
) -> None:
    """Show a difference to the rules ``seen`` and, unless ``yes``, ask; then apply it at once."""
    zone = subscription_of(store, id).subscriber.timezone
    put = [*(after for _, after in found.changed), *found.added]
    edit.demand_own(store, id, put)
    if not json:
        _show(found, id, zone)
    elif not yes or not found:
        print_json(_data(found, id, applied=False))
    if not found or not (yes or _agreed(id, asking=asking and not json)):
        return
    by = replace(author(), via=via)
    edit.apply(store, app.topics, id, put=put, remove=found.removed, seen=seen, author=by, now=app.clock())
    if json:
        print_json(_data(found, id, applied=True))
    else:
        say(f"Applied to {id}; 'notifier rule undo {id}' takes it back.")


def _agreed(id: str, *, asking: bool) -> bool:
    if not (asking and sys.stdin.isatty()):
        raise UsageError("Nothing was changed: add --yes to apply this.")
    if typer.confirm(f"Apply this to {id}?", default=False, err=True):
        return True
    warn("Nothing was changed.")
    raise typer.Exit(1)


def _data(found: Difference, id: str, *, applied: bool) -> dict[str, object]:
    return {
        "subscription": id,
        "added": [rule_data(rule) for rule in found.added],
        "changed": [{"before": rule_data(old), "after": rule_data(new)} for old, new in found.changed],
        "removed": [rule_data(rule) for rule in found.removed],
        "unchanged": found.unchanged,
        "applied": applied,
    }


def _show(found: Difference, id: str, zone: str) -> None:
    for rule in found.added:
        say(f"+ {rule.id or 'new'}  {change(None, rule, zone)}")
    for old, new in found.changed:
        say(f"~ {old.id}  {change(replace(old, broken=None), new, zone)}")
    for rule in found.removed:
        say(f"- {rule.id}  {change(rule, None, zone)}")
    say(
        f"{id}: {len(found.added)} added, {len(found.changed)} changed, "
        f"{len(found.removed)} removed, {found.unchanged} unchanged."
    )


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except OSError as error:
        raise NotFound(f"{file} cannot be read ({error.strerror}): give a file that 'rules export' wrote.") from error
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8 text. Save it as UTF-8.") from None
