"""Who may ask the program for what through the API, what was answered, and what operators did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What a token is good for."""

    ENTRIES = "entries"
    """Read papers, search them, read topics."""
    SUBSCRIPTIONS = "subscriptions"
    """Read subscriptions, their rules, digests and the next one."""
    RULES = "rules"
    """Change rules and subscriptions."""
    FEED = "feed"
    """Add papers."""
    BOUNCES = "bounces"
    """Hand in mail that came back."""
    METRICS = "metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A token without its secret, of which only a hash is kept.

    ``owner`` is the email of the subscriber whose things it opens; empty for one of the operator's, which opens
    everybody's. ``made_by`` is the operator's email where a page made it; empty from the command line.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    owner: str = ""
    made_by: str = ""
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    """When it was last seen in use, to the hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request with an idempotency key was answered; ``request`` is a digest of what was asked."""

    token_id: str
    key: str
    request: str
    status: int
    body: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that an operator did, by a page: ``act`` in a word or two, ``subject`` is what it was done to."""

    at: datetime
    actor: str
    act: str
    subject: str
