"""Entries, the keys that lead to them, and who showed them when."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from notifier.conditions import EVERY, Condition, Phrase, all_of
from notifier.matching.terms import terms_of
from notifier.model import Entry, Point
from notifier.ports import Order, SightedEntry, StoredSighting, Titled
from notifier.store import rows
from notifier.store.statements import queries
from notifier.store.terms import TermRows
from notifier.store.where import Where, where

SQL = queries("entries")
_LARGEST_PAGE = 500
_FEW = 2_000
"""Up to so many found by their terms are sorted; among more, the newest are looked for in the order of the index."""

MOST_POINTS = 60
POINTS_KEPT = timedelta(days=90)
"""Votes move for days and stars for weeks: longer than a quarter nobody asks, and 60 points are 3 KB an entry."""
MOST_TITLES = 20
_PLACE = ("first_seen_at", "published_at", "first_seen_at", "published_at", "id")
_BEHIND = (
    "((e.first_seen_at, coalesce(e.published_at, '')) < (?, ?)"
    " OR ((e.first_seen_at, coalesce(e.published_at, '')) = (?, ?) AND e.id > ?))"
)
_NO_PLACE = dict.fromkeys(("id", "new_at", "published_at", "upvotes", "dated"))
_JOINS = ("join_keys", "join_titles", "join_growth", "join_items", "join_followed", "join_follow_ups", "join_kept")


class EntryRows:
    def __init__(self, conn: sqlite3.Connection, terms: TermRows) -> None:
        self._conn = conn
        self._terms = terms

    def by_keys(self, keys: Iterable[str]) -> dict[str, Entry]:
        found = self._conn.execute(SQL["by_keys"], {"keys": rows.array(keys)})
        return {row["key"]: rows.entry(row) for row in found}

    def get(self, ids: Iterable[str]) -> dict[str, Entry]:
        return {row["id"]: rows.entry(row) for row in self._conn.execute(SQL["by_ids"], {"ids": rows.array(ids)})}

    def put(self, sighted: Sequence[SightedEntry], *, now: datetime) -> None:
        for each in sighted:
            self._join(each)
        changed = [each.entry for each in sighted if each.changed]
        ids = [each.id for each in changed]
        before = self._terms.documents(ids)
        self._conn.executemany(SQL["put"], [rows.entry_params(each, now) for each in changed])
        self._terms.put(before, self._terms.documents(ids))
        self._conn.executemany(SQL["put_key"], [{"key": k, "id": s.entry.id} for s in sighted for k in s.keys])
        self._put_sightings(sighted)
        self._put_titles(sighted)
        self._put_points([each.entry for each in sighted if each.grew], now)
        if changed or any(each.merged_ids for each in sighted):
            self._conn.execute(SQL["grow_version"])

    def _put_sightings(self, sighted: Sequence[SightedEntry]) -> None:
        params = [rows.sighting_params(each.entry.id, one) for each in sighted for one in each.sightings]
        self._conn.executemany(SQL["put_sighting"], params)
        self._conn.executemany(SQL["put_said"], params)

    def _put_titles(self, sighted: Sequence[SightedEntry]) -> None:
        self._conn.executemany(
            SQL["put_title"],
            [
                {
                    "id": each.entry.id,
                    "title": one.title,
                    "first_at": rows.stamp(one.first_at),
                    "last_at": rows.stamp(one.last_at),
                }
                for each in sighted
                for one in each.titles
            ],
        )
        changed = [{"id": each.entry.id, "most": MOST_TITLES} for each in sighted if each.changed and each.known_id]
        self._conn.executemany(SQL["bound_titles"], changed)

    def _put_points(self, grown: Sequence[Entry], now: datetime) -> None:
        at, oldest = rows.stamp(now), rows.stamp(now - POINTS_KEPT)
        self._conn.executemany(
            SQL["put_point"],
            [{"id": e.id, "at": at, "upvotes": e.upvotes, "comments": e.comments, "stars": e.stars} for e in grown],
        )
        bounds = [{"id": e.id, "oldest": oldest, "most": MOST_POINTS} for e in grown]
        self._conn.executemany(SQL["bound_points"], bounds)

    def _join(self, each: SightedEntry) -> None:
        survivor = each.known_id
        for other in each.merged_ids:
            for name in _JOINS:
                self._conn.execute(SQL[name], {"id": other, "into": survivor})
            self._terms.put(self._terms.documents([other]), {})
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
        words = all_of(Phrase(columns=("title",), terms=(term,)) for term in terms_of(text))
        if (match := where(words).match) is None:
            return []
        wanted = {"match": match, "text": text.strip(), "limit": limit}
        return [rows.entry(row) for row in self._conn.execute(SQL["search_title"], wanted)]

    def known_terms(self, terms: Iterable[str]) -> frozenset[str]:
        return self._terms.known(terms)

    def search(
        self, condition: Condition, *, since: datetime | None, until: datetime, first: int, after: str | None = None
    ) -> Iterator[list[Entry]]:
        found = self._run("newest", where(condition), since, until, self._behind(after))
        size = first
        while page := found.fetchmany(size):
            keys = rows.array(row[0] for row in page)
            yield [rows.entry(row) for row in self._conn.execute(SQL["by_pks"], {"pks": keys})]
            size = min(size * 2, max(_LARGEST_PAGE, first))

    def count_of(self, condition: Condition, *, since: datetime | None, until: datetime) -> int:
        if condition == EVERY and self._covers_all(since, until):
            return self.count()
        wanted = where(condition)
        if wanted.rest and wanted.rest.sql == "1" and self._covers_all(since, until):
            counted = self._conn.execute(SQL["count_by_terms"], {"match": wanted.match})
        else:
            counted = self._run("count", wanted, since, until)
        found: int = counted.fetchone()[0]
        return found

    def _run(
        self, name: str, wanted: Where, since: datetime | None, until: datetime, behind: rows.Row | None = None
    ) -> sqlite3.Cursor:
        """A statement of which there are two: for a few known rows, and for all in the order of the index."""
        last = min(rows.stamp(until), behind["first_seen_at"]) if behind else rows.stamp(until)
        bounds = (rows.stamp(since) if since else "", last)
        rest, place = (f" AND {_BEHIND}", tuple(behind[name] for name in _PLACE)) if behind else ("", ())
        if wanted.match and wanted.rest and (few := self._few(wanted.match)) is not None:
            sql = SQL[f"{name}_of_few"].format(where=wanted.rest.sql + rest)
            return self._conn.execute(sql, (few, *bounds, *wanted.rest.values, *place))
        return self._conn.execute(SQL[name].format(where=wanted.sql + rest), (*bounds, *wanted.values, *place))

    def _behind(self, id: str | None) -> rows.Row | None:
        """Where an entry stands in every order; None for one that is gone: then a list begins anew."""
        found: rows.Row | None = self._conn.execute(SQL["place"], (id,)).fetchone()
        return found

    def _few(self, match: str) -> str | None:
        """The keys of what was found, as an array; None where there are many."""
        found = self._conn.execute(SQL["found_by_terms"], {"match": match, "most": _FEW + 1}).fetchall()
        return rows.array(row[0] for row in found) if len(found) <= _FEW else None

    def _covers_all(self, since: datetime | None, until: datetime) -> bool:
        newest = self._conn.execute(SQL["newest_seen"]).fetchone()[0]
        return since is None and (newest is None or newest <= rows.stamp(until))

    def listed(
        self, since: datetime, until: datetime, *, order: Order, limit: int, after: str | None = None
    ) -> list[Entry]:
        behind = self._behind(after)
        wanted: dict[str, Any] = {**(dict(behind) if behind else _NO_PLACE), **_span(since, until), "limit": limit}
        found = self._conn.execute(SQL[f"listed_by_{order}"], wanted).fetchall()
        keys = rows.array(row["pk"] for row in found)
        return [rows.entry(row) for row in self._conn.execute(SQL["by_pks"], {"pks": keys})]

    def news_count(self, since: datetime, until: datetime) -> int:
        found: int = self._conn.execute(SQL["news_count"], _span(since, until)).fetchone()[0]
        return found

    def news_before(self, at: datetime) -> datetime | None:
        return rows.instant_or_none(self._conn.execute(SQL["news_before"], {"at": rows.stamp(at)}).fetchone()[0])

    def news_from(self, at: datetime) -> datetime | None:
        return rows.instant_or_none(self._conn.execute(SQL["news_from"], {"at": rows.stamp(at)}).fetchone()[0])

    def sightings(self, ids: Iterable[str]) -> dict[str, list[StoredSighting]]:
        found: dict[str, list[StoredSighting]] = {}
        for row in self._conn.execute(SQL["sightings"], {"ids": rows.array(ids)}):
            found.setdefault(row["id"], []).append(rows.sighting(row))
        return found

    def titles(self, id: str) -> list[Titled]:
        return [
            Titled(
                title=row["title"],
                first_at=datetime.fromisoformat(row["first_at"]),
                last_at=datetime.fromisoformat(row["last_at"]),
            )
            for row in self._conn.execute(SQL["titles"], {"id": id})
        ]

    def by_former_title(self, text: str, limit: int = 10) -> list[Entry]:
        words = text.lower().split()
        if not words:
            return []
        wanted = {"words": rows.array(words), "limit": limit}
        ids = [row["id"] for row in self._conn.execute(SQL["former_title"], wanted)]
        entries = self.get(ids)
        return [entries[id] for id in ids]

    def growth(self, ids: Iterable[str]) -> dict[str, list[Point]]:
        found: dict[str, list[Point]] = {}
        for row in self._conn.execute(SQL["growth"], {"ids": rows.array(ids)}):
            found.setdefault(row["id"], []).append(rows.point(row))
        return found

    def count(self) -> int:
        found: int = self._conn.execute(SQL["count_all"]).fetchone()[0]
        return found

    def last_change(self) -> datetime | None:
        return rows.instant_or_none(self._conn.execute(SQL["last_change"]).fetchone()[0])

    def version(self) -> int:
        found: int = self._conn.execute(SQL["version"]).fetchone()[0]
        return found


def _span(since: datetime, until: datetime) -> dict[str, str]:
    return {"since": rows.stamp(since), "until": rows.stamp(until)}
