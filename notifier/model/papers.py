"""Papers, and that sources showed them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Announce(StrEnum):
    """How a source announced an entry; the words are arXiv's ``arxiv:announce_type``."""

    NEW = "new"
    CROSS = "cross"
    REPLACE = "replace"
    REPLACE_CROSS = "replace-cross"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One paper or post. Text fields are clean plain text; absent values are None, never a guess."""

    id: str
    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    num_authors: int | None = None
    """Set where a source tells only how many; otherwise ``len(authors)`` speaks."""
    organization: str | None = None
    categories: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    published_at: datetime | None = None
    url: str | None = None
    pdf_url: str | None = None
    code_url: str | None = None
    project_url: str | None = None
    thumbnail: str | None = None
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None
    version: int | None = None
    extra: str = "{}"
    """A JSON object with what the source said beyond the fields above."""
    sources: tuple[str, ...] = ()
    """Names of the sources that showed it, in order of first sighting; filled by the store."""
    first_seen_at: datetime | None = None
    """When any source first showed it here; filled by the store."""
    new_at: datetime | None = None
    """When it first counted as news here: None while it is known only from baselines."""
    announce: str | None = None
    """How a source announced it last (see ``Announce``), where it said so."""

    @property
    def author_count(self) -> int | None:
        return self.num_authors if self.num_authors is not None else len(self.authors) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one source says of one entry in one fetch.

    ``keys`` are the names this paper goes by (see ``identity``), strongest first; any of them leads to
    the same entry.
    """

    entry: Entry
    keys: tuple[str, ...]
    announce: Announce | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What one source said of an entry at one instant: the fields of ``entry`` that it gave, the others unset."""

    at: datetime
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Votes, comments and stars of an entry as they were last told on one day (UTC)."""

    at: datetime
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """One item of a source that could not be used: ``line`` is 1-based (line or item number)."""

    line: int
    reason: str
