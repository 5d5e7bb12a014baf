"""What people do with their account: come, subscribe, pause, leave."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from email_validator import EmailNotValidError, validate_email

from notifier.cadence import next_slot
from notifier.channels import check_address
from notifier.errors import UsageError
from notifier.followup import KEPT as FOLLOWED
from notifier.ids import new_id
from notifier.lookup import subscriber_of, subscription_of
from notifier.model import NO_FOLLOW_UPS, Address, Cadence, FollowUps, Subscriber, Subscription
from notifier.ports import Store
from notifier.settings import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A subscription as somebody asks for it; ``channel`` is ``kind`` or ``kind:target``."""

    channel: str
    cadence: Cadence
    max_entries: int
    send_empty: bool = False
    follow_ups: FollowUps = NO_FOLLOW_UPS


def add_subscriber(
    store: Store, email: str, *, name: str = "", timezone: str, language: str, now: datetime
) -> Subscriber:
    subscriber = Subscriber(
        id=new_id("p"),
        email=email_address(email),
        name=_one_line(name),
        timezone=known_zone(timezone),
        language=_known_language(language),
        created_at=now,
    )
    with store.write():
        if store.subscribers.get(subscriber.email):
            raise UsageError(f"{subscriber.email} is a subscriber already: see 'notifier subscriber list'.")
        store.subscribers.add(subscriber)
    return subscriber


def remove_subscriber(store: Store, email: str) -> Subscriber:
    """Forget a person with all that is theirs: subscriptions, rules, deliveries."""
    with store.write():
        subscriber = subscriber_of(store, email_address(email))
        store.subscribers.remove(subscriber.email)
    return subscriber


def subscribe(store: Store, email: str, wish: Wish, *, now: datetime) -> Subscription:
    subscriber = subscriber_of(store, email_address(email))
    subscription = Subscription(
        id=new_id("s"),
        subscriber=subscriber,
        address=channel_address(wish.channel, subscriber),
        cadence=wish.cadence,
        max_entries=wish.max_entries,
        send_empty=wish.send_empty,
        follow_ups=wish.follow_ups,
        created_at=now,
        next_due_at=next_slot(wish.cadence, subscriber.timezone, after=now).due_at,
    )
    with store.write():
        store.subscriptions.put(subscription)
    return subscription


def pause(store: Store, id: str, *, until: datetime | None = None, now: datetime) -> Subscription:
    if until is not None and until <= now:
        raise UsageError(f"The pause would end in the past ({until:%Y-%m-%d %H:%M}): give a later date.")
    with store.write():
        paused = replace(subscription_of(store, id), paused=True, paused_until=until)
        store.subscriptions.put(paused)
    return paused


def resume(store: Store, id: str, *, now: datetime) -> Subscription:
    """End a pause. What became news meanwhile comes with the next slot, in one digest."""
    with store.write():
        subscription = subscription_of(store, id)
        due = next_slot(subscription.cadence, subscription.subscriber.timezone, after=now).due_at
        resumed = replace(subscription, paused=False, paused_until=None, stopped_reason=None, next_due_at=due)
        store.subscriptions.put(resumed)
    return resumed


def follow(store: Store, id: str, wanted: FollowUps, *, now: datetime) -> Subscription:
    """Ask for other follow-ups, from now on: what had changed before is not told of."""
    with store.write():
        changed = replace(subscription_of(store, id), follow_ups=wanted)
        store.subscriptions.put(changed)
        store.deliveries.follow([id], since=now - FOLLOWED, now=now)
    return changed


def unsubscribe(store: Store, id: str) -> Subscription:
    with store.write():
        subscription = subscription_of(store, id)
        store.subscriptions.remove(id)
    return subscription


def email_address(text: str) -> str:
    """The address as it is kept: normalised, the domain in lower case. Raises UsageError."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise UsageError(f"'{_one_line(text)}' is no email address: {error}") from None


def channel_address(channel: str, subscriber: Subscriber) -> Address:
    """``email`` alone goes to the subscriber's own address. Raises UsageError for a kind or target that is none."""
    kind, _, target = channel.strip().partition(":")
    if kind == "email" and not target:
        target = subscriber.email
    return Address(kind=kind, target=check_address(kind, target))


def known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = [zone for zone in sorted(available_timezones()) if name and name.lower() in zone.lower()][:3]
        hint = f": did you mean {' or '.join(near)}?" if near else ", such as Europe/Berlin."
        raise UsageError(f"'{_one_line(name)}' is no IANA time zone{hint}") from None
    return name


def _known_language(name: str) -> str:
    try:
        return Language(name).value
    except ValueError:
        raise UsageError(f"Language '{_one_line(name)}' is not there: choose {' or '.join(Language)}.") from None


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text).strip()
