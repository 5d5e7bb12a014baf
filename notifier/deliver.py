"""Deliver: send what was planned, and record what became of it.

    claim    deliveries that are due, under a lease; the attempt counts from here
    freeze   the message is composed once and kept, so that every attempt sends the same bytes
    send     through the subscription's channel; the failure says whether anything was accepted
    record   sent, try again at, or failed for good with its reason: each outcome at once

Channels work side by side, each sends one message after the other. Time passes while it works, so the
clock is an argument here, not one instant.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from notifier.digest import EvidenceOf, compose, evidence_of
from notifier.errors import ChannelStopped, Refused, SendError, TemplateError, TryLater, Unknown, Unreachable
from notifier.followup import passed_over
from notifier.matching import Topics
from notifier.model import Delivery, DeliveryState, Digest, Message, Outcome, Rule, SourceHealth, Subscription
from notifier.ports import Channel, InStore, Renderer, Store

log = structlog.get_logger()

# A greylisting server wants five minutes or more; later tries double up to an hour.
_FIRST_RETRY = timedelta(minutes=5)
_LONGEST_RETRY = timedelta(hours=1)
# A stopped channel (login, token) waits for its operator; a faulty template for its author.
_STOPPED_RETRY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How deliveries are claimed and how long they are tried."""

    attempts: int = 12
    lease: timedelta = timedelta(minutes=15)
    hold_unknown: bool = False
    batch: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A claimed delivery with what is needed to send it."""

    delivery: Delivery
    subscription: Subscription
    message: Message | None
    digest: Digest | None


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
) -> Counter[DeliveryState]:
    """Send everything that is due; counts what became of it. ``stop`` ends it after the message under way."""
    stop = stop or asyncio.Event()
    total: Counter[DeliveryState] = Counter()
    while not stop.is_set():
        jobs = await in_store(lambda store: _claim(store, topics, clock(), limits))
        if not jobs:
            break
        lanes = [
            _Lane(in_store, channels[kind], formats(kind), renderer, clock=clock, limits=limits, stop=stop).run(each)
            for kind, each in _by_channel(jobs).items()
        ]
        for states in await asyncio.gather(*lanes):
            total += states
    return total


def _by_channel(jobs: Sequence[_Job]) -> dict[str, list[_Job]]:
    lanes: dict[str, list[_Job]] = {}
    for job in jobs:
        lanes.setdefault(job.subscription.address.kind, []).append(job)
    return lanes


def _claim(store: Store, topics: Topics, now: datetime, limits: Limits) -> list[_Job]:
    with store.write():
        claimed = store.deliveries.claim(now, lease=limits.lease, limit=limits.batch)
    subscriptions = store.subscriptions.get({delivery.subscription_id for delivery in claimed})
    rules = store.rules.of(subscriptions)
    sources = health(store)
    evidence = evidence_of(topics, now=now)
    return [
        _job(
            store,
            delivery,
            subscriptions[delivery.subscription_id],
            rules.get(delivery.subscription_id, ()),
            sources,
            evidence,
        )
        for delivery in claimed
        if delivery.subscription_id in subscriptions
    ]


def _job(
    store: Store,
    delivery: Delivery,
    subscription: Subscription,
    rules: Sequence[Rule],
    sources: Sequence[SourceHealth],
    evidence: EvidenceOf,
) -> _Job:
    frozen = store.deliveries.message(delivery.id)
    if frozen is not None:
        return _Job(delivery=delivery, subscription=subscription, message=frozen, digest=None)
    items, follow_ups = store.deliveries.items(delivery.id), store.deliveries.follow_ups(delivery.id)
    entries = store.entries.get([*(each.entry_id for each in items), *(each.entry_id for each in follow_ups)])
    digest = compose(
        delivery,
        items,
        entries=entries,
        evidence=evidence,
        subscription=subscription,
        follow_ups=follow_ups,
        growth=store.entries.growth(passed_over(delivery, items, entries)),
        sources=sources,
        rules=rules,
        late=store.gaps.late(item.entry_id for item in items),
    )
    return _Job(delivery=delivery, subscription=subscription, message=None, digest=digest)


def health(store: Store) -> list[SourceHealth]:
    """How the sources are, for a digest's footer."""
    return [
        SourceHealth(
            name=record.name,
            title=record.title,
            last_success_at=record.last_success_at,
            failing_since=record.failing_since,
        )
        for record in store.sources.all()
        # One that a person paused is no news to readers; one that had to be given up still is.
        if not record.paused_at or record.failing_since
    ]


class _Lane:
    """One channel's share of a batch, sent one after the other."""

    def __init__(
        self,
        in_store: InStore,
        channel: Channel,
        format: str,
        renderer: Renderer,
        *,
        clock: Callable[[], datetime],
        limits: Limits,
        stop: asyncio.Event,
    ) -> None:
        self._in_store = in_store
        self._channel = channel
        self._format = format
        self._renderer = renderer
        self._clock = clock
        self._limits = limits
        self._stop = stop
        self._stopped: SendError | None = None

    async def run(self, jobs: Sequence[_Job]) -> Counter[DeliveryState]:
        states: Counter[DeliveryState] = Counter()
        for job in jobs:
            outcome = await self._one(job)
            recorded = await self._in_store(lambda store, outcome=outcome: _record(store, outcome))  # type: ignore[misc]
            if recorded:
                states[outcome.state] += 1
                self._say(job, outcome)
        return states

    async def _one(self, job: _Job) -> Outcome:
        if self._stop.is_set():
            return self._given_back(job, "the program was stopped before it was sent", after=timedelta(0))
        if self._stopped is not None:
            return self._given_back(job, str(self._stopped), after=self._pause(self._stopped))
        try:
            message = job.message or await self._frozen(job)
            if message is None:
                return self._given_back(job, "another process has taken it over")
            receipt = await self._channel.send(replace(message, accepted=job.delivery.accepted))
        except TemplateError as error:
            return self._given_back(job, str(error))
        except SendError as error:
            return self._failure(job, error)
        return self._outcome(job, DeliveryState.SENT, accepted=receipt.accepted)

    async def _frozen(self, job: _Job) -> Message | None:
        assert job.digest is not None  # noqa: S101 - a job has a message or a digest
        message = self._renderer.render(job.digest, self._format, now=self._clock())
        kept = await self._in_store(lambda store: _freeze(store, job.delivery, message))
        return message if kept else None

    def _failure(self, job: _Job, error: SendError) -> Outcome:
        reason, accepted = str(error), error.accepted or job.delivery.accepted
        match error:
            case ChannelStopped() | Unreachable():
                # The others of this batch would fare no better: they wait, and none uses up an attempt.
                self._stopped = error
                return self._given_back(job, reason, accepted=accepted, after=self._pause(error))
            case Refused():
                return self._outcome(job, DeliveryState.FAILED, reason, accepted=accepted)
            case Unknown() if self._limits.hold_unknown:
                return self._outcome(job, DeliveryState.HELD, reason, accepted=accepted)
            case TryLater() | Unknown() if job.delivery.attempts < self._limits.attempts:
                at = self._clock() + max(backoff(job.delivery.attempts), error.retry_after or timedelta(0))
                return self._outcome(job, DeliveryState.DEFERRED, reason, accepted=accepted, at=at)
        gave_up = f"{reason} Given up after {job.delivery.attempts} attempts."
        return self._outcome(job, DeliveryState.FAILED, gave_up, accepted=accepted)

    def _given_back(
        self, job: _Job, reason: str, *, accepted: tuple[str, ...] = (), after: timedelta = _STOPPED_RETRY
    ) -> Outcome:
        at = self._clock() + after
        outcome = self._outcome(job, DeliveryState.DEFERRED, reason, accepted=accepted or job.delivery.accepted, at=at)
        return replace(outcome, give_back_attempt=True)

    @staticmethod
    def _pause(error: SendError) -> timedelta:
        usual = _STOPPED_RETRY if isinstance(error, ChannelStopped) else _FIRST_RETRY
        return max(usual, error.retry_after or timedelta(0))

    def _outcome(
        self,
        job: _Job,
        state: DeliveryState,
        reason: str | None = None,
        *,
        accepted: tuple[str, ...] = (),
        at: datetime | None = None,
    ) -> Outcome:
        return Outcome(
            delivery_id=job.delivery.id,
            fence=job.delivery.fence,
            state=state,
            at=self._clock(),
            reason=reason,
            next_attempt_at=at,
            accepted=accepted,
        )

    def _say(self, job: _Job, outcome: Outcome) -> None:
        say = log.info if outcome.state is DeliveryState.SENT else log.warning
        say(
            outcome.state.value,
            delivery=job.delivery.id,
            channel=job.subscription.address.kind,
            attempt=job.delivery.attempts,
            reason=outcome.reason,
        )


def backoff(attempts: int) -> timedelta:
    """The wait after ``attempts`` (1 or more) attempts: 5, 10, 20, 40 minutes, then an hour each."""
    return min(_FIRST_RETRY * float(2 ** min(attempts - 1, 10)), _LONGEST_RETRY)


def _freeze(store: Store, delivery: Delivery, message: Message) -> bool:
    with store.write():
        return store.deliveries.freeze(delivery.id, delivery.fence, message)


def _record(store: Store, outcome: Outcome) -> bool:
    with store.write():
        return bool(store.deliveries.finish([outcome]))
