"""A wire to a server on which every reply takes its time, as over a long distance."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection


@contextmanager
def delayed(server: tuple[str, int], seconds: float) -> Iterator[tuple[str, int]]:
    """The address of a wire to ``server``; what it says comes ``seconds`` later, what is said to it at once."""
    ready, told = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_run, args=(server, seconds, told), daemon=True)
    process.start()
    try:
        yield ("127.0.0.1", ready.recv())
    finally:
        process.terminate()
        process.join()


def _run(server: tuple[str, int], seconds: float, told: Connection) -> None:
    asyncio.run(_serve(server, seconds, told))


async def _serve(server: tuple[str, int], seconds: float, told: Connection) -> None:
    async def wire(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection(*server)
        await asyncio.gather(_through(reader, ours, 0.0), _through(theirs, writer, seconds))

    listening = await asyncio.start_server(wire, "127.0.0.1", 0)
    told.send(listening.sockets[0].getsockname()[1])
    await listening.serve_forever()


async def _through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError):
        while data := await reader.read(2**16):
            if seconds:
                # Each piece on its own way: what comes behind it is not kept waiting twice.
                loop.call_later(seconds, writer.write, data)
            else:
                writer.write(data)
    loop.call_later(seconds, writer.close)
