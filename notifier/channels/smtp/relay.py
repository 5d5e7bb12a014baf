"""One mail server with a few kept connections to it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from notifier.channels.smtp.connection import Connection, Envelope, Server, Stale
from notifier.errors import Unreachable


class Relay:
    """Opens connections as they are needed, at most so many, and keeps them."""

    def __init__(self, server: Server, connections: int) -> None:
        self.server = server
        self._most = self._allowed = connections
        self._busy = 0
        self._idle: list[Connection] = []
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def send(self, envelope: Envelope) -> str:
        """The server's last reply. Raises SendError."""
        async with self._turn() as connection:
            try:
                return await connection.send(envelope)
            except Stale:
                # A server hangs up on a connection that has been quiet.
                await connection.open()
                return await connection.send(envelope)

    async def check(self) -> str | None:
        """The version of TLS, None without. Raises SendError."""
        async with self._turn() as connection:
            if not (connection.is_open and await connection.answers(b"NOOP\r\n")):
                await connection.open()
            return connection.tls

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().quit()
        self._most = self._allowed

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Connection]:
        connection = await self._take()
        try:
            yield connection
        finally:
            if connection.is_open:
                self._idle.append(connection)
            self._release()

    async def _take(self) -> Connection:
        """One for oneself: kept, or new."""
        while True:
            if self._busy < self._most:
                self._busy += 1
                if self._idle:
                    return self._idle.pop()
                if connection := await self._another():
                    return connection
            else:
                waiter = asyncio.get_running_loop().create_future()
                self._waiting.append(waiter)
                await waiter

    def _release(self) -> None:
        self._busy -= 1
        while self._waiting and self._busy < self._most:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                break

    async def _another(self) -> Connection | None:
        """None where the server takes no more beside those there are. Raises SendError."""
        connection = Connection(self.server)
        try:
            await connection.open()
        except BaseException as error:
            self._release()
            if isinstance(error, Unreachable) and (alive := self._busy + len(self._idle)):
                self._most = alive
                return None
            raise
        return connection
