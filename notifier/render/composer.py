"""The Renderer: a digest as one of the registered formats, and letters, in the subscriber's language."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Protocol

from notifier.model import Digest, Letter, Message
from notifier.render.catalog import Catalog, load
from notifier.render.chat import ChatComposer
from notifier.render.dkim import UNSIGNED, Dkim
from notifier.render.letters import LetterComposer
from notifier.render.links import Links
from notifier.render.mail import MailComposer
from notifier.render.payload import PayloadComposer
from notifier.render.slack import SlackComposer


class Format(Protocol):
    def compose(self, digest: Digest, *, now: datetime) -> Message: ...


class Make(Protocol):
    def __call__(self, *, links: Links, catalog: Catalog, overrides: Path | None, summaries: bool) -> Format: ...


FORMATS = frozenset({"email", "slack", "json", "text"})


class Composer:
    """Implements ``ports.Renderer`` and ``ports.LetterWriter``; ``overrides`` is the operator's own template folder.

    ``summaries`` shows, marked as such, what a source's machine made of an abstract; ``threads`` puts what Slack
    shows of papers into the thread of a short first message, ``menus`` gives each paper a menu there; ``dkim`` signs
    mails, ``conversations`` makes the digests of a subscription one for mail programs.
    """

    def __init__(
        self,
        *,
        links: Links,
        overrides: Path | None = None,
        summaries: bool = False,
        threads: bool = False,
        menus: bool = False,
        dkim: Dkim = UNSIGNED,
        conversations: bool = False,
    ) -> None:
        self._formats: dict[str, Make] = {
            "email": partial(MailComposer, dkim=dkim, conversations=conversations),
            "slack": partial(SlackComposer, threads=threads, menus=menus),
            "json": PayloadComposer,
            "text": ChatComposer,
        }
        self._summaries = summaries
        self._links = links
        self._dkim = dkim
        self._overrides = overrides
        self._format = lru_cache(64)(self._make)
        self._letters = lru_cache(16)(self._make_letters)

    def render(self, digest: Digest, format: str, *, now: datetime) -> Message:
        """Raises TemplateError for a faulty override, KeyError for a format that nobody registered."""
        return self._format(format, digest.subscription.subscriber.language).compose(digest, now=now)

    def write(self, letter: Letter, *, now: datetime) -> Message:
        """Raises TemplateError for a faulty override, Refused for an address or a link that is none."""
        return self._letters(letter.language).compose(letter, now=now)

    def _make_letters(self, language: str) -> LetterComposer:
        catalog = load(language, self._overrides)
        return LetterComposer(links=self._links, catalog=catalog, overrides=self._overrides, dkim=self._dkim)

    def _make(self, format: str, language: str) -> Format:
        catalog, overrides = load(language, self._overrides), self._overrides
        return self._formats[format](links=self._links, catalog=catalog, overrides=overrides, summaries=self._summaries)
