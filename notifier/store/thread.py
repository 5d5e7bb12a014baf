"""A store in a thread of its own, for callers that are async: a SQLite connection belongs to one thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TypeVar

from notifier.ports import InStore, Store, Turn

T = TypeVar("T")


class StoreThread:
    """``ports.InStore``: runs one piece of work after another on the store's own thread."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open = open_store
        self._store: Store | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")

    async def __call__(self, work: Callable[[Store], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)

    def _do(self, work: Callable[[Store], T]) -> T:
        if self._store is None:
            self._store = self._open()
        with self._store.in_words():
            return work(self._store)

    async def close(self) -> None:
        if self._store is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._store.close)
        self._thread.shutdown()


class StoredLedger:
    """What is remembered of services, in the database, so that processes beside each other keep one pace."""

    def __init__(self, in_store: InStore) -> None:
        self._in_store = in_store

    async def reserve(self, name: str, every: timedelta, now: datetime) -> Turn:
        def work(store: Store) -> Turn:
            with store.write():
                return store.services.reserve(name, every, now)

        return await self._in_store(work)

    async def rest(self, name: str, until: datetime) -> None:
        def work(store: Store) -> None:
            with store.write():
                store.services.rest(name, until)

        await self._in_store(work)
