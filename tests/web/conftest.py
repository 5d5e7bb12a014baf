"""The pages on a real server on loopback, and people who are logged in there."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from notifier import account
from notifier.app import App, Clock, system_clock
from notifier.engine import Engine, open_engine
from notifier.ids import new_id
from notifier.model import Session, Subscriber
from notifier.ports import Store
from notifier.settings import Settings
from notifier.tokens import fresh, hashed
from notifier.web import create, run
from tests.builders import NOW
from tests.servers.loop import LoopThread


class SiteServer:
    """``notifier web`` in a thread of this process, on a port of its own."""

    def __init__(self, data_dir: Path, *, clock: Clock = system_clock, **settings: Any) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        given: dict[str, Any] = {"data_dir": data_dir, "base_url": self.url} | settings
        self._moved = timedelta(0)
        self.app = App(settings=Settings(**given), clock=lambda: clock() + self._moved)
        with self.store():
            pass
        self._loop = LoopThread()
        self._stop = asyncio.Event()
        self.web = create(self.app)
        serving = run(self.web, self.app.settings, self._stop, listening=self._listening)
        self._serving = asyncio.run_coroutine_threadsafe(serving, self._loop.loop)

    def move(self, span: timedelta) -> None:
        """Let time pass."""
        self._moved += span

    def send_letters(self) -> None:
        self._loop.run(self._with_engine(lambda engine: engine.letters()))

    def pass_once(self) -> None:
        """Plan and send what is due, as ``serve`` does at each tick."""
        self._loop.run(self._with_engine(lambda engine: engine.once()))

    async def _with_engine(self, work: Callable[[Engine], Awaitable[object]]) -> None:
        async with open_engine(self.app) as engine:
            await work(engine)

    def dump(self) -> str:
        """Every row of every table, to see what changed; but for the index of search terms, which cannot be read."""
        with closing(sqlite3.connect(self.app.settings.database)) as db:
            names = [
                name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            ]
            tables = [name for name in names if name != "entry_terms"]
            return "\n".join(f"{name} {row}" for name in tables for row in db.execute(f"SELECT * FROM {name}"))  # noqa: S608

    @contextmanager
    def store(self) -> Iterator[Store]:
        with closing(self.app.open_store()) as store:
            yield store

    def client(self, **headers: str) -> httpx2.Client:
        """A program that keeps cookies and follows nothing by itself."""
        # Loading certificates for a client that meets none takes longer than most tests.
        return httpx2.Client(base_url=self.url, headers=headers, timeout=20, verify=False, trust_env=False)

    def person(
        self, email: str = "ada@example.org", *, timezone: str = "Europe/Berlin", language: str = "en"
    ) -> Subscriber:
        with self.store() as store:
            found = store.subscribers.get(email)
            return found or account.add_subscriber(
                store, email, timezone=timezone, language=language, now=self.app.clock()
            )

    def session_word(self, email: str = "ada@example.org") -> str:
        """What stands in the cookie of that person, who is made a subscriber where need be."""
        person, word, now = self.person(email), fresh(), self.app.clock()
        session = Session(
            id=new_id("b"), subscriber=person, browser="a test", created_at=now, expires_at=now + timedelta(days=30)
        )
        with self.store() as store, store.write():
            store.sessions.add(session, hashed(word))
        return word

    def logged_in(self, email: str = "ada@example.org", **headers: str) -> httpx2.Client:
        client = self.client(**headers)
        client.cookies.set("session", self.session_word(email), domain="127.0.0.1")
        return client

    def close(self) -> None:
        self._loop.loop.call_soon_threadsafe(self._stop.set)
        with suppress(TimeoutError):
            self._serving.result(timeout=25)
        self._loop.stop()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SiteServer]:
    server = SiteServer(tmp_path / "data")
    yield server
    server.close()


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[SiteServer]:
    """At a fixed time."""
    server = SiteServer(tmp_path / "data", clock=lambda: NOW)
    yield server
    server.close()
