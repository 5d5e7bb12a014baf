"""Where a digest may go: targets are checked and put into their one form when they are saved."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from email_validator import EmailNotValidError, validate_email

from notifier.clean import link, plain
from notifier.errors import UsageError

_SLACK_ID = re.compile(r"[CGDUW][A-Z0-9]{2,20}")
_TEAM = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_SLACK_NAME = re.compile(r"#[\w-]{1,80}")


def email_address(target: str) -> str:
    """The address with its domain in punycode and lower case. Raises UsageError.

    Before the @ only ASCII is taken: anything else needs SMTPUTF8 at every server on the way, and a clear no
    now is better than a bounce each morning. Domains ending in ``.test``, reserved for trials, are allowed.
    """
    shown = plain(target, limit=100)
    try:
        valid = validate_email(target.strip(), check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        raise UsageError(f"'{shown}' is no email address: {plain(str(error), limit=200)}") from None
    if not valid.local_part.isascii():
        raise UsageError(f"'{shown}' has letters before the @ that are not ASCII: use another address.")
    return f"{valid.local_part}@{valid.ascii_domain}"


def slack_target(target: str) -> str:
    """A conversation id, ``#name``, a person's id or email address, or ``webhook``. Raises UsageError.

    Before them may stand the name of one of several workspaces and a slash: ``lab/#papers``.
    """
    team, slash, place = target.strip().partition("/")
    if slash and _TEAM.fullmatch(team) and place.strip() != "webhook":
        return f"{team}/{slack_target(place)}"
    target = target.strip()
    name = f"#{target.removeprefix('#').lower()}"
    if target == "webhook" or _SLACK_ID.fullmatch(target):
        return target
    if "@" in target.lstrip("@"):
        return email_address(target)
    if _SLACK_NAME.fullmatch(name):
        return name
    raise UsageError(
        f"'{plain(target, limit=100)}' is no Slack target: use a channel (C0123456789 or #papers), "
        "a person (U0123456789 or their email address) or webhook."
    )


def apprise_address(target: str, schemas: Collection[str] = ()) -> str:
    """An address of Apprise's that is open here; ``schemas`` are those the operator opened. Raises UsageError."""
    from notifier.channels.apprise import checked

    return checked(target, schemas)


def no_target(target: str) -> str:
    if target.strip():
        raise UsageError("The outbox is one folder: write the channel as outbox, without an address.")
    return ""


def webhook_url(target: str) -> str:
    """An address with https (http is for networks the operator allows). Raises UsageError, which does not repeat it:
    its path is often a key."""
    url = link(target)
    if url is None:
        raise UsageError(
            "The webhook's address is none: write the channel as webhook:https://example.org/papers, "
            "without a user name."
        )
    return url


CHECKS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "email": email_address,
        "slack": slack_target,
        "webhook": webhook_url,
        "apprise": apprise_address,
        "outbox": no_target,
    }
)
