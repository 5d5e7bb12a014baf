"""Group commit: what is about to go out and what became of it is written for all who wait, in one transaction.

A commit with its fsync takes longer than sending a mail, and the larger it is, the less it costs for each. So words
gather, but none longer than for the commit before its own and some milliseconds. Who works waits with the next
beginning for the record of the last end: a crash can repeat one mail of each worker at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from notifier.model import Outcome, Start
from notifier.ports import InStore, Store

_LONGEST_WAIT = 0.010


@dataclass(frozen=True, slots=True)
class _Group:
    """One transaction. ``records`` tells who measures the store's thread what this work is."""

    words: Sequence[Start | Outcome]
    records = True

    def __call__(self, store: Store) -> frozenset[tuple[str, bool]]:
        """The id of each word that was written, and whether it was a Start."""
        starts = [word for word in self.words if isinstance(word, Start)]
        outcomes = [word for word in self.words if isinstance(word, Outcome)]
        with store.write():
            ended = store.deliveries.finish(outcomes) if outcomes else []
            begun = store.deliveries.begin(starts) if starts else []
        return frozenset([*((id, False) for id in ended), *((id, True) for id in begun)])


class Recorder:
    def __init__(self, in_store: InStore) -> None:
        self._in_store = in_store
        self._waiting: list[tuple[Start | Outcome, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._outcomes = 0
        self._working = 0
        self._enough: asyncio.Future[None] | None = None

    @contextmanager
    def working(self) -> Iterator[None]:
        """Somebody who waits for each ``begin``: where all of these wait, nothing more is to come before a commit."""
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1
            self._look()

    def begin(self, start: Start) -> asyncio.Future[bool]:
        """Done when it is committed; False where the claim is lost and nothing may be sent."""
        return self._add(start)

    def finish(self, outcome: Outcome) -> asyncio.Future[bool]:
        """Done when it is committed, never later than a ``begin`` that follows; False where another claim has it."""
        self._outcomes += 1
        return self._add(outcome)

    def _add(self, word: Start | Outcome) -> asyncio.Future[bool]:
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((word, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        self._look()
        return written

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._gathered()
                group, self._waiting, self._outcomes = self._waiting, [], 0
                await self._write_group(group)
        finally:
            self._writing = None

    async def _gathered(self) -> None:
        """Until it is worth a commit, or the first has waited long enough."""
        if self._is_enough:
            return
        loop = asyncio.get_running_loop()
        self._enough = loop.create_future()
        timer = loop.call_later(_LONGEST_WAIT, _end, self._enough)
        try:
            await self._enough
        finally:
            timer.cancel()
            self._enough = None

    def _look(self) -> None:
        if self._enough is not None and self._is_enough:
            _end(self._enough)

    @property
    def _is_enough(self) -> bool:
        """All who work wait for it, or half of them brought an outcome and the others can go on meanwhile."""
        return len(self._waiting) - self._outcomes >= self._working or 2 * self._outcomes >= self._working

    async def _write_group(self, group: Sequence[tuple[Start | Outcome, asyncio.Future[bool]]]) -> None:
        try:
            done = await self._in_store(_Group([word for word, _ in group]))
        except Exception as error:
            # All of it was rolled back: each of those who wait has to know.
            for _, written in group:
                if not written.done():
                    written.set_exception(error)
            return
        for word, written in group:
            if not written.done():
                written.set_result((word.delivery_id, isinstance(word, Start)) in done)


def _end(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
