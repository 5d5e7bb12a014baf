"""Entries, the keys that lead to them, and who showed them when."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from notifier.model import Entry
from notifier.ports import SightedEntry, StoredSighting
from notifier.store import rows
from notifier.store.statements import queries

SQL = queries("entries")


class EntryRows:
    def __init__(self, conn: sqlite3.Connection, quote_fts: Callable[[str], str]) -> None:
        self._conn = conn
        self._quote_fts = quote_fts

    def by_keys(self, keys: Iterable[str]) -> dict[str, Entry]:
        found = self._conn.execute(SQL["by_keys"], {"keys": rows.array(keys)})
        return {row["key"]: rows.entry(row) for row in found}

    def get(self, ids: Iterable[str]) -> dict[str, Entry]:
        return {row["id"]: rows.entry(row) for row in self._conn.execute(SQL["by_ids"], {"ids": rows.array(ids)})}

    def put(self, sighted: Sequence[SightedEntry], *, now: datetime) -> None:
        for each in sighted:
            self._join(each)
        changed = [rows.entry_params(each.entry, now) for each in sighted if each.changed]
        self._conn.executemany(SQL["put"], changed)
        self._conn.executemany(SQL["put_key"], [{"key": k, "id": s.entry.id} for s in sighted for k in s.keys])
        self._conn.executemany(
            SQL["put_sighting"],
            [
                {"id": each.entry.id, "source": shown.source, "announce": shown.announce, "now": rows.stamp(now)}
                for each in sighted
                for shown in each.shown
            ],
        )

    def _join(self, each: SightedEntry) -> None:
        survivor = each.known_id
        for other in each.merged_ids:
            for name in ("join_keys", "join_sightings", "join_items"):
                self._conn.execute(SQL[name], {"id": other, "into": survivor})
            self._conn.execute(SQL["drop"], {"id": other})
        if survivor is not None and survivor != each.entry.id:
            self._conn.execute(SQL["rename"], {"old": survivor, "new": each.entry.id})

    def window(self, since: datetime, until: datetime) -> list[Entry]:
        bounds = {"since": rows.stamp(since), "until": rows.stamp(until)}
        return [rows.entry(row) for row in self._conn.execute(SQL["window"], bounds)]

    def seen(self, since: datetime, until: datetime) -> list[Entry]:
        bounds = {"since": rows.stamp(since), "until": rows.stamp(until)}
        return [rows.entry(row) for row in self._conn.execute(SQL["seen"], bounds)]

    def search_title(self, text: str, limit: int = 10) -> list[Entry]:
        query = self._quote_fts(text)
        if not query.strip():
            return []
        wanted = {"query": query, "text": text.strip(), "limit": limit}
        return [rows.entry(row) for row in self._conn.execute(SQL["search_title"], wanted)]

    def sightings(self, entry_id: str) -> list[StoredSighting]:
        return [
            StoredSighting(
                source=row["source"],
                first_at=datetime.fromisoformat(row["first_at"]),
                last_at=datetime.fromisoformat(row["last_at"]),
                announce=row["announce"],
            )
            for row in self._conn.execute(SQL["sightings"], {"id": entry_id})
        ]

    def count(self) -> int:
        found: int = self._conn.execute(SQL["count"]).fetchone()[0]
        return found

    def last_change(self) -> datetime | None:
        return rows.instant_or_none(self._conn.execute(SQL["last_change"]).fetchone()[0])
