"""What people get, where and when: ``subscription …``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from notifier import account, readmit
from notifier.app import App
from notifier.cadence import describe, parse_days, parse_quiet, parse_time
from notifier.cli.base import Json, command, group, instant, local, print_json, print_table, say, warn
from notifier.cli.people import Email
from notifier.feeds import write_feeds
from notifier.followup import KEPT, OFF, format_follow_ups, parse_follow_ups
from notifier.lookup import examined, subscriber_of, subscription_of
from notifier.model import Cadence, Every, Quiet, Rule, Subscription
from notifier.ports import Store

SubscriptionId = Annotated[str, typer.Argument(help="The subscription, such as s_k3m9x2tq7p.", metavar="ID")]


def register(app: typer.Typer) -> None:
    subscriptions = group("What they get, where and when.")
    app.add_typer(subscriptions, name="subscription")
    command(subscriptions, "add")(add_subscription)
    command(subscriptions, "set")(set_subscription)
    command(subscriptions, "list")(list_subscriptions)
    command(subscriptions, "follow")(follow)
    command(subscriptions, "pause")(pause)
    command(subscriptions, "resume")(resume)
    command(subscriptions, "remove")(remove_subscription)
    command(subscriptions, "secret")(renew_secret)
    command(subscriptions, "feed")(write_feed)


def add_subscription(
    app: App,
    email: Email,
    channel: Annotated[
        str, typer.Option(help="email, email:ADDRESS, slack:CHANNEL, webhook:URL, apprise:URL or outbox.")
    ],
    every: Annotated[Every, typer.Option(help="How often.")],
    at: Annotated[str, typer.Option(help="Time of day in the person's zone, such as 08:00.")] = "08:00",
    days: Annotated[str, typer.Option(help="Weekdays, such as mon,thu.")] = "",
    quiet: Annotated[str, typer.Option(help="Hours in which nothing is sent, such as 22:00-07:00.")] = "",
    weekends: Annotated[bool, typer.Option(help="Whether anything is sent on Saturdays and Sundays.")] = True,
    max: Annotated[
        int | None, typer.Option(help="Entries shown in full. Default: setting max_entries.", min=1, max=200)
    ] = None,
    empty: Annotated[bool, typer.Option("--empty", help="Send also when nothing matched.")] = False,
    follow_ups: Annotated[
        str, typer.Option(help="Tell what becomes of papers that were sent: version,code,votes:100.")
    ] = OFF,
    json: Json = False,
) -> None:
    """Add a stream of digests for a person; prints its id."""
    cadence = Cadence(
        every=every,
        at=parse_time(at),
        days=parse_days(days) if days else frozenset(),
        quiet=parse_quiet(quiet) if quiet else None,
        weekends=weekends,
    )
    wish = account.Wish(
        channel=channel,
        cadence=cadence,
        max_entries=max or app.settings.max_entries,
        send_empty=empty,
        follow_ups=parse_follow_ups(follow_ups),
    )
    with app.store() as store:
        subscription = account.subscribe(store, email, wish, schemas=app.settings.apprise_schemas, now=app.clock())
        secrets = store.signing.of(subscription.id, now=app.clock())
        suppressed = _asked(store, subscription, app)
    if json:
        shown: dict[str, object] = {"secret": secrets[0]} if secrets else {}
        print_json(_subscription_data(subscription, ()) | shown)
        return
    say(subscription.id)
    # On stderr, so that a script can take the id from stdout.
    warn(f"{_when(subscription)} to {subscription.address}; next {_next(subscription)}.")
    if suppressed:
        warn(suppressed)
    _show_once(secrets)
    warn(f"It gets nothing until it has a rule: notifier rule add {subscription.id} 'QUERY'")


def _asked(store: Store, subscription: Subscription, app: App) -> str | None:
    """Where nothing goes to its address, ask the owner whether that is to end, and say so."""
    target = subscription.address.target
    why = store.bounces.get(target) if subscription.address.kind == "email" else None
    if why is None:
        return None
    asked = readmit.ask(store, target, by_operator=True, links=app.links, now=app.clock())
    then = f"{target} is asked by mail" if asked else f"'notifier bounces release {target} --confirmed' ends that"
    return f"Nothing has been sent to {target}: {why.reason} Digests begin once that is lifted: {then}."


def _show_once(secrets: Sequence[str]) -> None:
    for secret in secrets:
        warn(f"What is posted is signed with this secret, which is not shown again: {secret}")


def set_subscription(
    app: App,
    id: SubscriptionId,
    every: Annotated[Every | None, typer.Option(help="How often.")] = None,
    at: Annotated[str | None, typer.Option(help="Time of day in the person's zone, such as 08:00.")] = None,
    days: Annotated[str | None, typer.Option(help="Weekdays, such as mon,thu; all for every day.")] = None,
    quiet: Annotated[str | None, typer.Option(help="Hours without digests, such as 22:00-07:00; off for none.")] = None,
    weekends: Annotated[bool | None, typer.Option(help="Whether anything is sent on weekends.")] = None,
    max: Annotated[int | None, typer.Option(help="Entries shown in full.", min=1, max=200)] = None,
    empty: Annotated[bool | None, typer.Option(help="Send also when nothing matched.")] = None,
    channel: Annotated[str | None, typer.Option(help="Where they go, as for subscription add.")] = None,
) -> None:
    """Change when digests come, where to and how long they are; the rules stay."""

    def changed(cadence: Cadence) -> Cadence:
        return Cadence(
            every=every or cadence.every,
            at=cadence.at if at is None else parse_time(at),
            days=cadence.days if days is None else _days(days),
            quiet=cadence.quiet if quiet is None else _quiet(quiet),
            weekends=cadence.weekends if weekends is None else weekends,
        )

    with app.store() as store:
        before = subscription_of(store, id)
        after = account.change(
            store,
            id,
            cadence=changed,
            channel=channel,
            schemas=app.settings.apprise_schemas,
            max_entries=max,
            send_empty=empty,
            now=app.clock(),
        )
        secrets = store.signing.of(id, now=app.clock())[:1] if after.address.kind != before.address.kind else []
    to = f" to {after.address}" if channel else ""
    say(f"{id}: {_when(after)}{to}, at most {after.max_entries} papers in full; next {_next(after)}.")
    _show_once(secrets)


def _days(text: str) -> frozenset[int]:
    return frozenset() if text.strip().casefold() in ("", "all") else parse_days(text)


def _quiet(text: str) -> Quiet | None:
    return None if text.strip().casefold() in ("", OFF) else parse_quiet(text)


def list_subscriptions(
    app: App,
    email: Annotated[str | None, typer.Argument(help="Only this person's.", metavar="[EMAIL]")] = None,
    json: Json = False,
) -> None:
    """Show subscriptions with their next slot."""
    with app.store() as store:
        if email is not None:
            email = subscriber_of(store, account.email_address(email)).email
        found = store.subscriptions.all(email)
        rules = {id: examined(rules, app.topics) for id, rules in store.rules.of(each.id for each in found).items()}
    if json:
        print_json([_subscription_data(each, rules.get(each.id, ())) for each in found])
        return
    print_table(
        ["ID", "PERSON", "CHANNEL", "WHEN", "MAX", "FOLLOW-UPS", "RULES", "NEXT", "LAST SLOT"],
        [
            [
                each.id,
                each.subscriber.email,
                str(each.address),
                _when(each),
                str(each.max_entries),
                format_follow_ups(each.follow_ups) or OFF,
                _rules(rules.get(each.id, ())),
                _next(each),
                _last(each),
            ]
            for each in found
        ],
        empty="No subscriptions yet: 'notifier subscription add EMAIL --channel email --every daily' adds one.",
    )
    for rule in (rule for own in rules.values() for rule in own if rule.broken):
        say(f"{rule.id} of {rule.subscription_id} is off: {rule.broken}")


def follow(
    app: App,
    id: SubscriptionId,
    follow_ups: Annotated[
        str, typer.Argument(help="What to tell of: version, code, votes:100, divided by commas; or off.")
    ],
) -> None:
    """Tell in the next digest what became of papers that were sent: a new version, code, a bar of votes."""
    with app.store() as store:
        changed = account.follow(store, id, parse_follow_ups(follow_ups), now=app.clock())
    if changed.follow_ups:
        say(f"{id} follows papers from now on, for {KEPT.days} days each: {format_follow_ups(changed.follow_ups)}.")
    else:
        say(f"{id} follows papers no more.")


def pause(
    app: App,
    id: SubscriptionId,
    until: Annotated[str, typer.Option(help="A date, or a time, in the person's zone. Default: until resumed.")] = "",
) -> None:
    """Send nothing for a while; what becomes news meanwhile comes afterwards, in one digest."""
    with app.store() as store:
        zone = ZoneInfo(subscription_of(store, id).subscriber.timezone)
        paused = account.pause(store, id, until=instant(until, zone, what="--until"), now=app.clock())
    end = (
        f"until {local(paused.paused_until, zone.key)}"
        if paused.paused_until
        else f"until 'notifier subscription resume {id}'"
    )
    say(f"Paused {id} {end}.")


def resume(app: App, id: SubscriptionId) -> None:
    """End a pause."""
    with app.store() as store:
        resumed = account.resume(store, id, now=app.clock())
    say(f"Resumed {id}; next {_next(resumed)}.")


def remove_subscription(app: App, id: SubscriptionId) -> None:
    """Remove a subscription with its rules and deliveries."""
    with app.store() as store:
        removed = account.unsubscribe(store, id)
    say(f"Removed {id}: {removed.subscriber.email} gets nothing more from it.")


def write_feed(
    app: App,
    id: SubscriptionId,
    out: Annotated[
        Path | None, typer.Option(help="The folder. Default: setting feeds_dir, else here.", file_okay=False)
    ] = None,
) -> None:
    """Write its digests as an Atom and a JSON feed."""
    folder = out or app.settings.feeds_dir or Path()
    with app.store() as store:
        subscription_of(store, id)
        for file in write_feeds(store, app.topics, app.feed_writer(), folder, [id]):
            say(str(file))


def renew_secret(app: App, id: SubscriptionId) -> None:
    """Replace the secret that a webhook is signed with; for a day the old one signs along."""
    with app.store() as store:
        secret = account.renew_secret(store, id, now=app.clock())
    say(secret)
    warn(f"{id} is signed with this from now on, and for a day also with the one before. It is not shown again.")


def _when(subscription: Subscription) -> str:
    return describe(subscription.cadence, subscription.subscriber.timezone)


def _next(subscription: Subscription) -> str:
    if subscription.paused and subscription.paused_until is None:
        return subscription.stopped_reason or "paused"
    if subscription.cadence.every is Every.INSTANT and not (subscription.cadence.quiet or subscription.paused):
        return "as papers come"
    shown = local(subscription.next_due_at, subscription.subscriber.timezone)
    if subscription.paused_until and subscription.paused:
        return f"paused until {local(subscription.paused_until, subscription.subscriber.timezone)}"
    return shown


def _last(subscription: Subscription) -> str:
    if subscription.last_slot is None:
        return "-"
    return f"{subscription.last_slot}, from {subscription.last_checked} papers"


def _rules(rules: Sequence[Rule]) -> str:
    if not rules:
        return "none: gets nothing"
    off = sum(rule.broken is not None for rule in rules)
    return f"{len(rules)}, {off} off" if off else str(len(rules))


def _subscription_data(each: Subscription, rules: Sequence[Rule]) -> dict[str, object]:
    return {
        "id": each.id,
        "email": each.subscriber.email,
        "channel": str(each.address),
        "every": each.cadence.every,
        "at": each.cadence.at.isoformat("minutes"),
        "days": sorted(each.cadence.days),
        "quiet": each.cadence.quiet and f"{each.cadence.quiet.start:%H:%M}-{each.cadence.quiet.end:%H:%M}",
        "weekends": each.cadence.weekends,
        "timezone": each.subscriber.timezone,
        "max": each.max_entries,
        "empty": each.send_empty,
        "follow_ups": format_follow_ups(each.follow_ups) or OFF,
        "paused": each.paused,
        "paused_until": each.paused_until,
        "next_due_at": each.next_due_at,
        "last_slot": each.last_slot,
        "last_checked": each.last_checked,
        "rules": len(rules),
        "off": [rule.id for rule in rules if rule.broken],
    }
