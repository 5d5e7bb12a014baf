"""A digest as plain text for chats: short, in as many messages as it takes, nothing of it active.

What a chat makes of text is not known here. So what chats take for a mention of people or for markup that hides an
address is broken by a space without width; addresses stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from notifier.model import Digest, DigestItem, Message
from notifier.render.catalog import Catalog
from notifier.render.entries import entry_view
from notifier.render.environment import Kind, environment, rendered
from notifier.render.grouping import grouped
from notifier.render.links import Links
from notifier.render.sentences import digest_view
from notifier.render.view import DigestView

CHARACTERS = 1_600
"""Of one message: Discord takes 2,000 with its title."""
BYTES = 3_500
"""ntfy takes 4,096, and makes a file of what is longer."""

_CACHED = 4096
# Ends where markup could begin: ours hold no angle brackets.
_URL = re.compile(r"https?://[^\s<>\]]+")
# @everyone, <@U…>, <!channel>, <users/all>, @**all**; [words](address) hides where it leads.
_ACTIVE = re.compile(r"@(?=\S)|<(?=[@!#:/A-Za-z])|\](?=\()")
_SPACELESS = "\u200b"


class ChatComposer:
    """The chat messages of one language."""

    def __init__(self, *, links: Links, catalog: Catalog, overrides: Path | None, summaries: bool) -> None:
        self._links = links
        self._catalog = catalog
        self._overrides = overrides
        self._summaries = summaries
        self._env = environment(Kind.TEXT, catalog, overrides)
        self._entry = lru_cache(_CACHED)(self._render_entry)

    def compose(self, digest: Digest, *, now: datetime) -> Message:
        """Raises TemplateError for a faulty override."""
        view = digest_view(digest, self._catalog, self._links)
        return Message(
            delivery_id=digest.delivery_id,
            format="text",
            subject=inactive(view.subject),
            target=digest.subscription.address.target,
            parts=tuple(text.encode("utf-8", "replace") for text in _packed(self._pieces(digest, view))),
            created_at=now,
        )

    def _pieces(self, digest: Digest, view: DigestView) -> Iterator[str]:
        yield self._text("head", view=view)
        year = digest.slot.local.year
        for group in grouped(digest.items, is_late=digest.late):
            lead = f"{self._text('group', label=group.label)}\n\n" if group.label else ""
            for item in group.items:
                yield lead + self._entry(item, year)
                lead = ""
        if view.more is not None:
            yield from self._text("more", view=view).splitlines()
        if view.follow_ups:
            yield self._text("follow_ups", view=view)
        yield self._text("foot", view=view)

    def _render_entry(self, item: DigestItem, year: int) -> str:
        view = entry_view(item, self._catalog, year=year, limit=0, summaries=self._summaries)
        return self._text("entry", entry=view)

    def _text(self, name: str, **context: object) -> str:
        return inactive(rendered(self._env, f"text/{name}.txt", self._overrides, **context).strip())


def inactive(text: str) -> str:
    """``text`` with nothing in it that a chat would act on; its addresses as they are."""
    done, at = [], 0
    for url in _URL.finditer(text):
        done += [_ACTIVE.sub(rf"\g<0>{_SPACELESS}", text[at : url.start()]), url[0].replace("@", "%40")]
        at = url.end()
    return "".join([*done, _ACTIVE.sub(rf"\g<0>{_SPACELESS}", text[at:])])


def _packed(pieces: Iterable[str]) -> list[str]:
    """Messages filled in order, a piece in one message if it fits in any."""
    messages = [""]
    for piece in filter(None, pieces):
        for part in [piece] if _fits(piece) else _cut(piece):
            longer = f"{messages[-1]}\n\n{part}" if messages[-1] else part
            if _fits(longer):
                messages[-1] = longer
            else:
                messages.append(part)
    return messages


def _fits(text: str) -> bool:
    return len(text) <= CHARACTERS and len(text.encode("utf-8", "replace")) <= BYTES


def _cut(piece: str) -> Iterator[str]:
    """By lines, and a line that is too long by what is surely short enough."""
    size = min(CHARACTERS, BYTES // 4)
    for line in piece.splitlines():
        yield from [line] if _fits(line) else (line[at : at + size] for at in range(0, len(line), size))
