"""The face put together: arrivals, inbox, routes and desk over one connection to Slack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from notifier.app import App
from notifier.channels.slack_client import SlackClient
from notifier.model import Work
from notifier.slack.arrival import Arrival, Reply
from notifier.slack.desk import Desk
from notifier.slack.inbox import Worker
from notifier.slack.routes import routes
from notifier.slack.socket import SocketMode
from notifier.slack.vault import Vault
from notifier.slack.workspaces import Workspaces
from notifier.store import StoreThread

_TIMEOUT = timedelta(seconds=10)


class SlackFace:
    """``arrival`` is the way in for whoever receives; ``run`` works until it is stopped."""

    def __init__(self, app: App, *, arrivals: StoreThread, work: StoreThread) -> None:
        settings = app.settings
        self._app = app
        wake = asyncio.Event()
        own = {"": settings.slack_token, **settings.slack_tokens}
        self.workspaces = Workspaces(arrivals, own, lambda: Vault(app.keys.all), clock=app.clock)
        self.client = SlackClient(self.workspaces.tokens, SecretStr(""), settings.slack_api_url, timeout=_TIMEOUT)
        self.arrival = Arrival(arrivals, self._check, clock=app.clock, wake=wake)
        self._desk = Desk(app, self.client, self.workspaces, work)
        self._routes = routes(settings.slack_api_url)
        self._worker = Worker(arrivals, self._perform, clock=app.clock, wake=wake)

    async def run(self, stop: asyncio.Event) -> None:
        settings = self._app.settings
        running = [self._worker.run(stop)]
        if settings.slack_app_token.get_secret_value():
            running.append(SocketMode(settings.slack_app_token, settings.slack_api_url, self.arrival.take).run(stop))
        await asyncio.gather(*running)

    async def _perform(self, work: Work) -> str:
        return await self._desk.perform(work, self._routes)

    def _check(self, payload: dict[str, Any]) -> Reply | None:
        return None


@asynccontextmanager
async def slack_face(app: App) -> AsyncIterator[SlackFace]:
    """With threads of its own for the store, so that taking down never waits for work."""
    arrivals, work = StoreThread(app.open_store), StoreThread(app.open_store)
    face = SlackFace(app, arrivals=arrivals, work=work)
    try:
        yield face
    finally:
        await face.client.close()
        await arrivals.close()
        await work.close()
