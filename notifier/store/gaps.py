"""Gaps in what a source was read of, the entries that came late through them, and the pace services ask for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from notifier.model import Gap, GapReason
from notifier.ports import Turn
from notifier.store import rows
from notifier.store.statements import queries

SQL = queries("gaps")
_FURTHEST = timedelta(minutes=2)
"""A turn or a rest that lies further ahead than can be was written by a clock that was wrong."""
_LONGEST_REST = timedelta(days=7)


class GapRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def note(self, gaps: Sequence[Gap]) -> None:
        self._conn.executemany(SQL["note"], map(_params, gaps))

    def put(self, gap: Gap) -> None:
        self._conn.execute(SQL["put"], _params(gap))

    def same(self, gap: Gap) -> Gap | None:
        row = self._conn.execute(SQL["same"], _params(gap)).fetchone()
        return _gap(row) if row else None

    def open(self, source: str) -> list[Gap]:
        return [_gap(row) for row in self._conn.execute(SQL["open"], {"source": source})]

    def all(self, source: str | None = None) -> list[Gap]:
        return [_gap(row) for row in self._conn.execute(SQL["all"], {"source": source})]

    def mark_late(self, entry_ids: Iterable[str], gap_id: str) -> None:
        self._conn.executemany(SQL["mark_late"], [{"id": id, "gap": gap_id} for id in entry_ids])

    def late(self, entry_ids: Iterable[str]) -> frozenset[str]:
        return frozenset(row["id"] for row in self._conn.execute(SQL["late"], {"ids": rows.array(entry_ids)}))


class ServiceRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def reserve(self, name: str, every: timedelta, now: datetime) -> Turn:
        next_at, rest_until = self._get(name)
        at = now if next_at is None or next_at > now + _FURTHEST else max(now, next_at)
        if rest_until and rest_until > now + _LONGEST_REST:
            rest_until = None
        if rest_until is None or rest_until <= now:
            self._put(name, at + every, rest_until)
        return Turn(at=at, rest_until=rest_until)

    def rest(self, name: str, until: datetime) -> None:
        next_at, _ = self._get(name)
        self._put(name, next_at or until, until)

    def _get(self, name: str) -> tuple[datetime | None, datetime | None]:
        row = self._conn.execute(SQL["service"], {"name": name}).fetchone()
        return (
            (None, None)
            if row is None
            else (rows.instant_or_none(row["next_at"]), rows.instant_or_none(row["rest_until"]))
        )

    def _put(self, name: str, next_at: datetime, rest_until: datetime | None) -> None:
        stamps = {"next_at": rows.stamp(next_at), "rest_until": rows.stamp_or_none(rest_until)}
        self._conn.execute(SQL["put_service"], {"name": name} | stamps)


def _params(gap: Gap) -> rows.Params:
    return {
        "id": gap.id,
        "source": gap.source,
        "first": gap.first.isoformat(),
        "last": gap.last.isoformat(),
        "reason": str(gap.reason),
        "scope": gap.scope,
        "is_news": gap.is_news,
        "found_at": rows.stamp(gap.found_at),
        "cursor": gap.cursor,
        "closed_at": rows.stamp_or_none(gap.closed_at),
        "how": gap.how,
        "brought": gap.brought,
        "last_error": gap.last_error,
    }


def _gap(row: rows.Row) -> Gap:
    return Gap(
        id=row["id"],
        source=row["source"],
        first=date.fromisoformat(row["first"]),
        last=date.fromisoformat(row["last"]),
        reason=GapReason(row["reason"]),
        scope=row["scope"],
        is_news=bool(row["is_news"]),
        found_at=datetime.fromisoformat(row["found_at"]),
        cursor=row["cursor"],
        closed_at=rows.instant_or_none(row["closed_at"]),
        how=row["how"],
        brought=row["brought"],
        last_error=row["last_error"],
    )
