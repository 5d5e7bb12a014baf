"""What one delivery says, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from notifier.model.origins import SourceHealth
from notifier.model.papers import Entry
from notifier.model.people import Rule, Slot, Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why one clause of a rule holds for an entry.

    ``spans`` are half-open character ranges in the entry's ``field`` as stored; ``text`` is what stands
    there (the first span). A comparison or a NOT has no spans and says itself in ``text``.
    """

    field: str
    spans: tuple[tuple[int, int], ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One rule that holds for an entry, as it stood when it was matched."""

    rule_id: str
    label: str
    query: str
    version: int = 1
    evidence: tuple[Evidence, ...] = ()
    """Found when a digest is composed; the ledger keeps reasons without it."""


class FollowUpKind(StrEnum):
    VERSION = "version"
    CODE = "code"
    VOTES = "votes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A paper as it was when a subscription was sent it, and as it is now."""

    subscription_id: str
    entry_id: str
    since: datetime
    """When it was sent, or when follow-ups were asked for."""
    version: int | None
    had_code: bool
    upvotes: int | None
    now_version: int | None
    now_code_url: str | None
    now_upvotes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What became of a paper after it was sent.

    ``value`` is what makes it happen once: the version, the address of the code, the bar of votes. ``before`` and
    ``after`` are version or votes at ``since`` and when it was planned; for code None.
    """

    entry_id: str
    kind: FollowUpKind
    value: str
    since: datetime
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Votes that came ``since`` an instant; both instants are in the reader's zone, ``today`` is the digest's."""

    gained: int
    since: datetime
    today: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestItem:
    entry: Entry
    reasons: tuple[Reason, ...]
    growth: Growth | None = None
    """Set for a paper that the digests before passed over, and that comes now because it grew."""
    late: bool = False
    """It became news only when a gap was closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestFollowUp:
    entry: Entry
    what: FollowUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """Digests that were sent before, each by its delivery and the key of its slot: what a message may answer.

    ``last`` is the subscription's latest one, ``followed`` are those that had the papers which are followed up, and
    ``reference`` is what the receiver called the first message of the newest of these.
    """

    last: tuple[str, str] | None = None
    followed: tuple[tuple[str, str], ...] = ()
    reference: str = ""


NOTHING_EARLIER = Earlier()


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What one delivery says. ``items`` are shown in full; ``more`` stand behind the cap."""

    delivery_id: str
    subscription: Subscription
    slot: Slot
    period_start: datetime
    period_end: datetime
    items: tuple[DigestItem, ...]
    more: tuple[DigestItem, ...] = ()
    follow_ups: tuple[DigestFollowUp, ...] = ()
    checked: int
    sources: tuple[SourceHealth, ...] = ()
    late: bool = False
    """It stands for slots that were missed while nothing ran."""
    warnings: tuple[Rule, ...] = ()
    """The subscription's rules that no longer parse, each with its reason in ``broken``."""
    blind: bool = False
    """None of the rules that include papers parses, so nothing was looked for."""
    earlier: Earlier = NOTHING_EARLIER


class Shared(NamedTuple):
    """``text`` at ``start`` of part ``part`` (both from 0): the same object in every message that has it."""

    part: int
    start: int
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDigest:
    """A digest that was made, and when it was sent, or was to be."""

    digest: Digest
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A rendered digest, frozen: every attempt sends these bytes.

    ``format`` is ``email`` (one part: an RFC 5322 message, CRLF lines), ``slack`` (a JSON object a part, each the
    arguments of one chat.postMessage without its channel), ``json`` (one part: a JSON object) or ``text`` (plain text
    for a chat, which ``subject`` stands over). ``accepted`` are the
    references of parts that an earlier attempt delivered. ``doubtful`` says that the first part behind them may have
    arrived, too: an earlier attempt did not learn what became of it. ``shared``, in order, is
    what other messages have, too: a hint for who keeps many.
    """

    delivery_id: str
    format: str
    subject: str
    target: str
    sender: str = ""
    parts: tuple[bytes, ...]
    accepted: tuple[str, ...] = ()
    doubtful: bool = False
    created_at: datetime
    shared: tuple[Shared, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A channel's word that it took the whole message; ``accepted`` has one reference a part."""

    accepted: tuple[str, ...]
    detail: str = ""
