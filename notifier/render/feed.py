"""The digests of one subscription as a feed: Atom (RFC 4287) and JSON Feed 1.1, an item a digest.

Both say the same, from one template of HTML. What a feed reader shows is up to it, so there are no styles.
"""

from __future__ import annotations

import json
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

from jinja2 import Environment

from notifier.model import Digest, PastDigest, Subscription
from notifier.render.catalog import Catalog, load
from notifier.render.entries import entry_view
from notifier.render.environment import Kind, environment, rendered
from notifier.render.grouping import Group, grouped
from notifier.render.links import Links
from notifier.render.sentences import digest_view
from notifier.render.text import plain
from notifier.render.view import GroupView

KEPT = 30
"""Digests in a feed: a month of days."""
EXCERPT = 420
ATOM = "http://www.w3.org/2005/Atom"
JSON_FEED = "https://jsonfeed.org/version/1.1"

_SPACE = uuid.UUID("5f0c64d6-4a3c-5a54-9d0e-6a4a5c1f0b7e")
"""In which ids of subscriptions and deliveries become UUIDs; never to be changed, or all would be new again."""
_XML_HAS_NONE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

ElementTree.register_namespace("", ATOM)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    id: str
    title: str
    html: str
    at: datetime
    url: str | None
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    atom: bytes
    json: bytes


class FeedWriter:
    """``overrides`` is the operator's own template folder; ``summaries`` shows what a source's machine made of an
    abstract, marked as such.
    """

    def __init__(self, *, links: Links, overrides: Path | None = None, summaries: bool = False) -> None:
        self._links = links
        self._overrides = overrides
        self._summaries = summaries
        self._words = lru_cache(64)(self._make_words)

    def write(
        self, subscription: Subscription, past: Sequence[PastDigest], *, urls: tuple[str, str] = ("", "")
    ) -> Feeds:
        """``past`` newest first; ``urls`` are the feeds' own addresses, Atom's first. Raises TemplateError."""
        catalog = self._words(subscription.subscriber.language)[0]
        title = catalog.say("Papers for %(who)s", who=plain(subscription.subscriber.email, 100))
        items = [self._item(each) for each in past[:KEPT]]
        page = self._links.rules(subscription.id)
        updated = max((each.at for each in items), default=subscription.created_at)
        return Feeds(
            atom=_atom(_id(subscription.id), title, updated, items, language=catalog.language, own=urls[0], page=page),
            json=_json_feed(title, items, language=catalog.language, own=urls[1], page=page),
        )

    def _item(self, past: PastDigest) -> _Item:
        digest = past.digest
        catalog, env = self._words(digest.subscription.subscriber.language)
        view = digest_view(digest, catalog, self._links)
        if not digest.checked:
            # Why there was nothing is known on its day only.
            view = replace(view, notices=())
        groups = [self._group(each, digest, catalog) for each in grouped(digest.items, is_late=digest.late)]
        return _Item(
            id=_id(digest.delivery_id),
            title=view.subject,
            html=rendered(env, "feed/digest.html", self._overrides, view=view, groups=groups).strip(),
            at=past.at,
            url=self._links.delivery(digest.delivery_id),
            labels=tuple(_labels(digest)),
        )

    def _group(self, group: Group, digest: Digest, catalog: Catalog) -> GroupView:
        year, summaries = digest.slot.local.year, self._summaries
        return GroupView(
            label=group.label,
            entries=tuple(
                entry_view(item, catalog, year=year, limit=EXCERPT, summaries=summaries) for item in group.items
            ),
        )

    def _make_words(self, language: str) -> tuple[Catalog, Environment]:
        catalog = load(language, self._overrides)
        return catalog, environment(Kind.PAGE, catalog, self._overrides)


def _atom(
    id: str, title: str, updated: datetime, items: Sequence[_Item], *, language: str, own: str, page: str | None
) -> bytes:
    feed = ElementTree.Element(f"{{{ATOM}}}feed", {"xml:lang": language})
    _add(feed, "id", id)
    _add(feed, "title", title)
    _add(feed, "updated", _stamp(updated))
    _add(_add(feed, "author"), "name", "Notifier")
    _link(feed, "self", own, "application/atom+xml")
    _link(feed, "alternate", page, "text/html")
    for item in items:
        entry = _add(feed, "entry")
        _add(entry, "id", item.id)
        _add(entry, "title", item.title)
        _add(entry, "published", _stamp(item.at))
        _add(entry, "updated", _stamp(item.at))
        _link(entry, "alternate", item.url, "text/html")
        for label in item.labels:
            _add(entry, "category", term=label)
        _add(entry, "content", item.html, type="html")
    text: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _add(parent: ElementTree.Element, name: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    shown = {key: _xml(value) for key, value in attributes.items()}
    made = ElementTree.SubElement(parent, f"{{{ATOM}}}{name}", shown)
    made.text = None if text is None else _xml(text)
    return made


def _link(parent: ElementTree.Element, rel: str, url: str | None, type: str) -> None:
    if url:
        _add(parent, "link", rel=rel, href=url, type=type)


def _xml(text: str) -> str:
    """Without what XML 1.0 cannot hold, also escaped."""
    return _XML_HAS_NONE.sub("\ufffd", text)


def _json_feed(title: str, items: Sequence[_Item], *, language: str, own: str, page: str | None) -> bytes:
    feed = {
        "version": JSON_FEED,
        "title": title,
        **({"home_page_url": page} if page else {}),
        **({"feed_url": own} if own else {}),
        "language": language,
        "authors": [{"name": "Notifier"}],
        "items": [
            {
                "id": item.id,
                **({"url": item.url} if item.url else {}),
                "title": item.title,
                "content_html": item.html,
                "date_published": _stamp(item.at),
                **({"tags": list(item.labels)} if item.labels else {}),
            }
            for item in items
        ],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode("utf-8", "replace") + b"\n"


def _id(ours: str) -> str:
    """The same for ever, whatever the address of the pages is."""
    return f"urn:uuid:{uuid.uuid5(_SPACE, ours)}"


def _labels(digest: Digest) -> Iterator[str]:
    """Of the rules that brought papers, those with most first."""
    found = (*digest.items, *digest.more)
    counts = Counter(plain(reason.label or reason.query, 60) for item in found for reason in item.reasons)
    yield from (label for label, _ in counts.most_common() if label)


def _stamp(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
