"""A digest as an email: HTML and a text written for itself, put together from fragments.

An entry's fragment depends on the entry, its reasons and the language alone, so one rendering (and one transfer
encoding) of it serves every subscriber.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache, partial
from pathlib import Path

from notifier.errors import Refused, TemplateError
from notifier.model import Digest, DigestItem, Message, Shared
from notifier.render.catalog import Catalog
from notifier.render.dkim import UNSIGNED, Dkim
from notifier.render.entries import entry_view
from notifier.render.environment import Kind, environment, rendered
from notifier.render.frame import Frame, Shaped, wrap_later
from notifier.render.grouping import fewer, grouped
from notifier.render.links import Links, mailbox
from notifier.render.mime import Body, Fragment, Header, address, alternative, fragment
from notifier.render.sentences import digest_view
from notifier.render.text import plain, wrap
from notifier.render.view import DigestView

HTML_LIMIT = 90_000
"""Bytes. Gmail clips at about 102 KB and hides what comes after, the unsubscribe link too."""

EXCERPTS = (420, 220)
"""Characters of an excerpt: as it should be, and where the mail would get too long."""

_CACHED = 4096
_MOST_ANSWERED = 8
# No cleaned text can hold it, and HTML escapes none of it.
_ENTRIES = "\x00entries\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    html: Fragment
    text: Fragment


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bodies:
    html: list[Fragment]
    text: list[Fragment]

    @property
    def html_size(self) -> int:
        return sum(len(each.raw) for each in self.html)


class _Shown:
    """An entry for whoever has a rule that says the same: who that is makes no difference to its fragment.

    The entry itself stands for its content; it lives as long as this does.
    """

    __slots__ = ("_hash", "_key", "excerpt", "item", "year")

    def __init__(self, item: DigestItem, year: int, excerpt: int) -> None:
        self.item, self.year, self.excerpt = item, year, excerpt
        reasons = [(each.label, each.query, each.evidence) for each in item.reasons]
        self._key = (id(item.entry), item.growth, item.late, year, excerpt, *reasons)
        self._hash = hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shown) and self._key == other._key

    def __hash__(self) -> int:
        return self._hash


class MailComposer:
    """The mails of one language."""

    def __init__(
        self,
        *,
        links: Links,
        catalog: Catalog,
        overrides: Path | None,
        summaries: bool,
        dkim: Dkim = UNSIGNED,
        conversations: bool = False,
    ) -> None:
        self._links = links
        self._dkim = dkim
        self._conversations = conversations
        self._catalog = catalog
        self._overrides = overrides
        self._summaries = summaries
        self._html = environment(Kind.HTML, catalog, overrides)
        self._text = environment(Kind.TEXT, catalog, overrides)
        self._entry = lru_cache(_CACHED)(self._render_entry)
        self._frames = {Kind.HTML: self._frame(Kind.HTML), Kind.TEXT: self._frame(Kind.TEXT)}

    def compose(self, digest: Digest, *, now: datetime) -> Message:
        """Raises TemplateError for a faulty override, Refused for an address that is none."""
        recipient = mailbox(_address(digest))
        if not recipient:
            wrong, id = plain(_address(digest)), digest.subscription.id
            raise Refused(f"Subscription {id} goes to '{wrong}', which is no mail address: change it.")
        view = digest_view(digest, self._catalog, self._links)
        bodies = self._fitting(digest, view)
        parts = [Body(subtype="plain", fragments=bodies.text), Body(subtype="html", fragments=bodies.html)]
        headers = self._headers(digest, view.subject, recipient, now)
        whole, kept = alternative(headers, parts, key=digest.delivery_id, sign=partial(self._dkim.signatures, at=now))
        return Message(
            delivery_id=digest.delivery_id,
            format="email",
            subject=view.subject,
            target=recipient,
            sender=self._links.return_path(digest.delivery_id),
            parts=(whole,),
            created_at=now,
            shared=tuple(Shared(0, start, text) for start, text in kept),
        )

    def _headers(self, digest: Digest, subject: str, recipient: str, now: datetime) -> list[Header]:
        links, subscription = self._links, digest.subscription
        page, mail = links.unsubscribe(subscription.id), links.unsubscribe_mail(subscription.id)
        name = plain(subscription.subscriber.name, 80)
        lines = [
            ("From", address(links.sender_name, links.sender_address)),
            ("To", address(name, recipient)),
            ("Date", format_datetime(now)),
            ("Message-ID", links.message_id(digest.delivery_id, digest.slot.key)),
            *self._answered(digest),
            ("List-Id", f"<{subscription.id}.notifier.{links.domain}>"),
            ("List-Unsubscribe", f"<{page}>, <{mail}>" if page else f"<{mail}>"),
            *([("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")] if page else []),
            ("Auto-Submitted", "auto-generated"),
            ("Content-Language", self._catalog.language),
        ]
        structured = [Header(name=name, text=text, structured=True) for name, text in lines]
        return [*structured[:2], Header(name="Subject", text=subject), *structured[2:]]

    def _answered(self, digest: Digest) -> list[tuple[str, str]]:
        """What of earlier mails it continues: a digest of follow-ups alone answers those that had their papers."""
        earlier = digest.earlier
        followed = earlier.followed if not digest.items else ()
        last = [earlier.last] if self._conversations and earlier.last and not followed else []
        answered = [self._links.message_id(*each) for each in [*followed[-_MOST_ANSWERED:], *last]]
        root = [self._links.conversation(digest.subscription.id)] if self._conversations else []
        lines = [("In-Reply-To", answered[-1])] if answered else []
        return [*lines, ("References", " ".join([*root, *answered]))] if root or answered else []

    def _fitting(self, digest: Digest, view: DigestView) -> _Bodies:
        """Shorter excerpts first, then fewer entries, until the HTML is within its limit."""
        for excerpt in EXCERPTS:
            bodies = self._bodies(digest, view, excerpt)
            if bodies.html_size <= HTML_LIMIT:
                return bodies
        shown = len(digest.items)
        while bodies.html_size > HTML_LIMIT and shown:
            # In proportion, and always one less: a few rounds, whatever the sizes are.
            shown = min(shown - 1, shown * HTML_LIMIT // bodies.html_size)
            fitting = fewer(digest, shown)
            bodies = self._bodies(fitting, digest_view(fitting, self._catalog, self._links), EXCERPTS[-1])
        if bodies.html_size > HTML_LIMIT:
            size = f"{bodies.html_size // 1000} KB"
            raise TemplateError(
                f"The template email/digest.html alone makes {size}, more than mails may have: shorten it."
            )
        return bodies

    def _bodies(self, digest: Digest, view: DigestView, excerpt: int) -> _Bodies:
        shaped = Shaped(view)
        html_head, html_tail = self._frames[Kind.HTML](shaped)
        text_head, text_tail = self._frames[Kind.TEXT](shaped)
        entries = list(self._entries(digest, excerpt))
        return _Bodies(
            html=[*html_head, *(each.html for each in entries), *html_tail],
            text=[*text_head, *(each.text for each in entries), *text_tail],
        )

    def _frame(self, kind: Kind) -> Callable[[Shaped], tuple[list[Fragment], list[Fragment]]]:
        """How what is around the entries is made; an operator's template may look into what it is given."""
        wrapper = wrap if self._overrides else wrap_later
        env = environment(kind, self._catalog, self._overrides, wrapper=wrapper)
        name = "email/digest.html" if kind is Kind.HTML else "email/digest.txt"

        def around(view: DigestView) -> tuple[str, str]:
            text = rendered(env, name, self._overrides, view=view, entries=_ENTRIES)
            if text.count(_ENTRIES) != 1:
                place = self._overrides / name if self._overrides else name
                raise TemplateError(f"The template {place} has to show {{{{ entries }}}} exactly once.")
            head, _, tail = text.partition(_ENTRIES)
            return head, tail.removeprefix("\n")

        def each_time(shaped: Shaped) -> tuple[list[Fragment], list[Fragment]]:
            head, tail = around(shaped.view)
            return [fragment(head)], [fragment(tail)]

        return each_time if self._overrides else Frame(around, markup=kind is Kind.HTML).fill

    def _entries(self, digest: Digest, excerpt: int) -> Iterator[_Entry]:
        year = digest.slot.local.year
        for group in grouped(digest.items, is_late=digest.late):
            if group.label:
                yield self._pair("group", label=group.label)
            for item in group.items:
                yield self._entry(_Shown(item, year, excerpt))

    def _render_entry(self, shown: _Shown) -> _Entry:
        view = entry_view(shown.item, self._catalog, year=shown.year, limit=shown.excerpt, summaries=self._summaries)
        return self._pair("entry", entry=view)

    def _pair(self, name: str, **context: object) -> _Entry:
        return _Entry(
            html=fragment(rendered(self._html, f"email/{name}.html", self._overrides, **context), kept=True),
            text=fragment(rendered(self._text, f"email/{name}.txt", self._overrides, **context), kept=True),
        )


def _address(digest: Digest) -> str:
    subscription = digest.subscription
    named = subscription.address.target if subscription.address.kind == "email" else ""
    return named or subscription.subscriber.email
