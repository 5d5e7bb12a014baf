"""The channels: one file a kind, and the registry that opens them.

A new kind is a row in ``OPENERS``, in ``FORMATS`` and in ``addresses.CHECKS``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from notifier.channels.addresses import CHECKS, apprise_address
from notifier.channels.outbox import Outbox
from notifier.errors import UsageError
from notifier.ports import Channel
from notifier.settings import Settings

if TYPE_CHECKING:
    from notifier.channels.smtp import Server
    from notifier.channels.webhook import SecretsOf

__all__ = ["FORMATS", "OPENERS", "check_address", "format_of", "open_channels"]


def _open_outbox(settings: Settings, _: SecretsOf) -> Channel:
    return Outbox(settings.outbox)


def _open_email(settings: Settings, secrets: SecretsOf) -> Channel:
    if not settings.smtp_host:
        return _open_outbox(settings, secrets)
    from notifier.channels.email import EmailChannel
    from notifier.channels.smtp import Rates

    rates = Rates(
        all=settings.smtp_rate, domain=settings.smtp_domain_rate, domain_at_once=settings.smtp_domain_connections
    )
    return EmailChannel(_servers(settings), settings.mail_from, connections=settings.smtp_connections, rates=rates)


def _servers(settings: Settings) -> list[Server]:
    from notifier.channels.smtp import Server
    from notifier.channels.smtp.login import Login, WithToken, with_password

    username = settings.smtp_username
    login: Login | None = None
    if username and settings.smtp_token_command:
        login = WithToken(username, settings.smtp_token_command)
    elif username:
        login = with_password(username, settings.smtp_password)
    return [
        Server(
            host=host,
            port=port or settings.smtp_port,
            security=settings.smtp_security,
            timeout=settings.smtp_timeout,
            username=username,
            login=login,
        )
        for host, port in settings.mail_servers
    ]


def _open_slack(settings: Settings, secrets: SecretsOf) -> Channel:
    if not settings.has_slack:
        return _open_outbox(settings, secrets)
    from notifier.channels.slack import SlackChannel

    return SlackChannel(
        settings.slack_token,
        settings.slack_webhook,
        settings.slack_api_url,
        more_tokens=settings.slack_tokens,
    )


def _open_webhook(settings: Settings, secrets: SecretsOf) -> Channel:
    from notifier.channels.webhook import WebhookChannel

    return WebhookChannel(secrets, allow_networks=settings.allow_networks)


def _open_apprise(settings: Settings, _: SecretsOf) -> Channel:
    from notifier.channels.apprise import AppriseChannel

    return AppriseChannel(schemas=settings.apprise_schemas, allow_networks=settings.allow_networks)


async def _no_secrets(_: str) -> Sequence[str]:
    return ()


OPENERS: Mapping[str, Callable[[Settings, SecretsOf], Channel]] = MappingProxyType(
    {
        "email": _open_email,
        "slack": _open_slack,
        "webhook": _open_webhook,
        "apprise": _open_apprise,
        "outbox": _open_outbox,
    }
)
FORMATS: Mapping[str, str] = MappingProxyType(
    {"email": "email", "slack": "slack", "webhook": "json", "apprise": "text", "outbox": "email"}
)
"""What each kind's messages are rendered as."""


def open_channels(settings: Settings, secrets: SecretsOf = _no_secrets) -> Mapping[str, Channel]:
    """One channel a kind; nothing is connected before it is used. What is not set up goes to the outbox.

    ``secrets`` tells what signs a delivery; only to look around none is needed.
    """
    return {kind: opener(settings, secrets) for kind, opener in OPENERS.items()}


def format_of(kind: str) -> str:
    """A name the renderer knows. Raises UsageError for an unknown kind."""
    return FORMATS[_known(kind)]


def check_address(kind: str, target: str, *, schemas: Collection[str] = ()) -> str:
    """``target`` in the form it is stored in. Raises UsageError with what is wrong with it.

    ``schemas`` are those of Apprise's that the operator opened.
    """
    if kind == "apprise":
        return apprise_address(target, schemas)
    return CHECKS[_known(kind)](target)


def _known(kind: str) -> str:
    if kind not in OPENERS:
        raise UsageError(f"There is no channel '{kind}': use {', '.join(OPENERS)}.")
    return kind
