"""Who has logged in, and what waits for somebody to press a button."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from notifier.model.people import Subscriber


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that is logged in. ``browser`` is in words, such as ``Firefox on Linux``."""

    id: str
    subscriber: Subscriber
    browser: str
    created_at: datetime
    expires_at: datetime


class TicketKind(StrEnum):
    LOGIN = "login"
    SUBSCRIBE = "subscribe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a mailed link does, once, until it expires. ``values`` are what its kind needs, as text."""

    kind: TicketKind
    email: str
    values: tuple[tuple[str, str], ...] = ()
    created_at: datetime
    expires_at: datetime
