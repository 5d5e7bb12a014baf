"""Single mails that are no digest: ``letters``, and ``letters retry``."""

from __future__ import annotations

from typing import Annotated

import typer

from notifier.app import App
from notifier.cli.base import Json, alone, command, group, local, print_json, print_table, say
from notifier.delivery import ENDS, OPEN
from notifier.errors import NotFound, UsageError
from notifier.model import DeliveryState, Posting
from notifier.trouble import advice

_FAILED = (DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.DEFERRED, DeliveryState.CANCELLED)


def register(app: typer.Typer) -> None:
    letters = group("Single mails that are no digest: links to log in or to confirm, word of a channel that is gone.")
    app.add_typer(letters, name="letters")
    alone(letters)(list_)
    command(letters, "retry")(retry)


def list_(
    app: App,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that were not sent, and why.")] = False,
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 50,
    json: Json = False,
) -> None:
    """Show which letters were sent in the last 30 days, to whom, and how it went; not what they say."""
    with app.store() as store:
        found = store.letters.all(states=_FAILED if failed else (), limit=limit)
    if json:
        print_json([_data(each) for each in found])
        return
    print_table(
        ["ID", "FROM", "KIND", "TO", "STATE", "TRIES", "DETAIL"],
        [
            [
                each.id,
                local(each.created_at),
                each.letter.kind,
                each.letter.to,
                each.state,
                str(each.attempts),
                _detail(each),
            ]
            for each in found
        ],
        empty="Every letter was sent." if failed else "No letters so far.",
    )


def _detail(each: Posting) -> str:
    if each.sent_at:
        return f"sent {local(each.sent_at)}"
    if each.state in OPEN:
        when = f"Next try {local(each.next_attempt_at)}, at the latest {local(each.letter.expires_at)}."
        return f"{each.reason or ''} {when}".strip()
    again = "" if each.state in ENDS else f" Again: notifier letters retry {each.id}"
    told = advice(each)
    return f"{f'{told[0]}: ' if told else ''}{each.reason or ''}{again}"


def _data(each: Posting) -> dict[str, object]:
    return {
        "id": each.id,
        "kind": each.letter.kind,
        "to": each.letter.to,
        "created_at": each.created_at,
        "expires_at": each.letter.expires_at,
        "state": each.state,
        "attempts": each.attempts,
        "next_attempt_at": each.next_attempt_at,
        "sent_at": each.sent_at,
        "reason": each.reason,
        "cause": each.cause,
    }


def retry(app: App, id: Annotated[str, typer.Argument(help="The letter, such as l_k3m9x2tq7p.", metavar="ID")]) -> None:
    """Send again what failed or waits, as long as it has not expired."""
    now = app.clock()
    with app.store() as store, store.write():
        posting = store.letters.get(id)
        if posting is None:
            raise NotFound(f"There is no letter {id}: see 'notifier letters'.")
        if posting.letter.expires_at <= now:
            raise UsageError(f"Letter {id} has expired: it has to be asked for again.")
        if not store.letters.retry(id, at=now):
            raise UsageError(f"Letter {id} is {posting.state}: retry is for what failed, is held or deferred.")
    say(f"Letter {id} is due again: 'notifier serve' or 'notifier run --once' sends it.")
