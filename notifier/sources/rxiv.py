"""bioRxiv and medRxiv by their API: https://api.biorxiv.org.

``GET …/details/{server}/{from}/{to}/{cursor}/json`` answers 30 or 100 rows a page, each one version of a preprint; the
cursor counts rows. The last days are read again, as versions are filed under the day they were posted. One request a
second is asked for.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from hashlib import blake2b
from typing import Any

from notifier.clean import from_html, plain
from notifier.errors import SourceError
from notifier.identity import doi_of
from notifier.model import Announce, Fetched, Gap, GapReason, Missed, Page, Rejected, Sighting, SourceState
from notifier.sources.build import Said, sighting
from notifier.sources.http import Http, Reply, failure, host_of
from notifier.sources.kind import Kind

API = "https://api.biorxiv.org"

_EVERY = timedelta(seconds=1)
_DAYS = 3
"""The last days, of which versions still come in."""
_MOST_DAYS = 10
"""What one fetch reads after a pause; what is older becomes a gap."""
_MOST_PAGES = 200
"""300 or so preprints a day, 30 a page at worst, for ten days: twice that."""
_DAY = timedelta(days=1)
_TITLES = {"biorxiv": "bioRxiv", "medrxiv": "medRxiv"}
_ADDRESS = r"(?:https?://)?(?:www\.)?{server}(?:\.org)?/?(?:@(?P<mirror>https?://\S+))?"
_BLOCK = re.compile(r"</?jats:(?:title|p|sec|list|list-item|disp-quote)\b[^<>]{0,200}>", re.IGNORECASE)
_HEADING = re.compile(r"(?:abstract|summary)\b[ :.]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One page: ``received`` rows of ``total``, where the server tells a total."""

    received: int
    total: int | None
    sightings: tuple[Sighting, ...]
    rejected: tuple[Rejected, ...]


class Rxiv:
    takes_baseline = False

    def __init__(self, url: str, *, http: Http, name: str, server: str) -> None:
        """``url`` is the server's name, behind it ``@https://…`` where another host stands in for the API."""
        found = re.fullmatch(_ADDRESS.format(server=server), url.strip(), re.IGNORECASE)
        self._api = (found["mirror"] if found else None) or API
        self._server = server
        self._http = http
        self._name = name

    @property
    def scope(self) -> str:
        return ""

    def settled(self, state: SourceState, *, now: datetime) -> date:
        """Later days are still being read."""
        return now.astimezone(UTC).date() - _DAYS * _DAY

    async def fetch(self, state: SourceState, *, now: datetime) -> Fetched:
        today = now.astimezone(UTC).date()
        before = date.fromisoformat(state.cursor) if state.cursor else today
        first = max(min(before, today - (_DAYS - 1) * _DAY), today - (_MOST_DAYS - 1) * _DAY)
        pages = await self._pages(first, today, now)
        sightings = tuple(each for page in pages for each in page.sightings)
        digest = blake2b(repr(sorted(map(repr, sightings))).encode("utf-8", "replace"), digest_size=16).hexdigest()
        missed = Missed(first=before, last=first - _DAY, reason=GapReason.MISSED)
        return Fetched(
            # The versions of one preprint in their order, so that its first one tells whether it is news.
            sightings=tuple(sorted(sightings, key=lambda each: each.entry.version or 1)),
            rejected=tuple(each for page in pages for each in page.rejected),
            state=SourceState(cursor=today.isoformat(), content_hash=digest),
            unchanged=digest == state.content_hash,
            missed=(missed,) if before < first else (),
        )

    async def page(self, gap: Gap, *, now: datetime) -> Page:
        start = int(gap.cursor or 0)
        rows = await self._rows(gap.first, gap.last, start, now)
        start += rows.received
        is_last = not rows.received or (rows.total is not None and start >= rows.total)
        return Page(
            sightings=rows.sightings,
            rejected=rows.rejected,
            cursor=None if is_last else str(start),
            how="api",
            share=1.0 if is_last else start / max(rows.total or 0, start + 1),
        )

    async def _pages(self, first: date, last: date, now: datetime) -> list[Rows]:
        pages: list[Rows] = []
        start = 0
        while len(pages) < _MOST_PAGES:
            rows = await self._rows(first, last, start, now)
            start += rows.received
            pages.append(rows)
            if not rows.received or (rows.total is not None and start >= rows.total):
                return pages
        raise SourceError(f"{_TITLES[self._server]} lists more than {start:,} rows for {first} to {last}: not read.")

    async def _rows(self, first: date, last: date, start: int, now: datetime) -> Rows:
        url = f"{self._api}/details/{self._server}/{first}/{last}/{start}/json"
        pace = self._http.paces.of("biorxiv", "The API of bioRxiv and medRxiv", _EVERY)
        async with pace.turn():
            reply = await self._http.get(url, accept="application/json", also=(429,), now=now)
            if reply.status == 429:
                raise await pace.rest(failure(reply, now).retry_after)
        return await asyncio.to_thread(read, reply, self._server, self._name)


def read(reply: Reply, server: str, source: str) -> Rows:
    """Raises SourceError for an answer that lists nothing; that there are no preprints is none."""
    host = host_of(reply.url)
    try:
        data = json.loads(reply.body)
    except (ValueError, RecursionError):
        raise SourceError(f"{host} answered with something that is not JSON: it is asked again later.") from None
    rows = data.get("collection") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise SourceError(f"{host} answered with JSON that lists no preprints: it is asked again later.")
    found = [_sighting(row, server, source) for row in rows]
    return Rows(
        received=len(rows),
        total=_total(data.get("messages")),
        sightings=tuple(each for each in found if each is not None),
        rejected=tuple(
            Rejected(line=number, reason="the preprint has no DOI or no title")
            for number, each in enumerate(found, start=1)
            if each is None
        ),
    )


def _total(messages: object) -> int | None:
    first = messages[0] if isinstance(messages, list) and messages and isinstance(messages[0], dict) else {}
    told = str(first.get("total", ""))
    return int(told) if told.isdecimal() and len(told) < 10 else None


def _sighting(row: object, server: str, source: str) -> Sighting | None:
    data: dict[str, Any] = row if isinstance(row, dict) else {}
    doi, title = doi_of(_text(data, "doi")), from_html(_text(data, "title"))
    if doi is None or not title:
        return None
    version = int(told) if (told := _text(data, "version")).isdecimal() and len(told) < 4 else 1
    page = f"https://www.{server}.org/content/{doi[0]}v{version}"
    published = doi_of(_text(data, "published"))
    extra = {
        "posted_at": _text(data, "date"),
        "license": plain(_text(data, "license"), limit=40),
        "institution": plain(_text(data, "author_corresponding_institution"), limit=300),
    }
    said = Said(
        id=doi[0],
        title=title,
        # The journal's DOI leads to the same entry.
        doi=published[0] if published else None,
        abstract=_abstract(_text(data, "abstract")),
        authors=[name.strip() for name in _text(data, "authors").split(";")],
        categories=[category] if (category := _text(data, "category").strip().lower()) else [],
        published_at=_day(_text(data, "date")) if version == 1 else None,
        url=page,
        pdf_url=f"{page}.full.pdf",
        version=version,
        announce=Announce.NEW if version == 1 else Announce.REPLACE,
        extra={name: value for name, value in extra.items() if value},
    )
    return sighting(said, source=source)


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    text = str(value) if isinstance(value, (str, int)) else ""
    return "" if text.strip() == "NA" else text


def _abstract(text: str) -> str:
    """From JATS, whose paragraphs and headings stand apart; the heading that every abstract has goes."""
    plain_text = from_html(_BLOCK.sub(" ", text))
    heading = _HEADING.match(plain_text) if "<jats:title" in text else None
    return plain_text[heading.end() :] if heading else plain_text


def _day(written: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(written), time(), UTC)
    except ValueError:
        return None


def _kind(server: str) -> Kind:
    def claims(text: str) -> bool:
        return re.fullmatch(_ADDRESS.format(server=server), text.strip(), re.IGNORECASE) is not None

    return Kind(claims=claims, open=partial(Rxiv, server=server))


BIORXIV = _kind("biorxiv")
MEDRXIV = _kind("medrxiv")
