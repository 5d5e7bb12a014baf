"""Collect: ask a source what is new, and keep it.

    fetch    the source answers, given its state (network)
    fold     its sightings and what is stored become entries: new, updated, unchanged (pure)
    absorb   entries, sightings and the source's new state, in one transaction

A fetch that dies in the middle has written nothing: the state moves only with the entries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from notifier.errors import SourceError
from notifier.fold import Counts, count, fold
from notifier.model import Fetched, Rejected, Sighting, SourceRecord
from notifier.ports import InStore, Source, Store

log = structlog.get_logger()

_FIRST_RETRY = timedelta(minutes=5)
_AT_ONCE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What one fetch of one source came to; ``error`` is the sentence where it failed."""

    source: str
    counts: Counts = field(default_factory=Counts)
    rejected: tuple[Rejected, ...] = ()
    unchanged: bool = False
    error: str | None = None


async def collect(
    records: Sequence[SourceRecord],
    open_source: Callable[[SourceRecord], Source],
    in_store: InStore,
    *,
    now: datetime,
) -> list[Collected]:
    """Fetch the sources side by side and keep what they say; one that fails does not stop the others."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(record: SourceRecord) -> Collected:
        async with slots:
            return await _collect_one(record, open_source, in_store, now)

    return list(await asyncio.gather(*map(one, records)))


async def _collect_one(
    record: SourceRecord, open_source: Callable[[SourceRecord], Source], in_store: InStore, now: datetime
) -> Collected:
    try:
        source = open_source(record)
        fetched = await source.fetch(record.state, now=now)
    except SourceError as error:
        failed = _after_failure(record, error, now)
        await in_store(lambda store: _put(store, failed))
        log.warning("source failed", source=record.name, error=str(error), failures=failed.failures)
        return Collected(source=record.name, error=str(error))
    baseline = source.takes_baseline and record.last_success_at is None
    counts = await in_store(lambda store: _keep(store, record, fetched, baseline=baseline, now=now))
    log.info(
        "source answered", source=record.name, new=counts.new, updated=counts.updated, rejected=len(fetched.rejected)
    )
    return Collected(source=record.name, counts=counts, rejected=fetched.rejected, unchanged=fetched.unchanged)


def _keep(store: Store, record: SourceRecord, fetched: Fetched, *, baseline: bool, now: datetime) -> Counts:
    with store.write():
        counts = absorb(store, fetched.sightings, source=record.name, baseline=baseline, now=now)
        store.sources.put(_after_success(record, fetched, now, found_news=counts.new > 0))
    return counts


def absorb(store: Store, sightings: Sequence[Sighting], *, source: str, baseline: bool, now: datetime) -> Counts:
    """Fold ``sightings`` into what is stored. One transaction; importing twice changes nothing."""
    with store.write():
        known = store.entries.by_keys({key for sighting in sightings for key in sighting.keys})
        folded = fold(sightings, known, source=source, baseline=baseline, now=now)
        store.entries.put(folded, now=now)
    return count(folded)


def _after_success(record: SourceRecord, fetched: Fetched, now: datetime, *, found_news: bool) -> SourceRecord:
    return replace(
        record,
        state=fetched.state,
        next_fetch_at=now + record.every,
        last_success_at=now,
        last_new_at=now if found_news else record.last_new_at,
        failing_since=None,
        failures=0,
        last_error=None,
    )


def _after_failure(record: SourceRecord, error: SourceError, now: datetime) -> SourceRecord:
    """Back off from 5 minutes, doubling, up to the source's own interval; what the server asks for is kept."""
    backoff = min(_FIRST_RETRY * 2 ** min(record.failures, 10), max(record.every, _FIRST_RETRY))
    return replace(
        record,
        next_fetch_at=now + max(error.retry_after or backoff, backoff),
        failing_since=record.failing_since or now,
        failures=record.failures + 1,
        last_error=str(error),
    )


def _put(store: Store, record: SourceRecord) -> None:
    with store.write():
        store.sources.put(record)
