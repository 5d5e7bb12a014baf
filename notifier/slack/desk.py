"""Where the work is done: who asks is found out, a verb is run in one transaction with the note of what is to be
said, and then it is said.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from notifier import account
from notifier.app import App
from notifier.channels.slack_client import SlackClient
from notifier.clean import plain
from notifier.errors import ChannelStopped, NotifierError, Refused, SendError, StoreError, TryLater, UsageError
from notifier.model import Subscriber, Work, Workspace
from notifier.ports import InStore, Store
from notifier.render.catalog import Catalog, load
from notifier.slack import calls, friday
from notifier.slack.asking import Ask, Origin, Profile, origin
from notifier.slack.calls import Call, tell
from notifier.slack.work import Result, Tools
from notifier.slack.workspaces import Workspaces

log = structlog.get_logger()

Piece = Callable[[Store, Ask, Tools], Result]
"""What is asked for, as a piece of work on the store."""

_PROFILE_KEPT = timedelta(minutes=10)
_PROFILES = 10_000
_MEMBER_KEPT = timedelta(minutes=1)
_PAGES = 50
_NOT_TYPED_THERE = frozenset({"block_actions", "view_submission", "message_action"})
"""A slash command is typed by who is in the channel; these can come from elsewhere."""


@dataclass(slots=True, kw_only=True)
class Turn:
    """One piece of work on its way through the routes; a route leaves its calls here."""

    work: Work
    body: dict[str, Any]
    workspace: Workspace | None = None
    calls: list[Call] | None = None
    failed: Exception | None = None


class Desk:
    def __init__(self, app: App, client: SlackClient, workspaces: Workspaces, in_store: InStore) -> None:
        self._app = app
        self._client = client
        self._workspaces = workspaces
        self._in_store = in_store
        self._seen_in: dict[tuple[str, str, str], datetime] = {}
        self._profiles: dict[tuple[str, str], tuple[datetime, Profile]] = {}
        self._catalog = lru_cache(16)(self._load_catalog)
        settings = app.settings
        self._tools = Tools(
            topics=app.topics,
            renderer=app.renderer(),
            look_back=settings.look_back,
            max_entries=settings.max_entries,
            base_url=settings.base_url,
        )

    async def perform(self, work: Work, routes: AsyncApp) -> str:
        """Route what came in to who does it, then say what it came to. Raises SendError where that fails."""
        turn = Turn(work=work, body=json.loads(work.payload))
        turn.workspace = await self._workspaces.of(origin(turn.body).team, self._client)
        if turn.workspace is None:
            return "the app is not in that workspace"
        if work.calls is None:
            await self._route(turn, routes)
        else:
            turn.calls = calls.load(work.calls)
        if not turn.calls:
            return "nothing to say"
        await self._say(turn.workspace, turn.calls)
        return ", ".join(call.method for call in turn.calls)

    async def _route(self, turn: Turn, routes: AsyncApp) -> None:
        """What is our own is known here; the library routes what is Slack's."""
        if turn.body.get("type") == friday.KIND:
            await self.answer(turn, lambda store, ask, tools: friday.summary(store, ask, tools, turn.body))
            return
        answer = await routes.async_dispatch(
            AsyncBoltRequest(body=turn.body, mode="socket_mode", context={"turn": turn, "desk": self})
        )
        if turn.failed is not None:
            raise turn.failed
        if answer.status >= 500:
            raise RuntimeError("slack-bolt failed to route what came in")

    async def answer(self, turn: Turn, piece: Piece) -> None:
        """Do ``piece`` in one transaction with the note of its calls."""
        if turn.workspace is None:
            return
        ask = await self.ask(turn.body, turn.workspace)
        if turn.body.get("type") in _NOT_TYPED_THERE and ask.is_channel and not await self._is_in(ask):
            piece = _refused
        turn.calls = await self._in_store(lambda store: self._done(store, turn.work, ask, piece))

    async def also(self, turn: Turn, piece: Piece) -> None:
        """What only shows, after what was done and with its calls."""
        if turn.workspace is None:
            return
        ask = await self.ask(turn.body, turn.workspace)
        first = turn.calls or []
        turn.calls = await self._in_store(
            lambda store: self._done(store, turn.work, ask, lambda *given: [*first, *_only_shows(piece(*given))])
        )

    async def left(self, turn: Turn, why: str) -> None:
        """The app is no longer in the workspace that this came from."""
        if turn.workspace is not None:
            await self._workspaces.gone(turn.workspace, why)

    def _done(self, store: Store, work: Work, ask: Ask, piece: Piece) -> list[Call]:
        try:
            result = piece(store, ask, self._tools)
            with store.write():
                made = result() if callable(result) else result
                self._note(store, work, made)
        except (StoreError, SendError):
            raise
        except NotifierError as error:
            made = [tell(ask, str(error), getattr(error, "blocks", ()))]
            with store.write():
                self._note(store, work, made)
        return made

    def _note(self, store: Store, work: Work, made: list[Call]) -> None:
        if not store.slack_inbox.answered(work.id, work.fence, calls.dump(made)):
            raise TryLater("Another process has taken this over.")

    async def _say(self, workspace: Workspace, made: list[Call]) -> None:
        try:
            await calls.make(self._client, workspace, made, api_url=self._app.settings.slack_api_url)
        except ChannelStopped as error:
            # A scope that lacks stops one call; a token that is dead stops the workspace.
            await self._workspaces.check(workspace, error, self._client)
            raise

    async def ask(self, body: dict[str, Any], workspace: Workspace) -> Ask:
        found = origin(body)
        profile = await self._profile(workspace, found)
        subscriber = await self._subscriber(workspace, found, profile)
        return Ask(
            workspace=workspace,
            origin=found,
            profile=profile if self._workspaces.is_own(workspace) else replace(profile, email=""),
            subscriber=subscriber,
            words=self._catalog(subscriber.language if subscriber else profile.language),
            now=self._app.clock(),
        )

    def _load_catalog(self, language: str) -> Catalog:
        return load(language or self._app.settings.default_language, self._app.settings.templates_dir)

    async def _subscriber(self, workspace: Workspace, found: Origin, profile: Profile) -> Subscriber | None:
        """Who this member is: as was confirmed before, else by the address that their own workspace vouches for.

        Anybody can make a workspace and give its members any address: only of those that the operator put into the
        settings it counts.
        """
        known = await self._in_store(lambda store: store.slack.subscriber(workspace.team, found.user))
        is_vouched_for = profile.email and profile.team == workspace.team and self._workspaces.is_own(workspace)
        if known is not None or not is_vouched_for:
            return known

        def link(store: Store) -> Subscriber | None:
            same = store.subscribers.get(profile.email)
            if same is not None:
                with store.write():
                    store.slack.link(workspace.team, found.user, same.id, now=self._app.clock())
            return same

        return await self._in_store(link)

    async def _is_in(self, ask: Ask) -> bool:
        """Whether the asker is in the channel: who only looks into a public one can press its buttons, too."""
        key, now = (ask.workspace.team, ask.origin.channel, ask.origin.user), self._app.clock()
        if now - self._seen_in.get(key, now - _MEMBER_KEPT) < _MEMBER_KEPT:
            return True
        try:
            is_member = await self._is_member(ask)
        except (Refused, ChannelStopped) as error:
            log.info("slack does not tell who is in a channel", error=str(error))
            return False
        if is_member:
            if len(self._seen_in) >= _PROFILES:
                self._seen_in.clear()
            self._seen_in[key] = now
        return is_member

    async def _is_member(self, ask: Ask) -> bool:
        cursor = ""
        for _ in range(_PAGES):
            params = {"channel": ask.origin.channel, "limit": "1000", "cursor": cursor}
            data, _ = await self._client.ask(
                ask.workspace.token_name,
                "conversations.members",
                lambda web, params=params: web.api_call("conversations.members", params=params),  # type: ignore[misc]
                about=ask.origin.channel,
            )
            if ask.origin.user in (data.get("members") or ()):
                return True
            cursor = str((data.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return False

    async def _profile(self, workspace: Workspace, found: Origin) -> Profile:
        key, now = (workspace.team, found.user), self._app.clock()
        kept = self._profiles.get(key)
        if kept is not None and now - kept[0] < _PROFILE_KEPT:
            return kept[1]
        try:
            data, _ = await self._client.ask(
                workspace.token_name,
                "users.info",
                lambda web: web.users_info(user=found.user, include_locale=True),
                about=found.user,
            )
        except (Refused, ChannelStopped):
            # Without the scope for it, or for somebody Slack does not show: nobody in particular.
            return Profile()
        if len(self._profiles) >= _PROFILES:
            self._profiles.clear()
        self._profiles[key] = (now, profile_of(data))
        return self._profiles[key][1]


def _refused(store: Store, ask: Ask, tools: Tools) -> Result:
    raise UsageError(ask.words.say("Only who is in the channel can do that there."))


def _only_shows(result: Result) -> list[Call]:
    assert not callable(result)  # noqa: S101 - a change would be made outside of its transaction
    return result


def profile_of(data: dict[str, Any]) -> Profile:
    """The answer of users.info; what is missing or of a wrong kind is as if not said."""
    user = data.get("user")
    user = user if isinstance(user, dict) else {}
    card = user.get("profile")
    card = card if isinstance(card, dict) else {}
    return Profile(
        email=_address(card.get("email")) if user.get("is_email_confirmed", True) is True else "",
        zone=_zone(user.get("tz")),
        language=str(user.get("locale") or "")[:2].lower(),
        name=plain(str(card.get("display_name") or card.get("real_name") or user.get("name") or ""), limit=80),
        team=str(user.get("team_id") or ""),
    )


def _address(text: object) -> str:
    try:
        return account.email_address(text) if isinstance(text, str) else ""
    except NotifierError:
        return ""


def _zone(name: object) -> str:
    try:
        return ZoneInfo(name).key if isinstance(name, str) else "UTC"
    except (KeyError, ValueError, OSError):
        return "UTC"
