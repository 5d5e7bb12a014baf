"""Configured sources and their state."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from notifier.model import News, SourceRecord
from notifier.store import rows
from notifier.store.statements import queries

SQL = queries("sources")
_HISTORY = timedelta(weeks=8)
_LEAST = 40
"""Hours with news that are kept of a source that speaks once a month."""


class SourceRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def put(self, record: SourceRecord) -> None:
        self._conn.execute(SQL["put"], rows.source_params(record))

    def get(self, name: str) -> SourceRecord | None:
        row = self._conn.execute(SQL["get"], {"name": name}).fetchone()
        return rows.source(row) if row else None

    def all(self) -> list[SourceRecord]:
        return [rows.source(row) for row in self._conn.execute(SQL["all"])]

    def due(self, now: datetime) -> list[SourceRecord]:
        return [rows.source(row) for row in self._conn.execute(SQL["due"], {"now": rows.stamp(now)})]

    def remove(self, name: str) -> bool:
        return self._conn.execute(SQL["remove"], {"name": name}).rowcount > 0

    def note_news(self, name: str, news: News) -> None:
        at = rows.stamp(news.at)
        self._conn.execute(SQL["note_news"], {"source": name, "hour": at[:13], "at": at, "brought": news.brought})
        oldest = rows.stamp(news.at - _HISTORY)[:13]
        self._conn.execute(SQL["forget_news"], {"source": name, "oldest": oldest, "least": _LEAST})

    def news(self) -> dict[str, tuple[News, ...]]:
        found: dict[str, list[News]] = {}
        for row in self._conn.execute(SQL["news"]):
            news = News(at=datetime.fromisoformat(row["at"]), brought=row["brought"])
            found.setdefault(row["source"], []).append(news)
        return {name: tuple(several) for name, several in found.items()}
