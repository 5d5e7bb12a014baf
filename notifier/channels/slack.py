"""Slack: a bot token posts to channels and people, an incoming webhook to the one channel it was made for.

slack-sdk and aiohttp are the extra ``slack``; they are imported at the first call. Nothing is retried here:
what a failure means is decided in one place, and when to try again by the caller.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from notifier.channels.pace import Pace, Rest
from notifier.channels.slack_errors import ERRORS, UNLISTED, cause_of
from notifier.clean import plain
from notifier.errors import Cause, ChannelStopped, Paced, Refused, SendError, TryLater, Unknown, Unreachable
from notifier.model import Message, Receipt

if TYPE_CHECKING:
    import aiohttp
    from slack_sdk.web.async_client import AsyncWebClient
    from slack_sdk.webhook.async_client import AsyncWebhookClient

WEBHOOK = "webhook"
"""The target that stands for the channel of the incoming webhook."""

_TIMEOUT = timedelta(seconds=30)
_PAUSE = timedelta(seconds=60)
"""The wait after a 429 that does not say how long."""
_LONGEST_PAUSE = timedelta(days=1)
_ONE_EACH = timedelta(seconds=1)
_BURST = 4
"""A conversation takes a message a second, and short bursts (docs.slack.dev, rate limits)."""
_SKEW = timedelta(minutes=5)
_PERSON = re.compile(r"[UW][A-Z0-9]+")
_ERROR_NAME = re.compile(r"[a-z][a-z0-9_]{2,80}")

# The SDK writes requests to its log at DEBUG, with the secret address of a webhook; it gets a logger that is quiet.
_sdk_log = logging.getLogger("notifier.channels.slack.sdk")
_sdk_log.setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """What lives as long as one event loop."""

    loop: asyncio.AbstractEventLoop
    session: aiohttp.ClientSession
    web: Mapping[str, AsyncWebClient]
    hook: AsyncWebhookClient


class SlackChannel:
    """Sends ``slack`` messages; the channel of kind ``slack``.

    A target is a channel (``C0123456789``, ``#name``), a person (``U0123456789``, or the email address of
    their account) or ``webhook``; ``lab/#name`` is in the workspace of the token named ``lab``. The parts after the
    first are replies in the first one's thread; a webhook tells no thread, so there they follow each other.
    References are Slack's ``ts``, for a webhook ``webhook:k``. A conversation takes a message ``each`` so long.
    """

    def __init__(
        self,
        token: SecretStr,
        webhook: SecretStr,
        api_url: str,
        *,
        more_tokens: Mapping[str, SecretStr] = MappingProxyType({}),
        timeout: timedelta = _TIMEOUT,
        each: timedelta = _ONE_EACH,
    ) -> None:
        self._tokens = {"": token, **more_tokens}
        self._webhook = webhook
        self._pace = Pace(each, burst=_BURST)
        self._rest = Rest()
        self._api_url = api_url
        self._timeout = timeout.total_seconds()
        self._opened: _Open | None = None
        self._conversations: dict[tuple[str, str], str] = {}

    @property
    def at_once(self) -> int:
        return 1

    def account(self, target: str) -> str:
        return WEBHOOK if target == WEBHOOK else _workspace(target)[0]

    async def send(self, message: Message) -> Receipt:
        parts = [_arguments(part) for part in message.parts]
        accepted = list(message.accepted)
        try:
            if len(accepted) < len(parts):
                post = await self._poster(message)
                for part in parts[len(accepted) :]:
                    accepted.append(await post(part, tuple(accepted)))
        except SendError as error:
            error.accepted = tuple(accepted)
            raise
        return Receipt(accepted=tuple(accepted), detail=f"Posted to {message.target}.")

    async def check(self) -> str:
        found = [await self._who_am_i(team) for team, token in self._tokens.items() if token.get_secret_value()]
        if self._webhook.get_secret_value():
            self._open()
            found.append("An incoming webhook is set; whether it works shows only when something is posted.")
        if not found:
            raise ChannelStopped("Slack is not set up: set slack_token, slack_tokens or slack_webhook.")
        return " ".join(found)

    async def close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None and opened.loop is asyncio.get_running_loop():
            await opened.session.close()

    async def _who_am_i(self, team: str) -> str:
        data, headers = await self._ask(team, "auth.test", lambda web: web.auth_test())
        scopes = headers.get("x-oauth-scopes", "")
        if scopes and "chat:write" not in scopes.replace(" ", "").split(","):
            raise ChannelStopped("The Slack app may not post: give it the scope chat:write and install it again.")
        return f"Slack workspace {plain(str(data.get('team')))} answers; we post as {plain(str(data.get('user')))}."

    async def _poster(self, message: Message) -> Callable[[dict[str, Any], tuple[str, ...]], Awaitable[str]]:
        target = message.target
        if target == WEBHOOK:
            self._require(self._webhook, target, "slack_webhook")
            return self._post_hook
        team, place = _workspace(target)
        self._require(self._tokens.get(team, SecretStr("")), target, f"slack_tokens.{team}" if team else "slack_token")
        channel = await self._conversation(team, place)
        doubtful = message.doubtful

        async def post(part: dict[str, Any], accepted: tuple[str, ...]) -> str:
            nonlocal doubtful
            look, doubtful = doubtful, False
            if look and (found := await self._found(team, channel, part, accepted, since=message.created_at)):
                return found
            try:
                return await self._post(team, place, channel, part, accepted)
            except Unknown:
                if found := await self._found(team, channel, part, accepted, since=message.created_at):
                    return found
                raise

        return post

    async def _found(
        self, team: str, channel: str, part: dict[str, Any], accepted: tuple[str, ...], *, since: datetime
    ) -> str | None:
        """The ``ts`` of ``part`` if it is there already, known by its metadata; None also where we may not look."""
        wanted = part.get("metadata")
        method = "conversations.replies" if accepted else "conversations.history"
        place = {"ts": accepted[0]} if accepted else {"oldest": f"{(since - _SKEW).timestamp():.6f}"}
        arguments = {"channel": channel, "include_all_metadata": "true", "limit": "200", **place}
        try:
            data, _ = await self._ask(team, method, lambda web: web.api_call(method, params=arguments))
        except SendError:
            return None
        messages = data.get("messages")
        for each in messages if wanted and isinstance(messages, list) else ():
            if isinstance(each, dict) and each.get("metadata") == wanted and isinstance(ts := each.get("ts"), str):
                return ts
        return None

    def _require(self, secret: SecretStr, target: str, setting: str) -> None:
        # Not ChannelStopped: the other way into Slack may be set and working.
        if not secret.get_secret_value():
            raise TryLater(f"{target} cannot be reached without {setting}: set it, or choose another channel.")

    async def _conversation(self, team: str, target: str) -> str:
        """The conversation to post to; for a person it is opened, which Slack does once and then repeats."""
        if not ("@" in target or _PERSON.fullmatch(target)):
            return target
        if (team, target) not in self._conversations:
            person = await self._person(team, target) if "@" in target else target
            data, _ = await self._ask(
                team, "conversations.open", lambda web: web.conversations_open(users=person), about=target
            )
            self._conversations[team, target] = _field(data, "channel", "id")
        return self._conversations[team, target]

    async def _person(self, team: str, email: str) -> str:
        data, _ = await self._ask(
            team, "users.lookupByEmail", lambda web: web.users_lookupByEmail(email=email), about=email
        )
        return _field(data, "user", "id")

    async def _post(self, team: str, target: str, channel: str, part: dict[str, Any], accepted: tuple[str, ...]) -> str:
        self._take_turn(f"{team}/{channel}", target)
        thread = {"thread_ts": accepted[0]} if accepted else {}
        arguments = {**thread, **part, "channel": channel}
        try:
            data, _ = await self._ask(
                team,
                "chat.postMessage",
                lambda web: web.api_call("chat.postMessage", json=arguments),
                about=target,
                posts=True,
            )
        except Refused:
            self._conversations.pop((team, target), None)
            raise
        if not isinstance(ts := data.get("ts"), str):
            raise Unknown("Slack took the message without saying as which.")
        return ts

    def _take_turn(self, key: str, target: str) -> None:
        if wait := self._pace.take(key):
            raise Paced(f"{target} gets one message a second; the rest follows.", retry_after=wait)

    async def _post_hook(self, part: dict[str, Any], accepted: tuple[str, ...]) -> str:
        opened = self._open()
        self._rested(WEBHOOK, "the incoming webhook")
        self._take_turn(WEBHOOK, WEBHOOK)
        with _told_apart("the incoming webhook", posts=True):
            answer = await opened.hook.send_dict(part)
        body = answer.body.strip()
        if not (answer.status_code == 200 and body == "ok"):
            raise self._resting(
                WEBHOOK, _failure("the incoming webhook", answer.status_code, body, answer.headers, about=WEBHOOK)
            )
        return f"{WEBHOOK}:{len(accepted)}"

    def _rested(self, account: str, what: str) -> None:
        """Raises Unreachable, without a call, while Slack wants to be left alone."""
        if left := self._rest.left(account):
            raise Unreachable(f"Slack wants a pause before {what}.", retry_after=left)

    def _resting(self, account: str, error: SendError) -> SendError:
        if isinstance(error, Unreachable) and error.retry_after:
            self._rest.begin(account, error.retry_after)
        return error

    async def _ask(
        self,
        team: str,
        method: str,
        call: Callable[[AsyncWebClient], Awaitable[Any]],
        *,
        about: str = "",
        posts: bool = False,
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """One Web API call: its data and its headers (names in lower case). Raises SendError."""
        opened = self._open()
        self._rested(f"{team}/{method}", method)
        from slack_sdk.errors import SlackApiError

        with _told_apart(method, posts=posts):
            try:
                answer = await call(opened.web[team])
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

    def _open(self) -> _Open:
        loop = asyncio.get_running_loop()
        if self._opened is None or self._opened.loop is not loop:
            self._opened = self._new_clients(loop)
        return self._opened

    def _new_clients(self, loop: asyncio.AbstractEventLoop) -> _Open:
        try:
            import aiohttp
            from slack_sdk.web.async_client import AsyncWebClient
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
            web={
                team: AsyncWebClient(
                    token=token.get_secret_value(),
                    base_url=self._api_url,
                    session=session,
                    logger=_sdk_log,
                    retry_handlers=[],
                )
                for team, token in self._tokens.items()
            },
            hook=AsyncWebhookClient(
                self._webhook.get_secret_value(), session=session, logger=_sdk_log, retry_handlers=[]
            ),
        )


def _workspace(target: str) -> tuple[str, str]:
    """The name of the token, empty for the usual one, and what is meant there."""
    team, slash, place = target.partition("/")
    return (team, place) if slash else ("", target)


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


def _arguments(part: bytes) -> dict[str, Any]:
    try:
        arguments = json.loads(part)
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise Refused("The Slack message is no JSON object; please report it.", cause=Cause.MESSAGE)
    return arguments


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


def _field(data: dict[str, Any], *path: str) -> str:
    value: Any = data
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, str) or not value:
        raise _unreadable(f"{path[-1]} of an answer")
    return value
