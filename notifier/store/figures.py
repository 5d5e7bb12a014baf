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


class FigureRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def deliveries(self) -> Mapping[tuple[str, DeliveryState], int]:
        found: dict[tuple[str, DeliveryState], int] = {}
        sent = {row["channel"]: row["number"] for row in self._conn.execute(SQL["by_channel"])}
        for name in ("open_by_channel", "unsent_by_channel"):
            for row in self._conn.execute(SQL[name]):
                found[row["channel"], DeliveryState(row["state"])] = row["number"]
                sent[row["channel"]] -= row["number"]
        return found | {(channel, DeliveryState.SENT): number for channel, number in sent.items() if number}

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
        for name in ("open_days", "unsent_days"):
            counts.update({(row["day"], row["state"]): row["number"] for row in self._conn.execute(SQL[name], span)})
        all_, entries = self._by_day("days", span), self._by_day("entry_days", span)
        return [_day(first + n * _DAY, all_, counts, entries) for n in range((last - first).days + 1)]

    def _by_day(self, name: str, span: Mapping[str, str]) -> dict[str, int]:
        return {row["day"]: row["number"] for row in self._conn.execute(SQL[name], span)}


def _day(
    day: date, all_: Mapping[str, int], counts: Mapping[tuple[str, str], int], entries: Mapping[str, int]
) -> DayCount:
    name = day.isoformat()
    of_state = {state: counts.get((name, state), 0) for state in DeliveryState}
    return DayCount(
        day=day,
        sent=all_.get(name, 0) - sum(of_state.values()),
        failed=of_state[DeliveryState.FAILED] + of_state[DeliveryState.HELD],
        waiting=sum(of_state[state] for state in OPEN),
        entries=entries.get(name, 0),
    )
