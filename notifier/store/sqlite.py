"""The store in one SQLite file, through sqlite-utils.

WAL with synchronous FULL: what was committed survives a power cut, and readers never wait. Every
write begins with BEGIN IMMEDIATE, because a read transaction that turns into a write fails at once in spite
of the busy timeout.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from notifier.errors import DamagedDatabase, NewerDatabase, StoreError
from notifier.store.access import MemberRows, SessionRows, TicketRows
from notifier.store.api import AnswerRows, ApiTokenRows, OperationRows
from notifier.store.bounces import BounceRows
from notifier.store.clock import set_back
from notifier.store.deliveries import DeliveryRows
from notifier.store.entries import EntryRows
from notifier.store.figures import FigureRows
from notifier.store.gaps import GapRows, ServiceRows
from notifier.store.letters import LetterRows
from notifier.store.migrations import migrations
from notifier.store.people import FeedRows, RuleRows, SubscriberRows, SubscriptionRows
from notifier.store.signing import SigningRows
from notifier.store.slack import SlackInboxRows, SlackPlaceRows
from notifier.store.sources import SourceRows
from notifier.store.terms import TermRows
from notifier.store.where import add_functions

BUSY_SECONDS = 30
_NOUNS = ("entry", "sighting", "source", "subscriber", "subscription", "rule", "delivery", "delivery_item")


class SqliteStore:
    """``ports.Store`` over ``file``; belongs to the thread that opened it.

    ``busy_seconds`` is how long a write waits for another program's to end.
    """

    def __init__(self, file: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._file = file
        with self.in_words():
            self._db = _open(file, busy_seconds)
            _migrate(self._db, file)
        conn = self._db.conn
        add_functions(conn)
        terms = TermRows(conn)
        self._fill(terms)
        self.sources = SourceRows(conn)
        self.entries = EntryRows(conn, terms)
        self.subscribers = SubscriberRows(conn)
        self.subscriptions = SubscriptionRows(conn)
        self.rules = RuleRows(conn)
        self.deliveries = DeliveryRows(conn)
        self.bounces = BounceRows(conn)
        self.api_tokens = ApiTokenRows(conn)
        self.answers = AnswerRows(conn)
        self.operations = OperationRows(conn)
        self.signing = SigningRows(conn)
        self.sessions = SessionRows(conn)
        self.tickets = TicketRows(conn)
        self.members = MemberRows(conn)
        self.feeds = FeedRows(conn)
        self.letters = LetterRows(conn)
        self.figures = FigureRows(conn)
        self.gaps = GapRows(conn)
        self.services = ServiceRows(conn)
        self.slack_inbox = SlackInboxRows(conn)
        self.slack = SlackPlaceRows(conn)

    def _fill(self, terms: TermRows) -> None:
        """Anew, where an earlier version made them."""
        with self.in_words():
            if terms.is_current:
                return
        with self.write():
            # Somebody else may have done it while this one waited.
            if not terms.is_current:
                terms.fill()

    @contextmanager
    def write(self) -> Iterator[None]:
        with self.in_words():
            if self._db.conn.in_transaction:
                with self._forgetting(), self._db.atomic():
                    yield
                return
            self._db.conn.execute("BEGIN IMMEDIATE")
            try:
                with self._forgetting():
                    yield
                    self._db.conn.execute("COMMIT")
            except BaseException:
                self._db.conn.rollback()
                raise

    @contextmanager
    def _forgetting(self) -> Iterator[None]:
        """What is remembered of the database is only what was written."""
        try:
            yield
        except BaseException:
            self.deliveries.forget()
            raise

    def facts(self) -> Mapping[str, int]:
        return {noun: self._db.execute(f"SELECT count(*) FROM {noun}").fetchone()[0] for noun in _NOUNS}  # noqa: S608

    def clock_set_back(self, now: datetime) -> int:
        return set_back(self._db.conn, now)

    def verify(self) -> None:
        """Read every page. Raises DamagedDatabase where SQLite's own check finds a fault."""
        with self.in_words():
            verdict = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise DamagedDatabase(_damaged(self._file))

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            sentence = _SENTENCES.get(error.sqlite_errorcode & 0xFF if hasattr(error, "sqlite_errorcode") else -1)
            if sentence is None:
                raise
            kind = DamagedDatabase if sentence is _damaged else StoreError
            raise kind(sentence(self._file)) from error


def _open(file: Path, busy_seconds: float) -> Database:
    db = Database(sqlite3.connect(file, timeout=busy_seconds, check_same_thread=True))
    db.conn.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA synchronous = FULL")
    # Negative means KiB: a large plan touches more pages than SQLite's 2 MB hold, and more than 16 MB saves no time.
    db.execute("PRAGMA cache_size = -16384")
    if db.journal_mode != "wal":
        db.enable_wal()
    return db


def _migrate(db: Database, file: Path) -> None:
    known = {step.name for step in migrations.applied(db)} | {step.name for step in migrations.pending(db)}
    mine = {step.name for step in migrations._migrations}
    if known - mine:
        raise NewerDatabase(f"{file} was written by a newer Notifier: install that version again, or later.")
    if migrations.pending(db):
        # Under the write lock: of several that open it at once, one migrates and the others find it done.
        db.conn.execute("BEGIN IMMEDIATE")
        try:
            migrations.apply(db)
            db.conn.execute("COMMIT")
        except BaseException:
            db.conn.rollback()
            raise


def _damaged(file: Path) -> str:
    return (
        f"{file} is damaged or no Notifier database. Nothing was written: move it away and restore a copy, "
        f'or save what can be read with: sqlite3 "{file}" .recover'
    )


def _full(file: Path) -> str:
    return f"The disk that holds {file} is full. Nothing was lost: make room and start again."


def _locked(file: Path) -> str:
    return f"Another program holds {file} and does not let go of it: end it and try again."


def _unwritable(file: Path) -> str:
    return f"{file} cannot be written: check that the folder exists and is yours, or name another with --data-dir."


_SENTENCES = {
    sqlite3.SQLITE_CORRUPT: _damaged,
    sqlite3.SQLITE_NOTADB: _damaged,
    sqlite3.SQLITE_FULL: _full,
    sqlite3.SQLITE_BUSY: _locked,
    sqlite3.SQLITE_LOCKED: _locked,
    sqlite3.SQLITE_CANTOPEN: _unwritable,
    sqlite3.SQLITE_READONLY: _unwritable,
    sqlite3.SQLITE_IOERR: _full,
}
