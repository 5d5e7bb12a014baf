"""From the bytes of an RSS or Atom feed to sightings. No network: feedparser never gets to see an address to open."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax import SAXParseException

import feedparser

from notifier.clean import TEXT_LIMIT, TITLE_LIMIT, from_html, link, plain
from notifier.errors import SourceError
from notifier.identity import arxiv_id
from notifier.model import Announce, Rejected, Sighting
from notifier.sources.build import Said, sighting, without_shared_links
from notifier.sources.http import host_of

_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Earlier than any feed: such a date is a clock at zero, not a date."""
_AHEAD = timedelta(days=2)
MAX_ITEMS = 50_000
"""Of one answer; the longest honest ones, of arXiv, have 2,000, and more than this no memory was measured for."""
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_CLOSED = re.compile(rb"</(?:\w+:)?(?:rss|feed|rdf)\s*>", re.IGNORECASE)
_ARXIV_PREFIX = re.compile(r"\s*arXiv:\S+\s+Announce Type:\s*\S+\s*(?:Abstract:\s*)?", re.IGNORECASE)
_ARXIV_CATEGORY = re.compile(r"[a-z]+(?:-[a-z]+)*(?:\.[A-Za-z-]+)?")
_PARENTHESES = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a body came to; ``is_feed`` is False where nothing in it says RSS or Atom."""

    title: str
    is_feed: bool
    sightings: tuple[Sighting, ...]
    rejected: tuple[Rejected, ...]
    is_cut: bool = False
    """It breaks off, so that items are missing."""


def parse(body: bytes, content_type: str, url: str, *, source: str, now: datetime, most: int = MAX_ITEMS) -> Parsed:
    """CPU-bound, and for some bodies without end: call it apart (``feed_worker``).

    ``most`` items are read. Raises SourceError where the parser itself gives up.
    """
    # Both headers only help to read the bytes: the declared character set, and the base of relative links.
    headers = {"content-type": content_type, "content-location": url}
    try:
        found = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except MemoryError:
        raise
    except Exception as error:
        # The parser is lenient by heuristics, which fail in many ways on hostile bytes; none may stop other sources.
        reason = f"The feed of {host_of(url)} is damaged beyond reading ({type(error).__name__}): tell its operator."
        raise SourceError(reason) from error
    items, rejected = list(found.entries), list(_damage(found))
    is_cut = bool(rejected) and not _CLOSED.search(body.rstrip(b"\0 \t\r\n")[-4096:])
    if is_cut:
        # It breaks off: fields of the last item may be cut, and a cut guid would make another paper of it.
        items = items[:-1]
    if len(items) > most:
        reason = f"the feed has {len(items):,} items: only the first {most:,} were read"
        rejected.append(Rejected(line=most + 1, reason=reason))
    sightings: list[Sighting] = []
    for number, item in enumerate(items[:most], start=1):
        said = _said(item, now)
        if said.title:
            sightings.append(sighting(said, source=source))
        else:
            rejected.append(Rejected(line=number, reason=f"item {number} has neither a title nor a text"))
    return Parsed(
        title=plain(_text(found.feed, "title", TITLE_LIMIT), limit=200),
        is_feed=bool(found.version) or bool(sightings),
        sightings=without_shared_links(sightings),
        rejected=tuple(rejected),
        is_cut=is_cut,
    )


def _damage(found: Any) -> Iterator[Rejected]:
    error = found.get("bozo_exception") if found.get("bozo") else None
    if isinstance(error, SAXParseException):
        line, message = error.getLineNumber() or 1, plain(error.getMessage(), limit=80)
        yield Rejected(line=line, reason=f"the feed is damaged in line {line} ({message}): items may be missing")


def _said(item: Any, now: datetime) -> Said:
    guid, url = item.get("id"), item.get("link")
    abstract = _abstract(item)
    # Short posts have no title: their first words stand for it.
    title = _text(item, "title", TITLE_LIMIT) or plain(abstract, limit=120)
    common: dict[str, Any] = {
        "title": title,
        "guid": guid,
        "url": url,
        "doi": _doi(item),
        "thumbnail": _thumbnail(item),
        "pdf_url": _pdf(item),
    }
    if arxiv_id(guid) or arxiv_id(url):
        return _arxiv_said(item, common, now)
    return Said(
        **common,
        abstract="" if abstract == title else abstract,
        authors=_authors(item),
        categories=_terms(item),
        published_at=_instant(item, now),
    )


def _arxiv_said(item: Any, common: dict[str, Any], now: datetime) -> Said:
    """arXiv's description is plain text behind a fixed prefix; its date is that of the announcement."""
    announce, moment, terms = _announce(item), _instant(item, now), _terms(item)
    paper, version = arxiv_id(item.get("id")) or arxiv_id(item.get("link")) or ("", None)
    extra = {
        "announced_at": f"{moment:%Y-%m-%d}" if moment else None,
        "journal_ref": plain(item.get("arxiv_journal_reference") or "", limit=500),
    }
    return Said(
        **common | {"pdf_url": common["pdf_url"] or f"https://arxiv.org/pdf/{paper}"},
        abstract=_ARXIV_PREFIX.sub("", item.get("summary") or "", count=1),
        authors=_split_people(", ".join(_people(item))),
        categories=[term for term in terms if _ARXIV_CATEGORY.fullmatch(term)],
        keywords=[term for term in terms if not _ARXIV_CATEGORY.fullmatch(term)],
        published_at=moment if announce in (None, Announce.NEW) and (version or 1) == 1 else None,
        announce=announce,
        extra={name: value for name, value in extra.items() if value},
    )


def _announce(item: Any) -> Announce | None:
    try:
        return Announce(str(item.get("arxiv_announce_type") or "").strip().lower())
    except ValueError:
        return None


def _text(holder: Any, name: str, limit: int) -> str:
    """A field as clean text: as HTML where the feed says, or shows, that it is."""
    value = holder.get(name) or ""
    kind = (holder.get(f"{name}_detail") or {}).get("type")
    return from_html(value, limit=limit) if kind in _HTML_TYPES else plain(value, limit=limit)


def _abstract(item: Any) -> str:
    # Where an item has only content, feedparser copies that to the summary, without its type.
    if item.get("summary") and item.get("summary_detail"):
        return _text(item, "summary", TEXT_LIMIT)
    contents = item.get("content") or [{}]
    return from_html(contents[0].get("value") or "")


def _terms(item: Any) -> list[str]:
    return [tag["term"] for tag in item.get("tags") or [] if tag.get("term")]


def _people(item: Any) -> list[str]:
    return [person["name"] for person in item.get("authors") or [] if person.get("name")]


def _authors(item: Any) -> list[str]:
    """Names as given; one that is plainly a list ("Ada Lovelace, Alan Turing", "Lovelace, A.; Turing, A.") is split."""
    return [name for person in _people(item) for name in _maybe_split(from_html(person, limit=5_000))]


def _maybe_split(person: str) -> Iterable[str]:
    if ";" in person:
        return [part.strip() for part in person.split(";")]
    parts = [part.strip() for part in person.split(",")]
    # "Lovelace, Ada" is one person: only parts that each look like a full name are people.
    return parts if len(parts) > 1 and all(" " in part and "." not in part.split()[-1] for part in parts) else [person]


def _split_people(creator: str) -> list[str]:
    """arXiv's creators, comma-joined; an affiliation in parentheses holds commas of its own and is left out."""
    before = None
    while before != creator:
        before, creator = creator, _PARENTHESES.sub("", creator)
    return [name.strip() for name in creator.split(",") if name.strip()]


def _doi(item: Any) -> str | None:
    for name in ("arxiv_doi", "prism_doi", "dc_identifier"):
        if value := item.get(name):
            return str(value)
    return None


def _pdf(item: Any) -> str | None:
    links = [each for each in item.get("links") or [] if each.get("href")]
    return next((each["href"] for each in links if each.get("type") == "application/pdf"), None)


def _thumbnail(item: Any) -> str | None:
    named = [each.get("url") for each in item.get("media_thumbnail") or []]
    enclosed = [
        each.get("href")
        for each in item.get("links") or []
        if each.get("rel") == "enclosure" and str(each.get("type")).startswith("image/")
    ]
    return next((url for each in (*named, *enclosed) if (url := link(each))), None)


def _instant(item: Any, now: datetime) -> datetime | None:
    """The item's own date, unless it cannot be one: absent values are None, never a guess."""
    # The dict's own get: feedparser's makes up an "updated" from "published", with a warning.
    parts: Any = dict.get(item, "published_parsed") or dict.get(item, "updated_parsed")
    try:
        year, month, day, hour, minute, second = parts[:6]
        return sane_instant(datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC), now)
    except (TypeError, ValueError, OverflowError):
        return None


def sane_instant(moment: datetime, now: datetime) -> datetime | None:
    """``moment``, which without a zone is meant in UTC, unless no feed could be of then."""
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if _OLDEST <= moment <= now + _AHEAD else None
