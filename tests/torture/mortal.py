"""A process that delivers until it is killed: in the store, on the line, or at some instant."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import structlog

from notifier.app import App
from notifier.engine import open_engine
from notifier.model import DeliveryState, Outcome, Start
from notifier.ports import Deliveries, Store
from notifier.store import SqliteStore, StoreThread

T = TypeVar("T")

IN_STORE = ("claimed", "attempt committed", "recorded")
AT_RANDOM = "at random"


def delivered(make: Callable[[], App], aim: Callable[[int], None], point: str, turn: int) -> bool:
    """Whether the process was killed at ``point`` before it had nothing more to do.

    ``aim`` is told its number before it connects. ``turn`` counts what happens at the point, at random milliseconds.
    """
    ready, started = Pipe(duplex=False)
    pid = os.fork()
    if pid == 0:
        os._exit(_child(make, started, (point, turn) if point in IN_STORE else None))
    started.close()
    ready.recv()
    aim(pid)
    os.kill(pid, signal.SIGUSR1)
    if point == AT_RANDOM:
        time.sleep(turn / 1_000)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    ready.close()
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0, "a delivering process failed by itself"
    return os.WIFSIGNALED(status)


def _child(make: Callable[[], App], started: Connection, die: tuple[str, int] | None) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    app = make()
    started.send("ready")
    # Who kills has to be aimed before the first connection.
    signal.sigwait({signal.SIGUSR1})
    asyncio.run(delivering(app, die))
    return 0


async def delivering(app: App, die: tuple[str, int] | None = None) -> None:
    async with open_engine(app) as engine:
        if die:
            engine.stores["deliver"] = _Mortal(app.open_store, *die)
        await engine.deliver()


class _Mortal(StoreThread):
    """Dies when a step of the store has been committed for the given number of mails."""

    def __init__(self, open_store: Callable[[], Store], point: str, turn: int) -> None:
        super().__init__(open_store)
        self._point, self._turn = point, turn

    async def __call__(self, work: Callable[[Store], T]) -> T:
        return await super().__call__(lambda store: work(_Watched(store, self._committed)))  # type: ignore[arg-type]

    def _committed(self, step: str) -> None:
        self._turn -= step == self._point
        if step == self._point and self._turn <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


class _Watched:
    """A store whose deliveries tell what was done, once the transaction that did it has been committed."""

    def __init__(self, store: Store, committed: Callable[[str], None]) -> None:
        self._store, self._committed = store, committed
        self._steps: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    @property
    def deliveries(self) -> _WatchedDeliveries:
        return _WatchedDeliveries(self._store.deliveries, self._steps)

    @contextmanager
    def write(self) -> Iterator[None]:
        with self._store.write():
            yield
        while self._steps:
            self._committed(self._steps.pop())


class _WatchedDeliveries:
    def __init__(self, deliveries: Deliveries, steps: list[str]) -> None:
        self._deliveries, self._steps = deliveries, steps

    def __getattr__(self, name: str) -> object:
        return getattr(self._deliveries, name)

    def claim(self, *given: Any, **named: Any) -> object:
        self._steps.append("claimed")
        return self._deliveries.claim(*given, **named)

    def begin(self, starts: Sequence[Start]) -> object:
        self._steps += ["attempt committed"] * len(starts)
        return self._deliveries.begin(starts)

    def finish(self, outcomes: Sequence[Outcome]) -> object:
        self._steps += ["recorded"] * len(outcomes)
        return self._deliveries.finish(outcomes)


def is_left(data: Path) -> bool:
    """Whether anything waits to be delivered."""
    store = SqliteStore(data / "notifier.db")
    open_states = (DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.DEFERRED)
    left = store.deliveries.all(states=open_states, limit=1)
    store.close()
    return bool(left)
