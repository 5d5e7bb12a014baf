"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/) to sightings."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from notifier.clean import TITLE_LIMIT, from_html, plain
from notifier.errors import SourceError
from notifier.model import Rejected, Sighting
from notifier.sources.build import Said, sighting, without_shared_links
from notifier.sources.feed_items import MAX_ITEMS, Parsed, sane_instant
from notifier.sources.http import host_of

_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/")


def is_json(body: bytes) -> bool:
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def parse(body: bytes, content_type: str, url: str, *, source: str, now: datetime) -> Parsed:
    """``content_type`` tells nothing here: JSON is UTF-8. Raises SourceError for what is no JSON at all."""
    try:
        feed = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        raise SourceError(f"{host_of(url)} sent JSON that is damaged: it is asked again later.") from None
    items = feed.get("items")
    if not _VERSION.match(str(feed.get("version"))) or not isinstance(items, list):
        return Parsed(title="", is_feed=False, sightings=(), rejected=())
    sightings: list[Sighting] = []
    rejected: list[Rejected] = []
    if len(items) > MAX_ITEMS:
        reason = f"the feed has {len(items):,} items: only the first {MAX_ITEMS:,} were read"
        rejected.append(Rejected(line=MAX_ITEMS + 1, reason=reason))
    shared = _authors(feed)
    for number, item in enumerate(items[:MAX_ITEMS], start=1):
        said = _said(item, url, shared, now) if isinstance(item, dict) else None
        if said and plain(said.title):
            sightings.append(sighting(said, source=source))
        else:
            rejected.append(Rejected(line=number, reason=f"item {number} has neither a title nor a text"))
    return Parsed(
        title=plain(_text(feed, "title"), limit=200),
        is_feed=True,
        sightings=without_shared_links(sightings),
        rejected=tuple(rejected),
    )


def _said(item: dict[str, Any], base: str, shared: list[str], now: datetime) -> Said:
    abstract = _abstract(item)
    link = _address(item, "url", base) or _address(item, "external_url", base)
    number = item.get("id")
    # Ids are texts, but "some feeds use numbers" (the specification).
    guid = str(number) if isinstance(number, str | int) and not isinstance(number, bool) else None
    title = plain(_text(item, "title"), limit=TITLE_LIMIT) or plain(abstract, limit=120)
    return Said(
        title=title,
        guid=guid,
        url=link,
        abstract="" if abstract == title else abstract,
        authors=_authors(item) or shared,
        categories=[tag for tag in _list(item, "tags") if isinstance(tag, str)],
        published_at=_instant(item, now),
        pdf_url=next((each for each in _attached(item, base, "application/pdf")), None),
        thumbnail=_address(item, "image", base) or _address(item, "banner_image", base),
    )


def _abstract(item: dict[str, Any]) -> str:
    for name in ("summary", "content_text"):
        if text := plain(_text(item, name)):
            return text
    return from_html(_text(item, "content_html"))


def _authors(holder: dict[str, Any]) -> list[str]:
    """1.1 has a list, 1.0 had one."""
    people = [*_list(holder, "authors"), holder.get("author")]
    return [name for each in people if isinstance(each, dict) and (name := _text(each, "name"))]


def _attached(item: dict[str, Any], base: str, kind: str) -> list[str]:
    found = [each for each in _list(item, "attachments") if isinstance(each, dict) and each.get("mime_type") == kind]
    return [url for each in found if (url := _address(each, "url", base))]


def _instant(item: dict[str, Any], now: datetime) -> datetime | None:
    for name in ("date_published", "date_modified"):
        try:
            moment = datetime.fromisoformat(_text(item, name))
        except ValueError:
            continue
        if found := sane_instant(moment, now):
            return found
    return None


def _address(item: dict[str, Any], name: str, base: str) -> str | None:
    text = _text(item, name)
    try:
        return urljoin(base, text.strip()) if text else None
    except ValueError:
        return None


def _text(holder: dict[str, Any], name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""


def _list(holder: dict[str, Any], name: str) -> list[Any]:
    value = holder.get(name)
    return value if isinstance(value, list) else []
