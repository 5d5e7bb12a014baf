"""What an operator does about a delivery that failed, is held or waits, by what its failure was about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from notifier.errors import Cause
from notifier.model import Delivery, DeliveryState, Sending

_RETRY = "then: notifier deliveries retry ID…"
_BY_ITSELF = "it is tried again by itself"

# For each cause its name, what to do while it is tried again, and what to do when it is not.
_ADVICE: Mapping[Cause, tuple[str, str, str]] = MappingProxyType(
    {
        Cause.AWAY: (
            "The server is away",
            f"Nothing, {_BY_ITSELF}; where it lasts, 'notifier doctor' says whether the server can be reached.",
            f"When the server is back, {_RETRY}",
        ),
        Cause.PUT_OFF: (
            "Put off by the receiver",
            f"Nothing, {_BY_ITSELF}, or goes into the next digest; after give_up_after it has failed.",
            f"Ask the receiver's postmaster what the answer means, {_RETRY}",
        ),
        Cause.LOGIN: (
            "The login or the token does not work",
            "Set smtp_username and smtp_password, or slack_token, right: 'notifier doctor' tries them. Then it goes "
            "out by itself.",
            f"Set the login or the token right, {_RETRY}",
        ),
        Cause.ADDRESS: (
            "The address does not exist",
            "Check the address.",
            "Ask the person for the right one, make the subscription anew with it, and remove the old one: "
            "notifier subscription remove ID. Where it is right after all: notifier bounces release ADDRESS "
            "--confirmed, then notifier deliveries retry ID",
        ),
        Cause.MAILBOX: (
            "The mailbox takes no mail",
            f"Nothing, {_BY_ITSELF}.",
            f"Tell the person by another way; when the mailbox takes mail, {_RETRY}",
        ),
        Cause.SIZE: (
            "Too big for the receiver",
            "Give the subscription fewer entries: notifier subscription add … --max N",
            "Make the subscription anew with fewer entries (--max N), and end these: notifier deliveries cancel ID…",
        ),
        Cause.SENDER: (
            "The receiving side objects to this sender",
            "Check mail_from, and that SPF and DKIM of its domain allow your server.",
            "This is about your server, not about the person: check mail_from, and that SPF and DKIM of its domain "
            f"allow your server, {_RETRY}",
        ),
        Cause.CHANNEL: (
            "The channel is gone or closed to us",
            "Invite the app to the channel.",
            f"Invite the app to the channel, open it again, or subscribe another one, {_RETRY}",
        ),
        Cause.MESSAGE: (
            "The message itself is at fault",
            "Please report it.",
            "Please report it with what 'notifier deliveries show ID' says; trying again changes nothing.",
        ),
        Cause.UNKNOWN: (
            "Nobody can know whether it arrived",
            "Nothing, it goes out again by itself with the same Message-ID (after_unknown = resend).",
            "Look into the mailbox or the channel. Is it not there: notifier deliveries retry ID… "
            "Is it there: notifier deliveries cancel ID…",
        ),
        Cause.TEMPLATE: (
            "A template of yours fails",
            "Mend it, 'notifier doctor' names file and line; then it goes out by itself.",
            f"Mend the template, {_RETRY}",
        ),
        Cause.REFUSED: (
            "Refused",
            f"Nothing, {_BY_ITSELF}.",
            f"Change what the answer names, {_RETRY}",
        ),
    }
)
_WAITING = ("Waiting", f"Nothing, {_BY_ITSELF}.", f"Read the reason, {_RETRY}")
_NO_MORE = frozenset({DeliveryState.FAILED, DeliveryState.HELD})


def advice(delivery: Sending) -> tuple[str, str] | None:
    """Its trouble's name and what to do; None where there is nothing to be done."""
    if delivery.state not in (*_NO_MORE, DeliveryState.DEFERRED):
        return None
    name, waiting, ended = _ADVICE[delivery.cause] if delivery.cause else _WAITING
    return name, ended if delivery.state in _NO_MORE else waiting


def by_trouble(deliveries: Iterable[Delivery]) -> dict[tuple[str, str], list[Delivery]]:
    """Deliveries by name of trouble and what to do; what waits for a person comes first."""
    found: dict[tuple[str, str], list[Delivery]] = {}
    for each in sorted(deliveries, key=lambda each: each.state not in _NO_MORE):
        if told := advice(each):
            found.setdefault(told, []).append(each)
    return found
