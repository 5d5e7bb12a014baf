"""Tokens of the API: ``token add``, ``list``, ``revoke``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from notifier import access
from notifier.account import email_address
from notifier.app import App
from notifier.cli.base import Json, command, group, local, print_json, print_table, say, warn
from notifier.errors import UsageError
from notifier.lookup import subscriber_of
from notifier.model import ApiToken, Scope
from notifier.settings import duration

_NEVER = "never"


def register(app: typer.Typer) -> None:
    tokens = group("Tokens that open the API to other programs.")
    app.add_typer(tokens, name="token")
    command(tokens, "add")(add)
    command(tokens, "list")(list_)
    command(tokens, "revoke")(revoke)


def add(
    app: App,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[list[Scope], typer.Option(help="What it is good for; may be given again.")],
    person: Annotated[
        str, typer.Option("--for", help="The subscriber whose things it opens. Default: everybody's.", metavar="EMAIL")
    ] = "",
    expires: Annotated[str, typer.Option(help="After how long it ends, such as 30d; never for never.")] = "90d",
    json: Json = False,
) -> None:
    """Make a token; prints it, once."""
    with app.store() as store:
        owner = subscriber_of(store, email_address(person)).email if person else ""
        token, text = access.make_token(store, name, scope, owner=owner, lasts=_lasts(expires), now=app.clock())
    if json:
        print_json({**_data(token), "token": text})
        return
    say(text)
    # On stderr, so that a script can take the token from stdout.
    ends = f"until {local(token.expires_at)}" if token.expires_at else "until it is revoked"
    warn(f"{token.id} opens {_scopes(token)} of {token.owner or 'everybody'} {ends}. It is not shown again.")


def list_(app: App, json: Json = False) -> None:
    """Show the tokens there are, without their secrets."""
    with app.store() as store:
        found = store.api_tokens.all()
    if json:
        print_json([_data(each) for each in found])
        return
    print_table(
        ["ID", "NAME", "OPENS", "OF", "EXPIRES", "LAST USED"],
        [
            [
                each.id,
                each.name,
                _scopes(each),
                each.owner or "everybody",
                local(each.expires_at) if each.expires_at else _NEVER,
                local(each.used_at),
            ]
            for each in found
        ],
        empty="No tokens: 'notifier token add NAME --scope entries' makes one.",
    )


def revoke(app: App, id: Annotated[str, typer.Argument(help="The token, such as t_k3m9x2tq7p.", metavar="ID")]) -> None:
    """End a token: it opens nothing any more."""
    with app.store() as store:
        token = access.revoke(store, id)
    say(f"Revoked {token.id} ({token.name}).")


def _lasts(expires: str) -> timedelta | None:
    if expires == _NEVER:
        return None
    if not (span := duration(expires)):
        raise UsageError(f"--expires '{expires}' is no time span: write it like 30d or 12h, or {_NEVER}.")
    return span


def _scopes(token: ApiToken) -> str:
    return ", ".join(sorted(token.scopes))


def _data(token: ApiToken) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "scopes": sorted(token.scopes),
        "of": token.owner or None,
        "made_by": token.made_by or None,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "used_at": token.used_at,
    }
