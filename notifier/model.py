"""The nouns: one frozen type per stage, Sighting → Entry → Match → Digest → Message → Receipt.

All instants are aware datetimes; what the store hands out is in UTC. Ids that people see are random
and carry a prefix (``s_`` subscription, ``r_`` rule, ``d_`` delivery), an entry's id is its identity
(``arxiv:2512.01234``, ``doi:10.1000/x``, or the id its source gave).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from notifier.errors import Cause


class Every(StrEnum):
    INSTANT = "instant"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Mode(StrEnum):
    INCLUDE = "include"
    MUTE = "mute"


class Announce(StrEnum):
    """How a source announced an entry; the words are arXiv's ``arxiv:announce_type``."""

    NEW = "new"
    CROSS = "cross"
    REPLACE = "replace"
    REPLACE_CROSS = "replace-cross"


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
class Entry:
    """One paper or post. Text fields are clean plain text; absent values are None, never a guess."""

    id: str
    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    num_authors: int | None = None
    """Set where a source tells only how many; otherwise ``len(authors)`` speaks."""
    organization: str | None = None
    categories: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    published_at: datetime | None = None
    url: str | None = None
    pdf_url: str | None = None
    code_url: str | None = None
    project_url: str | None = None
    thumbnail: str | None = None
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None
    version: int | None = None
    extra: str = "{}"
    """A JSON object with what the source said beyond the fields above."""
    sources: tuple[str, ...] = ()
    """Names of the sources that showed it, in order of first sighting; filled by the store."""
    first_seen_at: datetime | None = None
    """When any source first showed it here; filled by the store."""
    new_at: datetime | None = None
    """When it first counted as news here: None while it is known only from baselines."""
    announce: str | None = None
    """How a source announced it last (see ``Announce``), where it said so."""

    @property
    def author_count(self) -> int | None:
        return self.num_authors if self.num_authors is not None else len(self.authors) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one source says of one entry in one fetch.

    ``keys`` are the names this paper goes by (see ``identity``), strongest first; any of them leads to
    the same entry.
    """

    entry: Entry
    keys: tuple[str, ...]
    announce: Announce | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What one source said of an entry at one instant: the fields of ``entry`` that it gave, the others unset."""

    at: datetime
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Votes, comments and stars of an entry as they were last told on one day (UTC)."""

    at: datetime
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """One item of a source that could not be used: ``line`` is 1-based (line or item number)."""

    line: int
    reason: str


class GapReason(StrEnum):
    """Why papers that a source announced were not seen there."""

    MISSED = "missed"
    """Nobody asked while it showed them."""
    FAILED = "failed"
    """It did not answer while it would have shown them."""
    CAP = "cap"
    """It announced more than it shows at once."""
    SHORT = "short"
    """Its answer broke off."""
    BACKFILL = "backfill"
    """A person asked for these days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Days, both inclusive, of the source's own calendar of which it could not show everything.

    ``scope`` is what of the source it concerns, in its own words (arXiv: categories joined by +).
    """

    first: date
    last: date
    reason: GapReason
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something missed, on record until it is closed from the source's archive; days as in ``Missed``."""

    id: str
    source: str
    first: date
    last: date
    reason: GapReason
    scope: str = ""
    is_news: bool = True
    """Whether what closing it brings is news; of a backfill it is not, unless a person says so."""
    found_at: datetime
    cursor: str | None = None
    """Where closing it goes on, in the words of the source."""
    closed_at: datetime | None = None
    how: str | None = None
    """Through what it was closed, such as api or oai."""
    brought: int = 0
    """How many entries it has brought that were not known."""
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of a source's archive. ``cursor`` is where to go on, None behind the last page.

    ``share`` is how much of the whole is done, 0 to 1; ``weight`` is how many ordinary pages it took the time of.
    """

    sightings: tuple[Sighting, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    cursor: str | None = None
    how: str
    share: float = 1.0
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What a source needs to remember between two fetches."""

    etag: str | None = None
    last_modified: str | None = None
    content_hash: str | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One answer of a source; ``unchanged`` means it said that nothing moved (304 or equal content)."""

    sightings: tuple[Sighting, ...] = ()
    state: SourceState = SourceState()
    rejected: tuple[Rejected, ...] = ()
    unchanged: bool = False
    missed: tuple[Missed, ...] = ()
    """What it noticed that it cannot show any more."""
    more: bool = False
    """There is more to read than one answer holds: ask again at once."""
    moved_to: str | None = None
    """Where it is now, if every redirect on the way said that it is there to stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """A redirect that says it lasts, and for how long and how often it has been seen to."""

    to: str
    since: datetime
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """A configured source and how it has been."""

    name: str
    kind: str
    url: str
    every: timedelta
    state: SourceState = SourceState()
    added_at: datetime
    next_fetch_at: datetime
    last_success_at: datetime | None = None
    last_new_at: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    last_error: str | None = None
    missing_since: datetime | None = None
    """Since when the server has said at every request that there is nothing at this address."""
    paused_at: datetime | None = None
    """Since when nobody asks it; None where it is read."""
    paused_reason: str | None = None
    """Why the program itself paused it, in words; None where a person did."""
    moving: Moving | None = None
    moved_from: str | None = None
    """The address it had before its server moved it for good."""

    @property
    def title(self) -> str:
        """What people call it."""
        return _TITLES.get(self.name, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Within one hour, when a source last brought what it had not shown before, and how many entries."""

    at: datetime
    brought: int


class Health(StrEnum):
    """How a source is, in one word; ``health`` says when it is which."""

    FRESH = "fresh"
    QUIET = "quiet as usual"
    STALE = "stale"
    FAILING = "failing"
    NOT_ANNOUNCED = "not announced today"
    PAUSED = "paused"
    """By a person."""
    GONE = "gone"
    """Paused by the program itself, which gave its address up."""
    NOT_READ = "not read yet"


_TITLES = {
    "huggingface": "Hugging Face Daily Papers",
    "huggingface-trending": "Hugging Face trending papers",
    "arxiv": "arXiv",
    "biorxiv": "bioRxiv",
    "medrxiv": "medRxiv",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    id: str
    email: str
    name: str = ""
    timezone: str = "UTC"
    language: str = "en"
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a digest goes: a channel kind and its target, written ``kind:target``."""

    kind: str
    target: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.target}" if self.target else self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """When digests are due, in the subscriber's own calendar.

    ``days`` are weekdays, Monday = 0; empty means every day (daily, hourly), Monday (weekly) or the first
    of the month (monthly). ``at`` is wall-clock time; an hourly cadence uses only its minute.
    """

    every: Every
    at: time = time(8, 0)
    days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One due instant of one subscription.

    ``key`` names it in the subscriber's calendar (a local date, for hourly the hour) and is what makes
    a delivery unique, so that a clock that jumps or a zone that changes never sends one day twice.
    """

    key: str
    due_at: datetime
    zone: str

    @property
    def local(self) -> datetime:
        return self.due_at.astimezone(ZoneInfo(self.zone))

    def __str__(self) -> str:
        return f"{self.local:%Y-%m-%dT%H:%M} {self.zone}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUps:
    """Which changes of a paper that was sent are told of; ``votes`` is the bar to cross. False for none."""

    version: bool = False
    code: bool = False
    votes: int | None = None

    def __bool__(self) -> bool:
        return self.version or self.code or self.votes is not None


NO_FOLLOW_UPS = FollowUps()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    id: str
    subscriber: Subscriber
    address: Address
    cadence: Cadence
    max_entries: int = 20
    """How many entries a digest shows in full; the others stand behind "more"."""
    send_empty: bool = False
    follow_ups: FollowUps = NO_FOLLOW_UPS
    created_at: datetime
    paused: bool = False
    paused_until: datetime | None = None
    """With ``paused``: the instant it ends by itself; None means until somebody resumes it."""
    stopped_reason: str | None = None
    """Why the program itself paused it (a channel that is gone), in words."""
    next_due_at: datetime
    planned_until: datetime | None = None
    """The instant up to which entries have been considered; None before the first plan."""
    last_slot: str | None = None
    last_checked: int | None = None
    """How many entries the last slot was chosen from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    id: str
    subscription_id: str
    query: str
    label: str = ""
    mode: Mode = Mode.INCLUDE
    until: datetime | None = None
    """A mute's end; None means it stays."""
    version: int = 1
    broken: str | None = None
    """Why it no longer parses; a broken rule is left out, visibly, until it is mended."""
    created_at: datetime

    @property
    def name(self) -> str:
        """What a person calls it: the label, else the query."""
        return self.label or self.query


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
class SourceHealth:
    """What a digest's footer says of one source."""

    name: str
    title: str
    last_success_at: datetime | None
    health: Health
    since: datetime | None = None
    """Since when it is so: of a failure its first, of silence the last news, of a pause its beginning."""
    missing: tuple[Gap, ...] = ()
    """What it announced and is still to come."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A rendered digest, frozen: every attempt sends these bytes.

    ``format`` is ``email`` (one part: an RFC 5322 message, CRLF lines) or ``slack`` (a JSON object a part,
    each the arguments of one chat.postMessage without its channel). ``accepted`` are the references of
    parts that an earlier attempt delivered.
    """

    delivery_id: str
    format: str
    subject: str
    target: str
    sender: str = ""
    parts: tuple[bytes, ...]
    accepted: tuple[str, ...] = ()
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A channel's word that it took the whole message; ``accepted`` has one reference a part."""

    accepted: tuple[str, ...]
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryItem:
    """One line of the ledger: this entry, at this rank (0-based), for these reasons."""

    entry_id: str
    rank: int
    shown: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The record of one digest on its way."""

    id: str
    subscription_id: str
    slot: Slot
    state: DeliveryState = DeliveryState.PLANNED
    created_at: datetime
    period_start: datetime
    period_end: datetime
    checked: int
    late: bool = False
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
    """What became of one attempt, to be recorded under its ``fence``."""

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
