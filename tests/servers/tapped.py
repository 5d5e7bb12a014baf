"""A wire between a process and its SMTP server that ends the process when the conversation has come to a given point.

It runs in a process of its own, so that the one that starts others stays without threads and can fork.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

POINTS = ("connected", "MAIL", "RCPT", "mid-DATA", "before the dot", "after the dot", "250 read")
_DOT = b"\r\n.\r\n"


@dataclass(slots=True)
class Aim:
    """Whom to kill, where, and in which mail counted from 1."""

    pid: int = 0
    point: str = ""
    turn: int = 0


class _Wire:
    """One connection. Lines go through one by one, so that nothing behind the point gets through."""

    def __init__(self, aim: Aim, server: tuple[str, int]) -> None:
        self._aim, self._server = aim, server

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection(*self._server)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            self._reached("connected")
            await self._reply(theirs, writer)
            while line := await reader.readline():
                await self._command(line, reader, ours, theirs, writer)
        for each in (ours, writer):
            each.close()

    async def _command(
        self,
        line: bytes,
        reader: asyncio.StreamReader,
        ours: asyncio.StreamWriter,
        theirs: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        verb = line[:4].upper()
        if verb == b"MAIL":
            self._aim.turn -= 1
        if verb in (b"MAIL", b"RCPT"):
            self._reached(verb.decode())
        ours.write(line)
        await self._reply(theirs, writer)
        if verb != b"DATA":
            return
        body = await reader.readuntil(_DOT)
        half = len(body) // 2
        ours.write(body[:half])
        await ours.drain()
        self._reached("mid-DATA")
        ours.write(body[half : -len(_DOT) + 2])
        await ours.drain()
        self._reached("before the dot")
        ours.write(body[-len(_DOT) + 2 :])
        await ours.drain()
        reply = await theirs.readline()
        self._reached("after the dot")
        writer.write(reply)
        await writer.drain()
        self._reached("250 read")

    async def _reply(self, theirs: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await theirs.readline():
            writer.write(line)
            if line[3:4] != b"-":
                break
        await writer.drain()

    def _reached(self, point: str) -> None:
        aim = self._aim
        if aim.pid and aim.point == point and aim.turn <= (0 if point != "connected" else 10**9):
            with suppress(ProcessLookupError):
                os.kill(aim.pid, signal.SIGKILL)
            aim.pid = 0
            raise ConnectionResetError


def _serve(server: tuple[str, int], orders: Connection) -> None:
    asyncio.run(_serving(server, orders))


async def _serving(server: tuple[str, int], orders: Connection) -> None:
    aim = Aim()
    listening = await asyncio.start_server(_Wire(aim, server), "127.0.0.1", 0, limit=2**24)
    orders.send(listening.sockets[0].getsockname()[1])
    stopped = asyncio.Event()

    def heard() -> None:
        order = orders.recv()
        if order is None:
            stopped.set()
        else:
            aim.pid, aim.point, aim.turn = order
            orders.send("aimed")

    asyncio.get_running_loop().add_reader(orders.fileno(), heard)
    await stopped.wait()
    listening.close()


class Tap:
    """``port`` is where to connect instead of the server."""

    def __init__(self, orders: Connection) -> None:
        self._orders = orders
        self.port: int = orders.recv()

    def aim(self, pid: int, point: str, turn: int) -> None:
        self._orders.send((pid, point, turn))
        self._orders.recv()


@contextmanager
def tapped(server: tuple[str, int]) -> Iterator[Tap]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(server, theirs), daemon=True)
    process.start()
    try:
        yield Tap(ours)
    finally:
        ours.send(None)
        process.join(timeout=10)
