"""Deliver: send what was planned, and record what became of it.

    claim    deliveries that are due, under a lease; the attempt counts from here
    freeze   the message is composed once and kept, so that every attempt sends the same bytes
    begin    that a part is about to go out, and what went before: what cannot be written is not sent
    send     through the subscription's channel; the failure says whether anything was accepted
    record   sent, try again at, or failed for good with its reason (see delivery): each outcome at once

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

from notifier.checkup import told
from notifier.delivery import Limits, arrived, failure, given_back, pause
from notifier.digest import EvidenceOf, compose, evidence_of
from notifier.errors import Cause, ChannelStopped, SendError, TemplateError, Unreachable
from notifier.followup import passed_over
from notifier.matching import Topics
from notifier.model import Delivery, DeliveryState, Digest, Message, Outcome, Rule, SourceHealth, Subscription
from notifier.ports import Channel, InStore, Renderer, Store

log = structlog.get_logger()


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
        ended, jobs = await in_store(lambda store: _claim(store, topics, clock(), limits))
        for each in ended:
            log.warning(each.state.value, delivery=each.id, reason=each.reason)
        total.update(each.state for each in ended)
        if not (ended or jobs):
            break
        lanes = [
            _Lane(in_store, channels[kind], formats(kind), renderer, clock=clock, limits=limits, stop=stop).run(each)
            for kind, each in _by_channel(jobs).items()
        ]
        # A lane that cannot record stops by itself; what the others have under way ends first.
        for done in await asyncio.gather(*lanes, return_exceptions=True):
            if isinstance(done, BaseException):
                raise done
            total += done
    return total


def _by_channel(jobs: Sequence[_Job]) -> dict[str, list[_Job]]:
    lanes: dict[str, list[_Job]] = {}
    for job in jobs:
        lanes.setdefault(job.subscription.address.kind, []).append(job)
    return lanes


def _claim(store: Store, topics: Topics, now: datetime, limits: Limits) -> tuple[list[Delivery], list[_Job]]:
    """What came to its end instead of being claimed, and what is to be sent."""
    with store.write():
        touched = store.deliveries.claim(now, lease=limits.lease, limit=limits.batch, hold_unknown=limits.hold_unknown)
    claimed = [each for each in touched if each.state is DeliveryState.CLAIMED]
    ended = [each for each in touched if each.state is not DeliveryState.CLAIMED]
    return ended, _jobs(store, claimed, topics, now)


def _jobs(store: Store, claimed: Sequence[Delivery], topics: Topics, now: datetime) -> list[_Job]:
    subscriptions = store.subscriptions.get({delivery.subscription_id for delivery in claimed})
    rules = store.rules.of(subscriptions)
    sources = told(store, now)
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
            if outcome is None:
                continue
            recorded = await self._in_store(lambda store, outcome=outcome: _record(store, outcome))  # type: ignore[misc]
            if recorded:
                states[outcome.state] += 1
                self._say(job, outcome)
        return states

    async def _one(self, job: _Job) -> Outcome | None:
        """What became of it; None where another process has taken it over."""
        delivery = job.delivery
        if self._stop.is_set():
            reason = "The program was stopped before it was sent."
            return given_back(delivery, reason, at=self._clock(), after=timedelta(0))
        if (stopped := self._stopped) is not None:
            return given_back(delivery, str(stopped), at=self._clock(), after=pause(stopped), cause=stopped.cause)
        try:
            accepted = await self._send(job, job.message or self._render(job))
        except TemplateError as error:
            return given_back(delivery, str(error), at=self._clock(), cause=Cause.TEMPLATE)
        except SendError as error:
            if isinstance(error, ChannelStopped | Unreachable):
                # The others of this batch would fare no better: they wait, and none uses up an attempt.
                self._stopped = error
            return failure(delivery, error, at=self._clock(), limits=self._limits)
        return None if accepted is None else arrived(delivery, accepted, at=self._clock())

    def _render(self, job: _Job) -> Message:
        assert job.digest is not None  # noqa: S101 - a job has a message or a digest
        return self._renderer.render(job.digest, self._format, now=self._clock())

    async def _send(self, job: _Job, message: Message) -> tuple[str, ...] | None:
        """Part by part, so that what is through is written before the next one goes out. Raises SendError.

        None where the claim was lost.
        """
        accepted = job.delivery.accepted
        for count in range(len(accepted) + 1, len(message.parts) + 1):
            if not await self._begin(job, message, accepted):
                return None
            parts = message.parts[:count]
            accepted = (await self._channel.send(replace(message, parts=parts, accepted=accepted))).accepted
        return accepted

    async def _begin(self, job: _Job, message: Message, accepted: tuple[str, ...]) -> bool:
        fresh = message if job.message is None and accepted == job.delivery.accepted else None
        now, lease = self._clock(), self._limits.lease
        return await self._in_store(
            lambda store: _begin(store, job.delivery, fresh, accepted=accepted, now=now, lease=lease)
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


def _begin(
    store: Store,
    delivery: Delivery,
    fresh: Message | None,
    *,
    accepted: tuple[str, ...],
    now: datetime,
    lease: timedelta,
) -> bool:
    """One transaction for both: a message that is kept is one whose attempt is known to have begun."""
    with store.write():
        if fresh is not None and not store.deliveries.freeze(delivery.id, delivery.fence, fresh):
            return False
        return store.deliveries.begin(delivery.id, delivery.fence, accepted=accepted, now=now, lease=lease)


def _record(store: Store, outcome: Outcome) -> bool:
    with store.write():
        return bool(store.deliveries.finish([outcome]))
