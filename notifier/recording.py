"""Group commit: what is about to go out and what became of it is written for all who wait, in one transaction.

A commit with its fsync takes longer than sending a mail. While one is under way the next words gather; none waits
longer than for the commit before its own, so a crash can repeat no more than what was in flight plus that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from notifier.model import Outcome, Start
from notifier.ports import InStore, Store


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

    def begin(self, start: Start) -> asyncio.Future[bool]:
        """Done when it is committed; False where the claim is lost and nothing may be sent."""
        return self._add(start)

    def finish(self, outcome: Outcome) -> asyncio.Future[bool]:
        """Done when it is committed, never later than a ``begin`` that follows; False where another claim has it."""
        return self._add(outcome)

    def _add(self, word: Start | Outcome) -> asyncio.Future[bool]:
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((word, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return written

    async def _write(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                await self._write_group(group)
        finally:
            self._writing = None

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
