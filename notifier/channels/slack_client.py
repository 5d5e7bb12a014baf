"""Calls to Slack: the Web API with a token for each workspace, and the incoming webhook.

slack-sdk and aiohttp are the extra ``slack``; they are imported at the first call. Nothing is retried here: what a
failure means is decided in one place, and when to try again by the caller. Who asked to be left alone is, until then.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from notifier.channels.pace import Rest
from notifier.channels.slack_errors import ERRORS, UNLISTED, cause_of
from notifier.clean import plain
from notifier.errors import ChannelStopped, Paced, SendError, TryLater, Unknown, Unreachable

if TYPE_CHECKING:
    import aiohttp
    from slack_sdk.web.async_client import AsyncWebClient
    from slack_sdk.webhook.async_client import AsyncWebhookClient

_PAUSE = timedelta(seconds=60)
"""The wait after a 429 that does not say how long."""
_LONGEST_PAUSE = timedelta(days=1)
_ERROR_NAME = re.compile(r"[a-z][a-z0-9_]{2,80}")
_HOOK = "the incoming webhook"
_LOOK = "auth.test"
_REFUSED = timedelta(minutes=10)
"""Shorter than a stopped channel rests, so that each of its rests ends with one real call."""
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


@dataclass(slots=True)
class _Heard:
    """Status and headers of the answer to a call, whatever its body is."""

    status: int = 0
    headers: Mapping[str, str] = attribute(default_factory=dict)


_heard: ContextVar[_Heard | None] = ContextVar("heard", default=None)


class Unreadable(TryLater):
    """An answer that is none: from a server on the way, or behind a fault of Slack's own. It may have been posted."""


class _Refused:
    """Tokens that Slack has refused: for a while nobody calls with them again."""

    def __init__(self) -> None:
        self._until: dict[tuple[str | None, str], tuple[float, ChannelStopped]] = {}

    def note(self, call: tuple[str | None, str], error: SendError) -> None:
        if isinstance(error, ChannelStopped):
            self._until[call] = (time.monotonic() + _REFUSED.total_seconds(), error)

    def check(self, call: tuple[str | None, str]) -> None:
        """Raises the error once more, without a call. What only looks whether a token works always calls."""
        until, error = self._until.get(call, (0.0, None))
        if error and until > time.monotonic() and call[1] != _LOOK:
            raise ChannelStopped(str(error), cause=error.cause)
        self._until.pop(call, None)


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
        self._refused = _Refused()
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
        self._refused.check((web.token, method))
        from slack_sdk.errors import SlackApiError

        with self._asking(f"{team}/{method}", method, posts=posts):
            try:
                answer = await call(web)
            except SlackApiError as error:
                answer = error.response
            data = getattr(answer, "data", None)
            status: int = getattr(answer, "status_code", 0) or getattr(answer, "status", 0)
            if status != 200 or not isinstance(data, dict) or data.get("ok") is not True:
                name = data.get("error") if isinstance(data, dict) else None
                failed = _failure(method, status, name, answer.headers, about=about, data=data, posts=posts)
                self._refused.note((web.token, method), failed)
                raise failed
        return data, {key.lower(): value for key, value in answer.headers.items()}

    async def post_hook(self, message: dict[str, Any]) -> None:
        """Through the incoming webhook. Raises SendError."""
        opened = self.open()
        with self._asking(_HOOK, _HOOK, posts=True):
            answer = await opened.hook.send_dict(message)
            body = answer.body.strip()
            if not (answer.status_code == 200 and body == "ok"):
                raise _failure(_HOOK, answer.status_code, body, answer.headers, about="webhook", posts=True)

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

    @contextmanager
    def _asking(self, account: str, what: str, *, posts: bool) -> Iterator[None]:
        """Around a call. Raises, without it, while Slack wants to be left alone, and keeps how long it wants that."""
        if left := self._rest.left(account):
            raise _wanting_pause(what, "", left, posts=posts)
        try:
            with _told_apart(what, posts=posts):
                yield
        except (Unreachable, Paced) as error:
            if error.retry_after:
                self._rest.begin(account, error.retry_after)
            raise

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
        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(_note)
        session = aiohttp.ClientSession(
            trace_configs=[trace],
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

    heard = _Heard()
    token = _heard.set(heard)
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
        # The SDK raises these inside itself for a body that is no JSON object, and forgets the rest of the answer.
        if heard.status == 429:
            raise _wanting_pause(what, "", _pause(heard.headers), posts=posts) from None
        raise _unreadable(what, heard.status) from None
    finally:
        _heard.reset(token)


async def _note(_: object, __: object, end: aiohttp.TraceRequestEndParams) -> None:
    heard = _heard.get(None)
    if heard is not None:
        heard.status, heard.headers = end.response.status, end.response.headers


def _failure(
    what: str, status: int, name: object, headers: Any, *, about: str, data: object = None, posts: bool = False
) -> SendError:
    """The error for an answer that is no success: by status 429, by its name, else by being unreadable."""
    for_whom = f" for {about}" if about else ""
    if status == 429 or name in ("ratelimited", "rate_limited"):
        return _wanting_pause(what, for_whom, _pause(headers), posts=posts)
    if not (isinstance(name, str) and _ERROR_NAME.fullmatch(name)):
        return _unreadable(what, status)
    kind, advice = ERRORS.get(name, UNLISTED)
    if name == "missing_scope" and isinstance(data, dict) and data.get("needed"):
        advice = f"give the app the scope {plain(str(data['needed']), limit=100)} and install it again"
    cause = cause_of(ERRORS.get(name, UNLISTED))
    return kind(f"Slack answered {what}{for_whom} with {name}: {advice}.", cause=cause)


def _wanting_pause(what: str, for_whom: str, wait: timedelta, *, posts: bool) -> SendError:
    """The pause of a look-up keeps nobody back but who needs it."""
    kind = Unreachable if posts else Paced
    return kind(f"Slack wants a pause before {what}{for_whom}.", retry_after=wait)


def _unreadable(what: str, status: int = 0) -> Unreadable:
    shown = f" (HTTP {status})" if status else ""
    return Unreadable(f"Slack's answer to {what} cannot be read{shown}; it is tried again later.")


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
