"""Work on hostile bytes in a process apart, which can be stopped: parsers have no bound of their own.

One process is started when it is first needed, and kept warm. It has a limit of memory and of processor time for each
job, none of our secrets in its environment, and ends when its standard input does. Each message is a length of four
bytes, big-endian, and so many bytes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO

CPU_SECONDS = 30
"""For one job. The longest honest feeds, of 2,000 items, need half a second."""
MEMORY = 512 * 1024 * 1024
"""Bytes of address space; a feed of 10 MB with 50,000 items needs 190 MB."""
MAX_ANSWER = 64 * 1024 * 1024
_WALL_FACTOR = 3
"""Real time for each second of processor time: on a busy machine the process gets only its share."""
OUT_OF_MEMORY = 77
"""The exit code that says so."""
_LENGTH = struct.Struct(">I")
_KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR", "TZ")
WORKER = (sys.executable, "-P", "-m", "notifier.sources")


class Stopped(Exception):
    """The process ended before it had answered; ``str`` says why, to follow "…, which"."""


class Apart:
    """``command`` is the process; ``cpu_seconds`` and ``memory`` are what it may use for a job."""

    def __init__(
        self, command: Sequence[str] = WORKER, *, cpu_seconds: int = CPU_SECONDS, memory: int = MEMORY
    ) -> None:
        self._command = (*command, str(cpu_seconds), str(memory))
        self._cpu_seconds = cpu_seconds
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None
        # One thread: jobs wait for each other, and the process belongs to it.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="apart")

    async def ask(self, *parts: bytes) -> bytes:
        """The answer to one job of several messages. Raises Stopped; the next job then finds a fresh process."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, parts)

    async def close(self) -> None:
        """End the process, also in the middle of a job; a later job would start another."""
        if process := self._process:
            process.kill()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._end)

    def _ask(self, parts: Sequence[bytes]) -> bytes:
        process = self._running()
        assert process.stdin and process.stdout  # noqa: S101 - both are pipes
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._cpu_seconds * _WALL_FACTOR, stop)
        timer.daemon = True
        timer.start()
        try:
            for part in parts:
                write_message(process.stdin, part)
            process.stdin.flush()
            answer = read_message(process.stdout)
        except OSError:
            answer = None
        finally:
            timer.cancel()
        if answer is None:
            raise Stopped(self._why(self._end(), is_late=late.is_set()))
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process and self._process.poll() is None:
            return self._process
        self._end()
        self._process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
            # A Ctrl-C is meant for us, who end it.
            start_new_session=True,
        )
        return self._process

    def _end(self) -> int:
        """Its exit code, negative for a signal."""
        process, self._process = self._process, None
        if process is None:
            return 0
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        try:
            return process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def _why(self, code: int, *, is_late: bool) -> str:
        if is_late or code == -getattr(signal, "SIGXCPU", 0):
            return f"takes more than {self._cpu_seconds} s to read"
        if code < 0 or code == OUT_OF_MEMORY:
            return f"needs more than {self._memory // 2**20} MiB of memory to read, or breaks the parser"
        return f"ended the parser (exit code {code})"


def read_message(stream: IO[bytes], limit: int = MAX_ANSWER) -> bytes | None:
    """The next message; None where the stream ends, or the message would be longer than ``limit``."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > limit:
        return None
    data = stream.read(length)
    return data if len(data) == length else None


def write_message(stream: IO[bytes], data: bytes) -> None:
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)


def _environment() -> dict[str, str]:
    """Enough to find what we run from; passwords and tokens stay here."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
