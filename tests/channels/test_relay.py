"""Several connections, several servers, and a token instead of a password."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notifier.channels.email import EmailChannel
from notifier.channels.smtp.login import WithToken
from notifier.errors import ChannelStopped, Refused, TryLater, Unreachable
from tests.channels.messages import mail
from tests.channels.test_email import server_of, to
from tests.servers.smtp import MailServer


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as started:
        yield started


@pytest.fixture
def second() -> Iterator[MailServer]:
    with MailServer() as started:
        yield started


def over(*servers: MailServer, **more: Any) -> EmailChannel:
    return EmailChannel([server_of(each, **more) for each in servers], "papers@example.org", connections=2)


async def send(channel: EmailChannel, count: int) -> None:
    await asyncio.gather(*(channel.send(mail(f"p{number}@example.org")) for number in range(count)))


async def test_many_mails_go_over_no_more_connections_than_allowed(server: MailServer) -> None:
    channel = to(server, connections=3)
    await send(channel, 30)
    await channel.close()
    assert len(server.mails) == 30
    assert {each.connection for each in server.mails} <= {1, 2, 3}
    assert server.connections == 3


async def test_where_the_server_takes_no_more_connections_those_there_are_do_it(server: MailServer) -> None:
    server.fail("CONNECT", "421 4.7.0 Too many connections", skip=1)
    channel = to(server, connections=4)
    await channel.send(mail("first@example.org"))
    await send(channel, 10)
    await channel.close()
    assert len(server.mails) == 11
    assert {each.connection for each in server.mails} == {1}


async def test_a_connection_that_was_given_up_is_opened_again_for_the_next_mail(server: MailServer) -> None:
    channel = to(server, connections=2)
    server.drop("DATA", times=1)
    with pytest.raises(TryLater):
        await channel.send(mail())
    await send(channel, 4)
    await channel.close()
    assert len(server.mails) == 4


async def test_a_server_that_is_away_is_stood_in_for_and_left_alone_for_a_while(
    server: MailServer, second: MailServer
) -> None:
    server.drop("CONNECT")
    channel = over(server, second)
    await send(channel, 6)
    tried = server.connections
    await send(channel, 6)
    await channel.close()
    assert len(second.mails) == 12
    assert server.connections == tried


async def test_a_server_that_wants_a_login_is_stood_in_for(server: MailServer, second: MailServer) -> None:
    server.fail("MAIL", "530 5.7.0 Authentication required")
    channel = over(server, second)
    await channel.send(mail())
    await channel.close()
    assert len(second.mails) == 1


async def test_what_one_server_refuses_is_not_asked_of_another(server: MailServer, second: MailServer) -> None:
    server.fail("RCPT", "550 5.1.1 No such user")
    channel = over(server, second)
    with pytest.raises(Refused):
        await channel.send(mail())
    await channel.close()
    assert second.mails == [] and second.connections == 0


async def test_where_none_is_there_the_first_one_says_why(server: MailServer, second: MailServer) -> None:
    server.drop("CONNECT")
    second.drop("CONNECT")
    with pytest.raises(Unreachable, match=f":{server.port}"):
        await over(server, second).send(mail())


def printing(tmp_path: Path, code: str) -> str:
    script = tmp_path / "token.py"
    script.write_text(code, encoding="ascii")
    return f"{sys.executable} {script}"


class Client:
    """What the login is given: takes one token."""

    def __init__(self, right: str) -> None:
        self.right = right
        self.tokens: list[str] = []

    async def auth_xoauth2(self, username: str, token: str) -> None:
        self.tokens.append(token)


async def test_the_token_that_the_command_prints_is_kept_for_a_while(tmp_path: Path) -> None:
    counter = tmp_path / "runs"
    code = f"open({str(counter)!r}, 'a').write('x'); print('s3cret'); print('second line')"
    login = WithToken("papers@example.org", printing(tmp_path, code))
    client: Any = Client("s3cret")
    await login(client)
    await login(client)
    assert client.tokens == ["s3cret", "s3cret"]
    assert counter.read_text(encoding="ascii") == "x"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys; print('s3cret'); sys.exit('no refresh token')", "ended with 1: no refresh token"),
        ("print()", "printed no token"),
    ],
)
async def test_a_command_that_gives_no_token_stops_the_channel_and_tells_no_secret(
    tmp_path: Path, code: str, said: str
) -> None:
    login = WithToken("papers@example.org", printing(tmp_path, code))
    client: Any = Client("")
    with pytest.raises(ChannelStopped) as caught:
        await login(client)
    assert said in str(caught.value) and "s3cret" not in str(caught.value)


async def test_a_command_that_is_not_there_stops_the_channel() -> None:
    client: Any = Client("")
    with pytest.raises(ChannelStopped, match="cannot be run"):
        await WithToken("papers@example.org", "no-such-command --token")(client)
