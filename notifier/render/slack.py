"""A digest as Slack messages: blocks within the documented limits, as many messages as it takes.

What blocks say comes from templates as mrkdwn; the JSON is built from objects, never from text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from notifier.model import Digest, DigestItem, Message
from notifier.render.blocks import (
    BLOCKS,
    CHARACTERS,
    SECTION,
    Block,
    actions,
    button,
    context,
    divider,
    header,
    overflow,
    section,
)
from notifier.render.catalog import Catalog, message
from notifier.render.entries import entry_view
from notifier.render.environment import Kind, environment, rendered
from notifier.render.excerpt import Piece
from notifier.render.grouping import grouped
from notifier.render.links import Links
from notifier.render.mrkdwn import cut, escape
from notifier.render.sentences import digest_view
from notifier.render.text import clip
from notifier.render.view import DigestView

EXCERPT = 420
DIVIDED_FROM = 8
"""Entries from which on a line between them helps more than it costs."""

_CACHED = 4096
_TIMESTAMP = re.compile(r"\d+\.\d+")
"""How Slack names a message; what is posted by an incoming webhook has no such name."""

MENU = {
    "save": message("Save"),
    "mute": message("Mute a word…"),
    "more": message("More like this…"),
    "read": message("I'll read it"),
    "why": message("Why this?"),
}
"""What can be done with a paper where somebody answers: the first word of the value, and what the menu says."""


def mark_of(entry_id: str) -> str:
    """Names an entry within its delivery, in the little room that a menu has; ids can be whole addresses."""
    return sha256(entry_id.encode("utf-8", "replace")).hexdigest()[:12]


class SlackComposer:
    """The Slack messages of one language; with ``threads`` head and foot are one, and the rest is in its thread.

    ``menus`` gives each entry a menu, where somebody answers it.
    """

    def __init__(
        self,
        *,
        links: Links,
        catalog: Catalog,
        overrides: Path | None,
        summaries: bool,
        threads: bool = False,
        menus: bool = False,
    ) -> None:
        self._threads = threads
        self._menus = menus
        self._links = links
        self._catalog = catalog
        self._overrides = overrides
        self._summaries = summaries
        self._env = environment(Kind.MRKDWN, catalog, overrides)
        self._entry = lru_cache(_CACHED)(self._render_entry)

    def compose(self, digest: Digest, *, now: datetime) -> Message:
        """Raises TemplateError for a faulty override."""
        view = digest_view(digest, self._catalog, self._links)
        if self._menus:
            # Who reads it here changes it here, and not in a shell.
            footer = replace(view.footer, rules_command="/papers list", pause_command="/papers pause")
            view = replace(view, footer=footer)
        address = digest.subscription.address
        groups = list(self._groups(digest, view))
        return Message(
            delivery_id=digest.delivery_id,
            format="slack",
            subject=view.subject,
            target=address.target or digest.subscription.subscriber.email,
            parts=tuple(self._parts(digest, view, groups)),
            created_at=now,
        )

    def _parts(self, digest: Digest, view: DigestView, groups: list[list[Block]]) -> Iterator[bytes]:
        packed = _packed(groups)
        if self._threads and len(groups) > 2:
            packed = [[*groups[0], *groups[-1]], *_packed(groups[1:-1])]
        thread = _answered(digest)
        for number, blocks in enumerate(packed):
            said = _arguments(_fallback(view, number, len(packed)), blocks, digest.delivery_id, number)
            yield _json({**said, **thread})

    def _groups(self, digest: Digest, view: DigestView) -> Iterator[list[Block]]:
        """Blocks that stay together: the head, each entry, the foot."""
        head = [header(view.heading), *self._context("head", view=view)]
        yield [*head, *self._section("notices", view=view)]
        is_divided = len(digest.items) >= DIVIDED_FROM
        year = digest.slot.local.year
        for group in grouped(digest.items, is_late=digest.late):
            lead = self._section("group", label=group.label) if group.label else []
            for item in group.items:
                yield [*lead, *([divider()] if is_divided else []), *self._with_menu(digest, item, year)]
                lead = []
        yield from ([section] for section in self._more(view))
        yield from ([section] for section in self._follow_ups(view))
        yield [*self._context("foot", view=view), *actions([*_buttons(view, self._catalog), *self._edit(digest, view)])]

    def _with_menu(self, digest: Digest, item: DigestItem, year: int) -> Iterator[Block]:
        """The title's block carries the menu: it alone differs between digests that show the same entry."""
        first, *others = self._entry(item, year)
        if self._menus:
            about = f"{digest.delivery_id} {mark_of(item.entry.id)}"
            options = [(self._catalog.say(text), f"{deed} {about}") for deed, text in MENU.items()]
            first = {**first, "accessory": overflow("notifier_entry", options)}
        yield first
        yield from others

    def _render_entry(self, item: DigestItem, year: int) -> tuple[Block, ...]:
        entry = entry_view(item, self._catalog, year=year, limit=EXCERPT, summaries=self._summaries)
        entry = replace(entry, excerpt=_markable(entry.excerpt))
        return (
            *self._section("title", entry=entry),
            *self._context("about", entry=entry),
            *self._section("excerpt", entry=entry),
        )

    def _edit(self, digest: Digest, view: DigestView) -> list[Block]:
        """Opens the form here, where no page does it."""
        if not self._menus or view.footer.rules_url:
            return []
        return [button("notifier_edit", self._catalog.say("Edit rules"), value=digest.subscription.id)]

    def _more(self, view: DigestView) -> Iterator[Block]:
        """Titles behind the cap, line by line, where no page can show them."""
        if view.more is not None and not view.more.url:
            yield from self._lines("more", view)

    def _follow_ups(self, view: DigestView) -> Iterator[Block]:
        if view.follow_ups:
            yield from self._lines("follow_ups", view)

    def _lines(self, name: str, view: DigestView) -> Iterator[Block]:
        """As many sections as it takes, no line parted."""
        lines: list[str] = []
        used = 0
        for line in self._text(name, view=view).splitlines():
            if used + len(line) + 1 > SECTION:
                yield section("\n".join(lines))
                lines, used = [], 0
            lines.append(cut(line, SECTION - 1))
            used += len(lines[-1]) + 1
        yield section("\n".join(lines))

    def _text(self, name: str, **context: object) -> str:
        return rendered(self._env, f"slack/{name}.txt", self._overrides, **context).strip()

    def _section(self, name: str, **values: object) -> list[Block]:
        text = self._text(name, **values)
        return [section(text)] if text else []

    def _context(self, name: str, **values: object) -> list[Block]:
        text = self._text(name, **values)
        return [context(text)] if text else []


def _markable(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Slack shows stars inside a word as stars: a mark there is taken off."""
    out = []
    for at, piece in enumerate(pieces):
        before = pieces[at - 1].text[-1:] if at else ""
        after = pieces[at + 1].text[:1] if at + 1 < len(pieces) else ""
        out.append(replace(piece, marked=piece.marked and not before.isalnum() and not after.isalnum()))
    return tuple(out)


def _packed(groups: list[list[Block]]) -> list[list[Block]]:
    """Fill messages in order, never parting a group."""
    messages: list[list[Block]] = [[]]
    used = 0
    for group in groups:
        size = len(_json(group).decode())
        if messages[-1] and (len(messages[-1]) + len(group) > BLOCKS or used + size > CHARACTERS - 1_000):
            messages.append([])
            used = 0
        messages[-1] += group
        used += size
    return messages


def _arguments(text: str, blocks: list[Block], delivery_id: str, number: int) -> Block:
    """The arguments of one chat.postMessage but its channel; ``part`` counts from 0, as ``Message.parts`` does."""
    return {
        "text": text,
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {"event_type": "notifier_digest", "event_payload": {"delivery": delivery_id, "part": number}},
    }


def _answered(digest: Digest) -> Block:
    """What becomes of papers is said in the thread of the message that had them, unless there are new ones, too."""
    reference = digest.earlier.reference if not digest.items else ""
    return {"thread_ts": reference} if _TIMESTAMP.fullmatch(reference) else {}


def _fallback(view: DigestView, number: int, total: int) -> str:
    subject = cut(escape(clip(view.subject, 300)), 500)
    return f"{subject} ({number + 1}/{total})" if total > 1 else subject


def _buttons(view: DigestView, catalog: Catalog) -> list[Block]:
    named = [
        ("more", view.more.text if view.more else "", view.more.url if view.more else None),
        ("rules", catalog.say("Edit rules"), view.footer.rules_url),
    ]
    return [button(f"notifier_{name}", text, url=url) for name, text, url in named if url]


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
