"""Sources: what one keeps between fetches, what a fetch brings, how it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from notifier.model.papers import Rejected, Sighting


class GapReason(StrEnum):
    """Why papers that a source announced were not seen there."""

    MISSED = "missed"
    """Nobody asked while it showed them."""
    FAILED = "failed"
    """It did not answer while it would have shown them."""
    CAP = "cap"
    """It announced more than it shows at once."""
    SHORT = "short"
    """Its answer broke off."""
    BACKFILL = "backfill"
    """A person asked for these days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Days, both inclusive, of the source's own calendar of which it could not show everything.

    ``scope`` is what of the source it concerns, in its own words (arXiv: categories joined by +).
    """

    first: date
    last: date
    reason: GapReason
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something missed, on record until it is closed from the source's archive; days as in ``Missed``."""

    id: str
    source: str
    first: date
    last: date
    reason: GapReason
    scope: str = ""
    is_news: bool = True
    """Whether what closing it brings is news; of a backfill it is not, unless a person says so."""
    found_at: datetime
    cursor: str | None = None
    """Where closing it goes on, in the words of the source."""
    closed_at: datetime | None = None
    how: str | None = None
    """Through what it was closed, such as api or oai."""
    brought: int = 0
    """How many entries it has brought that were not known."""
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of a source's archive. ``cursor`` is where to go on, None behind the last page.

    ``share`` is how much of the whole is done, 0 to 1; ``weight`` is how many ordinary pages it took the time of.
    """

    sightings: tuple[Sighting, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    cursor: str | None = None
    how: str
    share: float = 1.0
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What a source needs to remember between two fetches."""

    etag: str | None = None
    last_modified: str | None = None
    content_hash: str | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One answer of a source; ``unchanged`` means it said that nothing moved (304 or equal content)."""

    sightings: tuple[Sighting, ...] = ()
    state: SourceState = SourceState()
    rejected: tuple[Rejected, ...] = ()
    unchanged: bool = False
    missed: tuple[Missed, ...] = ()
    """What it noticed that it cannot show any more."""
    more: bool = False
    """There is more to read than one answer holds: ask again at once."""
    moved_to: str | None = None
    """Where it is now, if every redirect on the way said that it is there to stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """A redirect that says it lasts, and for how long and how often it has been seen to."""

    to: str
    since: datetime
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """A configured source and how it has been."""

    name: str
    kind: str
    url: str
    every: timedelta
    state: SourceState = SourceState()
    added_at: datetime
    next_fetch_at: datetime
    last_success_at: datetime | None = None
    last_new_at: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    last_error: str | None = None
    missing_since: datetime | None = None
    """Since when the server has said at every request that there is nothing at this address."""
    paused_at: datetime | None = None
    """Since when nobody asks it; None where it is read."""
    paused_reason: str | None = None
    """Why the program itself paused it, in words; None where a person did."""
    moving: Moving | None = None
    moved_from: str | None = None
    """The address it had before its server moved it for good."""

    @property
    def title(self) -> str:
        """What people call it."""
        return _TITLES.get(self.name, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Within one hour, when a source last brought what it had not shown before, and how many entries."""

    at: datetime
    brought: int


class Health(StrEnum):
    """How a source is, in one word; ``health`` says when it is which."""

    FRESH = "fresh"
    QUIET = "quiet as usual"
    STALE = "stale"
    FAILING = "failing"
    NOT_ANNOUNCED = "not announced today"
    PAUSED = "paused"
    """By a person."""
    GONE = "gone"
    """Paused by the program itself, which gave its address up."""
    NOT_READ = "not read yet"


_TITLES = {
    "huggingface": "Hugging Face Daily Papers",
    "huggingface-trending": "Hugging Face trending papers",
    "arxiv": "arXiv",
    "biorxiv": "bioRxiv",
    "medrxiv": "medRxiv",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """What a digest's footer says of one source."""

    name: str
    title: str
    last_success_at: datetime | None
    health: Health
    since: datetime | None = None
    """Since when it is so: of a failure its first, of silence the last news, of a pause its beginning."""
    missing: tuple[Gap, ...] = ()
    """What it announced and is still to come."""
