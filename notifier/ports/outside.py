"""The seams to sources, channels and templates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from notifier.model import Digest, Fetched, Gap, Letter, Message, Page, Receipt, Sighting, SourceState


class Source(Protocol):
    """Somewhere entries come from."""

    @property
    def takes_baseline(self) -> bool:
        """Whether the first fetch only sets the baseline: entries are stored, but are no news."""
        ...

    async def fetch(self, state: SourceState, *, now: datetime) -> Fetched:
        """Ask once. Raises SourceError when there is no usable answer; never returns an empty guess."""
        ...


@runtime_checkable
class Archive(Source, Protocol):
    """A source that can also be asked for days gone by."""

    def settled(self, state: SourceState, *, now: datetime) -> date:
        """The last day that can be filled up without taking away from the news still to come."""
        ...

    @property
    def scope(self) -> str:
        """What of the source is asked for, as ``Gap.scope``."""
        ...

    async def page(self, gap: Gap, *, now: datetime) -> Page:
        """Ask once, from ``gap.cursor`` on. Raises SourceError when there is no usable answer."""
        ...


@runtime_checkable
class LooksUp(Protocol):
    """A source that can be asked for single papers."""

    async def look_up(self, ids: Sequence[str], *, now: datetime) -> tuple[Sighting, ...]:
        """Those with these ids, in any spelling; one that is not there is absent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """When a service may be asked, and until when it wants to be left alone, which may be past."""

    at: datetime
    rest_until: datetime | None = None


class Channel(Protocol):
    """Somewhere messages go."""

    @property
    def at_once(self) -> int:
        """How many messages it takes side by side."""
        ...

    def account(self, target: str) -> str:
        """What of the channel ``target`` depends on (a workspace): when that is away or stopped, others are not."""
        ...

    async def send(self, message: Message) -> Receipt:
        """Deliver every part behind ``message.accepted``. Raises one of the SendErrors otherwise."""
        ...

    async def check(self) -> str:
        """Log in and look around without sending; a sentence of what is there. Raises SendError."""
        ...

    async def close(self) -> None: ...


LONGEST_MAIL = 2 * 1024 * 1024
"""Bytes of a mail to us that are looked at: what reports say comes first in it, what is returned last."""


class Mailbox(Protocol):
    """Somewhere mail to us comes in."""

    @property
    def name(self) -> str: ...

    def each(self, take: Callable[[bytes], bool]) -> None:
        """Hand each new mail (its first ``LONGEST_MAIL`` bytes) to ``take``, and mark it when that has come back.

        It is marked as seen where ``take`` says that it was for us, else only as read by us, and handed out once.
        Raises MailboxError; what was handed out before stays marked.
        """
        ...

    def check(self) -> str:
        """Look whether it is there; a sentence. Raises MailboxError."""
        ...


class Renderer(Protocol):
    def render(self, digest: Digest, format: str, *, now: datetime) -> Message:
        """Compose ``digest`` as the format of ``Message.format``. Raises TemplateError for a faulty override."""
        ...


class LetterWriter(Protocol):
    def write(self, letter: Letter, *, now: datetime) -> Message:
        """``letter`` as a mail. Raises TemplateError for a faulty override, Refused for what cannot be sent."""
        ...
