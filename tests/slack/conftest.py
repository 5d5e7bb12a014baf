"""The face inside Slack, whole: a real server of Slack's Web API and socket, a real database, the real worker."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from notifier import account
from notifier.app import App
from notifier.model import Entry
from notifier.ports import Store
from notifier.settings import Settings
from notifier.slack.face import SlackFace
from notifier.slack.journal import NAME
from tests.builders import NOW, entry, sighted
from tests.servers.slack import TOKEN
from tests.servers.slack_face import APP_TOKEN, SlackWorkspace, until

CHANNEL = "C0PAPERS1"
ADA, BOB = "U0ADA", "U0BOB"


@dataclass(kw_only=True)
class Lab:
    """A running face, its Slack, and its database."""

    app: App
    server: SlackWorkspace
    face: SlackFace
    now: list[datetime] = field(default_factory=lambda: [NOW])

    async def papers(self, text: str, *, user: str = ADA, channel: str = CHANNEL, **more: Any) -> dict[str, Any]:
        """Type ``/papers …`` and wait for what is said to the asker."""
        return await self.does(self.server.command_body(user, channel, f"/papers {text}", **more), user=user)

    async def presses(self, value: str, action: str, *, user: str = ADA, channel: str = CHANNEL) -> dict[str, Any]:
        body = self.server.pressed(user, channel, {"type": "button", "action_id": action, "value": value})
        return await self.does(body, user=user)

    async def does(self, body: dict[str, Any], *, user: str = ADA) -> dict[str, Any]:
        places = (self.server.said, self.direct)
        before = [len(place(user)) for place in places]
        await self.face.arrival.take(body)
        await until(lambda: [len(place(user)) for place in places] != before)
        return next(place(user)[-1] for place, had in zip(places, before, strict=True) if len(place(user)) > had)

    async def settled(self) -> None:
        """Until nothing is left in the journal, nor in the inbox."""
        journal = sqlite3.connect(self.app.settings.data_dir / NAME)
        await until(lambda: not journal.execute("SELECT count(*) FROM arrival").fetchone()[0])
        journal.close()
        await until(lambda: not self.stored(lambda store: store.slack_inbox.due(self.now[0] + timedelta(days=1))))

    def direct(self, user: str) -> list[dict[str, Any]]:
        return [post.arguments for post in self.server.posts(f"D{user[1:]}")]

    def stored(self, work: Callable[[Store], Any]) -> Any:
        with self.app.store() as store:
            return work(store)

    def subscriptions(self) -> Sequence[Any]:
        return self.stored(lambda store: store.subscriptions.all())

    def rules(self, subscription_id: str) -> list[str]:
        found = self.stored(lambda store: store.rules.of([subscription_id]))
        return [rule.query for rule in found.get(subscription_id, ())]


def text_of(message: dict[str, Any]) -> str:
    """All that can be read in a message or a view."""

    def parts(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in ("text", "initial_value") and isinstance(inner, str):
                    yield inner
                else:
                    yield from parts(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from parts(inner)

    return "\n".join(parts({key: each for key, each in message.items() if key != "text"} or message))


def value_of(message: dict[str, Any], action: str) -> str:
    """What the button with this action carries."""
    for block in message["blocks"]:
        for element in block["elements"] if block["type"] == "actions" else [block.get("accessory", {})]:
            if element.get("action_id") == action:
                return str(element["value"])
    raise AssertionError(f"no button {action}")


def papers() -> list[Entry]:
    when = NOW - timedelta(hours=3)
    titles = {
        1: "Reward models for legged robots",
        2: "Preference optimization without rewards",
        3: "A survey of diffusion policies",
        4: "Walking on <sand> & @here <!channel>",
    }
    return [
        entry(n, title=title, url=f"https://arxiv.org/abs/2512.{n:05}", first_seen_at=when, new_at=when)
        for n, title in titles.items()
    ]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[SlackWorkspace]:
    with SlackWorkspace() as started:
        started.add_channel(CHANNEL, "papers")
        started.add_channel("C0OTHER01", "other")
        started.add_person(ADA, "ada@example.org", zone="Europe/Berlin", name="ada")
        started.add_person(BOB, "bob@example.org", name="bob")
        started.channel_members = {CHANNEL: {ADA, BOB}, "C0OTHER01": {BOB}}
        yield started


@pytest.fixture
def settings(server: SlackWorkspace, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        slack_token=TOKEN,
        slack_app_token=APP_TOKEN,
        slack_api_url=server.api_url,
        secret_key="a secret of the test",
        slack_signing_secret="signing",
    )


@asynccontextmanager
async def running(settings: Settings, server: SlackWorkspace, now: list[datetime]) -> AsyncIterator[Lab]:
    app = App(settings=settings, clock=lambda: now[0])
    face = SlackFace(app)
    stop = asyncio.Event()
    working = asyncio.ensure_future(face.run(stop))
    try:
        yield Lab(app=app, server=server, face=face, now=now)
    finally:
        stop.set()
        await working


@pytest.fixture
async def lab(settings: Settings, server: SlackWorkspace) -> AsyncIterator[Lab]:
    """With four papers, and Ada among the subscribers."""
    async with running(settings, server, [NOW]) as made:
        with made.app.store() as store, store.write():
            store.entries.put([sighted(each, at=NOW - timedelta(hours=3)) for each in papers()], now=NOW)
            account.add_subscriber(store, "ada@example.org", timezone="Europe/Berlin", language="en", now=NOW)
        yield made
