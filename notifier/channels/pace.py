"""How fast one target may be sent to: a share that fills up with time, and is asked without waiting."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

_KEPT = 10_000


class Pace:
    """``burst`` at once, then one each ``every``; for each key its own."""

    def __init__(self, every: timedelta, *, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._every = every.total_seconds()
        self._ahead = (burst - 1) * self._every
        self._clock = clock
        self._next: dict[str, float] = {}

    def take(self, key: str) -> timedelta | None:
        """None where it may be sent now, which is counted; else how long that is away."""
        wait = self.left(key)
        if wait:
            return wait
        self._count(key)
        return None

    def left(self, key: str) -> timedelta:
        """How long the next turn is away; it is not taken."""
        now = self._clock()
        return timedelta(seconds=max(self._next.get(key, now) - now - self._ahead, 0.0))

    def reserve(self, key: str) -> timedelta:
        """Take the next turn that is free, and say how long it is away."""
        wait = self.left(key)
        self._count(key)
        return wait

    def _count(self, key: str) -> None:
        now = self._clock()
        if len(self._next) >= _KEPT:
            self._next = {key: at for key, at in self._next.items() if at > now}
        self._next[key] = max(self._next.get(key, now), now) + self._every


class Rest:
    """Who asked to be left alone, until when."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def begin(self, key: str, wait: timedelta) -> None:
        self._until[key] = max(self._until.get(key, 0.0), self._clock() + wait.total_seconds())

    def left(self, key: str) -> timedelta | None:
        left = self._until.get(key, 0.0) - self._clock()
        if left > 0:
            return timedelta(seconds=left)
        self._until.pop(key, None)
        return None
