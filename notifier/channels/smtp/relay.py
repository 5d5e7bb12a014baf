"""One mail server with a few kept connections to it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from notifier.channels.smtp.connection import Connection, Envelope, Server, Stale
from notifier.errors import Unreachable


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    """``turn`` brings a connection that ``envelope`` was offered to already, or None: there may be room now."""

    envelope: Envelope | None
    turn: asyncio.Future[Connection | None]


class Relay:
    """Opens connections as they are needed, at most so many, and keeps them.

    Where more mails wait than there are connections, each is offered behind the dot of the one before it.
    """

    def __init__(self, server: Server, connections: int) -> None:
        self.server = server
        self._most = self._allowed = connections
        self._busy = 0
        self._idle: list[Connection] = []
        self._waiting: deque[_Waiter] = deque()
        self._next: dict[Connection, _Waiter] = {}

    async def send(self, envelope: Envelope) -> str:
        """The server's last reply. Raises SendError."""
        async with self._turn(envelope) as connection:

            def following() -> Envelope | None:
                return self._offered_next(connection)

            try:
                return await connection.send(envelope, following)
            except Stale:
                # A server hangs up on a connection that has been quiet.
                await connection.open()
                return await connection.send(envelope, following)

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
    async def _turn(self, envelope: Envelope | None = None) -> AsyncIterator[Connection]:
        connection = await self._take(envelope)
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _offered_next(self, connection: Connection) -> Envelope | None:
        """The mail that has waited longest; it gets this connection and no other."""
        while self._waiting and self._waiting[0].turn.done():
            self._waiting.popleft()
        if not self._waiting or self._waiting[0].envelope is None:
            return None
        self._next[connection] = self._waiting.popleft()
        return self._next[connection].envelope

    def _give_back(self, connection: Connection) -> None:
        following = self._next.pop(connection, None)
        if following and not following.turn.done():
            if connection.is_open:
                following.turn.set_result(connection)
                return
            self._waiting.appendleft(following)
        elif following:
            # The server may wait for the content of a mail that nobody sends any more.
            connection.close()
        if connection.is_open:
            self._idle.append(connection)
        self._release()

    async def _take(self, envelope: Envelope | None) -> Connection:
        """One for oneself: kept, or new, or one that ``envelope`` was offered to."""
        while True:
            if self._busy < self._most:
                self._busy += 1
                if self._idle:
                    return self._idle.pop()
                if connection := await self._another():
                    return connection
            elif connection := await self._waited(envelope):
                return connection

    async def _waited(self, envelope: Envelope | None) -> Connection | None:
        waiter = _Waiter(envelope, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            return await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.done() and not waiter.turn.cancelled():
                if given := waiter.turn.result():
                    given.close()
                    self._busy -= 1
                self._wake()
            raise

    def _release(self) -> None:
        self._busy -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._busy < self._most:
            waiter = self._waiting.popleft()
            if not waiter.turn.done():
                waiter.turn.set_result(None)
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
