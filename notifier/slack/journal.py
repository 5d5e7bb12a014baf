"""A file of its own for what has just come in: one small commit, whatever the database is busy with.

Slack waits three seconds for its acknowledgement, and planning may hold the database for longer. What is written here
survives a crash; the worker moves it into the database, where its key says whether it was there before.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from notifier.errors import StoreError

T = TypeVar("T")
NAME = "slack.db"
_BUSY_SECONDS = 2.0
"""Less than Slack waits: then it is told to come again."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS arrival (
    pk INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, payload TEXT NOT NULL, at TEXT NOT NULL
)
"""


class Journal:
    def __init__(self, folder: Path) -> None:
        self._file = folder / NAME
        self._conn: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="slack")

    async def add(self, key: str, payload: str, now: datetime) -> None:
        """Returns once it is on the disk. Raises StoreError where it cannot be."""

        def add(conn: sqlite3.Connection) -> None:
            row = (key, payload, now.isoformat())
            conn.execute("INSERT INTO arrival (key, payload, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row)

        await self._do(add)

    async def all(self, limit: int) -> list[tuple[int, str, str, datetime]]:
        """Number, key, payload and when it came, oldest first."""

        def read(conn: sqlite3.Connection) -> list[tuple[int, str, str, datetime]]:
            found = conn.execute("SELECT pk, key, payload, at FROM arrival ORDER BY pk LIMIT ?", (limit,))
            return [(pk, key, payload, datetime.fromisoformat(at)) for pk, key, payload, at in found]

        return await self._do(read)

    async def remove(self, numbers: Sequence[int]) -> None:
        rows = [(number,) for number in numbers]
        await self._do(lambda conn: conn.executemany("DELETE FROM arrival WHERE pk = ?", rows))

    async def close(self) -> None:
        if self._conn is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._conn.close)
        self._thread.shutdown()

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._whole, work)

    def _whole(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """``work`` as one transaction."""
        try:
            if self._conn is None:
                self._conn = self._open()
            with self._conn:
                return work(self._conn)
        except sqlite3.Error as error:
            raise StoreError(f"{self._file} cannot be written ({error}): Slack is told to come again.") from error

    def _open(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        conn = sqlite3.connect(self._file, timeout=_BUSY_SECONDS)
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = FULL")
        conn.execute(_SCHEMA)
        return conn
