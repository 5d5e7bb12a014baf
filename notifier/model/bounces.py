"""Mail that came back, and addresses that get none any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class BounceKind(StrEnum):
    HARD = "hard"
    """The address is not there, and will not be."""
    SOFT = "soft"
    """It takes no mail now: full, away, too busy."""
    COMPLAINT = "complaint"
    """Its owner called our mail spam."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """One mail that came back; ``status`` is the enhanced code (RFC 3463), ``reason`` one line of what was said."""

    address: str
    kind: BounceKind
    at: datetime
    status: str = ""
    reason: str = ""
    delivery_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The owner of an address was asked whether it may be used again; void where ``until`` is not after ``at``."""

    id: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """An address that nothing is sent to; ``reason`` is a sentence. ``kind`` None: an operator said so."""

    address: str
    since: datetime
    reason: str
    kind: BounceKind | None = None
    question: Question | None = None
