"""Single mails that are no digest: each answers something that somebody did, or says that something ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from notifier.model.deliveries import Sending


class LetterKind(StrEnum):
    """What a letter is for; its words are ``templates/email/letters/KIND.txt`` and ``.html``."""

    LOGIN = "login"
    CONFIRM_SUBSCRIPTION = "confirm_subscription"
    CONFIRM_ADDRESS = "confirm_address"
    """The one kind that goes to an address to which nothing else goes."""
    CHANNEL_GONE = "channel_gone"
    SLACK_CODE = "slack_code"
    """To who says inside Slack that this is their address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter as somebody wants it sent; dropped unsent at ``expires_at``.

    ``values`` are pairs of a name and a text: ``link`` (an address of our own pages; none has more than one),
    ``timezone`` (for the time until which the link works; UTC without), and by kind: ``summary`` (what was
    subscribed to, in a line), ``reason`` (why an address was left alone, or a channel is gone; who asks from
    Slack), ``channel`` and ``subscription`` (its id). They are forgotten once it has an end.
    """

    id: str
    to: str
    kind: LetterKind
    language: str = "en"
    values: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Not shown: a link in it lets whoever has it in."""
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting(Sending):
    """The record of a letter on its way."""

    letter: Letter
