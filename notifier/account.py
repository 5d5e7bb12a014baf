"""What people do with their account: come, subscribe, pause, leave."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from email_validator import EmailNotValidError, validate_email

from notifier.cadence import next_slot
from notifier.channels import check_address
from notifier.errors import UsageError
from notifier.followup import KEPT as FOLLOWED
from notifier.ids import new_id, new_secret
from notifier.lookup import subscriber_of, subscription_of
from notifier.model import NO_FOLLOW_UPS, TEAM_DOMAIN, Address, Cadence, FollowUps, Subscriber, Subscription
from notifier.ports import Store
from notifier.settings import Language

SIGNED = "webhook"
"""The kind of channel whose messages are signed with a secret of the subscription's own."""
_OLD_SECRET = timedelta(days=1)


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


def change_subscriber(
    store: Store, email: str, *, name: str | None, timezone: str | None, language: str | None, now: datetime
) -> Subscriber:
    """Change what is given; what is due next follows a new zone."""
    with store.write():
        before = subscriber_of(store, email_address(email))
        after = replace(
            before,
            name=before.name if name is None else _one_line(name),
            timezone=before.timezone if timezone is None else known_zone(timezone),
            language=before.language if language is None else _known_language(language),
        )
        store.subscribers.put(after)
        if after.timezone != before.timezone:
            for each in store.subscriptions.all(after.email):
                store.subscriptions.put(_rescheduled(replace(each, subscriber=after), now))
    return after


def remove_subscriber(store: Store, email: str) -> Subscriber:
    """Forget a person with all that is theirs: subscriptions, rules, deliveries."""
    with store.write():
        subscriber = subscriber_of(store, email_address(email))
        store.subscribers.remove(subscriber.email)
    return subscriber


def subscribe(store: Store, email: str, wish: Wish, *, schemas: Collection[str] = (), now: datetime) -> Subscription:
    """``schemas`` are those of Apprise's that the operator opened."""
    subscriber = subscriber_of(store, email_address(email))
    subscription = subscription_for(subscriber, wish, schemas=schemas, now=now)
    with store.write():
        store.subscriptions.put(subscription)
        if subscription.address.kind == SIGNED:
            _new_secret(store, subscription.id, now)
    return subscription


def subscription_for(
    subscriber: Subscriber, wish: Wish, *, schemas: Collection[str] = (), now: datetime
) -> Subscription:
    """What is wished for, not yet kept."""
    return Subscription(
        id=new_id("s"),
        subscriber=subscriber,
        address=channel_address(wish.channel, subscriber, schemas=schemas),
        cadence=wish.cadence,
        max_entries=wish.max_entries,
        send_empty=wish.send_empty,
        follow_ups=wish.follow_ups,
        created_at=now,
        next_due_at=next_slot(wish.cadence, subscriber.timezone, after=now).due_at,
    )


def renew_secret(store: Store, id: str, *, now: datetime) -> str:
    """A new secret for a webhook; the one before signs along for a day, so that nothing has to happen at once."""
    with store.write():
        subscription = subscription_of(store, id)
        if subscription.address.kind != SIGNED:
            raise UsageError(f"{id} goes to {subscription.address}: only what goes to a webhook is signed.")
        return _new_secret(store, id, now)


def _new_secret(store: Store, id: str, now: datetime) -> str:
    secret = new_secret()
    store.signing.put(id, secret, now=now, old_until=now + _OLD_SECRET)
    return secret


def change(
    store: Store,
    id: str,
    *,
    cadence: Callable[[Cadence], Cadence] = lambda cadence: cadence,
    channel: str | None = None,
    schemas: Collection[str] = (),
    max_entries: int | None = None,
    send_empty: bool | None = None,
    now: datetime,
) -> Subscription:
    """Change what is given; a new cadence counts from ``now`` on and gives no second digest for one day."""
    with store.write():
        before = subscription_of(store, id)
        after = replace(
            before,
            address=_moved(before, channel, schemas),
            cadence=cadence(before.cadence),
            max_entries=max_entries or before.max_entries,
            send_empty=before.send_empty if send_empty is None else send_empty,
        )
        if after.cadence != before.cadence:
            after = _rescheduled(after, now)
        store.subscriptions.put(after)
        if after.address != before.address:
            store.deliveries.recompose(id)
        if after.address.kind == SIGNED != before.address.kind:
            _new_secret(store, id, now)
    return after


def _moved(subscription: Subscription, channel: str | None, schemas: Collection[str]) -> Address:
    if channel is None:
        return subscription.address
    return channel_address(channel, subscription.subscriber, schemas=schemas)


def _rescheduled(subscription: Subscription, now: datetime) -> Subscription:
    cadence, zone = subscription.cadence, subscription.subscriber.timezone
    slot = next_slot(cadence, zone, after=now)
    if subscription.last_slot and slot.key == subscription.last_slot[:10]:
        # That day has had its digest.
        slot = next_slot(cadence, zone, after=slot.due_at)
    return replace(subscription, next_due_at=slot.due_at)


def pause(store: Store, id: str, *, until: datetime | None = None, now: datetime) -> Subscription:
    if until is not None and until <= now:
        raise UsageError(f"The pause would end in the past ({until:%Y-%m-%d %H:%M}): give a later date.")
    with store.write():
        paused = replace(subscription_of(store, id), paused=True, paused_until=until)
        if until is not None:
            # At its usual time, and not at the instant the pause ends.
            paused = _rescheduled(paused, until)
        store.subscriptions.put(paused)
    return paused


def resume(store: Store, id: str, *, now: datetime) -> Subscription:
    """End a pause. What became news meanwhile comes with the next slot, in one digest."""
    with store.write():
        subscription = _rescheduled(subscription_of(store, id), now)
        resumed = replace(subscription, paused=False, paused_until=None, stopped_reason=None)
        store.subscriptions.put(resumed)
    return resumed


def follow(store: Store, id: str, wanted: FollowUps, *, now: datetime) -> Subscription:
    """Ask for other follow-ups, from now on: what had changed before is not told of."""
    with store.write():
        changed = replace(subscription_of(store, id), follow_ups=wanted)
        store.subscriptions.put(changed)
        store.deliveries.follow([id], since=now - FOLLOWED, now=now)
    return changed


def leave(store: Store, id: str, *, via: str) -> Subscription | None:
    """Send nothing more, until somebody resumes it: rules and past digests stay. None for one that is gone.

    ``via`` says how, for the owner: ``a link in a mail``.
    """
    with store.write():
        found = store.subscriptions.get([id]).get(id)
        if found is None:
            return None
        left = replace(found, paused=True, paused_until=None, stopped_reason=f"Unsubscribed by {via}.")
        store.subscriptions.put(left)
    return left


def leave_all(store: Store, email: str, *, via: str) -> list[Subscription]:
    """All that goes to this person's own address."""
    with store.write():
        mine = [each for each in store.subscriptions.all(email) if is_to_owner(each)]
        return [left for left in (leave(store, each.id, via=via) for each in mine) if left]


def is_to_owner(subscription: Subscription) -> bool:
    """Whether its digests go to the mailbox of the person it was made by."""
    address = subscription.address
    return address.kind == "email" and address.target.lower() in ("", subscription.subscriber.email.lower())


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


def team_address(channel: str, team: str) -> str:
    """The name of a Slack channel among the subscribers, written as an address that no mail can reach."""
    return f"{channel}@{team}.{TEAM_DOMAIN}".lower()


def channel_address(channel: str, subscriber: Subscriber, *, schemas: Collection[str] = ()) -> Address:
    """``email`` alone goes to the subscriber's own address. Raises UsageError for a kind or target that is none."""
    kind, _, target = channel.strip().partition(":")
    if kind == "email" and not target:
        target = subscriber.email
    return Address(kind=kind, target=check_address(kind, target, schemas=schemas))


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
