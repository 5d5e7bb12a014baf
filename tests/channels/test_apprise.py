"""Apprise against a real web server that its Gotify plugin posts to; what it may not do is not done."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from notifier.channels.apprise import SCHEMAS, AppriseChannel, checked
from notifier.errors import Cause, Paced, Refused, TryLater, UsageError
from notifier.model import Message
from tests.channels.messages import CREATED
from tests.conftest import Shell
from tests.servers.web import Answer, WebServer

TOKEN = "A" + "b" * 14
LOOPBACK = "127.0.0.0/8"


def text(target: str, *, parts: int = 1, **more: Any) -> Message:
    given: dict[str, Any] = {"delivery_id": "d_abc123", "subject": "2 papers", "created_at": CREATED}
    bodies = tuple(f"part {number} – wörter".encode() for number in range(parts))
    return Message(**(given | {"format": "text", "target": target, "parts": bodies} | more))


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as started:
        started.answer("/message", body=b"{}")
        yield started


def target(server: WebServer, host: str = "127.0.0.1") -> str:
    return f"gotify://{host}:{server.port}/{TOKEN}"


def opened(*, allow: tuple[str, ...] = (LOOPBACK,), each: timedelta = timedelta(0)) -> AppriseChannel:
    return AppriseChannel(schemas=("gotify",), allow_networks=allow, each=each)


async def test_each_part_is_a_message_and_the_first_has_the_title(server: WebServer) -> None:
    receipt = await opened().send(text(target(server), parts=3))
    posted = [json.loads(request.body) for request in server.requests]
    assert [each["message"] for each in posted] == [f"part {number} – wörter" for number in range(3)]
    assert posted[0]["title"] == "2 papers" and not posted[1].get("title")
    assert receipt.accepted == ("apprise:0", "apprise:1", "apprise:2")


async def test_goes_on_behind_the_parts_that_were_accepted(server: WebServer) -> None:
    server.answer("/message", Answer(body=b"{}"), Answer(status=500), Answer(body=b"{}"))
    with pytest.raises(TryLater) as caught:
        await opened().send(text(target(server), parts=3))
    assert caught.value.accepted == ("apprise:0",)
    await opened().send(text(target(server), parts=3, accepted=caught.value.accepted))
    assert [json.loads(each.body)["message"][:6] for each in server.requests] == [
        "part 0",
        "part 1",
        "part 1",
        "part 2",
    ]


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_what_was_not_taken_is_tried_later(server: WebServer, status: int) -> None:
    server.answer("/message", status=status)
    with pytest.raises(TryLater) as caught:
        await opened().send(text(target(server)))
    assert TOKEN not in str(caught.value)


async def test_a_server_that_is_not_there_is_tried_later() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(TryLater):
        await opened().send(text(f"gotify://127.0.0.1:{port}/{TOKEN}"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433"])
async def test_a_private_address_is_refused_behind_whatever_name(server: WebServer, host: str) -> None:
    with pytest.raises(Refused, match="allow_networks"):
        await opened(allow=()).send(text(target(server, host)))
    assert server.requests == []


async def test_a_redirect_is_not_followed(server: WebServer) -> None:
    server.answer("/inside", body=b"{}")
    server.redirect("/message", server.url("/inside"), 307)
    with pytest.raises(TryLater):
        await opened().send(text(target(server)))
    assert [request.path for request in server.requests] == ["/message"]


async def test_other_threads_and_later_connections_are_not_guarded(server: WebServer) -> None:
    with pytest.raises(Refused):
        await opened(allow=()).send(text(target(server)))
    socket.create_connection(("127.0.0.1", server.port), timeout=5).close()


async def test_more_than_a_short_burst_goes_on_later_without_waiting_here(server: WebServer) -> None:
    with pytest.raises(Paced) as caught:
        await opened(each=timedelta(seconds=1)).send(text(target(server), parts=5))
    assert len(caught.value.accepted) == 3


async def test_a_service_that_was_closed_again_stops_there(server: WebServer) -> None:
    with pytest.raises(Refused) as caught:
        await AppriseChannel(allow_networks=(LOOPBACK,)).send(text(target(server)))
    assert caught.value.cause is Cause.CHANNEL
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "discord://1234567890/abcdefghijk",
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "ntfy://papers-of-ada",
        "ntfys://ada:word@ntfy.example.org/papers",
        "matrixs://ada:word@example.org/%23papers",
        "mmosts://example.org/3ccdd113474722377935511fc85d3dd4",
        "zulip://papers@example/a4vn2v2cmtfdgdmmmrhzmdkfxrehazn5",
    ],
)
def test_an_open_service_is_taken_as_it_is(url: str) -> None:
    assert checked(url) == url == checked(f" {url} ")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "KEY",
        "json://example.org/KEY",
        "jsons://example.org/KEY",
        "file:///etc/passwd?KEY",
        "syslog://KEY",
        "mailto://ada:KEY@example.org",
        "https://discord.com/api/webhooks/1234567890/KEY",
        "discord://1234567890/KEY?template=/etc/passwd",
        "discord://1234567890/KEY?Template=/etc/passwd",
        "discord://1234567890/KEY?to=a;template=/etc/passwd",
        "discord://1234567890/KEY#?template=/etc/passwd",
        "discord://1234567890/KEY?%74emplate=/etc/passwd",
        "discord://1234567890/KEY?+template=/etc/passwd",
        "discord://1234567890/KEY??template=/etc/passwd",
        "ntfy://KEY?attach=file:///etc/passwd",
        "ntfys://KEY@example.org/topic?verify=no",
        "ntfys://KEY@example.org/topic?rto=9999",
        "discord://KEY",
        "discord://1234567890/KEY, json://127.0.0.1",
        "discord://1234567890/KEY\njson://127.0.0.1",
        "discord://1234567890/" + "KEY" * 1000,
    ],
)
def test_what_is_not_open_is_refused_in_a_sentence_that_repeats_no_key(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked(url)
    assert str(caught.value).endswith(".") and "KEY" not in str(caught.value) and "passwd" not in str(caught.value)


def test_the_operator_can_open_more() -> None:
    with pytest.raises(UsageError, match="apprise_schemas"):
        checked("gotify://example.org/" + TOKEN)
    assert checked("gotify://example.org/" + TOKEN, ("gotify",))


def test_every_bundled_service_is_one_of_the_library() -> None:
    from apprise.manager_plugins import NotificationManager

    assert all(schema in NotificationManager() for schema in SCHEMAS)


async def test_no_log_holds_a_token(server: WebServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await opened().send(text(target(server)))
    server.answer("/message", status=500)
    with pytest.raises(TryLater):
        await opened().send(text(target(server)))
    assert TOKEN not in caplog.text


def test_without_the_extra_it_says_what_to_install() -> None:
    program = """
import asyncio, sys
sys.modules["apprise"] = None
from notifier.channels.apprise import AppriseChannel
from notifier.channels.apprise import checked
from notifier.errors import UsageError
print(asyncio.run(AppriseChannel().check()))
try:
    checked("ntfy://papers")
except UsageError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.count("notifier[apprise]") == 2


AT_FIVE = "2025-12-16T05:00:00+00:00"
AT_EIGHT = "2025-12-16T08:00:00+00:00"


def test_a_digest_arrives_as_short_text_and_lists_hide_the_token(
    notifier: Shell, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_ALLOW_NETWORKS", LOOPBACK)
    monkeypatch.setenv("NOTIFIER_APPRISE_SCHEMAS", "gotify")
    notifier("subscriber", "add", "ada@example.org", "--now", AT_FIVE)
    arguments = ("ada@example.org", "--channel", f"apprise:{target(server)}", "--every", "daily", "--now", AT_FIVE)
    id = notifier("subscription", "add", *arguments).id
    notifier("rule", "add", id, "reward", "--label", "rewards", "--now", AT_FIVE)
    paper = {"id": "arxiv:2512.00001", "title": "Reward @everyone", "url": "https://example.org/@ada/1"}
    Path("papers.jsonl").write_text(json.dumps(paper), "utf-8")
    notifier("import", "papers.jsonl", "--now", AT_FIVE)
    notifier("run", "--once", "--now", AT_EIGHT)
    (posted,) = [json.loads(request.body) for request in server.requests]
    assert posted["title"].startswith("1 paper · rewards")
    assert "Reward @\u200beveryone\nbecause “rewards”" in posted["message"]
    assert "https://example.org/%40ada/1" in posted["message"]
    said = [notifier(*each) for each in (("subscription", "list"), ("deliveries",), ("subscription", "list", "--json"))]
    assert "apprise:gotify://…" in said[0].out and not any(TOKEN in each.out for each in said)
