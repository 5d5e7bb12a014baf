"""What makes time pass on one machine: APScheduler as a tick.

The scheduler only ticks; what is due is in the database. People's hours are not its business: its cron
trigger loses and repeats slots over daylight saving (see ``cadence``).
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from apscheduler.job import Job
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from notifier.app import App
from notifier.engine import Engine, open_engine

log = structlog.get_logger()

Beside = Callable[[asyncio.Event], Awaitable[None]]

HEARTBEAT = "heartbeat"
# systemd and container engines wait longer than this before they kill.
_DRAIN_SECONDS = 30.0
# So much more than its span may a time lie ahead; clocks are also adjusted by fractions of a second.
_SET_BACK = timedelta(seconds=1)
# Somebody waits for a link to log in with.
_LETTERS_SECONDS = 2.0
_RECEIVE_SECONDS = 60.0


async def serve(app: App, *, beside: Sequence[Beside] = (), stop: asyncio.Event | None = None) -> None:
    """Run until SIGTERM or SIGINT (or ``stop``): then claim nothing more, finish what is under way, go.

    ``beside`` runs in the same loop until ``stop`` is set (the pages, say); where one of it fails, all of it ends.
    """
    with app.store() as store:
        # What was sent stands in it: with a damaged one it would be sent again, or not at all.
        store.verify()
    stop = stop or asyncio.Event()
    stop_at_signals(stop)
    async with running(beside, stop), open_engine(app) as engine:
        ticks = _Ticks(app, engine, stop)
        scheduler = _scheduler(app, ticks)
        scheduler.start()
        log.info("serving", data_dir=str(app.settings.data_dir), tick_seconds=app.settings.tick.total_seconds())
        await _until(stop, scheduler, ticks.set_back)
        log.info("stopping")
        # shutdown(wait=True) would cancel running coroutines in mid-send: pause, drain our own, then end.
        scheduler.pause()
        await ticks.drain(_DRAIN_SECONDS)
        scheduler.shutdown(wait=False)
    log.info("stopped")


def stop_at_signals(stop: asyncio.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


@asynccontextmanager
async def running(beside: Sequence[Beside], stop: asyncio.Event) -> AsyncIterator[None]:
    """Raises what one of them raised, when all have ended."""

    async def whole(each: Beside) -> None:
        try:
            await each(stop)
        finally:
            stop.set()

    tasks = [asyncio.create_task(whole(each)) for each in beside]
    try:
        yield
    finally:
        stop.set()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for each in ended:
        if isinstance(each, BaseException):
            raise each


class _Ticks:
    """The jobs of the scheduler, and which of them are running."""

    def __init__(self, app: App, engine: Engine, stop: asyncio.Event) -> None:
        self._app = app
        self._engine = engine
        self._stop = stop
        self._running: set[asyncio.Task[object]] = set()
        self.delivering: Job | None = None
        """Set once it is scheduled."""

    async def collect(self) -> None:
        await self._run(self._engine.collect)

    async def plan(self) -> None:
        await self._run(self._engine.plan)
        beat(self._app.settings.data_dir, datetime.now(UTC))

    async def deliver(self) -> None:
        """Comes again as soon as something that was put off is due: who asks for 30 seconds is asked after 30."""
        await self._run(lambda: self._engine.deliver(self._stop))
        due = self._engine.next_try(datetime.now(UTC))
        if due and self.delivering and self.delivering.next_run_time and due < self.delivering.next_run_time:
            self.delivering.modify(next_run_time=due)

    async def letters(self) -> None:
        await self._run(lambda: self._engine.letters(self._stop))

    async def receive(self) -> None:
        await self._run(self._engine.receive)

    async def set_back(self) -> None:
        await self._run(self._engine.set_back)

    async def drain(self, seconds: float) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    async def _run(self, step: Callable[[], Awaitable[object]]) -> None:
        """A step that fails is logged with its cause; the next tick tries again, nothing is lost."""
        if self._stop.is_set():
            return
        task: asyncio.Task[object] = asyncio.ensure_future(_awaited(step))
        self._running.add(task)
        try:
            await asyncio.shield(task)
        except Exception:
            log.exception("step failed")
        finally:
            self._running.discard(task)


async def _awaited(step: Callable[[], Awaitable[object]]) -> object:
    return await step()


class _After(BaseTrigger):  # type: ignore[misc]
    """So long after the last time, by the clock as it is now.

    APScheduler's own interval counts every time that was missed: a clock that is set forward by years, as on a machine
    that wakes before it knows the date, would keep it counting.
    """

    def __init__(self, seconds: float) -> None:
        self.span = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        return now + self.span

    def __str__(self) -> str:
        return f"every {self.span.total_seconds():g} s"


async def _until(stop: asyncio.Event, scheduler: AsyncIOScheduler, set_back: Callable[[], Awaitable[None]]) -> None:
    """Wait for ``stop``; what a clock that is set back has put off is done now."""
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), min(job.trigger.span.total_seconds() for job in scheduler.get_jobs()))
        now = datetime.now(UTC)
        ahead = [job for job in scheduler.get_jobs() if job.next_run_time > now + job.trigger.span + _SET_BACK]
        if ahead:
            log.warning("the clock was set back")
            await set_back()
        for job in ahead:
            job.modify(next_run_time=now)


def _scheduler(app: App, ticks: _Ticks) -> AsyncIOScheduler:
    scheduler = AsyncIOScheduler(timezone=UTC)
    tick = app.settings.tick.total_seconds()
    jobs = [(each, tick) for each in (ticks.collect, ticks.plan, ticks.deliver)]
    for job, seconds in [
        *jobs,
        (ticks.letters, min(tick, _LETTERS_SECONDS)),
        (ticks.receive, max(tick, _RECEIVE_SECONDS)),
    ]:
        added = scheduler.add_job(
            job,
            _After(seconds),
            next_run_time=datetime.now(UTC),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        if job == ticks.deliver:
            ticks.delivering = added
    return scheduler


def beat(data_dir: Path, now: datetime) -> None:
    (data_dir / HEARTBEAT).write_text(now.isoformat(), "ascii")


def last_beat(data_dir: Path) -> datetime | None:
    """When ``serve`` last finished planning in this data folder."""
    try:
        return datetime.fromisoformat((data_dir / HEARTBEAT).read_text("ascii").strip())
    except (OSError, ValueError):
        return None
