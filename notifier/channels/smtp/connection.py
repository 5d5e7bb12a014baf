"""One kept connection to a mail server, which takes one mail after the other.

The conversation is driven step by step, because what a failure means depends on where it came: up to the final dot
of DATA the server has accepted nothing and the same bytes may go again; between the dot and its reply nobody can
know (RFC 1047).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import aiosmtplib

from notifier.channels.smtp.replies import refusal, unreachable
from notifier.channels.smtp.wire import Answers, Reply, Wire
from notifier.clean import plain
from notifier.errors import Broken, Cause, ChannelStopped, Refused, SendError, Unknown
from notifier.settings import Security

LAST_REPLY = timedelta(seconds=600)
"""How long the reply to the final dot may take (RFC 5321, 4.5.3.2.6): giving up earlier makes duplicates."""

_PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}
_PROBE_SECONDS = 10.0
_QUIT_SECONDS = 5.0
# What SMTP's commands cannot hold; an address with a space would end before its end.
_UNWRITABLE = re.compile(r"[\x00-\x20\x7f<>]")
_COMMANDS = ("MAIL", "RCPT", "DATA")
_GO_ON = 354


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a mail server is and how one gets in.

    ``port`` None is the security's own (587, 465, 25); ``timeout`` bounds the connect and each reply but the last,
    which has ``last_reply``. Every certificate is verified against the system's store, or against ``tls_context``.
    ``login`` gets a connected client through, or is None; it raises SendError or what aiosmtplib raises.
    """

    host: str
    port: int | None
    security: Security
    timeout: timedelta
    username: str = ""
    login: Callable[[aiosmtplib.SMTP], Awaitable[object]] | None = None
    tls_context: ssl.SSLContext | None = None
    last_reply: timedelta = LAST_REPLY

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port or _PORTS[self.security]}"

    def client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port or _PORTS[self.security],
            timeout=self.timeout.total_seconds(),
            use_tls=self.security is Security.TLS,
            start_tls=self.security is Security.STARTTLS,
            tls_context=self.tls_context,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A mail's bytes, with CR LF, and the two addresses it goes under."""

    sender: str
    recipient: str
    content: bytes

    @property
    def needs_utf8(self) -> bool:
        """A part before the @ that is not ASCII cannot be written without SMTPUTF8."""
        return not (self.sender + self.recipient).isascii()


class Stale(Exception):
    """A kept connection that the server had given up: that says nothing about the mail."""


class Connection:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._timeout = server.timeout.total_seconds()
        self._wire: Wire | None = None
        self._extensions: frozenset[str] = frozenset()
        self._used = False
        self._begun = False
        """Whether the server holds a transaction that was begun and not ended."""
        self._ahead: Answers | None = None
        """To the commands of the next mail, which went out behind the dot of the one before."""
        self.tls: str | None = None

    @property
    def is_open(self) -> bool:
        return self._wire is not None and self._wire.is_open

    async def open(self) -> None:
        """Connect, secure, log in. Raises SendError; then it is closed."""
        self.close()
        self._used = self._begun = False
        self._ahead = None
        client = self._server.client()
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
            if self._server.login:
                await self._log_in(client, self._server.login)
            secured = client.get_transport_info("ssl_object")
            self.tls = secured.version() if secured else None
            self._extensions = frozenset(client.esmtp_extensions)
            self._wire = Wire(cast(asyncio.Transport, client.transport))
        except SendError:
            client.close()
            raise
        except (aiosmtplib.SMTPException, OSError, UnicodeError) as error:
            client.close()
            raise unreachable(self._server.name, error) from error
        except BaseException:
            client.close()
            raise

    async def _log_in(self, client: aiosmtplib.SMTP, login: Callable[[aiosmtplib.SMTP], Awaitable[object]]) -> None:
        name = self._server.name
        try:
            await login(client)
        except aiosmtplib.SMTPResponseException as error:
            raise refusal(name, "AUTH", error.code, error.message, self._server.username) from None
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError):
            raise
        except aiosmtplib.SMTPException as error:
            raise ChannelStopped(
                f"{name} offers no login that fits ({plain(error.message)}): "
                "check smtp_security, or leave smtp_username empty."
            ) from None

    async def send(self, envelope: Envelope, following: Callable[[], Envelope | None] = lambda: None) -> str:
        """The server's last reply. Raises SendError, or Stale where the mail has yet to be offered to anybody.

        ``following`` is asked for the mail that comes next on this connection, once this one has left but for its
        dot. The commands of that one go out behind the dot (RFC 2920, 3.1, lets content begin a group of commands),
        its content only when it is sent itself: this connection is then good for nothing else.
        """
        try:
            ahead, self._ahead = self._ahead, None
            if ahead:
                await self._live().wait(ahead, self._timeout)
                self._offered(_COMMANDS, ahead, envelope)
            else:
                if self._begun and not await self.answers(b"RSET\r\n"):
                    raise Stale
                await self._offer(envelope)
            return await self._data(envelope, following)
        except (SendError, Stale):
            raise
        except BaseException:
            # Cancelled within a command: its late reply would be taken for that to the next one.
            self.close()
            raise

    async def answers(self, command: bytes) -> bool:
        """Whether ``command`` gets its 250. A server may leave it hanging: that must not cost more than a moment."""
        wire = self._live()
        heard = await wire.ask(command, 1, min(_PROBE_SECONDS, self._timeout))
        self._begun = False
        if heard.broken or not 200 <= heard.replies[0].code < 300:
            self.close()
        return self.is_open

    async def quit(self) -> None:
        if self._wire and self._wire.is_open:
            with suppress(OSError):
                await self._wire.ask(b"QUIT\r\n", 1, min(_QUIT_SECONDS, self._timeout))
        self.close()

    def close(self) -> None:
        if self._wire:
            self._wire.close()

    def _live(self) -> Wire:
        if self._wire is None:
            raise Stale
        return self._wire

    async def _offer(self, envelope: Envelope) -> None:
        """MAIL, RCPT and DATA, in one write where the server takes them so; the server is ready for the mail then."""
        lines = [*self._envelope_lines(envelope), b"DATA\r\n"]
        all_at_once = "pipelining" in self._extensions
        for at in (slice(None),) if all_at_once else (slice(0, 1), slice(1, 2), slice(2, 3)):
            heard = await self._live().ask(b"".join(lines[at]), len(lines[at]), self._timeout)
            self._offered(_COMMANDS[at], heard, envelope)

    def _offered(self, commands: Sequence[str], heard: Answers, envelope: Envelope) -> None:
        kept, self._used = self._used, True
        first = heard.replies[0].code if heard.replies else 421
        if kept and commands[0] == "MAIL" and first == 421:
            self.close()
            raise Stale
        if commands[0] == "MAIL":
            self._begun = 200 <= first < 300
        refused = [
            (command, reply)
            for command, reply in zip(commands, heard.replies, strict=False)
            if not (reply.code == _GO_ON if command == "DATA" else 200 <= reply.code < 300)
        ]
        if refused:
            if heard.replies[-1].code == _GO_ON:
                # It waits for a mail that must not come (RFC 2920, 3.1): only the line's end is safe to say.
                self.close()
            raise self._refusal(*refused[0], envelope)
        if heard.broken:
            raise unreachable(self._server.name, heard.broken, at=commands[len(heard.replies)]) from heard.broken

    def _envelope_lines(self, envelope: Envelope) -> tuple[bytes, bytes]:
        name, sender, recipient = self._server.name, envelope.sender, envelope.recipient
        if _UNWRITABLE.search(sender + recipient):
            raise Refused(
                f"The mail for {plain(recipient)} was not sent: SMTP cannot write it or our sender address.",
                cause=Cause.ADDRESS,
            )
        options = [f" SIZE={len(envelope.content)}"] if "size" in self._extensions else []
        if "8bitmime" in self._extensions and not envelope.content.isascii():
            options.append(" BODY=8BITMIME")
        if envelope.needs_utf8:
            if "smtputf8" not in self._extensions:
                raise Refused(
                    f"{name} cannot send to {recipient}: it takes only ASCII before the @. Use another address.",
                    cause=Cause.ADDRESS,
                )
            options.append(" SMTPUTF8")
        return f"MAIL FROM:<{sender}>{''.join(options)}\r\n".encode(), f"RCPT TO:<{recipient}>\r\n".encode()

    def _refusal(self, command: str, reply: Reply, envelope: Envelope) -> SendError:
        if reply.code == 421 or not 400 <= reply.code < 600:
            self.close()
        return refusal(self._server.name, command, reply.code, reply.text, envelope.recipient)

    async def _data(self, envelope: Envelope, following: Callable[[], Envelope | None]) -> str:
        wire = self._live()
        # Listening begins before the first byte goes out: a reply or a break that comes early is known to be early.
        heard = wire.expect(1)
        body = _stuffed(envelope.content)
        wire.write(body if body.endswith(b"\r\n") else body + b"\r\n")
        await self._uploaded(wire, heard, envelope)
        wire.write(b".\r\n" + self._behind(wire, following))
        await wire.wait(heard, self._server.last_reply.total_seconds())
        return self._taken(heard, envelope)

    def _behind(self, wire: Wire, following: Callable[[], Envelope | None]) -> bytes:
        """The commands of the next mail, if there is one and the server takes them so."""
        if "pipelining" not in self._extensions or (envelope := following()) is None:
            return b""
        try:
            lines = self._envelope_lines(envelope)
        except Refused:
            # It is told so when its turn has come.
            return b""
        self._ahead = wire.expect(len(_COMMANDS))
        return b"".join([*lines, b"DATA\r\n"])

    async def _uploaded(self, wire: Wire, heard: Answers, envelope: Envelope) -> None:
        """All but the dot has left this process, or nothing was accepted."""
        try:
            await wire.flushed(heard, self._timeout)
        except TimeoutError:
            raise Broken(
                f"{self._server.name} stopped reading in the middle of the message; it is sent again later."
            ) from None
        if heard.replies:
            self.close()
            raise self._refusal("DATA", heard.replies[0], envelope)
        if heard.broken or not wire.is_open:
            broken = heard.broken or ConnectionResetError()
            raise unreachable(self._server.name, broken, at="DATA") from broken

    def _taken(self, heard: Answers, envelope: Envelope) -> str:
        if isinstance(heard.broken, TimeoutError):
            raise self._unknown(envelope, "did not answer")
        if heard.broken:
            raise self._unknown(envelope, "its answer could not be read") from heard.broken
        self._begun = False
        code, text = heard.replies[0]
        if 200 <= code < 300:
            return f"{code} {text}"
        if not 400 <= code < 600:
            self.close()
            raise self._unknown(envelope, f"gave an answer that means nothing ({code})")
        raise self._refusal("DATA", heard.replies[0], envelope)

    def _unknown(self, envelope: Envelope, what: str) -> Unknown:
        return Unknown(
            f"{self._server.name} had the whole mail for {envelope.recipient} but {what}: it may have gone out."
        )


def _stuffed(content: bytes) -> bytes:
    """A dot before each line that begins with one (RFC 5321, 4.5.2)."""
    return (b"." if content.startswith(b".") else b"") + content.replace(b"\r\n.", b"\r\n..")
