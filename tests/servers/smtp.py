"""A real SMTP server on loopback (aiosmtpd) that fails where it is told to.

    with MailServer() as server:
        server.fail("RCPT", "550 5.1.1 No such user", only="bob@example.org")
        server.drop("DOT", times=1)
        ...
        server.mails[0].content

The places, in the order of a conversation: CONNECT, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA (instead of 354),
BODY (within the message), DOT (after it), RSET, NOOP, QUIT.
"""

# ruff: noqa: N802 - aiosmtpd finds commands and hooks by these names
from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests import compliance
from tests.servers.loop import LoopThread


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail that was taken: what stood in the envelope, and the bytes between DATA and the dot."""

    sender: str
    recipients: tuple[str, ...]
    options: tuple[str, ...]
    content: bytes
    tls: bool
    connection: int


@dataclass(slots=True, kw_only=True)
class Fault:
    """What happens at ``place`` instead of the usual; ``times`` None means always."""

    place: str
    reply: bytes | None = None
    drop: bool = False
    hang: bool = False
    after: int = 0
    accept: bool = False
    only: str | None = None
    skip: int = 0
    times: int | None = None

    def applies(self, place: str, arg: str) -> bool:
        if place != self.place or self.times == 0 or (self.only and self.only not in arg):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A self-made certificate for 127.0.0.1 and localhost."""

    cert: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.cert, self.key)
        return context

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.cert))


def make_certificate(folder: Path) -> Certificate:
    """Made with the openssl command; skips the test where there is none."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl command, which makes the test's certificate, is not installed")
    made = Certificate(cert=folder / "cert.pem", key=folder / "key.pem")
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-days", "2"]
    subprocess.run([*command, "-keyout", str(made.key), "-out", str(made.cert)], check=True, capture_output=True)
    return made


@dataclass(slots=True, kw_only=True)
class _Script:
    faults: list[Fault] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    moved: threading.Condition = field(default_factory=threading.Condition)

    def next(self, place: str, arg: str = "") -> Fault | None:
        with self.moved:
            self.commands.append(place)
            self.moved.notify_all()
        return next((fault for fault in self.faults if fault.applies(place, arg)), None)


class MailServer:
    """``certificate`` with ``implicit`` is TLS from the first byte, without it STARTTLS.

    ``login`` (user, password) makes logging in a must. Mails are in ``mails``, commands in ``commands``. On the way
    out it demands of each mail that it is as ours have to be.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        *,
        certificate: Certificate | None = None,
        implicit: bool = False,
        login: tuple[str, str] | None = None,
        utf8: bool = True,
        size_limit: int = 2**25,
        pipelining: bool = True,
    ) -> None:
        self._certificate = certificate
        self._implicit = implicit
        self._login = login
        self._utf8 = utf8
        self._size_limit = size_limit
        self._pipelining = pipelining
        self._script = _Script()
        self._transports: set[asyncio.Transport] = set()
        self.port = 0

    @property
    def mails(self) -> list[Mail]:
        return list(self._script.mails)

    @property
    def commands(self) -> list[str]:
        return list(self._script.commands)

    @property
    def connections(self) -> int:
        return self._script.connections

    def fail(
        self,
        place: str,
        reply: str | bytes,
        *,
        after: int = 0,
        accept: bool = False,
        times: int | None = None,
        only: str | None = None,
        skip: int = 0,
    ) -> None:
        """Say ``reply``; at BODY ``after`` so many bytes of it, at DOT having kept the mail if ``accept``."""
        reply = reply.encode() if isinstance(reply, str) else reply
        fault = Fault(place=place, reply=reply, after=after, accept=accept, times=times, only=only, skip=skip)
        self._script.faults.append(fault)

    def drop(
        self,
        place: str,
        *,
        after: int = 0,
        accept: bool = False,
        times: int | None = None,
        only: str | None = None,
        skip: int = 0,
    ) -> None:
        """Cut the line; at BODY ``after`` so many bytes, at DOT having kept the mail if ``accept``."""
        fault = Fault(place=place, drop=True, after=after, accept=accept, times=times, only=only, skip=skip)
        self._script.faults.append(fault)

    def hang(self, place: str, *, after: int = 0, accept: bool = False, times: int | None = None) -> None:
        self._script.faults.append(Fault(place=place, hang=True, after=after, accept=accept, times=times))

    def heal(self) -> None:
        self._script.faults.clear()

    def wait_until(self, place: str) -> None:
        """Block until a conversation has come to ``place``."""
        with self._script.moved:
            if not self._script.moved.wait_for(lambda: place in self._script.commands, timeout=10):
                raise AssertionError(f"no conversation came to {place}: {self._script.commands}")

    def hang_up(self) -> None:
        """Close every connection, as a server does with those that have been quiet."""
        self._thread.run(self._hang_up())

    async def _hang_up(self) -> None:
        for transport in list(self._transports):
            transport.close()

    def __enter__(self) -> Self:
        self._thread = LoopThread()
        self._server = self._thread.run(self._start())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        self._thread.run(self._hang_up())
        self._thread.loop.call_soon_threadsafe(self._server.close)
        self._thread.stop()
        if not failed:
            compliance.demand(each.content for each in self.mails)

    async def _start(self) -> asyncio.Server:
        context = self._certificate.server_context() if self._certificate else None
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: self._conversation(context), self.host, 0, ssl=context if self._implicit else None
        )

    def _conversation(self, context: ssl.SSLContext | None) -> _Conversation:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _Conversation(
                self._script,
                self._transports,
                login=self._login,
                pipelining=self._pipelining,
                tls_context=None if self._implicit else context,
                enable_SMTPUTF8=self._utf8,
                data_size_limit=self._size_limit,
            )


class _Conversation(SMTP):
    command_size_limit = 2048

    def __init__(
        self,
        script: _Script,
        transports: set[asyncio.Transport],
        *,
        login: tuple[str, str] | None,
        pipelining: bool,
        **options: Any,
    ) -> None:
        expected = login and (login[0].encode(), login[1].encode())
        super().__init__(
            self,
            hostname="mx.example.org",
            auth_required=login is not None,
            auth_require_tls=False,
            auth_callback=lambda _, user, password: (user, password) == expected,
            **options,
        )
        if login is None:
            self._auth_methods.clear()
        self._script = script
        self._pipelining = pipelining
        self._transports = transports
        self._number = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._transports.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._transports.discard(self.transport)
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        self._script.connections += 1
        self._number = self._script.connections
        if not await self._fails("CONNECT"):
            await super()._handle_client()

    async def smtp_EHLO(self, hostname: str) -> None:
        if not await self._fails("EHLO"):
            await super().smtp_EHLO(hostname)

    async def smtp_STARTTLS(self, arg: str) -> None:
        if not await self._fails("STARTTLS"):
            await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg: str) -> None:
        if not await self._fails("AUTH"):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:
        if not await self._fails("MAIL", arg or ""):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        if not await self._fails("RCPT", arg or ""):
            await super().smtp_RCPT(arg)

    async def smtp_RSET(self, arg: str) -> None:
        if not await self._fails("RSET"):
            await super().smtp_RSET(arg)

    async def smtp_NOOP(self, arg: str) -> None:
        if not await self._fails("NOOP"):
            await super().smtp_NOOP(arg)

    async def smtp_QUIT(self, arg: str) -> None:
        if not await self._fails("QUIT"):
            await super().smtp_QUIT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if await self._fails("DATA"):
            return
        if (fault := self._script.next("BODY")) is None:
            await super().smtp_DATA(arg)
            return
        await self.push("354 go on")
        if fault.after:
            await self._reader.readexactly(fault.after)
        await self._do(fault)
        # Whoever answers too early still takes the rest, for nothing.
        tail = b""
        while not (tail.endswith(b"\r\n.\r\n") or self._reader.at_eof()):
            tail = tail[-5:] + await self._reader.read(2**16)
        self._set_post_data_state()

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        # It reads one command after the other from a stream, so it takes several in one write.
        return [*responses[:-1], *(["250-PIPELINING"] if self._pipelining else []), responses[-1]]

    async def push(self, status: str | bytes) -> None:
        """Also what is no text."""
        await super().push(status.encode("utf-8", "surrogateescape") if isinstance(status, str) else status)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        fault = self._script.next("DOT", " ".join(envelope.rcpt_tos))
        if fault is None or fault.accept:
            self._script.mails.append(self._taken(envelope, session))
        if fault is None:
            return "250 2.0.0 Ok: queued as 4F1A"
        if fault.reply is not None:
            return fault.reply.decode("utf-8", "surrogateescape")
        await self._do(fault)
        return "250 never said"

    def _taken(self, envelope: Envelope, session: Session) -> Mail:
        content = envelope.original_content or b""
        return Mail(
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            options=tuple(envelope.mail_options),
            content=content,
            tls=self._writer.get_extra_info("ssl_object") is not None,
            connection=self._number,
        )

    async def _fails(self, place: str, arg: str = "") -> bool:
        fault = self._script.next(place, arg)
        if fault is not None:
            await self._do(fault, place)
        return fault is not None

    async def _do(self, fault: Fault, place: str = "") -> None:
        if fault.reply is not None:
            await self.push(fault.reply)
            if fault.reply.startswith(b"421") or place == "CONNECT":
                self.transport.close()
        elif fault.drop:
            self.transport.abort()
            await asyncio.Event().wait()
        else:
            await asyncio.Event().wait()
