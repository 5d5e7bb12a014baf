"""How the sources are, in sentences: which answered, which are in trouble, what is still to come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from notifier.model import Digest, Health, SourceHealth
from notifier.render.catalog import SHORT_DAY, Catalog
from notifier.render.text import plain

LISTED_SOURCES = 3

_TROUBLE = frozenset({Health.FAILING, Health.NOT_READ, Health.STALE, Health.GONE})


def local_time(digest: Digest, instant: datetime) -> datetime:
    return instant.astimezone(ZoneInfo(digest.slot.zone))


def troubled(digest: Digest) -> list[SourceHealth]:
    """Those that cannot be relied on today, or announced what has not come."""
    return [each for each in digest.sources if each.health in _TROUBLE or each.missing]


def healths(digest: Digest, catalog: Catalog) -> list[str]:
    """Those in trouble first, then those that rightly announce nothing; of many that are well the last to answer."""
    ill = troubled(digest)
    silent = [each for each in digest.sources if each not in ill and each.health is Health.NOT_ANNOUNCED]
    well = [each for each in digest.sources if each not in ill and each not in silent]
    if len(well) > LISTED_SOURCES:
        well = [max(well, key=lambda each: each.last_success_at or digest.period_start)]
    return [*trouble(digest, catalog), *(health(each, digest, catalog) for each in (*silent, *well))]


def trouble(digest: Digest, catalog: Catalog) -> Iterator[str]:
    """A sentence for each that is in trouble; of many the others are counted."""
    ill = troubled(digest)
    for each in ill[:LISTED_SOURCES]:
        yield health(each, digest, catalog)
        if each.missing:
            yield _missing(each, catalog)
    rest = len(ill) - LISTED_SOURCES
    if rest > 0:
        yield catalog.count(
            "%(num)s more source cannot be relied on today.", "%(num)s more sources cannot be relied on today.", rest
        )


def health(source: SourceHealth, digest: Digest, catalog: Catalog) -> str:
    name = plain(source.title or source.name, 60)
    today = local_time(digest, digest.slot.due_at)
    when = catalog.when(local_time(digest, source.since), today) if source.since else ""
    match source.health:
        case Health.FAILING:
            return catalog.say("%(source)s has not answered since %(when)s.", source=name, when=when)
        case Health.NOT_READ:
            return catalog.say("%(source)s has not answered yet.", source=name)
        case Health.GONE:
            return catalog.say("%(source)s is gone and has not been read since %(when)s.", source=name, when=when)
        case Health.STALE if when:
            return catalog.say("%(source)s has brought nothing new since %(when)s.", source=name, when=when)
        case Health.STALE:
            return catalog.say("%(source)s has brought nothing new yet.", source=name)
        case Health.NOT_ANNOUNCED:
            return catalog.say("%(source)s announces nothing today.", source=name)
        case _:
            return _answered(source, digest, catalog)


def _answered(source: SourceHealth, digest: Digest, catalog: Catalog) -> str:
    name = plain(source.title or source.name, 60)
    today = local_time(digest, digest.slot.due_at)
    last = local_time(digest, source.last_success_at or digest.period_start)
    if last.date() == today.date():
        return catalog.say("%(source)s answered at %(when)s.", source=name, when=catalog.clock(last))
    return catalog.say("%(source)s answered last on %(when)s.", source=name, when=catalog.when(last, today))


def _missing(source: SourceHealth, catalog: Catalog) -> str:
    """Of which days it announced what is still to come; they are days of its own calendar."""
    first, last = min(gap.first for gap in source.missing), max(gap.last for gap in source.missing)
    days = catalog.date(datetime.combine(first, time(), UTC), SHORT_DAY)
    if last != first:
        days = f"{days} – {catalog.date(datetime.combine(last, time(), UTC), SHORT_DAY)}"
    name = plain(source.title or source.name, 60)
    return catalog.say("Papers that %(source)s announced (%(days)s) are still to come.", source=name, days=days)
