"""A digest as data: the JSON that a webhook is given.

Its shape is a promise to the programs that read it: fields are added, none is taken away or changes its meaning.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from notifier.model import Digest, DigestFollowUp, DigestItem, Message, Reason
from notifier.render.catalog import Catalog
from notifier.render.entries import title
from notifier.render.links import Links
from notifier.render.sentences import digest_view
from notifier.render.text import same_length, web_url

TYPE = "digest"

Data = dict[str, Any]
"""JSON; it leaves this file only as bytes."""


class PayloadComposer:
    """The payloads of one language, which only ``title``, ``notices`` and titles that are missing depend on."""

    def __init__(self, *, links: Links, catalog: Catalog, overrides: Path | None, summaries: bool) -> None:
        self._links = links
        self._catalog = catalog

    def compose(self, digest: Digest, *, now: datetime) -> Message:
        view = digest_view(digest, self._catalog, self._links)
        body = {
            "type": TYPE,
            "timestamp": _stamp(now),
            "data": {
                "id": digest.delivery_id,
                "subscription": digest.subscription.id,
                "title": view.subject,
                "language": view.language,
                "slot": digest.slot.key,
                "due_at": _stamp(digest.slot.due_at),
                "timezone": digest.slot.zone,
                "period": {"start": _stamp(digest.period_start), "end": _stamp(digest.period_end)},
                "checked": digest.checked,
                "late": digest.late,
                "notices": list(view.notices),
                "papers": list(self._papers(digest)),
                "follow_ups": [self._follow_up(each) for each in digest.follow_ups],
                "url": self._links.delivery(digest.delivery_id),
            },
        }
        return Message(
            delivery_id=digest.delivery_id,
            format="json",
            subject=view.subject,
            target=digest.subscription.address.target,
            # In ASCII, so that no program on the way can read it as another encoding.
            parts=(json.dumps(body, separators=(",", ":")).encode("ascii"),),
            created_at=now,
        )

    def _papers(self, digest: Digest) -> Iterator[Data]:
        for item in digest.items:
            yield self._paper(item, shown=True)
        for item in digest.more:
            yield self._paper(item, shown=False)

    def _paper(self, item: DigestItem, *, shown: bool) -> Data:
        entry = item.entry
        return {
            "id": _text(entry.id),
            "title": title(entry, self._catalog),
            "url": web_url(entry.url),
            "pdf_url": web_url(entry.pdf_url),
            "code_url": web_url(entry.code_url),
            # What stands behind "more" is a line: hundreds of abstracts would be too much for most receivers.
            "abstract": _text(entry.abstract) if shown else None,
            "authors": [_text(each) for each in entry.authors],
            "author_count": entry.author_count,
            "organization": _text(entry.organization) if entry.organization else None,
            "categories": [_text(each) for each in entry.categories],
            "keywords": [_text(each) for each in entry.keywords],
            "published_at": _stamp(entry.published_at) if entry.published_at else None,
            "upvotes": entry.upvotes,
            "comments": entry.comments,
            "version": entry.version,
            "late": item.late,
            "shown": shown,
            "because": [_because(each) for each in item.reasons],
        }

    def _follow_up(self, each: DigestFollowUp) -> Data:
        return {
            "id": _text(each.entry.id),
            "title": title(each.entry, self._catalog),
            "url": web_url(each.entry.url),
            "kind": str(each.what.kind),
            "value": _text(each.what.value),
            "since": _stamp(each.what.since),
        }


def _because(reason: Reason) -> Data:
    return {
        "rule": reason.rule_id,
        "label": _text(reason.label),
        "query": _text(reason.query),
        "evidence": [{"field": each.field, "text": _text(each.text)} for each in reason.evidence],
    }


def _text(text: str) -> str:
    """A lone surrogate would be JSON that strict readers refuse."""
    return same_length(text)


def _stamp(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
