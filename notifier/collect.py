"""Collect: ask a source what is new, and keep it.

    fetch    the source answers, given its state (network)
    fold     its sightings and what is stored become entries: new, updated, unchanged (pure)
    absorb   entries, sightings and the source's new state, in one transaction

A fetch that dies in the middle has written nothing: the state moves only with the entries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import structlog

from notifier import upkeep
from notifier.errors import SourceError
from notifier.fold import Counts, count, fold, unseen
from notifier.ids import new_id
from notifier.model import Fetched, Gap, GapReason, Missed, News, Rejected, Sighting, SourceRecord
from notifier.ports import InStore, SightedEntry, Source, Store

log = structlog.get_logger()

_AT_ONCE = 10
_SLICE = 2_000
"""Sightings folded and written at a time: all rows of a feed of 50,000 items at once would be 200 MB."""
_MOST_REJECTED = 20_000
"""Told of one source, however many answers it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What one fetch of one source came to; ``error`` is the sentence where it failed."""

    source: str
    counts: Counts = field(default_factory=Counts)
    rejected: tuple[Rejected, ...] = ()
    unchanged: bool = False
    error: str | None = None
    gaps: tuple[Gap, ...] = ()
    """What was closed of what it had missed, or is still open after this pass."""

    def plus(self, fetched: Fetched, counts: Counts) -> Collected:
        """With one more answer of the same source."""
        return replace(
            self,
            counts=self.counts + counts,
            rejected=(self.rejected + fetched.rejected)[:_MOST_REJECTED],
            unchanged=fetched.unchanged,
        )


async def collect(
    records: Sequence[SourceRecord],
    open_source: Callable[[SourceRecord], Source],
    in_store: InStore,
    *,
    clock: Callable[[], datetime],
) -> list[Collected]:
    """Fetch the sources side by side and keep what they say; one that fails does not stop the others."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(record: SourceRecord) -> Collected:
        async with slots:
            return await _collect_one(record, open_source, in_store, clock)

    return list(await asyncio.gather(*map(one, records)))


async def _collect_one(
    record: SourceRecord,
    open_source: Callable[[SourceRecord], Source],
    in_store: InStore,
    clock: Callable[[], datetime],
) -> Collected:
    result, now = Collected(source=record.name), clock()
    try:
        source = open_source(record)
        is_more, state = True, record.state
        while is_more:
            fetched = await source.fetch(state, now=now)
            is_more, state = fetched.more, fetched.state
            baseline = source.takes_baseline and record.last_success_at is None
            result = result.plus(fetched, await in_store(partial(_keep, record, fetched, baseline, clock)))
    except SourceError as error:
        await in_store(partial(_fail, record, error, now))
        return replace(result, error=str(error))
    counts, rejected = result.counts, len(result.rejected)
    log.info("source answered", source=record.name, new=counts.new, updated=counts.updated, rejected=rejected)
    return result


def _keep(
    record: SourceRecord, fetched: Fetched, baseline: bool, clock: Callable[[], datetime], store: Store
) -> Counts:
    with store.write():
        # Under the lock: what was planned while the source answered has not seen these entries, and they are later.
        now = clock()
        # Read anew: while the source answered, a person may have paused or removed it.
        current = store.sources.get(record.name)
        if current is None:
            return Counts()
        counts, brought = Counts(), 0
        for folded in _in_slices(store, fetched.sightings, source=record.name, baseline=baseline, now=now):
            counts += count(folded)
            # What another source showed before is no new entry, but this source is alive all the same.
            brought += unseen(folded, now)
        after = _after_success(current, fetched, now, found_news=brought > 0)
        store.sources.put(after)
        if brought:
            store.sources.note_news(record.name, News(at=now, brought=brought))
        store.gaps.note([_gap(current, missed, now) for missed in fetched.missed])
    if after.url != current.url:
        log.warning("source moved", source=record.name, moved_from=current.url, moved_to=after.url)
    return counts


def _gap(record: SourceRecord, missed: Missed, now: datetime) -> Gap:
    has_failed = missed.reason is GapReason.MISSED and record.failing_since is not None
    return Gap(
        id=new_id("g"),
        source=record.name,
        first=missed.first,
        last=missed.last,
        reason=GapReason.FAILED if has_failed else missed.reason,
        scope=missed.scope,
        found_at=now,
    )


def _fail(record: SourceRecord, error: SourceError, now: datetime, store: Store) -> None:
    with store.write():
        current = store.sources.get(record.name)
        if current is None:
            return
        after = _after_failure(current, error, now)
        store.sources.put(after)
    log.warning("source failed", source=record.name, error=str(error), failures=after.failures)
    if after.paused_at and not current.paused_at:
        log.warning("source paused", source=record.name, reason=after.paused_reason)


def absorb(store: Store, sightings: Sequence[Sighting], *, source: str, baseline: bool, now: datetime) -> Counts:
    """Fold ``sightings`` into what is stored. One transaction; importing twice changes nothing."""
    with store.write():
        slices = _in_slices(store, sightings, source=source, baseline=baseline, now=now)
        return sum(map(count, slices), Counts())


def _in_slices(
    store: Store, sightings: Sequence[Sighting], *, source: str, baseline: bool, now: datetime
) -> Iterator[list[SightedEntry]]:
    """``absorbed`` bit by bit, each entry told once, in the slice in which it came first.

    The order in which sightings arrive changes no entry, so slices come to the same as the whole.
    """
    told: set[str] = set()
    for start in range(0, len(sightings), _SLICE):
        some = sightings[start : start + _SLICE]
        folded = absorbed(store, some, source=source, baseline=baseline, now=now)
        yield [each for each in folded if each.entry.id not in told]
        told.update(each.entry.id for each in folded)


def absorbed(
    store: Store, sightings: Sequence[Sighting], *, source: str, baseline: bool, now: datetime
) -> list[SightedEntry]:
    """The same, with what became of each."""
    with store.write():
        known = store.entries.by_keys({key for sighting in sightings for key in sighting.keys})
        told = store.entries.sightings({entry.id for entry in known.values()})
        folded = fold(sightings, known, told, source=source, baseline=baseline, now=now)
        store.entries.put(folded, now=now)
    return folded


def _after_success(record: SourceRecord, fetched: Fetched, now: datetime, *, found_news: bool) -> SourceRecord:
    return replace(
        upkeep.moved(record, fetched.moved_to, now),
        state=fetched.state,
        next_fetch_at=now if fetched.more else now + record.every,
        missing_since=None,
        last_success_at=now,
        last_new_at=now if found_news else record.last_new_at,
        failing_since=None,
        failures=0,
        last_error=None,
    )


def _after_failure(record: SourceRecord, error: SourceError, now: datetime) -> SourceRecord:
    return replace(
        upkeep.given_up(record, error, now),
        next_fetch_at=now + upkeep.wait_after(record, error),
        failing_since=record.failing_since or now,
        failures=record.failures + 1,
        last_error=str(error),
    )
