"""Mail through one SMTP server, over one kept connection.

The conversation is driven command by command, because what a failure means depends on where it came: up to
the final dot of DATA the server has accepted nothing and the same bytes may go again; between the dot and
its reply nobody can know (RFC 1047).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from typing import Literal, cast

import aiosmtplib
from email_validator import EmailNotValidError, validate_email
from pydantic import SecretStr

from notifier.channels.replies import refusal, unreachable
from notifier.clean import plain
from notifier.errors import Cause, ChannelStopped, Refused, SendError, TryLater, Unknown
from notifier.model import Message, Receipt
from notifier.settings import Security

LAST_REPLY = timedelta(seconds=600)
"""How long the reply to the final dot may take (RFC 5321, 4.5.3.2.6): giving up earlier makes duplicates."""

_PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}
_PROBE_SECONDS = 10.0
_QUIT_SECONDS = 5.0
_POLL_SECONDS = 0.05
_BARE_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_LEADING_DOT = re.compile(rb"(?m)^\.")
_MESSAGE_ID = re.compile(rb"(?im)^message-id:\s*(<[^>\r\n]+>)")
_NO_ANSWER = (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    sender: str
    recipient: str
    utf8: bool
    """Whether an address needs SMTPUTF8: a part before the @ that is not ASCII cannot be written otherwise."""
    content: bytes

    @property
    def encoding(self) -> str:
        return "utf-8" if self.utf8 else "ascii"


class EmailChannel:
    """Sends ``email`` messages; the channel of kind ``email``.

    ``port`` None is the security's own (587, 465, 25); ``timeout`` bounds the connect and each reply but the
    last, which has ``last_reply``; ``sender`` is the envelope sender of a message that names none. Every
    certificate is verified against the system's store, or against ``tls_context``.
    """

    def __init__(
        self,
        host: str,
        port: int | None,
        security: Security,
        username: str,
        password: SecretStr,
        timeout: timedelta,
        sender: str,
        *,
        tls_context: ssl.SSLContext | None = None,
        last_reply: timedelta = LAST_REPLY,
    ) -> None:
        self._host = host
        self._port = port or _PORTS[security]
        self._security = security
        self._username = username
        self._password = password
        self._timeout = timeout.total_seconds()
        self._sender = sender
        self._tls_context = tls_context
        self._last_reply = last_reply.total_seconds()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()
        self._client = self._new_client()
        self._begun = False
        """Whether the server holds a transaction that was begun and not ended."""

    async def send(self, message: Message) -> Receipt:
        if message.accepted:
            return Receipt(accepted=message.accepted, detail="It was accepted by an earlier attempt.")
        envelope = self._envelope(message)
        async with self._turn():
            reply = await self._transact(envelope)
        found = _MESSAGE_ID.search(envelope.content)
        reference = found[1].decode("ascii", "replace") if found else message.delivery_id
        return Receipt(accepted=(reference,), detail=plain(reply, limit=200))

    async def check(self) -> str:
        if not self._sender:
            raise ChannelStopped("Mail has no sender: set mail_from.")
        async with self._turn():
            await self._ready("noop")
            secured = self._client.get_transport_info("ssl_object")
        over = f"over {secured.version()}" if secured else "without encryption"
        login = f" and takes the login of {self._username}" if self._username else ""
        return f"{self._server} answers {over}{login}; mails go out as {self._sender}."

    async def close(self) -> None:
        if self._loop is not asyncio.get_running_loop():
            return
        async with self._lock:
            if self._client.is_connected:
                with suppress(aiosmtplib.SMTPException, OSError):
                    await self._client.quit(timeout=_QUIT_SECONDS)
            self._client.close()

    @property
    def _server(self) -> str:
        return f"{self._host}:{self._port}"

    def _new_client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            timeout=self._timeout,
            use_tls=self._security is Security.TLS,
            start_tls=self._security is Security.STARTTLS,
            tls_context=self._tls_context,
        )

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """The connection for oneself, in the event loop that runs now: it ended with the loop that made it."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._lock, self._client = loop, asyncio.Lock(), self._new_client()
        async with self._lock:
            try:
                yield
            except SendError:
                raise
            except BaseException:
                # Cancelled within a command: its late reply would be taken for that to the next one.
                self._client.close()
                raise

    def _envelope(self, message: Message) -> _Envelope:
        content = message.parts[0]
        if _BARE_LINE_END.search(content):
            # Sent as it is, a bare line end before a dot would let text pass for commands on some servers.
            raise Refused("The message was not sent: a line of it does not end in CR LF.", cause=Cause.MESSAGE)
        sender = parseaddr(message.sender or self._sender)[1]
        if not sender:
            raise ChannelStopped("Mail has no sender: set mail_from.")
        sender, recipient = _ascii_domain(sender), _ascii_domain(message.target)
        utf8 = not (sender + recipient).isascii()
        return _Envelope(sender=sender, recipient=recipient, utf8=utf8, content=content)

    async def _transact(self, envelope: _Envelope) -> str:
        """One MAIL, RCPT, DATA; returns the server's last reply."""
        kept = self._client.is_connected
        await self._ready("rset" if self._begun else None)
        try:
            await self._mail(envelope)
        except TryLater:
            # A server hangs up on a connection that has been quiet: that says nothing about this message.
            if not kept or self._client.is_connected:
                raise
            await self._connect()
            await self._mail(envelope)
        await self._before_dot("RCPT", self._client.rcpt(envelope.recipient, encoding=envelope.encoding), envelope)
        return await self._data(envelope)

    async def _ready(self, probe: Literal["rset", "noop"] | None) -> None:
        """Connect, unless there is a connection; ``probe`` is asked of a kept one first, which must answer it."""
        if self._client.is_connected and probe:
            # A server that refused may leave RSET unanswered; that must not cost the next message its turn.
            try:
                await getattr(self._client, probe)(timeout=min(_PROBE_SECONDS, self._timeout))
            except (aiosmtplib.SMTPException, OSError):
                self._client.close()
        if not self._client.is_connected:
            await self._connect()

    async def _connect(self) -> None:
        self._client.close()
        self._begun = False
        try:
            await self._client.connect()
            if self._client.is_ehlo_or_helo_needed:
                await self._client.ehlo()
            if self._username:
                await self._login()
        except SendError:
            self._client.close()
            raise
        except (aiosmtplib.SMTPException, OSError, UnicodeError) as error:
            self._client.close()
            raise unreachable(self._server, error) from error

    async def _login(self) -> None:
        try:
            await self._client.login(self._username, self._password.get_secret_value())
        except aiosmtplib.SMTPResponseException as error:
            raise refusal(self._server, "AUTH", error.code, error.message, self._username) from None
        except _NO_ANSWER:
            raise
        except aiosmtplib.SMTPException as error:
            raise ChannelStopped(
                f"{self._server} offers no login that fits ({plain(error.message)}): "
                "check smtp_security, or leave smtp_username empty."
            ) from None

    async def _mail(self, envelope: _Envelope) -> None:
        options = [f"SIZE={len(envelope.content)}"] if self._client.supports_extension("size") else []
        if not envelope.content.isascii() and self._client.supports_extension("8bitmime"):
            options.append("BODY=8BITMIME")
        if envelope.utf8:
            if not self._client.supports_extension("smtputf8"):
                raise Refused(
                    f"{self._server} cannot send to {envelope.recipient}: it takes only ASCII before the @. "
                    "Use another address.",
                    cause=Cause.ADDRESS,
                )
            options.append("SMTPUTF8")
        mail = self._client.mail(envelope.sender, options=options, encoding=envelope.encoding)
        await self._before_dot("MAIL", mail, envelope)
        self._begun = True

    async def _before_dot(
        self, command: str, call: Awaitable[aiosmtplib.SMTPResponse], envelope: _Envelope
    ) -> aiosmtplib.SMTPResponse:
        """One command; whatever breaks here, the server has not taken the message."""
        try:
            return await call
        except aiosmtplib.SMTPResponseException as error:
            if not 400 <= error.code < 600:
                self._client.close()
            raise refusal(self._server, command, error.code, error.message, envelope.recipient) from None
        except _NO_ANSWER as error:
            self._client.close()
            raise unreachable(self._server, error, at=command) from error
        except ValueError:
            raise Refused(
                f"The mail for {plain(envelope.recipient)} was not sent: SMTP cannot write it or our sender address.",
                cause=Cause.ADDRESS,
            ) from None

    async def _data(self, envelope: _Envelope) -> str:
        start = await self._before_dot("DATA", self._client.execute_command(b"DATA"), envelope)
        if start.code != 354:
            raise refusal(self._server, "DATA", start.code, start.message, envelope.recipient)
        protocol = self._client.protocol
        if protocol is None:
            raise unreachable(self._server, aiosmtplib.SMTPServerDisconnected(""), at="DATA")
        # Listening begins before the first byte goes out: a reply or a break that comes early is known to be early.
        reply = asyncio.create_task(protocol.read_response())
        try:
            await asyncio.sleep(0)
            await self._upload(protocol, envelope, reply)
            await self._before_dot("DATA", _write(protocol, b".\r\n"), envelope)
            return await self._after_dot(reply, envelope)
        finally:
            if not reply.done():
                reply.cancel()
                self._client.close()
            elif not reply.cancelled():
                reply.exception()

    async def _upload(
        self,
        protocol: aiosmtplib.protocol.SMTPProtocol,
        envelope: _Envelope,
        reply: asyncio.Task[aiosmtplib.SMTPResponse],
    ) -> None:
        """Hand over everything but the dot, and wait until it has left this process."""
        body = _LEADING_DOT.sub(b"..", envelope.content)
        await self._before_dot("DATA", _write(protocol, body if body.endswith(b"\r\n") else body + b"\r\n"), envelope)
        transport = cast(asyncio.WriteTransport, protocol.transport)
        left, idle = transport.get_write_buffer_size(), 0.0
        while left and not reply.done():
            await asyncio.wait({reply}, timeout=_POLL_SECONDS)
            before, left = left, transport.get_write_buffer_size()
            idle = idle + _POLL_SECONDS if left == before else 0.0
            if idle >= self._timeout:
                self._client.close()
                raise TryLater(f"{self._server} stopped reading in the middle of the message; it is sent again later.")
        if reply.done():
            early = await self._before_dot("DATA", reply, envelope)
            self._client.close()
            raise refusal(self._server, "DATA", early.code, early.message, envelope.recipient)

    async def _after_dot(self, reply: asyncio.Task[aiosmtplib.SMTPResponse], envelope: _Envelope) -> str:
        await asyncio.wait({reply}, timeout=self._last_reply)
        if not reply.done():
            raise self._unknown(envelope, "did not answer")
        try:
            code, text = reply.result()
        except (aiosmtplib.SMTPException, OSError) as error:
            self._client.close()
            raise self._unknown(envelope, "its answer could not be read") from error
        self._begun = False
        if 200 <= code < 300:
            return f"{code} {text}"
        if not 400 <= code < 600:
            self._client.close()
            raise self._unknown(envelope, f"gave an answer that means nothing ({code})")
        if code == 421:
            self._client.close()
        raise refusal(self._server, "DATA", code, text, envelope.recipient)

    def _unknown(self, envelope: _Envelope, what: str) -> Unknown:
        return Unknown(f"{self._server} had the whole mail for {envelope.recipient} but {what}: it may have gone out.")


async def _write(protocol: aiosmtplib.protocol.SMTPProtocol, data: bytes) -> aiosmtplib.SMTPResponse:
    protocol.write(data)
    return aiosmtplib.SMTPResponse(0, "")


def _ascii_domain(address: str) -> str:
    if address.isascii():
        return address
    try:
        valid = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise Refused(f"{plain(address)} is not an address mail can go to: {error}", cause=Cause.ADDRESS) from None
    return f"{valid.local_part}@{valid.ascii_domain}"
