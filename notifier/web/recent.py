"""The papers of the last 30 days, indexed once for all who try rules on them, and anew when papers have changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from notifier.matching import KeptIndex, Topics, parse
from notifier.ports import Store
from notifier.store import StoreThread

log = structlog.get_logger()

SPAN = timedelta(days=30)
_MOST = 50_000
"""About 500 MB of index: an archive that brings more in 30 days is tried on its newest."""
_SOON = 0.2
"""Seconds that somebody who types waits for a new index; what takes longer is made beside the old one."""
_PAUSE = 20.0
"""Seconds between two that take longer: while sources are read, papers change all the time."""
_OLDEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Made:
    index: KeptIndex
    version: int
    at: datetime
    ended: float
    seconds: float


class Recent:
    def __init__(self, open_store: Callable[[], Store], topics: Callable[[], Topics]) -> None:
        self._thread = StoreThread(open_store)
        self._topics = topics
        self._made: _Made | None = None
        self._making: asyncio.Task[None] | None = None
        self._learning: asyncio.Task[None] | None = None

    async def index(self, version: int, now: datetime) -> KeptIndex:
        """Of the papers as they were at ``version``, or a little before where a new index is still being made."""
        made = self._made
        if made is None or made.version != version or not timedelta(0) <= now - made.at < _OLDEST:
            await self._renew(now, made)
        assert self._made is not None  # noqa: S101 - the first one was waited for
        return self._made.index.at(now)

    async def _renew(self, now: datetime, made: _Made | None) -> None:
        if self._making is None or self._making.done():
            if made and made.seconds > _SOON and time.monotonic() - made.ended < _PAUSE:
                return
            self._making = asyncio.create_task(self._make(now))
        if made is None or made.seconds <= _SOON or now < made.at:
            await asyncio.shield(self._making)
        else:
            self._making.add_done_callback(_told)

    async def _make(self, now: datetime) -> None:
        self._made = made = await self._thread(lambda store: _made(store, now))
        if made.seconds > _SOON:
            # The first who names a topic would wait for it.
            self._learning = asyncio.create_task(self._thread(lambda _: _know_topics(made, self._topics())))
            self._learning.add_done_callback(_told)

    async def close(self) -> None:
        for task in (self._making, self._learning):
            if task:
                await asyncio.wait([task])
        await self._thread.close()


def _told(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("recent papers cannot be indexed", error=str(error))


def _made(store: Store, now: datetime) -> _Made:
    began = time.monotonic()
    version = store.entries.version()
    index = KeptIndex(store.entries.seen(now - SPAN, now)[:_MOST], now=now)
    ended = time.monotonic()
    return _Made(index, version, now, ended, ended - began)


def _know_topics(made: _Made, topics: Topics) -> None:
    made.index.rows([parse(f"topic:{name}", topics) for name in topics])
