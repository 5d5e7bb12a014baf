"""People: ``subscriber …``."""

from __future__ import annotations

from typing import Annotated

import typer

from notifier import account
from notifier.app import App
from notifier.cli.base import Json, command, group, local, print_json, print_table, say
from notifier.model import Subscriber

Email = Annotated[str, typer.Argument(help="The person's email address.", metavar="EMAIL")]


def register(app: typer.Typer) -> None:
    subscribers = group("The people who get digests.")
    app.add_typer(subscribers, name="subscriber")
    command(subscribers, "add")(add_subscriber)
    command(subscribers, "set")(set_subscriber)
    command(subscribers, "list")(list_subscribers)
    command(subscribers, "remove")(remove_subscriber)


def add_subscriber(
    app: App,
    email: Email,
    name: Annotated[str, typer.Option(help="How to call them.")] = "",
    timezone: Annotated[
        str, typer.Option(help="IANA zone, such as Europe/Berlin. Default: setting default_timezone.")
    ] = "",
    language: Annotated[str, typer.Option(help="en or de. Default: setting default_language.")] = "",
) -> None:
    """Add a person."""
    with app.store() as store:
        subscriber = account.add_subscriber(
            store,
            email,
            name=name,
            timezone=timezone or app.settings.default_timezone,
            language=language or app.settings.default_language,
            now=app.clock(),
        )
    say(f"Added {subscriber.email} ({subscriber.timezone}, {subscriber.language}).")


def set_subscriber(
    app: App,
    email: Email,
    name: Annotated[str | None, typer.Option(help="How to call them.")] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA zone, such as Europe/Berlin.")] = None,
    language: Annotated[str | None, typer.Option(help="en or de.")] = None,
) -> None:
    """Change a person's name, zone or language; digests follow the new zone from the next one on."""
    with app.store() as store:
        person = account.change_subscriber(
            store, email, name=name, timezone=timezone, language=language, now=app.clock()
        )
    say(f"{person.email}: {person.name or 'no name'}, {person.timezone}, {person.language}.")


def list_subscribers(app: App, json: Json = False) -> None:
    """Show the people."""
    with app.store() as store:
        people = store.subscribers.all()
    if json:
        print_json([_subscriber_data(person) for person in people])
        return
    print_table(
        ["EMAIL", "NAME", "TIME ZONE", "LANGUAGE", "SINCE"],
        [[p.email, p.name, p.timezone, p.language, local(p.created_at, p.timezone)] for p in people],
        empty="No subscribers yet: 'notifier subscriber add EMAIL' adds one.",
    )


def remove_subscriber(app: App, email: Email) -> None:
    """Forget a person with all subscriptions, rules and deliveries."""
    with app.store() as store:
        subscriber = account.remove_subscriber(store, email)
    say(f"Removed {subscriber.email} with everything that was theirs.")


def _subscriber_data(person: Subscriber) -> dict[str, object]:
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "timezone": person.timezone,
        "language": person.language,
        "created_at": person.created_at,
    }
