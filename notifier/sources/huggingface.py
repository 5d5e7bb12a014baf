"""Hugging Face Daily Papers: https://huggingface.co/papers, by list day, from the raw JSON of its API.

``GET …/api/daily_papers?date=YYYY-MM-DD&p=N&limit=100`` answers an array; ``p`` counts from 0, a page shorter than
``limit`` is the last, a day ahead of UTC is a 400, a weekend's day is empty. Optional fields are absent.
``sort=trending`` answers, without a date, with what is talked about most now; that may be weeks old.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode

from notifier.clean import link, plain
from notifier.errors import SourceError
from notifier.identity import arxiv_id
from notifier.model import Fetched, Rejected, Sighting, SourceState
from notifier.ports import Source
from notifier.sources.build import Said, sighting
from notifier.sources.http import Http, Reply, host_of
from notifier.sources.kind import Kind

SITE = "https://huggingface.co"
API = f"{SITE}/api/daily_papers"

_DAYS = 3
"""Votes, comments and repositories of the last list days grow fast."""
_SLOW_DAYS = 7
"""Those of the week for which rules on votes are looked at again grow slowly: they are read once a day."""
_MOST_DAYS = 31
"""How far back a source that has not been read for long catches up."""
_LIMIT = 100
_MOST_PAGES = 20
TRENDING = "huggingface:trending"
_TRENDING_LIMIT = 50
"""As many as the page shows: further down, the ranks say little."""


class DailyPapers:
    takes_baseline = False

    def __init__(self, url: str = API, *, http: Http, name: str = "huggingface") -> None:
        """``url`` is the API's address, or the word ``huggingface`` for the usual one."""
        self._url = url if "://" in url else API
        self._http = http
        self._name = name

    async def fetch(self, state: SourceState, *, now: datetime) -> Fetched:
        """Every paper of the last list days; of a day that changed while its pages were read, each paper once."""
        today = now.astimezone(UTC).date()
        items = [item for day in _days(state.cursor, today) for item in await self._day(day, today, now)]
        fetched = await asyncio.to_thread(_read, items, self._name)
        return _compared(fetched, state, cursor=today.isoformat())

    async def _day(self, day: date, today: date, now: datetime) -> list[object]:
        items: list[object] = []
        for page in range(_MOST_PAGES):
            query = urlencode({"date": day.isoformat(), "p": page, "limit": _LIMIT})
            # Where our clock is ahead of theirs, today is still a day they do not know.
            also = (400,) if day == today and page == 0 else ()
            reply = await self._http.get(f"{self._url}?{query}", accept="application/json", also=also, now=now)
            found = [] if reply.status == 400 else _array(reply)
            items += found
            if len(found) < _LIMIT:
                return items
        raise SourceError(f"{host_of(self._url)} lists more than {_MOST_PAGES * _LIMIT} papers for {day}: not read.")


class Trending:
    """What is talked about most now, whatever day it was listed: as of the first look, what gets onto the list."""

    takes_baseline = True

    def __init__(self, url: str = API, *, http: Http, name: str = "huggingface-trending") -> None:
        self._url = url
        self._http = http
        self._name = name

    async def fetch(self, state: SourceState, *, now: datetime) -> Fetched:
        query = urlencode({"sort": "trending", "p": 0, "limit": _TRENDING_LIMIT})
        reply = await self._http.get(f"{self._url}?{query}", accept="application/json", now=now)
        items = _array(reply)
        if not items:
            raise SourceError(f"{host_of(self._url)} lists no trending papers: it is asked again later.")
        return _compared(await asyncio.to_thread(_read, items, self._name), state)


def _compared(fetched: Fetched, before: SourceState, cursor: str | None = None) -> Fetched:
    """``fetched`` with its state; nothing in it where it says the same as before, in whatever order."""
    digest = blake2b(repr(sorted(fetched.sightings, key=repr)).encode("utf-8", "replace"), digest_size=16)
    after = SourceState(cursor=cursor, content_hash=digest.hexdigest())
    if after.content_hash == before.content_hash:
        return Fetched(state=after, unchanged=True, rejected=fetched.rejected)
    return replace(fetched, state=after)


def _read(items: Iterable[object], name: str) -> Fetched:
    sightings: dict[str, Sighting] = {}
    rejected: list[Rejected] = []
    for number, item in enumerate(items, start=1):
        said = _said(item)
        if said is None:
            continue
        if isinstance(said, str):
            rejected.append(Rejected(line=number, reason=said))
            continue
        found = sighting(said, source=name)
        sightings[found.keys[0]] = found
    return Fetched(sightings=tuple(sightings.values()), rejected=tuple(rejected))


def _days(cursor: str | None, today: date) -> list[date]:
    """The list days to read, oldest first: the last ones, and those since the last answer (``cursor``)."""
    first = today - timedelta(days=_DAYS - 1)
    if cursor and (last := date.fromisoformat(cursor)) < today:
        first = min(last, today - timedelta(days=_SLOW_DAYS - 1))
    first = max(first, today - timedelta(days=_MOST_DAYS - 1))
    return [first + timedelta(days=n) for n in range((today - first).days + 1)]


def _array(reply: Reply) -> list[object]:
    host = host_of(reply.url)
    try:
        value = json.loads(reply.body)
    except (ValueError, RecursionError):
        reason = f"{host} answered with something that is not JSON ({reply.content_type or 'of no type'})"
        raise SourceError(f"{reason}: it is asked again later.") from None
    if not isinstance(value, list):
        raise SourceError(f"{host} answered with JSON that is no list of papers: it is asked again later.")
    return value


def _said(item: object) -> Said | str | None:
    """The paper, or why it cannot be used; None where it was withdrawn."""
    outer = item if isinstance(item, dict) else {}
    paper = outer.get("paper")
    if not isinstance(paper, dict):
        return "the item has no 'paper' object"
    if paper.get("withdrawnAt"):
        return None
    paper_id, title = _text(paper, "id"), _text(paper, "title") or _text(outer, "title")
    if not paper_id or not plain(title or ""):
        return "the paper has no id or no title"
    arxiv = arxiv_id(paper_id)
    page = f"{SITE}/papers/{paper_id}"
    organization = _object(paper, "organization") or _object(outer, "organization")
    return Said(
        id=paper_id if arxiv else f"hf:{paper_id}",
        title=title or "",
        abstract=_text(paper, "summary") or _text(outer, "summary") or "",
        authors=_authors(paper.get("authors")),
        organization=_text(organization, "fullname") or _text(organization, "name"),
        keywords=_texts(paper.get("ai_keywords")),
        published_at=_instant(_text(paper, "publishedAt")),
        url=f"https://arxiv.org/abs/{arxiv[0]}" if arxiv else page,
        pdf_url=f"https://arxiv.org/pdf/{arxiv[0]}" if arxiv else None,
        code_url=_text(paper, "githubRepo"),
        project_url=_text(paper, "projectPage"),
        thumbnail=_text(outer, "thumbnail"),
        upvotes=_count(paper, "upvotes"),
        comments=_count(outer, "numComments"),
        stars=_count(paper, "githubStars"),
        extra=_extra(outer, paper, page),
    )


def _extra(outer: dict[str, Any], paper: dict[str, Any], page: str) -> dict[str, Any]:
    organization = _object(paper, "organization") or _object(outer, "organization")
    submitter = _object(paper, "submittedOnDailyBy") or _object(outer, "submittedBy")
    media = [url for each in _texts(paper.get("mediaUrls") or outer.get("mediaUrls")) if (url := link(each))]
    said = {
        "huggingface_url": link(page),
        "list_day": (_text(paper, "submittedOnDailyAt") or "")[:10],
        "ai_summary": plain(_text(paper, "ai_summary") or ""),
        "discussion_id": plain(_text(paper, "discussionId") or "", limit=100),
        "submitted_by": plain(_text(submitter, "fullname") or _text(submitter, "name") or "", limit=200),
        "organization_name": plain(_text(organization, "name") or "", limit=200),
        "organization_avatar": link(_text(organization, "avatar")),
        "media_urls": media,
        "author_participates": outer.get("isAuthorParticipating") is True,
    }
    return {name: value for name, value in said.items() if value}


def _object(data: dict[str, Any], name: str) -> dict[str, Any]:
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _text(data: dict[str, Any], name: str) -> str | None:
    value = data.get(name)
    return value if isinstance(value, str) and value.strip() else None


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _count(data: dict[str, Any], name: str) -> int | None:
    value = data.get(name)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if is_count else None


def _authors(value: object) -> list[str]:
    people = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    return [name for each in people if each.get("hidden") is not True and (name := _text(each, "name"))]


def _instant(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _named(text: str) -> str:
    return text.strip().lower().removeprefix("https://").removeprefix("www.").rstrip("/")


def _is_trending(text: str) -> bool:
    return _named(text) in (TRENDING, "huggingface.co/papers/trending")


def _claims(text: str) -> bool:
    usual = ("huggingface", "huggingface.co", "huggingface.co/papers", "huggingface.co/api/daily_papers")
    return _named(text) in usual or _is_trending(text)


def _open(url: str, *, http: Http, name: str) -> Source:
    if _is_trending(url):
        return Trending(http=http, name=name)
    is_page = "://" in url and not url.rstrip("/").endswith("/api/daily_papers")
    return DailyPapers(API if is_page else url, http=http, name=name)


KIND = Kind(claims=_claims, open=_open)
