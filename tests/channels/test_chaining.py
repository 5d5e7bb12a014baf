"""Where mails wait for a connection, the next is offered behind the dot of the one before; each has its own end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.channels.email import EmailChannel
from notifier.channels.smtp import Server
from notifier.errors import Refused, SendError, TryLater, Unknown
from notifier.model import Receipt
from notifier.settings import Security
from tests.channels.messages import mail
from tests.channels.test_email import to
from tests.servers.smtp import MailServer


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as started:
        yield started


def address(number: int) -> str:
    return f"p{number}@example.org"


async def sent(channel: EmailChannel, count: int) -> list[Receipt | BaseException]:
    """What became of so many that are sent at the same time."""
    ends = [channel.send(mail(address(number))) for number in range(count)]
    found = await asyncio.gather(*ends, return_exceptions=True)
    await channel.close()
    return found


def taken(server: MailServer) -> Counter[str]:
    return Counter(each.recipients[0] for each in server.mails)


async def test_the_commands_of_the_next_mail_go_out_before_the_dot_of_this_one_is_answered() -> None:
    behind_the_dot: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            if line.startswith(b"EHLO"):
                writer.write(b"250-here\r\n250 PIPELINING\r\n")
            elif line.startswith(b"DATA"):
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                if not behind_the_dot:
                    # Not a word before the commands of the next mail are here.
                    behind_the_dot.append(await reader.readuntil(b"DATA\r\n"))
                    writer.write(b"250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                writer.write(b"250 ok\r\n")
            else:
                writer.write(b"250 ok\r\n")

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    where = Server(host="127.0.0.1", port=port, security=Security.NONE, timeout=timedelta(seconds=5))
    ends = await sent(EmailChannel([where], "papers@example.org"), 2)
    listening.close()
    assert all(isinstance(end, Receipt) for end in ends)
    (commands,) = behind_the_dot
    assert commands.split(b"\r\n")[:-1] == [b"MAIL FROM:<papers@example.org>", b"RCPT TO:<p1@example.org>", b"DATA"]


async def test_many_over_one_connection_arrive_once_each_and_in_order(server: MailServer) -> None:
    ends = await sent(to(server), 30)
    assert all(isinstance(end, Receipt) for end in ends)
    assert [each.recipients[0] for each in server.mails] == [address(number) for number in range(30)]
    assert server.connections == 1


@pytest.mark.parametrize(("place", "kind"), [("MAIL", Refused), ("RCPT", Refused), ("DATA", Refused), ("DOT", Refused)])
async def test_what_is_refused_is_refused_alone(server: MailServer, place: str, kind: type[SendError]) -> None:
    server.fail(place, "554 5.6.0 not this one", skip=2, times=2)
    ends = await sent(to(server), 8)
    assert [type(end) for end in ends] == [Receipt, Receipt, kind, kind, Receipt, Receipt, Receipt, Receipt]
    assert taken(server) == {address(number): 1 for number in (0, 1, 4, 5, 6, 7)}


async def test_a_line_that_drops_at_the_dot_leaves_only_that_mail_in_doubt(server: MailServer) -> None:
    server.drop("DOT", accept=True, only=address(1))
    ends = await sent(to(server), 4)
    assert [type(end) for end in ends] == [Receipt, Unknown, Receipt, Receipt]
    assert taken(server) == {address(number): 1 for number in range(4)}


async def test_a_server_that_wants_no_more_on_this_connection_gets_them_on_another(server: MailServer) -> None:
    server.fail("MAIL", "421 4.7.0 that is enough", skip=3, times=1)
    ends = await sent(to(server), 6)
    assert all(isinstance(end, Receipt) for end in ends)
    assert taken(server) == {address(number): 1 for number in range(6)}
    assert server.connections == 2


async def test_an_address_that_cannot_be_written_is_refused_when_its_turn_comes(server: MailServer) -> None:
    channel = to(server)
    targets = [address(0), "a b@example.org", address(1)]
    ends = await asyncio.gather(*(channel.send(mail(each)) for each in targets), return_exceptions=True)
    await channel.close()
    assert [type(end) for end in ends] == [Receipt, Refused, Receipt]


async def test_a_mail_that_was_offered_and_is_given_up_sends_nothing_and_frees_the_way(server: MailServer) -> None:
    server.hang("DOT", times=1, accept=True)
    channel = to(server)
    first = asyncio.create_task(channel.send(mail(address(0))))
    gone = asyncio.create_task(channel.send(mail(address(1))))
    last = asyncio.create_task(channel.send(mail(address(2))))
    await asyncio.to_thread(server.wait_until, "DOT")
    gone.cancel()
    with pytest.raises(Unknown):
        await first
    await last
    await channel.close()
    assert taken(server) == {address(0): 1, address(2): 1}


_FAULTS: tuple[dict[str, Any], ...] = (
    {"place": "RCPT", "reply": "550 5.1.1 nobody"},
    {"place": "RCPT", "reply": "450 4.2.0 later"},
    {"place": "DOT", "reply": "554 5.6.0 no"},
    {"place": "DOT", "drop": True},
    {"place": "DOT", "drop": True, "accept": True},
    {"place": "RCPT", "drop": True},
)


@given(st.dictionaries(st.integers(0, 9), st.sampled_from(_FAULTS), max_size=5), st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_whatever_fails_each_mail_is_told_its_own_end(faults: dict[int, dict[str, Any]], connections: int) -> None:
    with MailServer() as server:
        for number, fault in faults.items():
            given = dict(fault)
            place, drop = given.pop("place"), given.pop("drop", False)
            if drop:
                server.drop(place, only=address(number), **given)
            else:
                server.fail(place, only=address(number), **given)
        ends = asyncio.run(sent(to(server, connections=connections), 10))
        arrived = taken(server)
    for number, end in enumerate(ends):
        fault = faults.get(number, {})
        if isinstance(end, Receipt):
            assert arrived[address(number)] == 1
        elif isinstance(end, Unknown):
            assert fault["place"] == "DOT"
            assert arrived[address(number)] == bool(fault.get("accept"))
        else:
            # A line that breaks takes with it at most the mail that was offered behind.
            assert isinstance(end, TryLater | Refused)
            assert arrived[address(number)] == 0
            assert fault or isinstance(end, TryLater)
