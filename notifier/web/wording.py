"""When a subscription sends, and what becomes of it, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from notifier.model import Address, Cadence, DeliveryState, Every, Subscription
from notifier.render import Catalog, message

_DAILY = frozenset(range(7))
_WORKDAYS = frozenset(range(5))
# As ``account.leave`` writes it.
_LEFT = message("Unsubscribed by a link in a mail.")
STATES = {
    DeliveryState.PLANNED: message("about to be sent"),
    DeliveryState.CLAIMED: message("being sent"),
    DeliveryState.SENT: message("sent"),
    DeliveryState.DEFERRED: message("put off"),
    DeliveryState.FAILED: message("failed"),
    DeliveryState.HELD: message("held"),
    DeliveryState.SUPERSEDED: message("taken over by a later digest"),
    DeliveryState.CANCELLED: message("cancelled"),
}
_DAY_AND_TIME = message("EEE d MMM, HH:mm")


def cadence_words(cadence: Cadence, words: Catalog) -> str:
    """``Monday and Thursday at 08:00, not between 22:00 and 07:00``, without the zone."""
    said = [_when(cadence, words)]
    if cadence.quiet:
        start, end = f"{cadence.quiet.start:%H:%M}", f"{cadence.quiet.end:%H:%M}"
        said.append(words.say("not between %(start)s and %(end)s", start=start, end=end))
    if not cadence.weekends:
        said.append(words.say("not on weekends"))
    return ", ".join(said)


def _when(cadence: Cadence, words: Catalog) -> str:
    at, days = f"{cadence.at:%H:%M}", cadence.days
    match cadence.every:
        case Every.INSTANT:
            return words.say("As soon as a paper matches")
        case Every.HOURLY:
            minute = f"{cadence.at.minute:02}"
            if not days:
                return words.say("Every hour, at minute %(minute)s", minute=minute)
            return words.say("Every hour, at minute %(minute)s, %(days)s", minute=minute, days=_days(days, words))
        case Every.DAILY if days and days != _DAILY:
            return words.say("%(days)s at %(time)s", days=_days(days, words), time=at)
        case Every.DAILY:
            return words.say("Every day at %(time)s", time=at)
        case Every.WEEKLY:
            return words.say("Every week on %(days)s at %(time)s", days=_days(days or {0}, words), time=at)
        case Every.MONTHLY if days:
            return words.say("Every month on the first %(days)s at %(time)s", days=_days(days, words), time=at)
        case Every.MONTHLY:
            return words.say("Every month on the first day at %(time)s", time=at)


def day_names(words: Catalog) -> list[str]:
    """Monday first."""
    names = words.locale.days["format"]["wide"]
    return [str(names[day]) for day in range(7)]


def _days(days: Iterable[int], words: Catalog) -> str:
    wanted = frozenset(days)
    names = day_names(words)
    if wanted == _WORKDAYS:
        return words.say("%(first)s to %(last)s", first=names[0], last=names[4])
    return words.joined([names[day] for day in sorted(wanted)])


def moment(instant: datetime, zone: str, words: Catalog) -> str:
    """``Tue 16 Dec, 08:00 CET``."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{words.date(local, _DAY_AND_TIME)} {local.tzname()}"


def next_words(subscription: Subscription, words: Catalog) -> str:
    """What comes next, or why nothing does."""
    zone = subscription.subscriber.timezone
    if subscription.paused and subscription.paused_until:
        return words.say("Paused until %(when)s", when=moment(subscription.paused_until, zone, words))
    if subscription.paused:
        reason = subscription.stopped_reason or message("Paused until you resume it")
        return words.translations.gettext(reason)
    if subscription.cadence.every is Every.INSTANT and not subscription.cadence.quiet:
        return words.say("Next: as soon as a paper matches")
    return words.say("Next: %(when)s", when=moment(subscription.next_due_at, zone, words))


def channel_words(address: Address, words: Catalog) -> str:
    if address.kind == "email":
        return words.say("Mail to %(address)s", address=address.target)
    if address.kind == "slack":
        return words.say("Slack: %(target)s", target=address.target)
    return str(address)
