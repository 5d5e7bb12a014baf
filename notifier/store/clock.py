"""The clock of the machine was ahead, and is not any more."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from notifier.store.rows import stamp
from notifier.store.statements import queries

SQL = queries("clock")


def set_back(conn: sqlite3.Connection, now: datetime) -> int:
    """How many rows had a time that lies too far ahead, and have one now that has come."""
    times = {"now": stamp(now), "soon": stamp(now + timedelta(hours=1)), "later": stamp(now + timedelta(days=1))}
    return sum(conn.execute(sql, times).rowcount for sql in SQL.values())
