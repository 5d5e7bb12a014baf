"""The table that search narrows with: every entry's terms, written in the transaction that writes the entry."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

import structlog

from notifier.matching.clauses import searchable
from notifier.matching.terms import Document, document, fingerprint
from notifier.model import Entry
from notifier.store import rows
from notifier.store.statements import queries

log = structlog.get_logger()

SQL = queries("terms")
_AT_ONCE = 1_000
Documents: TypeAlias = dict[str, tuple[int, Document]]
"""By entry id: the key of the row, and what stands in it."""


class TermRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def known(self, terms: Iterable[str]) -> frozenset[str]:
        """Those of ``terms`` that occur anywhere."""
        wanted = rows.array(map(searchable, terms))
        return frozenset(row[0] for row in self._conn.execute(SQL["known"], {"terms": wanted}))

    def documents(self, ids: Iterable[str]) -> Documents:
        """What stands, or would stand, in the table for the stored entries."""
        found = self._conn.execute(SQL["documents"], {"ids": rows.array(ids)})
        return {row["id"]: (row["pk"], _document(row)) for row in found}

    def put(self, before: Documents, after: Documents) -> None:
        """``before`` and ``after`` an entry was written or dropped; what is the same in both stays."""
        self._conn.execute(SQL["doubt"], {"made_by": fingerprint()})
        gone = [row for id, row in before.items() if after.get(id) != row]
        come = [row for id, row in after.items() if before.get(id) != row]
        self._conn.executemany(SQL["remove"], ((pk, *columns) for pk, columns in gone))
        self._conn.executemany(SQL["add"], ((pk, *columns) for pk, columns in come))

    @property
    def is_current(self) -> bool:
        """Whether the table was made by the terms of this version."""
        made_by: str = self._conn.execute(SQL["made_by"]).fetchone()[0]
        return made_by == fingerprint()

    def fill(self) -> None:
        """Make the table anew from the stored entries: some seconds for each 10,000."""
        self._conn.execute(SQL["clear"])
        count = 0
        for batch in self._batches():
            self._conn.executemany(SQL["add"], ((row["pk"], *_document(row)) for row in batch))
            count += len(batch)
        self._conn.execute(SQL["optimize"])
        self._conn.execute(SQL["filled"], {"made_by": fingerprint()})
        if count:
            log.info("search table filled", entries=count)

    def _batches(self) -> Iterator[Sequence[sqlite3.Row]]:
        found = self._conn.execute(SQL["all_documents"])
        while batch := found.fetchmany(_AT_ONCE):
            yield batch


def _document(row: sqlite3.Row) -> Document:
    return document(
        Entry(
            id=row["id"],
            title=row["title"],
            abstract=row["abstract"],
            keywords=tuple(json.loads(row["keywords"])),
            organization=row["organization"],
            authors=tuple(json.loads(row["authors"])),
            categories=tuple(json.loads(row["categories"])),
        )
    )
