"""What the store knows of the sources, for ``health`` to judge."""

from __future__ import annotations

from datetime import datetime

from notifier import health
from notifier.health import Known
from notifier.model import Health, SourceHealth, SourceRecord
from notifier.ports import Store
from notifier.sources import freshness_of


def checkup(store: Store) -> list[Known]:
    """All sources by name."""
    news = store.sources.news()
    return [
        Known(
            record=record,
            news=news.get(record.name, ()),
            gaps=tuple(store.gaps.open(record.name)),
            parts=freshness_of(record),
        )
        for record in store.sources.all()
    ]


def of_source(store: Store, record: SourceRecord) -> Known:
    return next(each for each in checkup(store) if each.record.name == record.name)


def told(store: Store, now: datetime) -> list[SourceHealth]:
    """How the sources are, for a digest's footer; one that a person paused is no news to readers."""
    found = [health.of(known, now) for known in checkup(store)]
    return [each for each in found if each.health is not Health.PAUSED]
