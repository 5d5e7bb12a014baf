"""Calls to Slack: the Web API with a token for each workspace, and the incoming webhook.

slack-sdk and aiohttp are the extra ``slack``; they are imported at the first call. Nothing is retried here: what a
failure means is decided in one place, and when to try again by the caller. Who asked to be left alone is, until then.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from notifier.channels.pace import Rest
from notifier.channels.slack_errors import ERRORS, UNLISTED, cause_of
from notifier.clean import plain
from notifier.errors import ChannelStopped, SendError, TryLater, Unknown, Unreachable

if TYPE_CHECKING:
    import aiohttp
    from slack_sdk.web.async_client import AsyncWebClient
    from slack_sdk.webhook.async_client import AsyncWebhookClient

_PAUSE = timedelta(seconds=60)
"""The wait after a 429 that does not say how long."""
_LONGEST_PAUSE = timedelta(days=1)
_ERROR_NAME = re.compile(r"[a-z][a-z0-9_]{2,80}")
_HOOK = "the incoming webhook"
_RESPONSE = "an answer"

_NO_TOKEN = SecretStr("")

# The SDK writes requests to its log at DEBUG, with the secret address of a webhook; it gets a logger that is quiet.
_sdk_log = logging.getLogger("notifier.channels.slack.sdk")
_sdk_log.setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """What lives as long as one event loop."""

    loop: asyncio.AbstractEventLoop
    session: aiohttp.ClientSession
    hook: AsyncWebhookClient
    web: dict[str, AsyncWebClient] = attribute(default_factory=dict)
    """By token."""


class SlackClient:
    """``tokens`` by the name of their workspace, which may come and go; ``timeout`` bounds the connect and each
    wait for an answer.
    """

    def __init__(
        self, tokens: Mapping[str, SecretStr], webhook: SecretStr, api_url: str, *, timeout: timedelta
    ) -> None:
        self._tokens = tokens
        self._webhook = webhook
        self._api_url = api_url
        self._timeout = timeout.total_seconds()
        self._rest = Rest()
        self._opened: _Open | None = None

    async def ask(
        self,
        team: str,
        method: str,
        call: Callable[[AsyncWebClient], Awaitable[Any]],
        *,
        about: str = "",
        posts: bool = False,
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """One Web API call: its data and its headers (names in lower case). Raises SendError."""
        web = self._web(team)
        self._rested(f"{team}/{method}", method)
        from slack_sdk.errors import SlackApiError

        with _told_apart(method, posts=posts):
            try:
                answer = await call(web)
            except SlackApiError as error:
                answer = error.response
            data = getattr(answer, "data", None)
            status: int = getattr(answer, "status_code", 0) or getattr(answer, "status", 0)
        if status != 200 or not isinstance(data, dict) or data.get("ok") is not True:
            name = data.get("error") if isinstance(data, dict) else None
            raise self._resting(
                f"{team}/{method}", _failure(method, status, name, answer.headers, about=about, data=data)
            )
        return data, {key.lower(): value for key, value in answer.headers.items()}

    async def post_hook(self, message: dict[str, Any]) -> None:
        """Through the incoming webhook. Raises SendError."""
        opened = self.open()
        self._rested(_HOOK, _HOOK)
        with _told_apart(_HOOK, posts=True):
            answer = await opened.hook.send_dict(message)
        body = answer.body.strip()
        if not (answer.status_code == 200 and body == "ok"):
            raise self._resting(_HOOK, _failure(_HOOK, answer.status_code, body, answer.headers, about="webhook"))

    async def exchange(self, client_id: str, client_secret: str, *, code: str, redirect_uri: str) -> dict[str, Any]:
        """What Slack gives for the code of an install (oauth.v2.access). Raises SendError."""
        from slack_sdk.errors import SlackApiError
        from slack_sdk.web.async_client import AsyncWebClient

        method = "oauth.v2.access"
        web = AsyncWebClient(base_url=self._api_url, session=self.open().session, logger=_sdk_log, retry_handlers=[])
        with _told_apart(method, posts=False):
            try:
                answer = await web.oauth_v2_access(
                    client_id=client_id, client_secret=client_secret, code=code, redirect_uri=redirect_uri
                )
            except SlackApiError as error:
                answer = error.response
            data = getattr(answer, "data", None)
        if not isinstance(data, dict) or data.get("ok") is not True:
            name = data.get("error") if isinstance(data, dict) else None
            raise _failure(method, answer.status_code, name, answer.headers, about="")
        return data

    async def respond(self, url: str, message: dict[str, Any]) -> None:
        """To the address that came with a request of Slack's, which is good for half an hour. Raises SendError."""
        from slack_sdk.webhook.async_client import AsyncWebhookClient

        hook = AsyncWebhookClient(url, session=self.open().session, logger=_sdk_log, retry_handlers=[])
        with _told_apart(_RESPONSE, posts=False):
            answer = await hook.send_dict(message)
        if answer.status_code != 200:
            raise _failure(_RESPONSE, answer.status_code, _error_of(answer.body), answer.headers, about="")

    async def close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None and opened.loop is asyncio.get_running_loop():
            await opened.session.close()

    def _rested(self, account: str, what: str) -> None:
        """Raises Unreachable, without a call, while Slack wants to be left alone."""
        if left := self._rest.left(account):
            raise Unreachable(f"Slack wants a pause before {what}.", retry_after=left)

    def _resting(self, account: str, error: SendError) -> SendError:
        if isinstance(error, Unreachable) and error.retry_after:
            self._rest.begin(account, error.retry_after)
        return error

    def open(self) -> _Open:
        """What calls go out by; a connection ends with the event loop that made it. Raises ChannelStopped."""
        loop = asyncio.get_running_loop()
        if self._opened is None or self._opened.loop is not loop:
            self._opened = self._new_clients(loop)
        return self._opened

    def _web(self, team: str) -> AsyncWebClient:
        """Raises ChannelStopped for a workspace without a token."""
        opened = self.open()
        secret = self._tokens.get(team, _NO_TOKEN).get_secret_value()
        if not secret:
            raise ChannelStopped(f"There is no token for {team or 'Slack'}: install the app, or set slack_token.")
        if secret not in opened.web:
            from slack_sdk.web.async_client import AsyncWebClient

            opened.web[secret] = AsyncWebClient(
                token=secret, base_url=self._api_url, session=opened.session, logger=_sdk_log, retry_handlers=[]
            )
        return opened.web[secret]

    def _new_clients(self, loop: asyncio.AbstractEventLoop) -> _Open:
        try:
            import aiohttp
            from slack_sdk.webhook.async_client import AsyncWebhookClient
        except ImportError:
            raise ChannelStopped("Slack needs more packages: pip install 'notifier[slack]'.") from None
        session = aiohttp.ClientSession(
            # A kept connection that Slack closes while we write looks like a lost answer, and a lost answer may
            # become a second post; at one message a second a new connection each costs nothing.
            connector=aiohttp.TCPConnector(force_close=True),
            timeout=aiohttp.ClientTimeout(total=2 * self._timeout, sock_connect=self._timeout, sock_read=self._timeout),
        )
        return _Open(
            loop=loop,
            session=session,
            hook=AsyncWebhookClient(
                self._webhook.get_secret_value(), session=session, logger=_sdk_log, retry_handlers=[]
            ),
        )


def _error_of(body: str) -> object:
    """A response address answers with JSON or with a word."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return body.strip()
    return said.get("error") if isinstance(said, dict) else None


@contextmanager
def _told_apart(what: str, *, posts: bool) -> Iterator[None]:
    """What aiohttp and the SDK raise, as SendErrors without their texts, which may hold a secret address."""
    import aiohttp

    try:
        yield
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
        raise ChannelStopped(f"The address for {what} is none: check slack_api_url and slack_webhook.") from None
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError):
        raise Unreachable(f"Slack cannot be reached for {what}; it is tried again later.") from None
    except (aiohttp.ClientError, TimeoutError, OSError):
        if posts:
            raise Unknown(f"Slack had the message, but its answer to {what} was lost.") from None
        raise TryLater(f"Slack did not answer {what}; it is tried again later.") from None
    except (AttributeError, TypeError, ValueError, LookupError, RecursionError):
        # The SDK raises these inside itself for a body that is no JSON object.
        raise _unreadable(what) from None


def _failure(what: str, status: int, name: object, headers: Any, *, about: str, data: object = None) -> SendError:
    """The error for an answer that is no success: by status 429, by its name, else by being unreadable."""
    for_whom = f" for {about}" if about else ""
    if status == 429 or name in ("ratelimited", "rate_limited"):
        return Unreachable(f"Slack wants a pause before {what}{for_whom}.", retry_after=_pause(headers))
    if not (isinstance(name, str) and _ERROR_NAME.fullmatch(name)):
        return _unreadable(what, status)
    kind, advice = ERRORS.get(name, UNLISTED)
    if name == "missing_scope" and isinstance(data, dict) and data.get("needed"):
        advice = f"give the app the scope {plain(str(data['needed']), limit=100)} and install it again"
    cause = cause_of(ERRORS.get(name, UNLISTED))
    return kind(f"Slack answered {what}{for_whom} with {name}: {advice}.", cause=cause)


def _unreadable(what: str, status: int = 0) -> TryLater:
    shown = f" (HTTP {status})" if status else ""
    return TryLater(f"Slack's answer to {what} cannot be read{shown}; it is tried again later.")


def _pause(headers: Any) -> timedelta:
    text = str(headers.get("Retry-After", ""))
    return min(timedelta(seconds=int(text)), _LONGEST_PAUSE) if text.isdecimal() and len(text) < 9 else _PAUSE


def field(data: dict[str, Any], *path: str) -> str:
    """The text at ``path`` of an answer. Raises TryLater where there is none."""
    value: Any = data
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, str) or not value:
        raise _unreadable(f"{path[-1]} of an answer")
    return value
