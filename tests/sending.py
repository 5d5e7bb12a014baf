"""Delivery as the program does it, with the clock, the database and the channel in a test's hands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from pydantic import SecretStr

from notifier.collect import absorb
from notifier.deliver import deliver
from notifier.delivery import Limits
from notifier.matching import RuleSet, Topics
from notifier.model import Address, Delivery, DeliveryState
from notifier.plan import plan
from notifier.ports import Channel
from notifier.render import Composer, Links
from notifier.store import SqliteStore, StoreThread
from notifier.tokens import Keys
from tests.builders import NOW, rule, sighting, subscriber, subscription

HOUR = timedelta(hours=1)
LEASE = timedelta(minutes=15)
NO_TOPICS: Topics = {}


@lru_cache
def composer() -> Composer:
    """One for all: its templates are compiled once."""
    return Composer(links=Links(base_url="", sender="papers@example.org", contact="", keys=Keys(SecretStr("x"))))


class Sender:
    """Delivery as the program does it, over the file ``store.db``, with the clock in hand."""

    def __init__(self, file: Path, kind: str, channel: Channel, **limits: object) -> None:
        self.file = file
        self._kind = kind
        self._channel = channel
        self._limits = Limits(lease=LEASE, **limits)  # type: ignore[arg-type]
        self.now = NOW + HOUR
        self.clock: Callable[[], datetime] = lambda: self.now
        self.spoil: Callable[[SqliteStore], None] = lambda store: None

    async def run(self) -> dict[DeliveryState, int]:
        in_store = StoreThread(self._open)
        try:
            return await deliver(
                in_store,
                {self._kind: self._channel},
                lambda kind: kind,
                composer(),
                topics=NO_TOPICS,
                clock=self.clock,
                limits=self._limits,
            )
        finally:
            await in_store.close()

    async def killed_when(self, happens: Callable[[], object]) -> None:
        """Run until ``happens``, then end it as a kill does: nothing is recorded any more."""
        running = asyncio.create_task(self.run())
        async with asyncio.timeout(20):
            while not (happens() or running.done()):
                await asyncio.wait({running}, timeout=0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    def _open(self) -> SqliteStore:
        store = SqliteStore(self.file, busy_seconds=0.2)
        self.spoil(store)
        return store

    def row(self) -> Delivery:
        with closing(SqliteStore(self.file)) as store:
            (found,) = store.deliveries.all()
            return found


def planned_for(file: Path, address: Address, *, papers: int = 2) -> None:
    with closing(SqliteStore(file)) as store:
        with store.write():
            store.subscribers.add(subscriber())
            store.subscriptions.put(subscription(address=address, max_entries=200))
            store.rules.put([rule()], actor="t", via="cli", now=NOW - HOUR)
        papers_of_today = [sighting(n, abstract="On rewards. " * 40) for n in range(1, papers + 1)]
        absorb(store, papers_of_today, source="feed", baseline=False, now=NOW - HOUR)
        plan(store, RuleSet(), look_back=timedelta(days=7), now=NOW + HOUR)
