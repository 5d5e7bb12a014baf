"""Numbers over everything."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from notifier.delivery import OPEN
from notifier.model import DeliveryState
from notifier.ports import DayCount
from notifier.store import rows
from notifier.store.statements import queries

SQL = queries("figures")
_DAY = timedelta(days=1)
_STUCK = (DeliveryState.FAILED, DeliveryState.HELD)


class FigureRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def deliveries(self) -> Mapping[tuple[str, DeliveryState], int]:
        found = self._conn.execute(SQL["deliveries"])
        return {(row["channel"], DeliveryState(row["state"])): row["number"] for row in found}

    def oldest_due(self, now: datetime) -> datetime | None:
        row = self._conn.execute(SQL["oldest_due"], {"now": rows.stamp(now)}).fetchone()
        return rows.instant_or_none(row[0])

    def late_slots(self, before: datetime) -> int:
        number: int = self._conn.execute(SQL["late_slots"], {"before": rows.stamp(before)}).fetchone()[0]
        return number

    def days(self, first: date, last: date) -> list[DayCount]:
        # Instants sort as text, and a date is where its day begins.
        span = {"since": first.isoformat(), "until": (last + _DAY).isoformat()}
        counts: Counter[tuple[str, str]] = Counter()
        for row in self._conn.execute(SQL["delivery_days"], span):
            counts[row["day"], row["state"]] = row["number"]
        entries = {row["day"]: row["number"] for row in self._conn.execute(SQL["entry_days"], span)}
        days = [(first + n * _DAY) for n in range((last - first).days + 1)]
        return [
            DayCount(
                day=day,
                sent=counts[day.isoformat(), DeliveryState.SENT],
                failed=sum(counts[day.isoformat(), state] for state in _STUCK),
                waiting=sum(counts[day.isoformat(), state] for state in OPEN),
                entries=entries.get(day.isoformat(), 0),
            )
            for day in days
        ]
