"""Which workspaces the app is in, and the tokens to talk to them.

Those of the settings are asked once who they are. Those installed from the web are in the database, their tokens
encrypted. One that is gone keeps everything but its token: subscriptions and rules wait for the app to come back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import structlog
from pydantic import SecretStr

from notifier.app import App
from notifier.channels.slack_client import SlackClient, field
from notifier.clean import plain
from notifier.errors import ChannelStopped, SendError
from notifier.model import Workspace
from notifier.ports import InStore, Store
from notifier.slack import events
from notifier.vault import Vault

log = structlog.get_logger()

_REREAD = timedelta(seconds=60)
"""Another process may have installed or lost one."""


class Workspaces:
    """``tokens`` by their names is also what the client reads; it changes as workspaces come and go."""

    def __init__(self, app: App, in_store: InStore) -> None:
        settings = app.settings
        own = {"": settings.slack_token, **settings.slack_tokens}
        self._app = app
        self._in_store = in_store
        self._own = {name: token for name, token in own.items() if token.get_secret_value()}
        self._clock = app.clock
        self._by_team: dict[str, Workspace] = {}
        self._read_at = app.clock() - _REREAD
        self.tokens: dict[str, SecretStr] = dict(self._own)

    async def of(self, team: str, client: SlackClient) -> Workspace | None:
        """The workspace with this id, if the app is in it."""
        found = self._by_team.get(team)
        if found is None or found.gone_at is not None or self._clock() - self._read_at >= _REREAD:
            await self.refresh(client)
            found = self._by_team.get(team)
        return found if found and found.gone_at is None and found.token_name in self.tokens else None

    def is_own(self, workspace: Workspace) -> bool:
        """Whether the operator put it into the settings; anybody may have installed the others."""
        return workspace.token_name in self._own

    async def all(self, client: SlackClient) -> list[Workspace]:
        await self.refresh(client)
        return [each for each in self._by_team.values() if each.token_name in self.tokens]

    async def refresh(self, client: SlackClient) -> None:
        self._read_at = self._clock()
        await self._read()
        known = {each.token_name for each in self._by_team.values() if each.gone_at is None}
        for name in self._own.keys() - known:
            await self._introduce(name, client)

    async def install(self, workspace: Workspace, token: SecretStr, client: SlackClient) -> Workspace:
        """Take one in that was installed from the web; one of the settings keeps its own token."""
        await self.refresh(client)
        known = self._by_team.get(workspace.team)
        if known is not None and self.is_own(known):
            return known
        await self._put(replace(workspace, token=Vault(self._app.keys.all).close(token)))
        return self._by_team[workspace.team]

    async def check(self, workspace: Workspace, error: ChannelStopped, client: SlackClient) -> None:
        """A call was refused for good: see whether the token still works at all."""
        try:
            await client.ask(workspace.token_name, "auth.test", lambda web: web.auth_test())
        except ChannelStopped:
            await self.gone(workspace, str(error))
        except SendError:
            pass

    async def gone(self, workspace: Workspace, why: str) -> None:
        """The app is no longer there: that workspace stops, keeps everything, and says so."""

        def note(store: Store) -> int:
            with store.write():
                return len(events.left(store, workspace, why, now=self._clock()))

        stopped = await self._in_store(note)
        await self._read()
        log.warning("slack workspace is gone", workspace=workspace.name, why=why, stopped=stopped)

    async def _introduce(self, name: str, client: SlackClient) -> None:
        try:
            data, _ = await client.ask(name, "auth.test", lambda web: web.auth_test())
            workspace = Workspace(
                team=field(data, "team_id"),
                name=plain(str(data.get("team") or ""), limit=100),
                token_name=name,
                bot_user=field(data, "user_id"),
                installed_at=self._clock(),
            )
        except ChannelStopped as error:
            log.warning("slack token does not work", token=name or "slack_token", error=str(error))
        except SendError as error:
            log.info("slack cannot be asked who it is", token=name or "slack_token", error=str(error))
        else:
            await self._put(workspace)

    async def _put(self, workspace: Workspace) -> None:
        def put(store: Store) -> int:
            with store.write():
                store.slack.put(workspace)
                return len(events.back(store, workspace, now=self._clock()))

        if resumed := await self._in_store(put):
            log.info("slack workspace is back", workspace=workspace.name, resumed=resumed)
        await self._read()

    async def _read(self) -> None:
        def read(store: Store) -> tuple[list[Workspace], dict[str, SecretStr]]:
            return store.slack.workspaces(), self._app.installed_tokens(store)

        found, installed = await self._in_store(read)
        self._by_team = {each.team: each for each in found}
        now = {**installed, **self._own}
        for name in self.tokens.keys() - now.keys():
            del self.tokens[name]
        self.tokens.update(now)
