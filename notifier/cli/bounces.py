"""Mail that came back: ``bounces read``, ``list``, ``suppress``, ``release``."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from notifier import account, consent, incoming, readmit
from notifier.app import App
from notifier.bounced import Taken
from notifier.cli.base import Json, command, group, local, print_json, print_table, say
from notifier.errors import UsageError
from notifier.mailboxes import Maildir, open_mailboxes
from notifier.model import Suppression
from notifier.ports import LONGEST_MAIL, Mailbox

Address = Annotated[str, typer.Argument(help="The mail address.", metavar="ADDRESS")]


def register(app: typer.Typer) -> None:
    bounces = group("Mail that came back, and addresses that get none any more.")
    app.add_typer(bounces, name="bounces")
    command(bounces, "read")(read)
    command(bounces, "list")(list_)
    command(bounces, "suppress")(suppress)
    command(bounces, "release")(release)


def read(
    app: App,
    place: Annotated[
        str, typer.Argument(help="A mail in a file, - for standard input, or a Maildir.", metavar="[FILE|-|MAILDIR]")
    ] = "",
) -> None:
    """Take in mail that came back or unsubscribes. Default: the mailboxes that are set."""
    boxes: list[Mailbox] = [Maildir(Path(place))] if place and Path(place).is_dir() else open_mailboxes(app.settings)
    if not (place or boxes):
        raise UsageError("Say which mail to read: a file, -, a Maildir, or set bounce_maildir or imap_host.")
    taken: Counter[Taken] = Counter()
    with app.store() as store:
        if place and not Path(place).is_dir():
            taken[incoming.take(store, _bytes(place), keys=app.keys, now=app.clock())] += 1
        else:
            for box in boxes:
                taken += incoming.read(store, box, keys=app.keys, now=app.clock())
    say(", ".join(f"{count} {what.value}" for what, count in taken.items()) or "No new mail.")


def _bytes(place: str) -> bytes:
    if place == "-":
        return sys.stdin.buffer.read(LONGEST_MAIL)
    try:
        with Path(place).open("rb") as file:
            return file.read(LONGEST_MAIL)
    except OSError as error:
        raise UsageError(f"{place} cannot be read: {error.strerror}.") from None


def list_(app: App, json: Json = False) -> None:
    """Show addresses that get nothing and why, then what came back lately."""
    with app.store() as store:
        suppressed, newest = store.bounces.suppressed(), store.bounces.newest(limit=50)
    if json:
        print_json(
            {
                "suppressed": [_data(each, app.clock()) for each in suppressed],
                "bounces": [
                    {"address": b.address, "at": b.at, "kind": b.kind, "status": b.status, "reason": b.reason}
                    for b in newest
                ],
            }
        )
        return
    print_table(
        ["ADDRESS", "SINCE", "WHY"],
        [[each.address, local(each.since), _why(each, app.clock())] for each in suppressed],
        empty="No address is suppressed.",
    )
    if newest:
        print_table(
            ["CAME BACK", "FROM", "KIND", "STATUS", "SAID"],
            [[local(b.at, "UTC"), b.address, b.kind.value, b.status or "-", b.reason] for b in newest],
            empty="",
        )


def _data(each: Suppression, now: datetime) -> dict[str, object]:
    return {
        "address": each.address,
        "since": each.since,
        "reason": each.reason,
        "kind": each.kind,
        "state": consent.state(each, now),
        "asked_at": each.question.at if each.question else None,
    }


def _why(each: Suppression, now: datetime) -> str:
    if each.question is None:
        return each.reason
    open = consent.state(each, now) is consent.State.ASKED
    answer = f"can be confirmed until {local(each.question.until)}" if open else "not confirmed"
    return f"{each.reason} Asked {local(each.question.at)}, {answer}."


def suppress(app: App, address: Address, reason: Annotated[str, typer.Option(help="Why, in a sentence.")] = "") -> None:
    """Send nothing to an address from now on."""
    wanted = account.email_address(address)
    with app.store() as store, store.write():
        said = reason or "The operator suppressed it."
        store.bounces.suppress(Suppression(address=wanted, since=app.clock(), reason=said))
    say(f"Nothing more goes to {wanted}; 'notifier bounces release {wanted}' asks its owner whether that is to end.")


def release(
    app: App,
    address: Address,
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="Its owner has told you: use it at once, without asking by mail.")
    ] = False,
) -> None:
    """Ask an address by mail whether it may be used again; once confirmed, what came back before is forgotten."""
    wanted = account.email_address(address)
    with app.store() as store:
        if confirmed:
            readmit.release(store, wanted)
            say(f"Mail goes to {wanted} again.")
            return
        asked = readmit.ask_for(store, wanted, links=app.links, now=app.clock())
    assert asked.question is not None  # noqa: S101 - it was just asked
    say(f"{wanted} is asked by mail, and used again once that is confirmed, until {local(asked.question.until)}.")
