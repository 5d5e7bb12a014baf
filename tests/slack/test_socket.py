"""Socket Mode against a real WebSocket server: acknowledged after it is kept, and back after everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from notifier.slack.socket import SocketMode
from tests.servers.slack import refused
from tests.servers.slack_face import APP_TOKEN, SlackWorkspace, until
from tests.slack.conftest import ADA, CHANNEL


@asynccontextmanager
async def listening(
    server: SlackWorkspace, taken: list[dict[str, Any]], *, token: str = APP_TOKEN
) -> AsyncIterator[SocketMode]:
    async def take(payload: dict[str, Any]) -> dict[str, Any] | None:
        taken.append(payload)
        return {"text": "kept"} if payload.get("form") else None

    mode = SocketMode(
        SecretStr(token),
        server.api_url,
        take,
        ping=timedelta(seconds=0.1),
        silence=timedelta(seconds=0.6),
        first_wait=0.05,
    )
    stop = asyncio.Event()
    running = asyncio.ensure_future(mode.run(stop))
    try:
        yield mode
    finally:
        stop.set()
        await asyncio.wait_for(running, 5)


async def test_what_comes_is_acknowledged_with_what_is_to_be_said_to_it(server: SlackWorkspace) -> None:
    taken: list[dict[str, Any]] = []
    async with listening(server, taken):
        await until(lambda: server.sockets)
        plain = server.send(server.command_body(ADA, CHANNEL, "/papers help"))
        form = server.send({"form": True}, kind="interactive")
        await until(lambda: plain.acknowledged_at and form.acknowledged_at)
    assert (plain.reply, form.reply) == (None, {"text": "kept"})
    assert len(taken) == 2


async def test_it_comes_back_after_a_cut_a_refresh_and_silence(server: SlackWorkspace) -> None:
    taken: list[dict[str, Any]] = []
    async with listening(server, taken) as mode:
        await until(lambda: server.sockets)
        server.cut()
        await until(lambda: len(server.sockets) == 2)
        server.refresh()
        await until(lambda: len(server.sockets) == 3)
        server.fall_silent()
        await until(lambda: len(server.sockets) >= 4 and server.sockets[-1].open)
        envelope = server.send({"number": 1})
        await until(lambda: envelope.acknowledged_at)
    assert mode.connections >= 1 and taken == [{"number": 1}]


async def test_it_comes_back_after_slack_was_away_or_refused_it(server: SlackWorkspace) -> None:
    taken: list[dict[str, Any]] = []
    server.answer("apps.connections.open", refused("internal_error", status=500), times=2)
    async with listening(server, taken):
        await until(lambda: server.sockets)
    assert server.calls.count("apps.connections.open") == 3


async def test_a_wrong_token_is_told_without_being_shown(server: SlackWorkspace, capsys: Any) -> None:
    async with listening(server, [], token="xapp-wrong-and-secret"):
        await until(lambda: server.calls.count("apps.connections.open") >= 2)
    shown = capsys.readouterr()
    assert "slack socket refused" in shown.out and "wrong-and-secret" not in shown.out + shown.err
