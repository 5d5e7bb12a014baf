"""The record of a digest on its way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from notifier.errors import Cause
from notifier.model.digests import FollowUp, Message, Reason
from notifier.model.people import Slot


class DeliveryState(StrEnum):
    PLANNED = "planned"
    CLAIMED = "claimed"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    HELD = "held"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryItem:
    """One line of the ledger: this entry, at this rank (0-based), for these reasons."""

    entry_id: str
    rank: int
    shown: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """The record of one message on its way, whatever it says."""

    id: str
    state: DeliveryState = DeliveryState.PLANNED
    created_at: datetime
    attempts: int = 0
    next_attempt_at: datetime
    lease_until: datetime | None = None
    fence: int = 0
    """Grows with every claim; an outcome is recorded only by the claim that holds the latest."""
    reason: str | None = None
    cause: Cause | None = None
    """What the latest failure was about; ``reason`` says it in words."""
    failing_since: datetime | None = None
    """The first attempt that failed for now, also of digests whose entries it took over."""
    unknowns: int = 0
    """Attempts of which nobody can know whether they arrived."""
    sent_at: datetime | None = None
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Sending):
    """The record of one digest on its way."""

    subscription_id: str
    slot: Slot
    period_start: datetime
    period_end: datetime
    checked: int
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A part of a claimed delivery is about to go out; ``accepted`` are through, the lease counts from ``at``.

    Of a letter as of a delivery: ``delivery_id`` is then the letter's.
    """

    delivery_id: str
    fence: int
    at: datetime
    lease_until: datetime
    accepted: tuple[str, ...] = ()
    message: Message | None = None
    """To be kept for every later attempt; None where it is kept already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a delivery is made of: its lines of the ledger, and its message once that is kept."""

    items: tuple[DeliveryItem, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    message: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt that was begun, by the fence of its claim; without an end while it is under way."""

    fence: int
    began_at: datetime
    ended_at: datetime | None = None
    state: DeliveryState | None = None
    """What the delivery became by it."""
    unknown: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What planning one due subscription came to; ``delivery`` is None where there is nothing to send."""

    subscription_id: str
    slot: Slot
    checked: int
    planned_until: datetime
    next_due_at: datetime
    delivery: Delivery | None = None
    items: tuple[DeliveryItem, ...] = field(default=())
    follow_ups: tuple[FollowUp, ...] = ()
    follows: bool = False
    """Whether what becomes of these items is to be told later."""
    supersedes: tuple[str, ...] = ()
    """Ids of earlier deliveries whose items are among ``items``: they end with this one's beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one attempt, to be recorded under its ``fence``; ``delivery_id`` may be a letter's."""

    delivery_id: str
    fence: int
    state: DeliveryState
    at: datetime
    reason: str | None = None
    cause: Cause | None = None
    unknown: bool = False
    """Nobody can know whether this attempt arrived."""
    next_attempt_at: datetime | None = None
    accepted: tuple[str, ...] = ()
    give_back_attempt: bool = False
    """The failure was the channel's, not the message's: the attempt does not count."""
