"""Any RSS or Atom feed, arXiv's announcements among them.

A feed is asked conditionally, and what it says is compared with what it said last, because servers put build times
into equal feeds. An answer that is no feed (a login page, an empty body) is a failure and never "nothing new".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b, sha256

from notifier.clean import link, plain
from notifier.errors import SourceError
from notifier.model import Fetched, Sighting, SourceState
from notifier.sources.feed_items import Parsed
from notifier.sources.feed_worker import Job, parse_apart
from notifier.sources.http import Http, Reply, failure, host_of
from notifier.sources.kind import Kind

_ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_QUERY_ERROR = "feed error for query"


class Feed:
    takes_baseline = True

    def __init__(self, url: str, *, http: Http, name: str) -> None:
        self._url = url
        self._http = http
        self._name = name

    async def fetch(self, state: SourceState, *, now: datetime) -> Fetched:
        # arXiv says what is wrong with a request in a feed of status 400.
        reply = await self._http.get(
            self._url, accept=_ACCEPT, etag=state.etag, last_modified=state.last_modified, also=(400,), now=now
        )
        if reply.is_not_modified:
            return Fetched(state=state, unchanged=True, moved_to=reply.moved_to)
        body_hash = _body_hash(reply.body)
        before = (state.content_hash or "").split(" ")
        answered = SourceState(
            etag=reply.headers.get("etag"),
            last_modified=reply.headers.get("last-modified"),
            content_hash=state.content_hash,
        )
        if body_hash == before[0] and reply.status != 400:
            return Fetched(state=answered, unchanged=True, moved_to=reply.moved_to)
        parsed = await self._parse(reply, now)
        items_hash = _items_hash(parsed.sightings)
        answered = replace(answered, content_hash=f"{body_hash} {items_hash}")
        if items_hash == before[-1]:
            return Fetched(state=answered, unchanged=True, rejected=parsed.rejected, moved_to=reply.moved_to)
        return Fetched(sightings=parsed.sightings, rejected=parsed.rejected, state=answered, moved_to=reply.moved_to)

    async def _parse(self, reply: Reply, now: datetime) -> Parsed:
        host = host_of(reply.url)
        if not reply.body.strip():
            raise SourceError(f"{host} answered with an empty page instead of a feed: it is asked again later.")
        if _HTML.match(reply.body[:4096]):
            raise SourceError(_not_a_feed(host))
        content_type = reply.headers.get("content-type", "")
        job = Job(content_type=content_type, url=reply.url, source=self._name, now=now)
        parsed = await parse_apart(job, reply.body, apart=self._http.apart)
        if parsed.title.casefold().startswith(_QUERY_ERROR):
            raise SourceError(f"{host} does not understand the request ({parsed.title}): check the feed's address.")
        if reply.status == 400:
            raise failure(reply, now)
        if not parsed.is_feed:
            raise SourceError(_not_a_feed(host))
        return parsed


def _body_hash(body: bytes) -> str:
    # Of megabytes at every fetch: processors have SHA-256 built in, which halves the time of BLAKE2.
    return sha256(body).hexdigest()[:32]


def _items_hash(sightings: Iterable[Sighting]) -> str:
    """Whatever their order. Of each its own digest: all of them as text would be the largest thing in our memory."""
    each = sorted(blake2b(repr(one).encode("utf-8", "replace"), digest_size=16).digest() for one in sightings)
    return blake2b(b"".join(each), digest_size=16).hexdigest()


def _not_a_feed(host: str) -> str:
    return f"{host} answered with a page that is no feed: open it in a browser; it may ask to log in."


def _claims(text: str) -> bool:
    return link(text) is not None and bool(plain(text))


KIND = Kind(claims=_claims, open=Feed)
