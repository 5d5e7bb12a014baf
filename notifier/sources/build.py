"""From what a source said to a clean Sighting: the one door that every adapter's fields pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from notifier.clean import TITLE_LIMIT, data, link, plain, untex
from notifier.identity import canonical_categories, canonical_keywords, extra_text, keys, version_of
from notifier.model import Announce, Entry, Sighting

NAME_LIMIT = 300
MAX_NAMES = 5_000
"""Authors, categories or keywords of one entry; the largest collaborations list about 5,000 people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One item as a source said it: text already free of markup, everything else untrusted."""

    title: str
    id: str | None = None
    doi: str | None = None
    guid: str | None = None
    abstract: str = ""
    authors: Sequence[str] = ()
    num_authors: int | None = None
    organization: str | None = None
    categories: Sequence[str] = ()
    keywords: Sequence[str] = ()
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
    announce: Announce | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def sighting(said: Said, *, source: str) -> Sighting:
    """``said.title`` must hold something to show; ``source`` may be empty where the caller will name it."""
    title, url = plain(said.title, limit=TITLE_LIMIT), link(said.url)
    names = keys(
        id=_name(said.id),
        doi=_name(said.doi),
        guid=_name(said.guid),
        url=url,
        source=source,
        title=title,
        published=said.published_at,
    )
    authors = _names(map(untex, said.authors))
    entry = Entry(
        id=names[0],
        title=title,
        abstract=plain(said.abstract),
        authors=authors,
        num_authors=said.num_authors if (said.num_authors or 0) > len(authors) else None,
        organization=_name(said.organization),
        categories=canonical_categories(_names(said.categories)),
        keywords=canonical_keywords(_names(said.keywords)),
        published_at=said.published_at.astimezone(UTC) if said.published_at else None,
        url=url or _arxiv_page("abs", names),
        pdf_url=link(said.pdf_url) or (None if url else _arxiv_page("pdf", names)),
        code_url=link(said.code_url),
        project_url=link(said.project_url),
        thumbnail=link(said.thumbnail),
        upvotes=said.upvotes,
        comments=said.comments,
        stars=said.stars,
        version=said.version or version_of(said.id, said.guid, said.doi, said.url, said.pdf_url),
        extra=extra_text(data(said.extra)) if said.extra else "{}",
        sources=(source,) if source else (),
    )
    return Sighting(entry=entry, keys=names, announce=said.announce)


def _arxiv_page(kind: str, names: Sequence[str]) -> str | None:
    """Where a source gives no address of its own, an arXiv id is one."""
    paper = next((name.removeprefix("arxiv:") for name in names if name.startswith("arxiv:")), None)
    return f"https://arxiv.org/{kind}/{paper}" if paper else None


def without_shared_links(sightings: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """An address that several different items of one answer carry (a home page, a list) names none of them."""
    all_sightings = tuple(sightings)
    owners: dict[str, set[str]] = {}
    for each in all_sightings:
        for key in filter(_is_link, each.keys):
            owners.setdefault(key, set()).add(each.keys[0])
    shared = {key for key, own in owners.items() if len(own) > 1}
    return tuple(_without(each, shared) for each in all_sightings) if shared else all_sightings


def _without(sighting: Sighting, shared: set[str]) -> Sighting:
    first, *others = sighting.keys
    return replace(sighting, keys=(first, *(key for key in others if key not in shared)))


def _is_link(key: str) -> bool:
    return key.startswith("https://")


def _name(text: str | None) -> str | None:
    return (plain(text, limit=NAME_LIMIT) or None) if text else None


def _names(texts: Iterable[str]) -> tuple[str, ...]:
    cleaned = (plain(text, limit=NAME_LIMIT) for text in texts)
    return tuple(dict.fromkeys(text for text in cleaned if text))[:MAX_NAMES]
