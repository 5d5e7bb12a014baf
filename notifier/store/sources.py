"""Configured sources and their state."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from notifier.model import SourceRecord
from notifier.store import rows
from notifier.store.statements import queries

SQL = queries("sources")


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
