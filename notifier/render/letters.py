"""Letters as mails: one template a kind, in a common frame."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from notifier.errors import Cause, Refused
from notifier.model import Letter, LetterKind, Message
from notifier.render.catalog import LONG_DATE, Catalog, message
from notifier.render.dkim import Dkim
from notifier.render.environment import Kind, environment, rendered
from notifier.render.links import Links, mailbox
from notifier.render.mime import Body, Header, address, alternative, fragment
from notifier.render.text import plain, web_url
from notifier.render.view import LetterView

# By kind the subject, and what the button says.
_WORDS: Mapping[LetterKind, tuple[str, str]] = MappingProxyType(
    {
        LetterKind.LOGIN: (message("Log in to %(site)s"), message("Log in")),
        LetterKind.CONFIRM_SUBSCRIPTION: (message("Confirm the digests of %(site)s"), message("Confirm")),
        LetterKind.CONFIRM_ADDRESS: (message("Use this address for %(site)s again?"), message("Use it again")),
        LetterKind.SLACK_CODE: (message("Your code for Slack"), message("Open the subscription")),
        LetterKind.CHANNEL_GONE: (message("Digests for %(channel)s are stopped"), message("Open the subscription")),
    }
)
_NEEDS_LINK = frozenset({LetterKind.LOGIN, LetterKind.CONFIRM_SUBSCRIPTION, LetterKind.CONFIRM_ADDRESS})


class LetterComposer:
    """The letters of one language."""

    def __init__(self, *, links: Links, catalog: Catalog, overrides: Path | None, dkim: Dkim) -> None:
        self._links = links
        self._dkim = dkim
        self._catalog = catalog
        self._overrides = overrides
        self._html = environment(Kind.HTML, catalog, overrides)
        self._text = environment(Kind.TEXT, catalog, overrides)

    def compose(self, letter: Letter, *, now: datetime) -> Message:
        """Raises TemplateError for a faulty override, Refused for an address or a link that is none."""
        recipient = mailbox(letter.to)
        if not recipient:
            raise Refused(f"Letter {letter.id} goes to '{plain(letter.to)}', which is no mail address.")
        view = self._view(letter, recipient)
        name = f"email/letters/{letter.kind}"
        text = rendered(self._text, f"{name}.txt", self._overrides, view=view)
        html = rendered(self._html, f"{name}.html", self._overrides, view=view)
        bodies = [Body(subtype="plain", fragments=[fragment(text)]), Body(subtype="html", fragments=[fragment(html)])]
        headers, sign = self._headers(letter, view, recipient, now), partial(self._dkim.signatures, at=now)
        raw, _ = alternative(headers, bodies, key=letter.id, sign=sign)
        return Message(
            delivery_id=letter.id,
            format="email",
            subject=view.subject,
            target=recipient,
            sender=self._links.return_path(letter.id),
            parts=(raw,),
            created_at=now,
        )

    def _headers(self, letter: Letter, view: LetterView, recipient: str, now: datetime) -> list[Header]:
        """No List-* among them: who asked for it is no member of a list."""
        links = self._links
        return [
            Header(name="From", text=address(links.sender_name, links.sender_address), structured=True),
            Header(name="To", text=recipient, structured=True),
            Header(name="Subject", text=view.subject),
            Header(name="Date", text=format_datetime(now), structured=True),
            Header(name="Message-ID", text=f"<{letter.id}@{links.domain}>", structured=True),
            Header(name="Auto-Submitted", text="auto-generated", structured=True),
            Header(name="Content-Language", text=self._catalog.language, structured=True),
        ]

    def _view(self, letter: Letter, recipient: str) -> LetterView:
        said = dict(letter.values)
        link = web_url(said.get("link") or self._page_of(letter, said.get("subscription", "")))
        if link is None and letter.kind in _NEEDS_LINK:
            raise Refused(f"Letter {letter.id} has no link to our pages: set base_url.", cause=Cause.MESSAGE)
        site, channel = self._links.sender_name, plain(said.get("channel", ""), 80)
        subject, press = _WORDS[letter.kind]
        return LetterView(
            language=self._catalog.language,
            subject=self._catalog.say(subject, site=site, channel=channel),
            to=recipient,
            site=site,
            link=link,
            press=self._catalog.say(press),
            until=self._until(letter.expires_at.astimezone(ZoneInfo(said.get("timezone") or "UTC"))),
            why=self._why(site),
            summary=plain(said.get("summary", "")),
            reason=plain(said.get("reason", "")),
            channel=channel,
            subscription=plain(said.get("subscription", ""), 40),
        )

    def _page_of(self, letter: Letter, subscription_id: str) -> str | None:
        """Where a stopped subscription is resumed: who stops it knows no pages."""
        return self._links.rules(subscription_id) if letter.kind is LetterKind.CHANNEL_GONE else None

    def _until(self, instant: datetime) -> str:
        return f"{self._catalog.date(instant, LONG_DATE)}, {self._catalog.clock(instant)}"

    def _why(self, site: str) -> str:
        contact = mailbox(self._links.contact)
        if not contact:
            return self._catalog.say("Sent by %(site)s, which looks for new papers by people's rules.", site=site)
        return self._catalog.say(
            "Sent by %(site)s, which looks for new papers by people's rules. Questions: %(contact)s",
            site=site,
            contact=contact,
        )
