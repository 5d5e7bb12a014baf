"""What every channel promises, over each of them with its real counterpart.

A new channel joins by a ``Counterpart`` in ``COUNTERPARTS``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from notifier.channels.apprise import AppriseChannel
from notifier.channels.email import EmailChannel
from notifier.channels.outbox import Outbox
from notifier.channels.slack import SlackChannel
from notifier.channels.smtp import Server
from notifier.channels.webhook import WebhookChannel
from notifier.ids import new_secret
from notifier.model import Message
from notifier.ports import Channel
from notifier.settings import Security
from tests.channels.messages import mail, slack
from tests.servers.slack import HOOK, TOKEN, SlackServer
from tests.servers.smtp import MailServer
from tests.servers.web import WebServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterpart:
    """A channel, a message for it, and what the other side has received so far, part by part."""

    channel: Channel
    message: Message
    received: Callable[[], list[bytes]]


@contextmanager
def smtp(_: Path) -> Iterator[Counterpart]:
    with MailServer() as server:
        relay = Server(host=server.host, port=server.port, security=Security.NONE, timeout=timedelta(seconds=5))
        channel = EmailChannel([relay], "papers@example.org")
        yield Counterpart(channel=channel, message=mail(), received=lambda: [taken.content for taken in server.mails])


@contextmanager
def slack_at(target: str) -> Iterator[Counterpart]:
    with SlackServer() as server:
        server.add_channel("C0PAPERS1", "papers")
        server.add_person("U0ADA", "ada@example.org")

        def received() -> list[bytes]:
            posted = [
                {key: value for key, value in post.arguments.items() if key not in ("channel", "thread_ts")}
                for post in server.taken
            ]
            return [json.dumps(arguments).encode() for arguments in posted]

        channel = SlackChannel(SecretStr(TOKEN), SecretStr(server.hook_url), server.api_url, each=timedelta(0))
        yield Counterpart(channel=channel, message=slack(target, parts=3), received=received)


@contextmanager
def webhook(_: Path) -> Iterator[Counterpart]:
    async def secrets_of(_: str) -> tuple[str, ...]:
        return (new_secret(),)

    with WebServer() as server:
        server.answer("/", status=204)
        channel = WebhookChannel(secrets_of, allow_networks=("127.0.0.0/8",))
        message = replace(mail(server.url("/")), format="json", parts=(b'{"type":"digest"}',))
        yield Counterpart(channel=channel, message=message, received=lambda: [each.body for each in server.requests])


@contextmanager
def apprise(_: Path) -> Iterator[Counterpart]:
    with WebServer() as server:
        server.answer("/message", body=b"{}")

        def received() -> list[bytes]:
            return [json.loads(each.body)["message"].encode() for each in server.requests]

        channel = AppriseChannel(schemas=("gotify",), allow_networks=("127.0.0.0/8",), each=timedelta(0))
        target = f"gotify://127.0.0.1:{server.port}/{'A' * 15}"
        message = replace(mail(target), format="text", parts=(b"part 0", "pärt 1".encode(), b"part 2"))
        yield Counterpart(channel=channel, message=message, received=received)


@contextmanager
def outbox(folder: Path) -> Iterator[Counterpart]:
    def received() -> list[bytes]:
        return [path.read_bytes() for path in sorted(folder.glob("outbox/*.eml"))]

    yield Counterpart(channel=Outbox(folder / "outbox"), message=mail(), received=received)


@contextmanager
def slack_outbox(folder: Path) -> Iterator[Counterpart]:
    def received() -> list[bytes]:
        files = sorted(folder.glob("outbox/*.json"))
        return [json.dumps(part).encode() for file in files for part in json.loads(file.read_bytes())["messages"]]

    yield Counterpart(channel=Outbox(folder / "outbox"), message=slack(parts=3), received=received)


COUNTERPARTS: dict[str, Callable[[Path], AbstractContextManager[Counterpart]]] = {
    "smtp": smtp,
    "slack channel": lambda _: slack_at("#papers"),
    "slack person": lambda _: slack_at("ada@example.org"),
    "slack webhook": lambda _: slack_at(HOOK),
    "webhook": webhook,
    "apprise": apprise,
    "outbox": outbox,
    "slack in the outbox": slack_outbox,
}


@pytest.fixture(params=COUNTERPARTS)
def side(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counterpart]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with COUNTERPARTS[request.param](tmp_path) as counterpart:
        yield counterpart


async def test_a_message_that_was_sent_is_received_whole_and_unchanged(side: Counterpart) -> None:
    receipt = await side.channel.send(side.message)
    await side.channel.close()
    assert side.received() == list(side.message.parts)
    assert len(receipt.accepted) == len(side.message.parts)
    assert all(receipt.accepted) and receipt.detail


async def test_a_message_that_is_sent_again_is_received_the_same(side: Counterpart) -> None:
    for _ in range(2):
        await side.channel.send(side.message)
    await side.channel.close()
    assert side.received() in (list(side.message.parts), list(side.message.parts) * 2)


async def test_parts_that_were_accepted_are_not_sent_again(side: Counterpart) -> None:
    first = replace(side.message, parts=side.message.parts[:1])
    accepted = (await side.channel.send(first)).accepted
    rest = replace(side.message, delivery_id="d_rest", accepted=accepted)
    receipt = await side.channel.send(rest)
    await side.channel.close()
    assert receipt.accepted[:1] == accepted
    assert len(receipt.accepted) == len(side.message.parts)
    assert sorted(side.received()) == sorted(side.message.parts)


async def test_a_message_that_was_wholly_accepted_sends_nothing(side: Counterpart) -> None:
    accepted = (await side.channel.send(side.message)).accepted
    before = side.received()
    receipt = await side.channel.send(replace(side.message, accepted=accepted))
    await side.channel.close()
    assert receipt.accepted == accepted
    assert side.received() == before


async def test_many_messages_at_once_all_arrive(side: Counterpart) -> None:
    messages = [replace(side.message, delivery_id=f"d_{number}") for number in range(8)]
    await asyncio.gather(*(side.channel.send(message) for message in messages))
    await side.channel.close()
    assert sorted(side.received()) == sorted(list(side.message.parts) * 8)


async def test_check_says_a_sentence_and_sends_nothing(side: Counterpart) -> None:
    sentence = await side.channel.check()
    await side.channel.close()
    assert sentence.endswith(".") and sentence.isprintable()
    assert side.received() == []


async def test_close_may_come_first_twice_and_between(side: Counterpart) -> None:
    await side.channel.close()
    await side.channel.send(side.message)
    await side.channel.close()
    await side.channel.close()
    await side.channel.send(replace(side.message, delivery_id="d_second"))
    await side.channel.close()
    assert len(side.received()) == 2 * len(side.message.parts)


def test_each_event_loop_may_use_it(side: Counterpart) -> None:
    async def once(number: int) -> None:
        await side.channel.send(replace(side.message, delivery_id=f"d_{number}"))
        await side.channel.close()

    for number in range(2):
        asyncio.run(once(number))
    assert len(side.received()) == 2 * len(side.message.parts)


async def test_a_send_that_was_cancelled_leaves_the_channel_usable(side: Counterpart) -> None:
    sending = asyncio.create_task(side.channel.send(replace(side.message, delivery_id="d_cancelled")))
    await asyncio.sleep(0)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await side.channel.send(side.message)
    await side.channel.close()
    assert set(side.message.parts) <= set(side.received())
