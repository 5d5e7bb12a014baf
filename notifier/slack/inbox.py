"""The worker: what was taken down is worked on from the database, each once, also after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from notifier.app import Clock
from notifier.errors import ChannelStopped, NotifierError, SendError, TryLater, Unknown
from notifier.model import Work
from notifier.ports import InStore, Store
from notifier.slack.journal import Journal

log = structlog.get_logger()

Perform = Callable[[Work], Awaitable[str]]
"""Does one piece of work and says in a few words what it came to."""

_LEASE = timedelta(minutes=2)
_AT_ONCE = 8
_LOOK = 1.0
"""Seconds between two looks at the inbox, for what another process took and left."""
_MOVED = 200
_ATTEMPTS = 6
_WORTH = timedelta(minutes=25)
"""An address for answers is good for 30 minutes; after that nobody waits for them."""
_KEPT = timedelta(days=3)
"""Slack sends an event again for an hour at most, or for a day with delayed events turned on."""
_FORGET_EVERY = timedelta(hours=1)


class Worker:
    def __init__(
        self, journal: Journal, in_store: InStore, perform: Perform, *, clock: Clock, wake: asyncio.Event
    ) -> None:
        self._journal = journal
        self._in_store = in_store
        self._perform = perform
        self._clock = clock
        self._wake = wake
        self._running: set[asyncio.Task[None]] = set()
        self._forgot_at = clock() - _FORGET_EVERY

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; what is under way is finished."""
        stopping = asyncio.ensure_future(stop.wait())
        while not stop.is_set():
            self._wake.clear()
            try:
                await self._move()
                await self._start_due()
                await self._forget()
            except NotifierError as error:
                log.warning("slack inbox cannot be read", error=str(error))
            waking = asyncio.ensure_future(self._wake.wait())
            await asyncio.wait({stopping, waking}, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
            waking.cancel()
        stopping.cancel()
        if self._running:
            await asyncio.wait(self._running)

    async def _move(self) -> None:
        """From the journal into the database, where what came before is known."""
        if not (came := await self._journal.all(_MOVED)):
            return

        def take(store: Store) -> None:
            with store.write():
                for _, key, payload, at in came:
                    store.slack_inbox.take(key, payload, now=at)

        await self._in_store(take)
        await self._journal.remove([number for number, *_ in came])

    async def _start_due(self) -> None:
        room = _AT_ONCE - len(self._running)
        if room <= 0:
            return

        def claim(store: Store) -> list[Work]:
            with store.write():
                return store.slack_inbox.claim(self._clock(), lease=_LEASE, limit=room)

        # A look takes no lock; there is mostly nothing.
        if not await self._in_store(lambda store: store.slack_inbox.due(self._clock())):
            return
        for work in await self._in_store(claim):
            task = asyncio.ensure_future(self._do(work))
            self._running.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()

    async def _do(self, work: Work) -> None:
        try:
            outcome = await self._perform(work)
        except (TryLater, Unknown) as error:
            await self._again(work, error)
        except (SendError, NotifierError) as error:
            if isinstance(error, ChannelStopped):
                log.warning("slack workspace cannot be answered", error=str(error))
            await self._done(work, str(error))
        except Exception:
            log.exception("slack work failed", work=work.id)
            await self._again(work, SendError("It failed here."))
        else:
            await self._done(work, outcome)

    async def _again(self, work: Work, error: SendError) -> None:
        now = self._clock()
        wait = max(error.retry_after or timedelta(0), timedelta(seconds=2**work.attempts))
        if work.attempts >= _ATTEMPTS or now + wait - work.received_at > _WORTH:
            await self._done(work, f"given up: {error}")
            return

        def put_off(store: Store) -> None:
            with store.write():
                store.slack_inbox.put_off(work.id, work.fence, now + wait)

        await self._in_store(put_off)

    async def _done(self, work: Work, outcome: str) -> None:
        def done(store: Store) -> None:
            with store.write():
                store.slack_inbox.done(work.id, work.fence, outcome, now=self._clock())

        await self._in_store(done)

    async def _forget(self) -> None:
        now = self._clock()
        if now - self._forgot_at < _FORGET_EVERY:
            return
        self._forgot_at = now

        def forget(store: Store) -> None:
            with store.write():
                store.slack_inbox.forget(now - _KEPT)

        await self._in_store(forget)
