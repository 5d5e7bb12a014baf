"""A small IMAP server on loopback (RFC 3501, what a client needs to read a folder) that fails where it is told to.

    with ImapServer() as server:
        server.add(b"Subject: hello\\r\\n\\r\\nhello\\r\\n")
        server.fault = Fault("FETCH", drop=True)
        ...
        server.flags

The places: GREETING, LOGIN, AUTHENTICATE, SELECT, SEARCH, FETCH, STORE.
"""

from __future__ import annotations

import asyncio
import base64
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from tests.servers.loop import LoopThread
from tests.servers.smtp import Certificate

USER, PASSWORD = "bounces", 'p"ss wörd'
_PARTIAL = re.compile(r"BODY\.PEEK\[\]<0\.(\d+)>")


@dataclass(slots=True, kw_only=True)
class Fault:
    """What happens at ``place`` instead of the usual: ``answer`` (whole lines), a drop, or a byte every so often."""

    place: str
    answer: bytes = b""
    drop: bool = False
    drip: bool = False


@dataclass(slots=True)
class Held:
    content: bytes
    flags: set[str] = field(default_factory=set)


class ImapServer:
    host = "127.0.0.1"

    def __init__(
        self,
        *,
        certificate: Certificate | None = None,
        implicit: bool = True,
        keywords: bool = True,
        plain: bool = True,
    ) -> None:
        self._certificate = certificate
        self._implicit = implicit
        self._keywords = keywords
        self._plain = plain
        self._mails: list[Held] = []
        self.commands: list[str] = []
        self.sent = 0
        self.fault: Fault | None = None
        self.port = 0

    def add(self, content: bytes) -> None:
        self._mails.append(Held(content))

    @property
    def flags(self) -> list[set[str]]:
        return [each.flags for each in self._mails]

    def __enter__(self) -> Self:
        self._thread = LoopThread()
        self._server = self._thread.run(self._start())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.loop.call_soon_threadsafe(self._server.close)
        self._thread.stop()

    async def _start(self) -> asyncio.Server:
        context = self._certificate.server_context() if self._certificate and self._implicit else None
        return await asyncio.start_server(self._talk, self.host, 0, ssl=context)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if await self._said(writer, "GREETING", b"* OK ready\r\n"):
                while line := (await reader.readline()).decode("utf-8", "replace").rstrip("\r\n"):
                    if not await self._answer(reader, writer, *line.split(" ", 2)):
                        break
        writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tag: str, verb: str, rest: str = ""
    ) -> bool:
        verb = verb.upper()
        if verb == "UID":
            verb, _, rest = rest.partition(" ")
        self.commands.append(f"{verb} {rest}".strip() if verb not in ("LOGIN", "AUTHENTICATE") else verb)
        done = f"{tag} OK done\r\n".encode()
        match verb:
            case "CAPABILITY":
                tls = " STARTTLS" if self._certificate and not self._implicit else ""
                auth = " AUTH=PLAIN" if self._plain else ""
                return await self._said(writer, verb, f"* CAPABILITY IMAP4rev1{auth}{tls}\r\n".encode() + done)
            case "STARTTLS" if self._certificate:
                await self._said(writer, verb, done)
                await writer.start_tls(self._certificate.server_context())
                return True
            case "LOGIN":
                good = rest == f'"{USER}" "secret"' or rest == f'{USER} "secret"'
                return await self._said(
                    writer, verb, done if good else f"{tag} NO [AUTHENTICATIONFAILED] no\r\n".encode()
                )
            case "AUTHENTICATE":
                return await self._authenticate(reader, writer, tag, rest)
            case "SELECT":
                if rest != '"INBOX"':
                    return await self._said(writer, verb, f"{tag} NO no such folder\r\n".encode())
                kept = rb"\Seen \*" if self._keywords else rb"\Seen"
                head = b"* %d EXISTS\r\n* OK [PERMANENTFLAGS (%s)] kept\r\n" % (len(self._mails), kept)
                return await self._said(writer, verb, head + done)
            case "SEARCH":
                unwanted = {r"\Seen", *(["NotifierRead"] if "UNKEYWORD NotifierRead" in rest else [])}
                found = [str(n) for n, each in enumerate(self._mails, 1) if not each.flags & unwanted]
                return await self._said(writer, verb, f"* SEARCH {' '.join(found)}\r\n".encode() + done)
            case "FETCH":
                return await self._said(writer, verb, self._fetched(rest) + done)
            case "STORE":
                uid, _, flag = rest.partition(" +FLAGS.SILENT ")
                self._mails[int(uid) - 1].flags.add(flag.strip("()"))
                return await self._said(writer, verb, done)
            case "LOGOUT":
                await self._said(writer, verb, b"* BYE\r\n" + done)
                return False
        return await self._said(writer, verb, f"{tag} BAD what\r\n".encode())

    async def _authenticate(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tag: str, mechanism: str
    ) -> bool:
        writer.write(b"+ \r\n")
        given = base64.b64decode((await reader.readline()).strip()).decode()
        known = {"PLAIN": f"\0{USER}\0{PASSWORD}", "XOAUTH2": f"user={USER}\x01auth=Bearer a-token\x01\x01"}
        verdict = "OK in" if known.get(mechanism) == given else f"NO {given!r} is wrong"
        return await self._said(writer, "AUTHENTICATE", f"{tag} {verdict}\r\n".encode())

    def _fetched(self, rest: str) -> bytes:
        number = int(rest.partition(" ")[0])
        limit = _PARTIAL.search(rest)
        assert limit is not None, rest
        content = self._mails[number - 1].content[: int(limit[1])]
        return b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n%s)\r\n" % (number, number, len(content), content)

    async def _said(self, writer: asyncio.StreamWriter, place: str, answer: bytes) -> bool:
        """Whether the conversation goes on."""
        fault = self.fault if self.fault and self.fault.place == place else None
        if fault and fault.drop:
            return False
        while fault and fault.drip:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)
        said = fault.answer if fault else answer
        writer.write(said)
        self.sent += len(said)
        await writer.drain()
        return True
