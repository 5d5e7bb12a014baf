"""What the store keeps of papers and sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from notifier.conditions import Condition
from notifier.model import Entry, Gap, News, Point, Saying, SourceRecord
from notifier.ports.outside import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSighting:
    """That a source showed an entry, and what of its sayings still counts (see ``merging``)."""

    source: str
    first_at: datetime
    last_at: datetime
    announce: str | None = None
    """How it was announced at ``first_at``."""
    is_news: bool = True
    """Whether it was news at ``first_at``: no baseline, no replacement of a paper never seen."""
    said: tuple[Saying, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Titled:
    """A title that some source gave an entry, and from when to when it did."""

    title: str
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SightedEntry:
    """An entry as it is to be stored: the merged fields, all its keys, and who showed it."""

    entry: Entry
    keys: tuple[str, ...]
    sightings: tuple[StoredSighting, ...]
    """Those to be written; of a source shown before, the whole of what now holds."""
    titles: tuple[Titled, ...] = ()
    known_id: str | None = None
    """The id it is stored under so far; None for one never seen."""
    merged_ids: tuple[str, ...] = ()
    """Ids of other stored entries that turned out to be the same paper and go up in this one."""
    changed: bool = True
    """Whether any field differs from what is stored."""
    grew: bool = False
    """Whether its votes, comments or stars are others than those stored."""


class Order(StrEnum):
    """What stands first in a list: the newest news, or what has most votes (then the newest)."""

    TIME = "time"
    VOTES = "votes"


class Sources(Protocol):
    def get(self, name: str) -> SourceRecord | None: ...

    def all(self) -> list[SourceRecord]: ...

    def due(self, now: datetime) -> list[SourceRecord]: ...

    def put(self, record: SourceRecord) -> None: ...

    def remove(self, name: str) -> bool: ...

    def note_news(self, name: str, news: News) -> None:
        """Add to the history of what it brought, of which eight weeks are kept, or the last forty hours with news."""
        ...

    def news(self) -> dict[str, tuple[News, ...]]:
        """That history by source, oldest first; a source that brought nothing is absent."""
        ...


class Entries(Protocol):
    def by_keys(self, keys: Iterable[str]) -> dict[str, Entry]:
        """The stored entry each known key leads to; unknown keys are absent."""
        ...

    def get(self, ids: Iterable[str]) -> dict[str, Entry]: ...

    def put(self, sighted: Sequence[SightedEntry], *, now: datetime) -> None:
        """Store entries, their keys and their sightings; join those that turned out to be one."""
        ...

    def window(self, since: datetime, until: datetime) -> list[Entry]:
        """Entries that became news in ``(since, until]``, best first (votes, then newest, then id)."""
        ...

    def seen(self, since: datetime, until: datetime) -> list[Entry]:
        """Entries first seen in ``(since, until]``, baselines included, newest first."""
        ...

    def search_title(self, text: str, limit: int = 10) -> list[Entry]:
        """Entries whose title has all words of ``text``, best first."""
        ...

    def known_terms(self, terms: Iterable[str]) -> frozenset[str]:
        """Those of ``terms`` (see ``conditions``) that any entry has."""
        ...

    def search(
        self, condition: Condition, *, since: datetime | None, until: datetime, first: int, after: str | None = None
    ) -> Iterator[list[Entry]]:
        """Entries first seen in ``(since, until]`` that meet ``condition``, in the order of ``seen``.

        They come in pages: of ``first`` entries, then of ever more. With ``after``, only those behind that entry.
        """
        ...

    def listed(
        self, since: datetime, until: datetime, *, order: Order, limit: int, after: str | None = None
    ) -> list[Entry]:
        """Entries that became news in ``[since, until)``; with ``after``, those behind that entry."""
        ...

    def news_count(self, since: datetime, until: datetime) -> int:
        """How many became news in ``[since, until)``."""
        ...

    def news_before(self, at: datetime) -> datetime | None:
        """When the last of those that became news before ``at`` did."""
        ...

    def news_from(self, at: datetime) -> datetime | None:
        """When the first of those that became news at ``at`` or later did."""
        ...

    def version(self) -> int:
        """A number that grows with every change of any entry."""
        ...

    def count_of(self, condition: Condition, *, since: datetime | None, until: datetime) -> int:
        """How many ``search`` would yield."""
        ...

    def sightings(self, ids: Iterable[str]) -> dict[str, list[StoredSighting]]:
        """Who showed each entry, in order of first sighting; an unknown id is absent."""
        ...

    def titles(self, id: str) -> list[Titled]:
        """The titles an entry has had, the present one too, in the order they were first given."""
        ...

    def by_former_title(self, text: str, limit: int = 10) -> list[Entry]:
        """Entries that once had a title with all words of ``text``."""
        ...

    def growth(self, ids: Iterable[str]) -> dict[str, list[Point]]:
        """How votes, comments and stars of each entry grew, oldest first; without any it is absent."""
        ...

    def count(self) -> int: ...

    def last_change(self) -> datetime | None:
        """When any entry last became new or changed."""
        ...


class Gaps(Protocol):
    def note(self, gaps: Sequence[Gap]) -> None:
        """Record those that are not on record, open or closed."""
        ...

    def put(self, gap: Gap) -> None:
        """Write how far closing it has come."""
        ...

    def same(self, gap: Gap) -> Gap | None:
        """What is on record of the same days, reason and scope of its source."""
        ...

    def open(self, source: str) -> list[Gap]:
        """Those to be closed, oldest days first; no backfills, which go on when a person says so."""
        ...

    def all(self, source: str | None = None) -> list[Gap]:
        """Open and closed ones, backfills too, found last first."""
        ...

    def mark_late(self, entry_ids: Iterable[str], gap_id: str) -> None: ...

    def late(self, entry_ids: Iterable[str]) -> frozenset[str]:
        """Those that became news only when a gap was closed."""
        ...


class Services(Protocol):
    """The pace that services ask for, kept over all processes."""

    def reserve(self, name: str, every: timedelta, now: datetime) -> Turn:
        """Take the next turn, ``every`` after the last one; none is taken while the service is left alone."""
        ...

    def rest(self, name: str, until: datetime) -> None: ...
