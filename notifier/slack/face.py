"""The face put together: arrivals, inbox, routes and desk over one connection to Slack."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from notifier.app import App
from notifier.channels.slack_client import SlackClient
from notifier.model import Work, Workspace
from notifier.ports import Store
from notifier.render.catalog import Catalog, load
from notifier.slack import entries, forms
from notifier.slack.arrival import Arrival, Reply
from notifier.slack.desk import Desk
from notifier.slack.friday import note_due
from notifier.slack.inbox import Worker
from notifier.slack.install import Installer
from notifier.slack.journal import Journal
from notifier.slack.routes import routes
from notifier.slack.socket import SocketMode
from notifier.slack.workspaces import Workspaces
from notifier.store import StoreThread

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_TIMEOUT = timedelta(seconds=10)
_LOOK = timedelta(minutes=1)
_CHECKS = {forms.EDIT: forms.checked, entries.TERMS: entries.checked}


class SlackFace:
    """``arrival`` is the way in for whoever receives, ``http`` what is mounted at ``/slack`` where it is set up.

    What comes in is taken down in a journal of its own, so that this waits neither for work nor for the database; the
    inbox has one thread for the store, and the work another.
    """

    def __init__(self, app: App) -> None:
        settings = app.settings
        self._app = app
        self._threads = StoreThread(app.open_store), StoreThread(app.open_store)
        inbox, work = self._threads
        self._journal = Journal(app.settings.data_dir)
        wake = asyncio.Event()
        self.workspaces = Workspaces(app, inbox)
        self.client = SlackClient(self.workspaces.tokens, SecretStr(""), settings.slack_api_url, timeout=_TIMEOUT)
        self.arrival = Arrival(self._journal, self._check, clock=app.clock, wake=wake)
        self._desk = Desk(app, self.client, self.workspaces, work)
        self._routes = routes(settings.slack_api_url)
        self._worker = Worker(self._journal, inbox, self._perform, clock=app.clock, wake=wake)

    @cached_property
    def http(self) -> ASGIApp | None:
        """None where nothing is signed."""
        key = self._app.settings.slack_signing_secret
        if not key.get_secret_value():
            return None
        # Only this needs the web's packages.
        from notifier.slack.http import SlackHttp

        return SlackHttp(key, self.arrival, self._installer(), clock=self._app.clock).app

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop``, then close."""
        settings = self._app.settings
        running = [self._worker.run(stop)]
        if settings.slack_app_token.get_secret_value():
            running.append(SocketMode(settings.slack_app_token, settings.slack_api_url, self.arrival.take).run(stop))
        if settings.slack_friday:
            running.append(self._fridays(stop))
        try:
            await asyncio.gather(*running)
        finally:
            await self.client.close()
            await self._journal.close()
            for thread in self._threads:
                await thread.close()

    def _installer(self) -> Installer | None:
        settings = self._app.settings
        if not (settings.slack_client_id and settings.slack_client_secret.get_secret_value() and settings.base_url):
            return None
        return Installer(
            settings.slack_client_id,
            settings.slack_client_secret,
            base_url=settings.base_url,
            keys=self._app.keys,
            client=self.client,
            workspaces=self.workspaces,
            clock=self._app.clock,
        )

    async def _perform(self, work: Work) -> str:
        return await self._desk.perform(work, self._routes)

    def _check(self, payload: dict[str, Any]) -> Reply | None:
        """Of a form, before it is taken: what is wrong stands under its field."""
        if payload.get("type") != "view_submission":
            return None
        check = _CHECKS.get(str((payload.get("view") or {}).get("callback_id")))
        if check is None:
            return None
        return check(payload, self._app.topics, self._app.clock(), self._words)

    @cached_property
    def _words(self) -> Catalog:
        """Who sent a form is found out only after it was acknowledged: its faults are told in the usual language."""
        return load(self._app.settings.default_language, self._app.settings.templates_dir)

    async def _fridays(self, stop: asyncio.Event) -> None:
        """Look now and then whether a summary is due."""
        inbox = self._threads[0]
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK.total_seconds())
            if stop.is_set():
                return
            workspaces = await self.workspaces.all(self.client)
            await inbox(self._noting(workspaces))

    def _noting(self, workspaces: list[Workspace]) -> Callable[[Store], int]:
        def note(store: Store) -> int:
            with store.write():
                return note_due(store, workspaces, now=self._app.clock())

        return note
