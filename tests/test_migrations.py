"""A database of an earlier release is opened, and nothing that it told is lost."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from sqlite_utils import Database

from notifier.collect import absorb
from notifier.model import FollowUps, News, Point
from notifier.ports import Titled
from notifier.store import SqliteStore
from notifier.store.migrations import migrations
from tests.builders import NOW, sighting

DAY = timedelta(days=1)
_AT = "2025-12-15T07:00:00.000000+00:00"


def before_one_paper(file: Path) -> None:
    """A database as the first schema kept it: one paper of two sources, merged once and for all."""
    db = Database(sqlite3.connect(file))
    migrations.apply(db, stop_before="m0004_one_paper")
    db.conn.execute(
        "INSERT INTO entry (pk, id, title, abstract, authors, categories, keywords, published_at, upvotes, version, "
        "extra, first_seen_at, new_at, changed_at) VALUES (1, 'arxiv:2512.00001', 'Walking', 'A long abstract.', "
        """'["A", "B"]', '["cs.RO"]', '[]', ?, 7, 2, '{"_versions":{"title":1},"a":{"b":null}}', ?, ?, ?)""",
        (_AT, _AT, _AT, _AT),
    )
    db.conn.execute("INSERT INTO entry_key VALUES ('arxiv:2512.00001', 1)")
    db.conn.execute("INSERT INTO sighting VALUES (1, 'arxiv', ?, ?, 'new'), (1, 'lab', ?, ?, NULL)", (_AT,) * 4)
    db.conn.commit()
    db.close()


def test_several_that_open_an_old_database_at_once_all_find_it_whole(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    before_one_paper(file)
    together = threading.Barrier(6)

    def opened(_: int) -> int:
        together.wait()
        store = SqliteStore(file)
        count = store.entries.count()
        store.close()
        return count

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(opened, range(6))) == [1] * 6


def test_what_was_merged_before_counts_as_said_by_its_first_source(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    before_one_paper(file)
    store = SqliteStore(file)
    short = sighting(1, title="Walking", abstract="Short.", upvotes=9)
    counts = absorb(store, [short], source="lab", baseline=False, now=NOW)
    entry = store.entries.get(["arxiv:2512.00001"])["arxiv:2512.00001"]
    store.close()
    assert (counts.new, counts.updated) == (0, 1)
    assert (entry.title, entry.abstract, entry.authors) == ("Walking", "A long abstract.", ("A", "B"))
    assert (entry.categories, entry.version, entry.upvotes, entry.extra) == (("cs.RO",), 2, 9, '{"a":{"b":null}}')
    assert (entry.published_at, entry.new_at, entry.first_seen_at) == (NOW - DAY,) * 3
    assert (entry.sources, entry.announce) == (("arxiv", "lab"), "new")


def test_titles_growth_and_follow_ups_begin_with_what_was_known(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    before_one_paper(file)
    store = SqliteStore(file)
    id = "arxiv:2512.00001"
    assert store.entries.titles(id) == [Titled(title="Walking", first_at=NOW - DAY, last_at=NOW - DAY)]
    assert store.entries.growth([id]) == {id: [Point(at=NOW - DAY, upvotes=7)]}
    assert store.deliveries.followed({"s_one": FollowUps(code=True)}, since=NOW, changed_after=NOW) == {}
    store.close()


def test_the_history_of_a_source_begins_with_what_it_was_seen_to_show(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    before_one_paper(file)
    db = Database(sqlite3.connect(file))
    db.conn.execute(
        "INSERT INTO source (name, kind, url, every_seconds, added_at, next_fetch_at, failures) "
        "VALUES ('lab', 'feed', 'https://lab.example.org/', 3600, ?, ?, 0)",
        (_AT, _AT),
    )
    db.conn.commit()
    db.close()
    store = SqliteStore(file)
    news = store.sources.news()
    store.close()
    assert news == {"lab": (News(at=NOW - DAY, brought=1),)}
