"""The email channel against a real SMTP server that fails where it is told to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from notifier.channels.email import EmailChannel
from notifier.channels.smtp import Server
from notifier.channels.smtp.login import with_password
from notifier.channels.smtp.replies import refusal
from notifier.errors import Cause, ChannelStopped, Refused, SendError, TryLater, Unknown
from notifier.settings import Security
from tests.channels.messages import MAIL, mail
from tests.compliance import BY_HAND
from tests.servers.smtp import Certificate, MailServer, make_certificate

BEFORE_DOT = ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=[True, False], ids=["pipelining", "step by step"])
def server(request: pytest.FixtureRequest) -> Iterator[MailServer]:
    with MailServer(pipelining=request.param) as started:
        yield started


@pytest.fixture
async def channel(server: MailServer) -> AsyncIterator[EmailChannel]:
    opened = to(server)
    yield opened
    await opened.close()


# Where nothing hangs, so that a busy machine is no fault.
PATIENCE = timedelta(seconds=20)


def to(server: MailServer, *, security: Security = Security.NONE, **more: Any) -> EmailChannel:
    sender, connections = more.pop("sender", "papers@example.org"), more.pop("connections", 1)
    return EmailChannel([server_of(server, security=security, **more)], sender, connections=connections)


def server_of(server: MailServer, *, security: Security = Security.NONE, **more: Any) -> Server:
    if "password" in more:
        more["login"] = with_password(more["username"], more.pop("password"))
    options: dict[str, Any] = {"timeout": timedelta(seconds=0.5), "last_reply": timedelta(seconds=0.5)} | more
    return Server(host=server.host, port=server.port, security=security, **options)


async def failure(channel: EmailChannel, *args: Any, **more: Any) -> SendError:
    with pytest.raises(SendError) as caught:
        await channel.send(mail(*args, **more))
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and "!" not in sentence
    return caught.value


async def test_sends_exactly_the_bytes_of_the_message(server: MailServer, channel: EmailChannel) -> None:
    receipt = await channel.send(mail())
    assert [taken.content for taken in server.mails] == [MAIL]
    assert receipt.accepted == ("<d_abc123@example.org>",)
    assert "queued as 4F1A" in receipt.detail


async def test_uses_the_messages_sender_and_target_as_envelope(server: MailServer, channel: EmailChannel) -> None:
    await channel.send(mail("bob@example.org", sender="Papers <bounce+d1@example.org>"))
    await channel.send(mail("bob@example.org", sender=""))
    assert [(taken.sender, taken.recipients) for taken in server.mails] == [
        ("bounce+d1@example.org", ("bob@example.org",)),
        ("papers@example.org", ("bob@example.org",)),
    ]


@given(lines=st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\r", b"").replace(b"\n", b"")), max_size=8))
@settings(max_examples=25)
def test_any_lines_arrive_as_they_were(lines: list[bytes]) -> None:
    content = BY_HAND + b"\r\n\r\n" + b"".join(line + b"\r\n" for line in lines)

    async def one(server: MailServer) -> None:
        channel = to(server, timeout=PATIENCE, last_reply=PATIENCE)
        await channel.send(mail(content=content))
        await channel.close()

    with MailServer() as server:
        asyncio.run(one(server))
        assert server.mails[0].content == content


async def test_keeps_one_connection_for_many_mails(server: MailServer, channel: EmailChannel) -> None:
    await asyncio.gather(*(channel.send(mail(f"p{number}@example.org")) for number in range(20)))
    assert len(server.mails) == 20
    assert server.connections == 1


async def test_goes_on_after_a_connection_that_was_hung_up_on(server: MailServer, channel: EmailChannel) -> None:
    await channel.send(mail())
    server.hang_up()
    await channel.send(mail())
    assert [taken.connection for taken in server.mails] == [1, 2]


async def test_goes_on_after_a_421_on_a_kept_connection(server: MailServer, channel: EmailChannel) -> None:
    await channel.send(mail())
    server.fail("MAIL", "421 4.4.2 timeout exceeded", times=1)
    await channel.send(mail())
    assert [taken.connection for taken in server.mails] == [1, 2]


async def test_says_quit_when_closed_and_can_be_used_again(server: MailServer, channel: EmailChannel) -> None:
    await channel.send(mail())
    await channel.close()
    assert server.commands[-1] == "QUIT"
    await channel.send(mail())
    assert len(server.mails) == 2


def test_serves_one_event_loop_after_the_other(server: MailServer) -> None:
    channel = to(server)
    for _ in range(2):
        asyncio.run(channel.send(mail()))  # type: ignore[arg-type]
    assert len(server.mails) == 2


async def test_a_message_that_was_accepted_is_not_sent_again(server: MailServer, channel: EmailChannel) -> None:
    receipt = await channel.send(mail(accepted=("<d_abc123@example.org>",)))
    assert receipt.accepted == ("<d_abc123@example.org>",)
    assert server.connections == 0


@pytest.mark.parametrize("place", BEFORE_DOT)
async def test_a_drop_before_the_dot_is_tried_later(server: MailServer, channel: EmailChannel, place: str) -> None:
    server.drop(place)
    assert isinstance(await failure(channel), TryLater)
    server.heal()
    await channel.send(mail())
    assert len(server.mails) == 1


@pytest.mark.parametrize("place", BEFORE_DOT)
async def test_a_silence_before_the_dot_is_tried_later(server: MailServer, channel: EmailChannel, place: str) -> None:
    server.hang(place)
    assert isinstance(await failure(channel), TryLater)
    server.heal()
    await channel.send(mail())
    assert len(server.mails) == 1


@pytest.mark.parametrize("accept", [True, False])
async def test_a_drop_after_the_dot_is_unknown(server: MailServer, channel: EmailChannel, accept: bool) -> None:
    server.drop("DOT", accept=accept)
    error = await failure(channel)
    assert isinstance(error, Unknown)
    assert "may have gone out" in str(error)


async def test_a_silence_after_the_dot_is_unknown(server: MailServer, channel: EmailChannel) -> None:
    server.hang("DOT", accept=True)
    assert isinstance(await failure(channel), Unknown)


async def test_the_reply_to_the_dot_may_take_longer_than_the_others(server: MailServer) -> None:
    server.hang("DOT", accept=True)
    channel = to(server, timeout=timedelta(seconds=0.2), last_reply=timedelta(seconds=60))
    sending = asyncio.create_task(channel.send(mail()))
    done, _ = await asyncio.wait({sending}, timeout=0.6)
    assert not done
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    server.heal()
    await channel.send(mail())
    await channel.close()


@pytest.mark.parametrize("place", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("reply", ["451 4.3.0 try again", "421 4.3.2 shutting down", "450 4.2.0 greylisted"])
async def test_a_4xx_anywhere_is_tried_later(server: MailServer, channel: EmailChannel, place: str, reply: str) -> None:
    server.fail(place, reply)
    error = await failure(channel)
    assert isinstance(error, TryLater)
    assert reply[4:] in str(error)
    server.heal()
    await channel.send(mail())
    assert len(server.mails) == 1


@pytest.mark.parametrize("place", ["MAIL", "RCPT", "DATA", "DOT"])
async def test_a_5xx_is_refused_and_the_connection_lives_on(
    server: MailServer, channel: EmailChannel, place: str
) -> None:
    server.fail(place, "550 5.1.1 No such user", times=1)
    error = await failure(channel)
    assert isinstance(error, Refused)
    assert "550 5.1.1 No such user" in str(error) and "ada@example.org" in str(error)
    await channel.send(mail())
    assert [taken.connection for taken in server.mails] == [1]


@pytest.mark.parametrize("place", ["CONNECT", "EHLO"])
async def test_a_5xx_before_any_mail_is_about_the_server_and_tried_later(
    server: MailServer, channel: EmailChannel, place: str
) -> None:
    server.fail(place, "554 5.7.1 no service for you")
    error = await failure(channel)
    assert isinstance(error, TryLater)
    assert "554 5.7.1 no service for you" in str(error)


@pytest.mark.parametrize("place", ["EHLO", "MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("reply", ["530 5.7.0 Authentication required", "535 5.7.8 no"])
async def test_a_demand_to_log_in_stops_the_channel(
    server: MailServer, channel: EmailChannel, place: str, reply: str
) -> None:
    server.fail(place, reply)
    assert isinstance(await failure(channel), ChannelStopped)


@pytest.mark.parametrize("place", BEFORE_DOT)
@pytest.mark.parametrize("reply", [b"hello\xff", b"HTTP/1.1 400 Bad Request", b"250-" + b"x" * 40_000])
async def test_garbage_before_the_dot_is_tried_later(
    server: MailServer, channel: EmailChannel, place: str, reply: bytes
) -> None:
    server.fail(place, reply, times=1)
    assert isinstance(await failure(channel), TryLater)
    await channel.send(mail())
    assert len(server.mails) == 1


@pytest.mark.parametrize("reply", ["what", "999 odd", "354 more please", "250-" + "x" * 40_000])
async def test_garbage_after_the_dot_is_unknown(server: MailServer, channel: EmailChannel, reply: str) -> None:
    server.fail("DOT", reply)
    assert isinstance(await failure(channel), Unknown)


async def test_a_refusal_whose_rset_hangs_costs_the_next_mail_only_a_connection(
    server: MailServer, channel: EmailChannel
) -> None:
    server.fail("RCPT", "550 5.1.1 No such user", times=1)
    server.hang("RSET")
    assert isinstance(await failure(channel), Refused)
    await channel.send(mail())
    assert [taken.connection for taken in server.mails] == [2]


@pytest.mark.parametrize("place", ["EHLO", "MAIL", "RCPT", "DATA", "BODY", "DOT"])
async def test_a_send_that_is_cancelled_leaves_no_reply_for_the_next(
    server: MailServer, channel: EmailChannel, place: str
) -> None:
    server.hang(place, times=1)
    sending = asyncio.create_task(channel.send(mail()))
    await asyncio.to_thread(server.wait_until, place)
    # Python 3.11's wait_for loses a cancellation that meets a reply: let the last reply come in first.
    await asyncio.sleep(0.1)
    sending.cancel()
    assert isinstance((await asyncio.gather(sending, return_exceptions=True))[0], asyncio.CancelledError)
    await channel.send(mail("bob@example.org"))
    assert [(taken.recipients, taken.connection) for taken in server.mails] == [(("bob@example.org",), 2)]


async def test_a_strange_but_valid_address_is_told_as_it_is(server: MailServer, channel: EmailChannel) -> None:
    server.drop("DOT")
    assert "a{0}b@example.org" in str(await failure(channel, "a{0}b@example.org"))


async def test_only_the_refused_recipient_fails(server: MailServer, channel: EmailChannel) -> None:
    server.fail("RCPT", "550 5.1.1 No such user", only="bob@example.org")
    await channel.send(mail("ada@example.org"))
    assert isinstance(await failure(channel, "bob@example.org"), Refused)
    await channel.send(mail("eve@example.org"))
    assert [taken.recipients for taken in server.mails] == [("ada@example.org",), ("eve@example.org",)]


@pytest.mark.parametrize("cut", range(0, len(MAIL), 97))
async def test_a_cut_within_the_message_never_counts_as_sent(
    server: MailServer, channel: EmailChannel, cut: int
) -> None:
    # So small a message is in the kernel's hands with its dot before the cut can be seen: nobody can know.
    server.drop("BODY", after=cut)
    assert isinstance(await failure(channel), TryLater | Unknown)
    assert server.mails == []


async def test_a_break_while_a_big_message_is_still_being_handed_over_is_tried_later(
    server: MailServer, channel: EmailChannel
) -> None:
    server.drop("BODY", after=100_000)
    big = MAIL + b"x" * 70 * 1024 + b"\r\n" + (b"y" * 70 + b"\r\n") * 300_000
    assert isinstance(await failure(channel, content=big), TryLater)


async def test_a_server_that_stops_reading_is_tried_later(server: MailServer, channel: EmailChannel) -> None:
    server.hang("BODY")
    big = MAIL + (b"y" * 70 + b"\r\n") * 300_000
    assert isinstance(await failure(channel, content=big), TryLater)


async def test_a_message_too_big_for_the_server_is_refused_before_it_is_sent() -> None:
    with MailServer(size_limit=200) as server:
        channel = to(server)
        assert isinstance(await failure(channel), Refused)
        assert server.mails == []
        await channel.close()


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("5.1.1 No such user", "the address does not exist"),
        ("5.2.2 Mailbox full", "the mailbox is full"),
        ("5.7.1 Relaying denied", "this is about us"),
        ("5.7.26 SPF failed", "this is about us"),
        ("5.1.8 bad sender", "check mail_from"),
        ("5.3.4 too big", "too big"),
    ],
)
def test_a_refusal_says_whether_it_is_about_the_address_or_about_us(reply: str, said: str) -> None:
    assert said in str(refusal("mx:25", "RCPT", 550, reply, "ada@example.org"))


def test_what_is_refused_at_mail_is_about_our_sender_and_no_bounce_of_the_recipient() -> None:
    error = refusal("mx:25", "MAIL", 550, "5.1.0 Address rejected", "ada@example.org")
    assert error.cause is Cause.SENDER and "check mail_from" in str(error)
    assert refusal("mx:25", "MAIL", 552, "5.3.4 Too big", "ada@example.org").cause is Cause.SIZE


def test_a_reply_of_many_hostile_lines_becomes_one_short_sentence() -> None:
    text = "5.1.1 no\n5.1.1 such\x1b[31m user\r\n" + "\udcff" * 9000
    sentence = str(refusal("mx:25", "RCPT", 550, text, "ada@example.org"))
    assert "(550 5.1.1 no such[31m user)" in sentence
    assert sentence.isprintable()


async def test_nobody_listening_is_tried_later_and_says_where() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    nobody = Server(host="127.0.0.1", port=port, security=Security.NONE, timeout=timedelta(seconds=1))
    channel = EmailChannel([nobody], "papers@example.org")
    error = await failure(channel)
    assert isinstance(error, TryLater)
    assert f"127.0.0.1:{port}" in str(error) and "connection refused" in str(error)


async def test_an_unknown_host_is_tried_later() -> None:
    unknown = Server(host="no-such-host.invalid", port=25, security=Security.NONE, timeout=timedelta(seconds=5))
    channel = EmailChannel([unknown], "papers@example.org")
    assert isinstance(await failure(channel), TryLater)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_sends_over_tls(certificate: Certificate, security: Security) -> None:
    with MailServer(certificate=certificate, implicit=security is Security.TLS) as server:
        channel = to(server, security=security, tls_context=certificate.client_context())
        assert "TLS" in await channel.check()
        await channel.send(mail())
        await channel.close()
        assert [taken.tls for taken in server.mails] == [True]


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_an_untrusted_certificate_is_not_talked_to(certificate: Certificate, security: Security) -> None:
    with MailServer(certificate=certificate, implicit=security is Security.TLS) as server:
        channel = to(server, security=security)
        error = await failure(channel)
        assert isinstance(error, TryLater)
        assert "certificate is not trusted" in str(error)
        assert "MAIL" not in server.commands


async def test_a_server_without_starttls_gets_no_mail(server: MailServer) -> None:
    error = await failure(to(server, security=Security.STARTTLS))
    assert isinstance(error, TryLater)
    assert "smtp_security" in str(error)
    assert "MAIL" not in server.commands


async def test_logs_in() -> None:
    with MailServer(login=("papers", "pässword")) as server:
        channel = to(server, username="papers", password=SecretStr("pässword"))
        assert "takes the login of papers" in await channel.check()
        await channel.send(mail())
        await channel.close()
        assert len(server.mails) == 1


async def test_a_wrong_password_stops_the_channel_and_is_not_told() -> None:
    with MailServer(login=("papers", "right")) as server:
        error = await failure(to(server, username="papers", password=SecretStr("hunter2-wrong")))
        assert isinstance(error, ChannelStopped)
        assert "smtp_password" in str(error) and "hunter2" not in repr(error)


async def test_a_server_that_has_no_login_stops_a_channel_that_wants_one(server: MailServer) -> None:
    assert isinstance(await failure(to(server, username="papers", password=SecretStr("x"))), ChannelStopped)


async def test_a_passing_login_failure_is_tried_later() -> None:
    with MailServer(login=("papers", "right")) as server:
        server.fail("AUTH", "454 4.7.0 Temporary authentication failure")
        error = await failure(to(server, username="papers", password=SecretStr("right")))
        assert isinstance(error, TryLater)


async def test_a_domain_in_another_script_goes_as_punycode(server: MailServer, channel: EmailChannel) -> None:
    await channel.send(mail("ada@bücher.example"))
    assert server.mails[0].recipients == ("ada@xn--bcher-kva.example",)


async def test_a_name_that_is_not_ascii_goes_with_smtputf8(server: MailServer, channel: EmailChannel) -> None:
    await channel.send(mail("jörg@example.org"))
    assert server.mails[0].recipients == ("jörg@example.org",)
    assert "SMTPUTF8" in server.mails[0].options


async def test_a_name_that_is_not_ascii_is_refused_where_smtputf8_is_missing() -> None:
    with MailServer(utf8=False) as server:
        assert isinstance(await failure(to(server), "jörg@example.org"), Refused)


@pytest.mark.parametrize("target", ["ada@example.org>\r\nRCPT TO:<eve@example.org", "a b@example.org", "", "ada"])
async def test_an_address_never_becomes_a_command(server: MailServer, channel: EmailChannel, target: str) -> None:
    with suppress(Refused):
        await channel.send(mail(target))
    assert "eve@example.org" not in str([taken.recipients for taken in server.mails])


async def test_a_bare_line_end_is_refused(server: MailServer, channel: EmailChannel) -> None:
    assert isinstance(await failure(channel, content=b"Subject: x\r\n\r\na\n.\nMAIL FROM:<eve@x.org>\r\n"), Refused)
    assert server.connections == 0


async def test_a_channel_without_a_sender_says_which_setting_is_missing(server: MailServer) -> None:
    channel = to(server, sender="")
    assert "mail_from" in str(await failure(channel, sender=""))
    with pytest.raises(ChannelStopped, match="mail_from"):
        await channel.check()


async def test_check_sees_that_a_kept_connection_is_dead(server: MailServer, channel: EmailChannel) -> None:
    await channel.send(mail())
    server.drop("NOOP")
    assert "answers without encryption" in await channel.check()
    assert server.connections == 2


def test_the_port_follows_the_security() -> None:
    ports = {
        security: Server(host="mx", port=None, security=security, timeout=timedelta(seconds=1)).name
        for security in Security
    }
    assert ports == {Security.STARTTLS: "mx:587", Security.TLS: "mx:465", Security.NONE: "mx:25"}
