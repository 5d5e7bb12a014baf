"""Send the letters that are due: single mails that are no digest, such as a link to log in.

    claim    those that are due, under a lease; what has expired is dropped
    begin    that one is about to go out, with its message, composed once and kept for every attempt
    send     through the email channel
    finish   sent, try again at, or failed for good with its reason (see delivery)

They are few and wanted at once, so each is written down by itself and none waits behind digests.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import structlog

from notifier.delivery import Limits, arrived, failure, given_back, pause
from notifier.errors import Broken, Cause, ChannelStopped, SendError, TemplateError, Unreachable
from notifier.model import DeliveryState, LetterKind, Message, Outcome, Posting, Receipt, Start
from notifier.ports import Channel, InStore, LetterWriter, Store
from notifier.readmit import ask
from notifier.render import Links

log = structlog.get_logger()

_ASKED_FOR = frozenset({LetterKind.LOGIN, LetterKind.CONFIRM_SUBSCRIPTION})
KEPT = timedelta(days=30)
"""How long it is on record that a letter was sent or not."""


async def send_letters(
    in_store: InStore,
    channel: Channel,
    writer: LetterWriter,
    links: Links,
    *,
    clock: Callable[[], datetime],
    limits: Limits,
    stop: asyncio.Event | None = None,
) -> Counter[DeliveryState]:
    """Send everything that is due; counts what became of it. ``stop`` ends it after the letters under way."""
    stop = stop or asyncio.Event()
    total: Counter[DeliveryState] = Counter()
    while not stop.is_set():
        touched = await in_store(lambda store: _claim(store, links, clock(), limits))
        if not touched:
            break
        mailing = _Mailing(in_store, channel, writer, clock=clock, limits=limits, stop=stop)
        total.update(await mailing.run(touched))
    return total


def _claim(store: Store, links: Links, now: datetime, limits: Limits) -> list[Posting]:
    if not store.letters.is_due(now):
        return []
    with store.write():
        store.letters.forget(now - KEPT)
        touched = store.letters.claim(now, lease=limits.lease, limit=limits.batch)
        for each in touched:
            if each.state is DeliveryState.CANCELLED and each.letter.kind in _ASKED_FOR:
                # Somebody wants mail where none goes any more: its owner is asked, who is perhaps the same.
                ask(store, each.letter.to, by_operator=False, links=links, now=now)
    return touched


class _Mailing:
    """One batch."""

    def __init__(
        self,
        in_store: InStore,
        channel: Channel,
        writer: LetterWriter,
        *,
        clock: Callable[[], datetime],
        limits: Limits,
        stop: asyncio.Event,
    ) -> None:
        self._in_store = in_store
        self._channel = channel
        self._writer = writer
        self._clock = clock
        self._limits = limits
        self._stop = stop
        self._away: SendError | None = None

    async def run(self, touched: list[Posting]) -> Counter[DeliveryState]:
        total: Counter[DeliveryState] = Counter()
        claimed = iter([each for each in touched if each.state is DeliveryState.CLAIMED])
        for each in touched:
            if each.state is not DeliveryState.CLAIMED:
                total[each.state] += 1
                log.warning(each.state.value, letter=each.id, kind=each.letter.kind.value, reason=each.reason)
        workers = [self._work(claimed, total) for _ in range(self._channel.at_once)]
        for done in await asyncio.gather(*workers, return_exceptions=True):
            # What cannot be recorded ends one worker; what the others have under way ends first.
            if isinstance(done, BaseException):
                raise done
        return total

    async def _work(self, postings: Iterator[Posting], total: Counter[DeliveryState]) -> None:
        for posting in postings:
            outcome = await self._one(posting)
            if outcome and await self._finish(outcome):
                total[outcome.state] += 1
                say = log.info if outcome.state is DeliveryState.SENT else log.warning
                kind = posting.letter.kind.value
                say(outcome.state.value, letter=posting.id, kind=kind, reason=outcome.reason)

    async def _finish(self, outcome: Outcome) -> bool:
        return await self._in_store(_recorded(lambda store: store.letters.finish(outcome)))

    async def _one(self, posting: Posting) -> Outcome | None:
        """What became of it; None where another process has taken it over."""
        if self._stop.is_set():
            reason = "The program was stopped before it was sent."
            return given_back(posting, reason, at=self._clock(), after=timedelta(0))
        if self._away:
            return given_back(posting, str(self._away), at=self._clock(), after=pause(self._away), error=self._away)
        try:
            receipt = await self._send(posting)
        except TemplateError as error:
            return given_back(posting, str(error), at=self._clock(), cause=Cause.TEMPLATE)
        except SendError as error:
            if isinstance(error, ChannelStopped | Unreachable) and not isinstance(error, Broken):
                self._away = error
            return failure(posting, error, at=self._clock(), limits=self._limits)
        return arrived(posting, receipt.accepted, at=self._clock()) if receipt else None

    async def _send(self, posting: Posting) -> Receipt | None:
        """None where the claim was lost. Raises SendError."""
        kept = await self._in_store(lambda store: store.letters.message(posting.id))
        message = kept or self._writer.write(posting.letter, now=self._clock())
        start = self._start(posting, None if kept else message)
        if not await self._in_store(_recorded(lambda store: store.letters.begin(start))):
            return None
        return await self._channel.send(message)

    def _start(self, posting: Posting, message: Message | None) -> Start:
        now = self._clock()
        until = now + self._limits.lease
        return Start(delivery_id=posting.id, fence=posting.fence, at=now, lease_until=until, message=message)


def _recorded(work: Callable[[Store], bool]) -> Callable[[Store], bool]:
    def written(store: Store) -> bool:
        with store.write():
            return work(store)

    return written
