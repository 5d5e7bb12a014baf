"""How often a service is asked: one request at a time, so far apart, and none while it wants to be left alone.

One Pace stands for all addresses of a service, and all of them count together. What it has to remember lies in a
ledger, which can be the database, so that two processes beside each other keep the pace together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeAlias

from notifier.errors import SourceError
from notifier.ports import Turn

Clock: TypeAlias = Callable[[], datetime]
Sleep: TypeAlias = Callable[[float], Awaitable[object]]

REST = timedelta(minutes=10)
"""After a 429 that does not say how long (arXiv's never do)."""
LONG_REST = timedelta(hours=1)
"""After another one within this time of the first rest."""


class Ledger(Protocol):
    """What is remembered of a service by its name."""

    async def reserve(self, name: str, every: timedelta, now: datetime) -> Turn: ...

    async def rest(self, name: str, until: datetime) -> None: ...


class MemoryLedger:
    """For one process alone."""

    def __init__(self) -> None:
        self._next: dict[str, datetime] = {}
        self._rest: dict[str, datetime] = {}

    async def reserve(self, name: str, every: timedelta, now: datetime) -> Turn:
        at = max(now, self._next.get(name, now))
        self._next[name] = at + every
        return Turn(at=at, rest_until=self._rest.get(name))

    async def rest(self, name: str, until: datetime) -> None:
        self._rest[name] = until


class Pace:
    """The turns of one service. ``title`` is what people call it."""

    def __init__(self, name: str, title: str, every: timedelta, *, ledger: Ledger, clock: Clock, sleep: Sleep) -> None:
        self._name = name
        self._title = title
        self._every = every
        self._ledger = ledger
        self._clock = clock
        self._sleep = sleep
        self._lock = asyncio.Lock()
        self._rested_until: datetime | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for it, have it alone. Raises SourceError while the service is left alone."""
        async with self._lock:
            now = self._clock()
            turn = await self._ledger.reserve(self._name, self._every, now)
            self._rested_until = turn.rest_until
            if turn.rest_until and turn.rest_until > now:
                raise self._resting(turn.rest_until, now)
            if turn.at > now:
                await self._sleep((turn.at - now).total_seconds())
            yield

    async def rest(self, asked: timedelta | None) -> SourceError:
        """Leave the service alone for as long as it ``asked``, or for our own measure; the error that says so."""
        now = self._clock()
        again = self._rested_until is not None and now - self._rested_until < LONG_REST
        until = now + max(asked if asked is not None else LONG_REST if again else REST, self._every)
        self._rested_until = until
        await self._ledger.rest(self._name, until)
        return self._resting(until, now)

    def _resting(self, until: datetime, now: datetime) -> SourceError:
        return SourceError(
            f"{self._title} has asked for fewer requests: it is left alone until {until:%H:%M} UTC.",
            retry_after=until - now,
        )


class Paces:
    """One Pace for each service, shared by all who ask it through one client."""

    def __init__(
        self,
        ledger: Ledger | None = None,
        *,
        clock: Clock = lambda: datetime.now(UTC),
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._ledger = ledger or MemoryLedger()
        self._clock = clock
        self._sleep = sleep
        self._paces: dict[str, Pace] = {}

    def of(self, name: str, title: str, every: timedelta) -> Pace:
        if name not in self._paces:
            self._paces[name] = Pace(name, title, every, ledger=self._ledger, clock=self._clock, sleep=self._sleep)
        return self._paces[name]
