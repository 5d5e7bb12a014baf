"""Whose turn it is to ask a host: few at once, not too often, and not while it wants to be left alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from notifier.errors import SourceError

AT_ONCE = 10
"""Requests under way to all hosts together."""
_HOST_AT_ONCE = 2
_SLOW = {"arxiv.org": 3.0}
"""Seconds between two requests where a service asks for more than is usual, summed over its host names, and over one
connection (https://info.arxiv.org/help/api/tou.html)."""


@dataclass(slots=True)
class _Host:
    turns: asyncio.Semaphore
    pause: float
    next_start: float = 0.0
    held_until: float = 0.0


class Turns:
    """Within one event loop. ``clock`` counts seconds from anywhere; ``sleep`` waits for so many."""

    def __init__(
        self,
        pause: timedelta,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._pause = pause.total_seconds()
        self._clock = clock
        self._sleep = sleep
        self._all = asyncio.Semaphore(AT_ONCE)
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait for it, have it, give it back. Raises SourceError while the host is held."""
        own = self._host(host)
        # The host's turn comes first: who waits for a busy host must not keep others from theirs.
        async with own.turns:
            self.check(host)
            start = max(self._clock(), own.next_start)
            own.next_start = start + own.pause
            if (wait := start - self._clock()) > 0:
                await self._sleep(wait)
            async with self._all:
                self.check(host)
                yield

    def hold(self, host: str, wait: timedelta) -> None:
        """The host wants no request for so long."""
        own = self._host(host)
        own.held_until = max(own.held_until, self._clock() + wait.total_seconds())

    def check(self, host: str) -> None:
        """Raises SourceError, with how long it lasts, while the host is held."""
        left = self._host(host).held_until - self._clock()
        if left > 0:
            raise SourceError(
                f"{host} has asked for fewer requests: it is left alone for {left:.0f} s.",
                retry_after=timedelta(seconds=left),
            )

    def _host(self, host: str) -> _Host:
        slow = next((name for name in _SLOW if host == name or host.endswith(f".{name}")), None)
        name = slow or host
        if name not in self._hosts:
            at_once, pause = (1, max(_SLOW[slow], self._pause)) if slow else (_HOST_AT_ONCE, self._pause)
            self._hosts[name] = _Host(turns=asyncio.Semaphore(at_once), pause=pause)
        return self._hosts[name]
