"""Deliver: send what was planned, and record what became of it.

    claim    deliveries that are due, under a lease; the attempt counts from here
    begin    that a part is about to go out, with its message, composed once and kept so that every attempt sends
             the same bytes: what cannot be written is not sent
    send     through the subscription's channel; the failure says whether anything was accepted
    finish   sent, try again at, or failed for good with its reason (see delivery)

Channels work side by side, each with as many messages as it takes at once; what they have to say is written by
group (see recording). Time passes while it works, so the clock is an argument here, not one instant.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import heappop, heappush

import structlog

from notifier.claiming import Job, Papers, claim
from notifier.delivery import Limits, arrived, failure, given_back, pause
from notifier.digest import evidence_of
from notifier.errors import Broken, Cause, ChannelStopped, Refused, SendError, TemplateError, Unreachable
from notifier.matching import Topics
from notifier.model import (
    DeliveryState,
    Message,
    Outcome,
    Start,
)
from notifier.ports import Channel, InStore, Renderer, Store
from notifier.recording import Recorder

log = structlog.get_logger()

_AHEAD = 4
"""Messages that are made ready for each that is on the line, so that their commits are few."""
_NEAR = timedelta(seconds=5)
"""What is due again that soon is waited for; all else comes with the next tick."""


async def deliver(
    in_store: InStore,
    channels: Mapping[str, Channel],
    formats: Callable[[str], str],
    renderer: Renderer,
    *,
    topics: Topics,
    clock: Callable[[], datetime],
    limits: Limits,
    stop: asyncio.Event | None = None,
    heard: Callable[[Sequence[Outcome]], None] | None = None,
) -> Counter[DeliveryState]:
    """Send everything that is due; counts what became of it. ``stop`` ends it after the message under way.

    ``heard`` is told what has been recorded.
    """
    stop = stop or asyncio.Event()
    total: Counter[DeliveryState] = Counter()
    recorder = Recorder(in_store)
    papers = Papers(evidence_of(topics, now=clock()))
    soon = _Soon()
    while not stop.is_set():
        ended, jobs = await in_store(lambda store: claim(store, papers, clock(), limits))
        for each in ended:
            log.warning(each.state.value, delivery=each.id, reason=each.reason)
        total.update(each.state for each in ended)
        if not (ended or jobs):
            if await soon.passed(clock, stop):
                continue
            break
        lanes = [
            _Lane(
                recorder,
                channels[kind],
                formats(kind),
                renderer,
                clock=clock,
                limits=limits,
                stop=stop,
            ).run(each)
            for kind, each in _by_channel(jobs).items()
        ]
        # A lane that cannot record stops by itself; what the others have under way ends first.
        for done in await asyncio.gather(*lanes, return_exceptions=True):
            if isinstance(done, BaseException):
                raise done
            total.update(each.state for each in done)
            if heard:
                heard(done)
            soon.add([each.next_attempt_at for each in done if each.next_attempt_at])
    if total:
        await in_store(_swept)
    return total


def _swept(store: Store) -> None:
    with store.write():
        store.deliveries.sweep()


class _Soon:
    """When something is to be tried again. Nobody else waits for it."""

    def __init__(self) -> None:
        self._instants: list[datetime] = []

    def add(self, instants: Iterable[datetime]) -> None:
        for each in instants:
            heappush(self._instants, each)

    async def passed(self, clock: Callable[[], datetime], stop: asyncio.Event) -> bool:
        """Whether the next of them was near and has come."""
        if not self._instants or (left := self._instants[0] - clock()) > _NEAR:
            return False
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), max(left.total_seconds(), 0.0))
        now = clock()
        if self._instants[0] > now:
            return False
        while self._instants and self._instants[0] <= now:
            heappop(self._instants)
        return True


def _by_channel(jobs: Sequence[Job]) -> dict[str, list[Job]]:
    lanes: dict[str, list[Job]] = {}
    for job in jobs:
        lanes.setdefault(job.subscription.address.kind, []).append(job)
    return lanes


class _Lane:
    """One channel's share of a batch."""

    def __init__(
        self,
        recorder: Recorder,
        channel: Channel,
        format: str,
        renderer: Renderer,
        *,
        clock: Callable[[], datetime],
        limits: Limits,
        stop: asyncio.Event,
    ) -> None:
        self._recorder = recorder
        self._channel = channel
        self._format = format
        self._renderer = renderer
        self._clock = clock
        self._limits = limits
        self._stop = stop
        self._stopped: dict[str, SendError] = {}
        self._broken: set[str] = set()
        """Accounts whose line broke in the message before."""
        self._failed: BaseException | None = None
        self._done: list[Outcome] = []

    async def run(self, jobs: Sequence[Job]) -> Sequence[Outcome]:
        """What was recorded. Raises what went wrong with the record, when all that was under way has ended."""
        left = iter(jobs)
        await asyncio.gather(*(self._work(left) for _ in range(min(self._workers(), len(jobs)))))
        if self._failed is not None:
            raise self._failed
        return self._done

    def _workers(self) -> int:
        """With several at once, some are made ready while the others are on the line.

        Not where each that was begun and has no end is to be looked at by a person: it is to have been on the line.
        """
        at_once = self._channel.at_once
        return at_once if at_once == 1 or self._limits.hold_unknown else at_once * _AHEAD

    async def _work(self, jobs: Iterator[Job]) -> None:
        """One job after the other; the end of one is written together with the beginning of the next.

        What is given back without having been on the line waits for no commit of its own: it goes with what follows.
        """
        ended: list[tuple[Job, Outcome, asyncio.Future[bool]]] = []
        try:
            with self._recorder.working():
                for job in jobs:
                    outcome = await self._one(job)
                    if outcome is None or not outcome.give_back_attempt:
                        await self._settle(ended)
                    if outcome:
                        ended.append((job, outcome, self._recorder.finish(outcome)))
                    if self._failed is not None:
                        break
        except BaseException as error:
            self._failed = self._failed or error
        try:
            await self._settle(ended)
        except BaseException as error:
            self._failed = self._failed or error

    async def _settle(self, ended: list[tuple[Job, Outcome, asyncio.Future[bool]]]) -> None:
        """Wait until what ended is written, and say so; ``ended`` is empty then."""
        while ended:
            job, outcome, written = ended.pop(0)
            if await written:
                self._done.append(outcome)
                self._say(job, outcome)

    async def _one(self, job: Job) -> Outcome | None:
        """What became of it; None where another process has taken it over."""
        delivery = job.delivery
        if self._stop.is_set():
            reason = "The program was stopped before it was sent."
            return given_back(delivery, reason, at=self._clock(), after=timedelta(0))
        account = self._channel.account(job.subscription.address.target)
        if stopped := self._stopped.get(account):
            return given_back(delivery, str(stopped), at=self._clock(), after=pause(stopped), cause=stopped.cause)
        try:
            accepted = await self._send(job, self._fitting(job.message or self._render(job)))
        except TemplateError as error:
            return given_back(delivery, str(error), at=self._clock(), cause=Cause.TEMPLATE)
        except SendError as error:
            if self._stops(account, error):
                # The others of its account would fare no better: they wait, and none uses up an attempt.
                if account not in self._stopped:
                    self._alert(job, error)
                self._stopped[account] = error
            return failure(delivery, error, at=self._clock(), limits=self._limits)
        self._broken.discard(account)
        return None if accepted is None else arrived(delivery, accepted, at=self._clock())

    def _stops(self, account: str, error: SendError) -> bool:
        """Whether it is about the account, and not, or not only, about the message that met it."""
        if not isinstance(error, Broken):
            return isinstance(error, ChannelStopped | Unreachable)
        before = account in self._broken
        self._broken.add(account)
        return before

    def _fitting(self, message: Message) -> Message:
        if message.format != self._format:
            raise Refused("It was made for the channel that the subscription had before.", cause=Cause.MESSAGE)
        return message

    def _alert(self, job: Job, error: SendError) -> None:
        """Once for all that wait for it: a login or a token works no more, which only the operator can mend."""
        if isinstance(error, ChannelStopped):
            log.error("stopped", channel=job.subscription.address.kind, reason=str(error))

    def _render(self, job: Job) -> Message:
        assert job.digest is not None  # noqa: S101 - a job has a message or a digest
        return self._renderer.render(job.digest, self._format, now=self._clock())

    async def _send(self, job: Job, message: Message) -> tuple[str, ...] | None:
        """Part by part, so that what is through is written before the next one goes out. Raises SendError.

        None where the claim was lost.
        """
        accepted = job.delivery.accepted
        for count in range(len(accepted) + 1, len(message.parts) + 1):
            if not await self._recorder.begin(self._start(job, message, accepted)):
                return None
            doubtful = job.delivery.unknowns > 0 and accepted == job.delivery.accepted
            part = replace(message, parts=message.parts[:count], accepted=accepted, doubtful=doubtful)
            accepted = (await self._channel.send(part)).accepted
        return accepted

    def _start(self, job: Job, message: Message, accepted: tuple[str, ...]) -> Start:
        now = self._clock()
        return Start(
            delivery_id=job.delivery.id,
            fence=job.delivery.fence,
            at=now,
            lease_until=now + self._limits.lease,
            accepted=accepted,
            message=message if job.message is None and accepted == job.delivery.accepted else None,
        )

    def _say(self, job: Job, outcome: Outcome) -> None:
        say = log.info if outcome.state is DeliveryState.SENT else log.warning
        if outcome.give_back_attempt and outcome.cause is Cause.LOGIN:
            # That was said once for all of them.
            say = log.debug
        say(
            outcome.state.value,
            delivery=job.delivery.id,
            channel=job.subscription.address.kind,
            attempt=job.delivery.attempts,
            reason=outcome.reason,
        )
