"""Catch up: close gaps from a source's archive, and fill up days that a person names.

    page     the archive answers, from where the last answer ended (network)
    absorb   its entries, how far the gap has come, and which of them are late, in one transaction

A pass reads a few pages only; what is left goes on in the next, or after a crash, from the last page that was kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial

import structlog

from notifier.collect import absorbed
from notifier.errors import SourceError
from notifier.ids import new_id
from notifier.model import Gap, GapReason, Page, SourceRecord
from notifier.ports import Archive, InStore, SightedEntry, Store

log = structlog.get_logger()

BUDGET = 12
"""Pages, by weight, of one source in one pass: others wait for theirs meanwhile."""
_SOON = timedelta(minutes=5)


async def catch_up(
    record: SourceRecord, source: Archive, in_store: InStore, *, now: datetime, budget: int = BUDGET
) -> list[Gap]:
    """Go on with the gaps of one source, the oldest first; those it came to, as they stand now.

    Where there is more to do than one pass does, the source is due again soon.
    """
    touched: list[Gap] = []
    for gap in await in_store(lambda store: store.gaps.open(record.name)):
        while gap.closed_at is None and budget > 0:
            try:
                gap, page = await _one_page(gap, source, in_store, now)
            except SourceError as error:
                failed = replace(gap, last_error=str(error))
                await in_store(partial(_put, failed))
                log.warning("gap stays open", source=record.name, gap=gap.id, error=str(error))
                return [*touched, failed]
            budget -= page.weight
        touched.append(gap)
        if gap.closed_at is None:
            await in_store(partial(_hasten, record.name, now + _SOON))
            break
        log.info("gap closed", source=record.name, gap=gap.id, how=gap.how, brought=gap.brought)
    return touched


async def backfill(
    record: SourceRecord,
    source: Archive,
    in_store: InStore,
    *,
    first: date,
    last: date,
    is_news: bool,
    now: datetime,
    progress: Callable[[float], None] = lambda share: None,
) -> Gap:
    """Fill up the days ``first`` to ``last``; one that was cut short goes on where it ended.

    Raises SourceError where the source does not answer; what came before is kept.
    """
    asked = Gap(
        id=new_id("g"),
        source=record.name,
        first=first,
        last=last,
        reason=GapReason.BACKFILL,
        scope=source.scope,
        is_news=is_news,
        found_at=now,
    )
    gap = await in_store(partial(_begun, asked))
    while gap.closed_at is None:
        gap, page = await _one_page(gap, source, in_store, now)
        progress(page.share)
    return gap


def _begun(asked: Gap, store: Store) -> Gap:
    """The record of the same backfill where it has not come to its end, else a fresh one in its place."""
    with store.write():
        before = store.gaps.same(asked)
        if before is None:
            store.gaps.note([asked])
            return asked
        if before.closed_at is None:
            return before
        anew = replace(asked, id=before.id)
        store.gaps.put(anew)
        return anew


async def _one_page(gap: Gap, source: Archive, in_store: InStore, now: datetime) -> tuple[Gap, Page]:
    page = await source.page(gap, now=now)
    return await in_store(partial(_keep, gap, page, now)), page


def _keep(gap: Gap, page: Page, now: datetime, store: Store) -> Gap:
    with store.write():
        folded = absorbed(store, page.sightings, source=gap.source, baseline=not gap.is_news, now=now)
        fresh = [each for each in folded if each.known_id is None]
        if _is_late(gap, now):
            store.gaps.mark_late(_news(fresh, now), gap.id)
        after = replace(
            gap,
            cursor=page.cursor,
            closed_at=None if page.cursor is not None else now,
            how=page.how,
            brought=gap.brought + len(fresh),
            last_error=None,
        )
        store.gaps.put(after)
    return after


def _is_late(gap: Gap, now: datetime) -> bool:
    """What a short answer lacked is in time where it comes in the same pass; days gone by are late in any case."""
    is_past = gap.reason in (GapReason.MISSED, GapReason.FAILED)
    return gap.reason is not GapReason.BACKFILL and (is_past or gap.found_at < now)


def _news(fresh: Sequence[SightedEntry], now: datetime) -> list[str]:
    return [each.entry.id for each in fresh if each.entry.new_at == now]


def _put(gap: Gap, store: Store) -> None:
    with store.write():
        store.gaps.put(gap)


def _hasten(name: str, at: datetime, store: Store) -> None:
    with store.write():
        record = store.sources.get(name)
        if record is not None:
            store.sources.put(replace(record, next_fetch_at=min(record.next_fetch_at, at)))
