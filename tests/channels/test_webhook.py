"""Webhooks against a real web server: signed, once, to public addresses, and each answer understood."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from notifier.channels.webhook import WebhookChannel
from notifier.errors import Cause, Refused, SendError, TryLater, Unknown
from notifier.model import Message
from tests.channels.messages import CREATED
from tests.conftest import Shell
from tests.servers.web import Answer, Request, WebServer, drip, make_certificate

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OLD = "whsec_" + base64.b64encode(b"o" * 32).decode()
LOOPBACK = "127.0.0.0/8"
NOW = 1_800_000_000


def payload(url: str, **more: Any) -> Message:
    given: dict[str, Any] = {"delivery_id": "d_abc123", "subject": "2 papers", "created_at": CREATED}
    return Message(**(given | {"format": "json", "target": url, "parts": (b'{"type":"digest"}',)} | more))


def verified(request: Request, secret: str = SECRET) -> bool:
    """As a receiver does it."""
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    mac = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}" in request.headers["webhook-signature"].split(" ")


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as started:
        started.answer("/hook/secret-path", status=204)
        yield started


def to(*, secrets: Sequence[str] = (SECRET,), allow: Sequence[str] = (LOOPBACK,), **more: Any) -> WebhookChannel:
    async def secrets_of(delivery_id: str) -> Sequence[str]:
        return secrets if delivery_id.startswith("d_") else ()

    given: dict[str, Any] = {"timeout": timedelta(seconds=20), "clock": lambda: NOW + 0.9}
    return WebhookChannel(secrets_of, allow_networks=allow, **(given | more))


@pytest.fixture
async def channel() -> AsyncIterator[WebhookChannel]:
    opened = to()
    yield opened
    await opened.close()


async def failure(channel: WebhookChannel, url: str, **more: Any) -> SendError:
    with pytest.raises(SendError) as caught:
        await channel.send(payload(url, **more))
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and "!" not in sentence
    assert "secret" not in sentence.replace("subscription secret ID", "").replace("no secret to sign", "")
    assert caught.value.__cause__ is None
    await channel.close()
    return caught.value


async def test_what_is_posted_is_the_message_signed_over_id_time_and_body(
    server: WebServer, channel: WebhookChannel
) -> None:
    receipt = await channel.send(payload(server.url("/hook/secret-path?k=1")))
    (request,) = server.requests
    assert (request.method, request.path, request.query) == ("POST", "/hook/secret-path", {"k": "1"})
    assert request.body == b'{"type":"digest"}' and request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == "d_abc123" and request.headers["webhook-timestamp"] == str(NOW)
    assert verified(request) and not verified(request, OLD)
    assert receipt.accepted == ("http:204",)


def test_the_signature_is_the_one_of_the_specification() -> None:
    from notifier.channels.webhook import signature

    # The example of the Standard Webhooks specification's libraries.
    secret, id, stamp = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330"
    assert signature(secret, id, stamp, b'{"test": 2432232314}') == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_while_a_secret_is_replaced_both_sign(server: WebServer) -> None:
    channel = to(secrets=(SECRET, OLD))
    await channel.send(payload(server.url("/hook/secret-path")))
    await channel.close()
    assert verified(server.requests[0], SECRET) and verified(server.requests[0], OLD)


async def test_without_a_secret_nothing_is_posted(server: WebServer) -> None:
    assert isinstance(await failure(to(secrets=()), server.url("/hook/secret-path")), TryLater)
    assert server.requests == []


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_2xx_is_taken(server: WebServer, channel: WebhookChannel, status: int) -> None:
    server.answer("/", status=status)
    await channel.send(payload(server.url("/")))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
async def test_what_may_pass_is_tried_later(server: WebServer, channel: WebhookChannel, status: int) -> None:
    server.answer("/", status=status, headers={"Retry-After": "120"})
    error = await failure(channel, server.url("/"))
    assert type(error) is TryLater and error.retry_after == timedelta(seconds=120)


@pytest.mark.parametrize("said", ["", "soon", "-1", "9" * 30, "Wed, 21 Oct 2026 07:28:00 GMT"])
async def test_a_wait_that_is_no_number_is_our_own(server: WebServer, channel: WebhookChannel, said: str) -> None:
    server.answer("/", status=503, headers={"Retry-After": said})
    assert (await failure(channel, server.url("/"))).retry_after is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 418, 422, 451])
async def test_other_4xx_are_refusals(server: WebServer, channel: WebhookChannel, status: int) -> None:
    server.answer("/", status=status)
    error = await failure(channel, server.url("/"))
    assert isinstance(error, Refused) and error.cause is not Cause.CHANNEL and str(status) in str(error)


async def test_410_is_the_end_of_the_place(server: WebServer, channel: WebhookChannel) -> None:
    server.answer("/", status=410)
    error = await failure(channel, server.url("/"))
    assert isinstance(error, Refused) and error.cause is Cause.CHANNEL


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(server: WebServer, channel: WebhookChannel, status: int) -> None:
    server.redirect("/", server.url("/hook/secret-path"), status)
    assert isinstance(await failure(channel, server.url("/")), Refused)
    assert [request.path for request in server.requests] == ["/"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://2130706433/", "https://[::1]/", "http://169.254.1.1/"])
async def test_a_private_address_is_refused_without_a_connection(url: str) -> None:
    error = await failure(to(allow=()), url)
    assert isinstance(error, Refused) and "allow_networks" in str(error)


async def test_a_name_is_judged_by_the_address_it_leads_to(server: WebServer) -> None:
    async def inside(host: str, port: int) -> Sequence[str]:
        return ("127.0.0.1",)

    error = await failure(to(allow=(), resolve=inside), f"https://public.example.org:{server.port}/")
    assert isinstance(error, Refused)
    assert server.requests == []


async def test_without_encryption_only_the_operators_networks_are_reached() -> None:
    async def outside(host: str, port: int) -> Sequence[str]:
        return ("93.184.215.14",)

    assert isinstance(await failure(to(resolve=outside), "http://public.example.org/"), Refused)


async def test_an_unknown_host_is_tried_later() -> None:
    async def nowhere(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    assert isinstance(await failure(to(resolve=nowhere), "https://gone.example.org/"), TryLater)


async def test_a_server_that_takes_no_connection_is_tried_later(channel: WebhookChannel) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    assert type(await failure(channel, url)) is TryLater


async def test_an_answer_that_does_not_come_is_unknown(server: WebServer) -> None:
    def silent(_: Request) -> Answer:
        time.sleep(1)
        return Answer()

    server.answer("/", silent)
    assert isinstance(await failure(to(timeout=timedelta(seconds=0.5)), server.url("/")), Unknown)
    assert len(server.requests) == 1


async def test_a_connection_dropped_before_the_answer_is_unknown() -> None:
    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b'"digest"}')
        writer.close()

    listening = await asyncio.start_server(drop, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    assert isinstance(await failure(to(), f"http://127.0.0.1:{port}/"), Unknown)
    listening.close()


async def test_a_status_is_enough_whatever_the_body_does(server: WebServer, channel: WebhookChannel) -> None:
    server.answer("/", body=drip(b"x", every=0.05))
    await channel.send(payload(server.url("/")))


async def test_a_certificate_that_is_not_trusted_gets_nothing(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    with WebServer(context) as server:
        url = server.url("/", host="localhost")
        assert isinstance(await failure(to(), url), TryLater)
        assert server.requests == []
        trusting = to(ssl_context=ssl.create_default_context(cafile=str(certificate)))
        server.answer("/", status=200)
        await trusting.send(payload(url))
        await trusting.close()


AT_FIVE = "2025-12-16T05:00:00+00:00"
AT_EIGHT = "2025-12-16T08:00:00+00:00"


def subscribed(notifier: Shell, url: str) -> tuple[str, str]:
    """The subscription's id and its secret."""
    notifier("subscriber", "add", "ada@example.org", "--now", AT_FIVE)
    arguments = ["ada@example.org", "--channel", f"webhook:{url}", "--every", "daily", "--json", "--now", AT_FIVE]
    made = notifier("subscription", "add", *arguments).json
    notifier("rule", "add", made["id"], "reward", "--label", "rewards", "--now", AT_FIVE)
    paper = {
        "id": "arxiv:2512.00001",
        "title": "Reward models <b>",
        "abstract": "On rewards.",
        "url": "https://x.org/1",
    }
    Path("papers.jsonl").write_text(json.dumps(paper), "utf-8")
    notifier("import", "papers.jsonl", "--now", AT_FIVE)
    return made["id"], made["secret"]


def test_a_digest_is_posted_as_json_and_verifies(
    notifier: Shell, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_ALLOW_NETWORKS", LOOPBACK)
    id, secret = subscribed(notifier, server.url("/hook/secret-path"))
    notifier("run", "--once", "--now", AT_EIGHT)
    notifier("run", "--once", "--now", AT_EIGHT)
    (request,) = server.requests
    assert verified(request, secret)
    data = json.loads(request.body)["data"]
    assert data["id"] == request.headers["webhook-id"] and data["subscription"] == id
    (paper,) = data["papers"]
    assert (paper["id"], paper["title"], paper["shown"]) == ("arxiv:2512.00001", "Reward models <b>", True)
    assert paper["because"][0]["label"] == "rewards"
    assert {"field": "title", "text": "Reward"} in paper["because"][0]["evidence"]


def test_a_new_secret_signs_at_once_and_the_old_one_for_a_day(
    notifier: Shell, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_ALLOW_NETWORKS", LOOPBACK)
    id, old = subscribed(notifier, server.url("/hook/secret-path"))
    new = notifier("subscription", "secret", id, "--now", "2025-12-16T06:00:00+00:00").out.strip()
    notifier("run", "--once", "--now", AT_EIGHT)
    assert verified(server.requests[0], new) and verified(server.requests[0], old)
    notifier("subscription", "set", id, "--empty", "--now", AT_EIGHT)
    notifier("run", "--once", "--now", "2025-12-17T08:00:00+00:00")
    assert verified(server.requests[1], new) and not verified(server.requests[1], old)


def test_no_list_shows_more_of_the_address_than_its_host(
    notifier: Shell, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_ALLOW_NETWORKS", LOOPBACK)
    server.answer("/hook/secret-path", status=500)
    id, secret = subscribed(notifier, server.url("/hook/secret-path"))
    ran = notifier.tried("run", "--once", "--now", AT_EIGHT)
    delivery = notifier("deliveries", "--json").json[0]["id"]
    asked = [("subscription", "list"), ("subscription", "list", "--json"), ("deliveries",), ("deliveries", "--failed")]
    said = [notifier(*each) for each in [*asked, ("deliveries", "show", delivery), ("subscription", "pause", id)]]
    assert f"webhook:http://127.0.0.1:{server.port}/…" in said[0].out
    assert not any(key in f"{each.out}{each.err}" for each in [ran, *said] for key in ("secret-path", secret))


def test_an_address_that_is_none_is_refused_without_being_repeated(notifier: Shell) -> None:
    notifier("subscriber", "add", "ada@example.org")
    for url in ("", "ftp://example.org/key-1", "https://user:key-1@example.org/", "https://", "key-1"):
        ran = notifier.tried(
            "subscription", "add", "ada@example.org", "--channel", f"webhook:{url}", "--every", "daily"
        )
        assert ran.code == 2 and "webhook:https://" in ran.err and "key-1" not in ran.err
