"""Slack: a bot token posts to channels and people, an incoming webhook to the one channel it was made for.

What goes where, part by part, once each, no faster than Slack takes it; the calls themselves are ``slack_client``'s.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr

from notifier.channels.pace import Pace
from notifier.channels.slack_client import SlackClient, Unreadable, field
from notifier.clean import plain
from notifier.errors import Cause, ChannelStopped, Paced, Refused, SendError, TryLater, Unknown
from notifier.model import Message, Receipt

WEBHOOK = "webhook"
"""The target that stands for the channel of the incoming webhook."""

_TIMEOUT = timedelta(seconds=30)
_ONE_EACH = timedelta(seconds=1)
BURST = 4
"""A conversation takes a message a second, and short bursts (docs.slack.dev, rate limits)."""
_SKEW = timedelta(minutes=5)
_PAGES = 5
"""Of 200 messages: what is further back in a busy conversation is not looked for."""
_PERSON = re.compile(r"[UW][A-Z0-9]+")


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
        self._own = {"": token, **more_tokens}
        self._tokens = dict(self._own)
        self._webhook = webhook
        self._pace = Pace(each, burst=BURST)
        self._queue = Pace(each, burst=1)
        self._client = SlackClient(self._tokens, webhook, api_url, timeout=timeout)
        self._conversations: dict[tuple[str, str], str] = {}

    @property
    def at_once(self) -> int:
        return 1

    def account(self, target: str) -> str:
        return WEBHOOK if target == WEBHOOK else _workspace(target)[0]

    def know(self, tokens: Mapping[str, SecretStr]) -> None:
        """Workspaces that were installed from the web, besides those of the settings, which are stronger."""
        now = {**tokens, **self._own}
        for team in self._tokens.keys() - now.keys():
            del self._tokens[team]
        self._tokens.update(now)

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
            self._client.open()
            found.append("An incoming webhook is set; whether it works shows only when something is posted.")
        if not found:
            raise ChannelStopped("Slack is not set up: set slack_token, slack_tokens or slack_webhook.")
        return " ".join(found)

    async def close(self) -> None:
        await self._client.close()

    async def _who_am_i(self, team: str) -> str:
        data, headers = await self._client.ask(team, "auth.test", lambda web: web.auth_test())
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
                return await self._post_where_it_belongs(team, place, channel, part, accepted)
            except (Unknown, Unreadable):
                with suppress(Paced):
                    if found := await self._found(team, channel, part, accepted, since=message.created_at):
                        return found
                raise

        return post

    async def _found(
        self, team: str, channel: str, part: dict[str, Any], accepted: tuple[str, ...], *, since: datetime
    ) -> str | None:
        """The ``ts`` of ``part`` if it is there already, known by its metadata; None also where we may not look.

        Raises Paced where we may look later.
        """
        if (wanted := part.get("metadata")) is None:
            return None
        thread = part.get("thread_ts") or next(iter(accepted), None)
        method = "conversations.replies" if thread else "conversations.history"
        place = {"ts": thread} if thread else {"oldest": f"{(since - _SKEW).timestamp():.6f}"}
        try:
            async for each in self._messages(team, method, {"channel": channel, **place}):
                if each.get("metadata") == wanted and isinstance(ts := each.get("ts"), str):
                    return ts
        except Paced:
            raise
        except SendError:
            pass
        return None

    async def _messages(self, team: str, method: str, place: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
        """What stands in a conversation, as far back as is looked. Raises SendError."""
        arguments = {"include_all_metadata": "true", "limit": "200", **place}
        for _ in range(_PAGES):
            data, _ = await self._client.ask(team, method, partial(_called, method=method, params=dict(arguments)))
            messages, more = data.get("messages"), data.get("response_metadata")
            for each in messages if isinstance(messages, list) else ():
                if isinstance(each, dict):
                    yield each
            cursor = more.get("next_cursor") if isinstance(more, dict) else None
            if not (isinstance(cursor, str) and cursor):
                return
            arguments["cursor"] = cursor

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
            data, _ = await self._client.ask(
                team, "conversations.open", lambda web: web.conversations_open(users=person), about=target
            )
            self._conversations[team, target] = field(data, "channel", "id")
        return self._conversations[team, target]

    async def _person(self, team: str, email: str) -> str:
        data, _ = await self._client.ask(
            team, "users.lookupByEmail", lambda web: web.users_lookupByEmail(email=email), about=email
        )
        return field(data, "user", "id")

    async def _post_where_it_belongs(
        self, team: str, target: str, channel: str, part: dict[str, Any], accepted: tuple[str, ...]
    ) -> str:
        """In the thread that the part names, or, where that is gone, in the conversation."""
        try:
            return await self._post(team, target, channel, part, accepted)
        except Refused as error:
            # The others are about the message or the place.
            if "thread_ts" not in part or error.cause is not Cause.REFUSED:
                raise
        flat = {name: value for name, value in part.items() if name != "thread_ts"}
        return await self._post(team, target, channel, flat, accepted)

    async def _post(self, team: str, target: str, channel: str, part: dict[str, Any], accepted: tuple[str, ...]) -> str:
        self._take_turn(f"{team}/{channel}", target)
        thread = {"thread_ts": accepted[0]} if accepted else {}
        arguments = {**thread, **part, "channel": channel}
        try:
            data, _ = await self._client.ask(
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
            # Each that is put off comes back a little later than the one before it.
            behind = self._queue.reserve(key)
            raise Paced(f"{target} gets one message a second; the rest follows.", retry_after=max(wait, behind))

    async def _post_hook(self, part: dict[str, Any], accepted: tuple[str, ...]) -> str:
        self._take_turn(WEBHOOK, WEBHOOK)
        await self._client.post_hook(part)
        return f"{WEBHOOK}:{len(accepted)}"


async def _called(web: Any, *, method: str, params: Mapping[str, str]) -> Any:
    return await web.api_call(method, params=params)


def _workspace(target: str) -> tuple[str, str]:
    """The name of the token, empty for the usual one, and what is meant there."""
    team, slash, place = target.partition("/")
    return (team, place) if slash else ("", target)


def _arguments(part: bytes) -> dict[str, Any]:
    try:
        arguments = json.loads(part)
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise Refused("The Slack message is no JSON object; please report it.", cause=Cause.MESSAGE)
    return arguments
