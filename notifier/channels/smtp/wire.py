"""The wire of a kept SMTP connection: replies, paired with the commands they answer.

aiosmtplib knows one command at a time. Where a server offers PIPELINING (RFC 2920) several go out in one write, so
after connect, TLS and login its transport is taken over by this protocol.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

LONGEST_REPLY = 32 * 1024
"""Bytes of one reply with all its lines. RFC 5321 (4.5.3.1.5) asks for 512 a line; some servers write a page."""
NONSENSE = -1
"""The code of what is no reply."""

_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?")


class Reply(NamedTuple):
    code: int
    text: str


@dataclass(slots=True, eq=False)
class Answers:
    """What came to a number of commands; ``broken`` is why there are fewer replies than commands."""

    count: int
    over: asyncio.Future[None]
    replies: list[Reply] = field(default_factory=list)
    broken: Exception | None = None

    def take(self, reply: Reply) -> None:
        self.replies.append(reply)
        if len(self.replies) == self.count:
            self._end()

    def fail(self, error: Exception) -> None:
        if len(self.replies) < self.count and self.broken is None:
            self.broken = error
            self._end()

    def _end(self) -> None:
        if not self.over.done():
            self.over.set_result(None)


class Wire(asyncio.Protocol):
    def __init__(self, transport: asyncio.Transport) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._size = 0
        self._asked: deque[Answers] = deque()
        self._lost: Exception | None = None
        self._room: asyncio.Future[None] | None = None
        transport.set_protocol(self)
        # Paused means: not everything has left this process yet.
        transport.set_write_buffer_limits(high=0)

    @property
    def is_open(self) -> bool:
        return self._lost is None and not self._transport.is_closing()

    def expect(self, count: int) -> Answers:
        """Listen for so many replies from now on, before the first byte of what they answer is written."""
        answers = Answers(count, self._loop.create_future())
        if self.is_open:
            self._asked.append(answers)
        else:
            answers.fail(self._lost or ConnectionResetError())
        return answers

    def write(self, data: bytes) -> None:
        if self.is_open:
            self._transport.write(data)

    async def ask(self, data: bytes, count: int, seconds: float) -> Answers:
        """Write ``count`` commands at once; each reply may take so many ``seconds``."""
        answers = self.expect(count)
        self.write(data)
        await self.wait(answers, seconds)
        return answers

    async def wait(self, answers: Answers, seconds: float) -> None:
        """Until ``answers`` are over; a silence of so many ``seconds`` ends them and the connection."""
        while not answers.over.done():
            heard = len(answers.replies)
            await _either(answers.over, seconds)
            if not answers.over.done() and len(answers.replies) == heard:
                answers.fail(TimeoutError())
                self.close()

    async def flushed(self, answers: Answers, seconds: float) -> None:
        """Until all that was written has left this process or ``answers`` are over.

        Raises TimeoutError, the connection closed, where the other side takes nothing for so many ``seconds``.
        """
        left = self._transport.get_write_buffer_size()
        while left and self.is_open and not answers.over.done():
            self._room = self._room or self._loop.create_future()
            await _either(self._room, seconds, or_else=answers.over)
            before, left = left, self._transport.get_write_buffer_size()
            if left == before and not answers.over.done():
                self.close()
                raise TimeoutError

    def close(self) -> None:
        """At once: what was not written is not written any more."""
        if not self._transport.is_closing():
            self._transport.abort()
        self._end(ConnectionAbortedError())

    def pause_writing(self) -> None:
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._room and not self._room.done():
            self._room.set_result(None)
        self._room = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._lost is None and (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end]).rstrip(b"\r")
            del self._buffer[: end + 1]
            self._line(line)
        if self._size + len(self._buffer) > LONGEST_REPLY:
            self._nonsense(b"a reply that does not end")

    def eof_received(self) -> bool:
        self._end(ConnectionResetError())
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionResetError())

    def _line(self, line: bytes) -> None:
        found = _LINE.fullmatch(line)
        if not found:
            self._nonsense(line)
            return
        code, mark, text = found.groups()
        self._lines.append((text or b"").decode("utf-8", "surrogateescape").strip())
        self._size += len(line)
        if self._size > LONGEST_REPLY:
            self._nonsense(b"a reply that does not end")
        elif mark != b"-":
            self._reply(Reply(int(code), "\n".join(self._lines)))

    def _reply(self, reply: Reply) -> None:
        self._lines, self._size = [], 0
        if not self._asked:
            # A word out of turn, mostly a goodbye: from here on no reply could be paired with certainty.
            self.close()
            return
        self._asked[0].take(reply)
        if self._asked[0].over.done():
            self._asked.popleft()

    def _nonsense(self, line: bytes) -> None:
        self._reply(Reply(NONSENSE, line[:500].decode("utf-8", "replace")))
        self.close()

    def _end(self, error: Exception) -> None:
        if self._lost is None:
            self._lost = error
        while self._asked:
            self._asked.popleft().fail(error)
        self.resume_writing()


async def _either(future: asyncio.Future[None], seconds: float, *, or_else: asyncio.Future[None] | None = None) -> None:
    """``asyncio.wait`` without its tasks and sets: this is done once or twice a mail."""
    loop = asyncio.get_running_loop()
    woken = loop.create_future()

    def wake(*_: object) -> None:
        if not woken.done():
            woken.set_result(None)

    timer = loop.call_later(seconds, wake)
    waited = [each for each in (future, or_else) if each is not None]
    for each in waited:
        each.add_done_callback(wake)
    try:
        await woken
    finally:
        timer.cancel()
        for each in waited:
            each.remove_done_callback(wake)
