"""The seams. Each is one or two methods, but for the store, which is cut by aggregate and speaks in batches.

Network is async; the store is sync and belongs to the thread that opened it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar, runtime_checkable

from notifier.conditions import Condition
from notifier.model import (
    Attempt,
    Delivery,
    DeliveryItem,
    DeliveryState,
    Digest,
    Entry,
    Fetched,
    Followed,
    FollowUp,
    FollowUps,
    Gap,
    Message,
    News,
    Outcome,
    Page,
    Planned,
    Point,
    Receipt,
    Rule,
    Saying,
    Sighting,
    SourceRecord,
    SourceState,
    Subscriber,
    Subscription,
)

T = TypeVar("T")


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

    async def send(self, message: Message) -> Receipt:
        """Deliver every part behind ``message.accepted``. Raises one of the SendErrors otherwise."""
        ...

    async def check(self) -> str:
        """Log in and look around without sending; a sentence of what is there. Raises SendError."""
        ...

    async def close(self) -> None: ...


class Renderer(Protocol):
    def render(self, digest: Digest, format: str, *, now: datetime) -> Message:
        """Compose ``digest`` as ``email`` or ``slack``. Raises TemplateError for a faulty override."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSighting:
    """That a source showed an entry, and what of its sayings still counts (see ``merging``)."""

    source: str
    first_at: datetime
    last_at: datetime
    announce: str | None = None
    """How it was announced at ``first_at``."""
    is_news: bool = True
    """Whether it was news at ``first_at``: no baseline, no replacement of a paper never seen."""
    said: tuple[Saying, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Titled:
    """A title that some source gave an entry, and from when to when it did."""

    title: str
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SightedEntry:
    """An entry as it is to be stored: the merged fields, all its keys, and who showed it."""

    entry: Entry
    keys: tuple[str, ...]
    sightings: tuple[StoredSighting, ...]
    """Those to be written; of a source shown before, the whole of what now holds."""
    titles: tuple[Titled, ...] = ()
    known_id: str | None = None
    """The id it is stored under so far; None for one never seen."""
    merged_ids: tuple[str, ...] = ()
    """Ids of other stored entries that turned out to be the same paper and go up in this one."""
    changed: bool = True
    """Whether any field differs from what is stored."""
    grew: bool = False
    """Whether its votes, comments or stars are others than those stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """One line of a rule's history; ``before`` and ``after`` are None at its two ends."""

    rule_id: str
    at: datetime
    actor: str
    via: str
    before: str | None
    after: str | None


class Sources(Protocol):
    def get(self, name: str) -> SourceRecord | None: ...

    def all(self) -> list[SourceRecord]: ...

    def due(self, now: datetime) -> list[SourceRecord]: ...

    def put(self, record: SourceRecord) -> None: ...

    def remove(self, name: str) -> bool: ...

    def note_news(self, name: str, news: News) -> None:
        """Add to the history of what it brought, of which eight weeks are kept, or the last forty hours with news."""
        ...

    def news(self) -> dict[str, tuple[News, ...]]:
        """That history by source, oldest first; a source that brought nothing is absent."""
        ...


class Entries(Protocol):
    def by_keys(self, keys: Iterable[str]) -> dict[str, Entry]:
        """The stored entry each known key leads to; unknown keys are absent."""
        ...

    def get(self, ids: Iterable[str]) -> dict[str, Entry]: ...

    def put(self, sighted: Sequence[SightedEntry], *, now: datetime) -> None:
        """Store entries, their keys and their sightings; join those that turned out to be one."""
        ...

    def window(self, since: datetime, until: datetime) -> list[Entry]:
        """Entries that became news in ``(since, until]``, best first (votes, then newest, then id)."""
        ...

    def seen(self, since: datetime, until: datetime) -> list[Entry]:
        """Entries first seen in ``(since, until]``, baselines included, newest first."""
        ...

    def search_title(self, text: str, limit: int = 10) -> list[Entry]:
        """Entries whose title has all words of ``text``, best first."""
        ...

    def known_terms(self, terms: Iterable[str]) -> frozenset[str]:
        """Those of ``terms`` (see ``conditions``) that any entry has."""
        ...

    def search(
        self, condition: Condition, *, since: datetime | None, until: datetime, first: int
    ) -> Iterator[list[Entry]]:
        """Entries first seen in ``(since, until]`` that meet ``condition``, in the order of ``seen``.

        They come in pages: of ``first`` entries, then of ever more.
        """
        ...

    def count_of(self, condition: Condition, *, since: datetime | None, until: datetime) -> int:
        """How many ``search`` would yield."""
        ...

    def sightings(self, ids: Iterable[str]) -> dict[str, list[StoredSighting]]:
        """Who showed each entry, in order of first sighting; an unknown id is absent."""
        ...

    def titles(self, id: str) -> list[Titled]:
        """The titles an entry has had, the present one too, in the order they were first given."""
        ...

    def by_former_title(self, text: str, limit: int = 10) -> list[Entry]:
        """Entries that once had a title with all words of ``text``."""
        ...

    def growth(self, ids: Iterable[str]) -> dict[str, list[Point]]:
        """How votes, comments and stars of each entry grew, oldest first; without any it is absent."""
        ...

    def count(self) -> int: ...

    def last_change(self) -> datetime | None:
        """When any entry last became new or changed."""
        ...


class Subscribers(Protocol):
    def add(self, subscriber: Subscriber) -> None: ...

    def get(self, email: str) -> Subscriber | None: ...

    def all(self) -> list[Subscriber]: ...

    def remove(self, email: str) -> bool:
        """Forget the person with everything that is theirs."""
        ...


class Subscriptions(Protocol):
    def get(self, ids: Iterable[str]) -> dict[str, Subscription]: ...

    def all(self, email: str | None = None) -> list[Subscription]: ...

    def due(self, now: datetime, *, limit: int) -> list[Subscription]:
        """Those whose slot has come and which are not paused, longest due first."""
        ...

    def put(self, subscription: Subscription) -> None:
        """Add it, or change what a person can change of it; what planning wrote stays."""
        ...

    def remove(self, id: str) -> bool: ...


class Rules(Protocol):
    def put(self, changed: Sequence[Rule], *, actor: str, via: str, now: datetime) -> None:
        """Add or change rules, each with a line of history that says who, and through what."""
        ...

    def get(self, id: str) -> Rule | None: ...

    def of(self, subscription_ids: Iterable[str]) -> dict[str, list[Rule]]:
        """The rules of each subscription in order of creation; a subscription without any is absent."""
        ...

    def queries(self) -> list[str]:
        """Each different query there is, once."""
        ...

    def naming_categories(self) -> list[str]:
        """Each different query of a rule that includes and may name a category, itself or through a topic."""
        ...

    def remove(self, id: str, *, actor: str, via: str, now: datetime) -> bool: ...

    def history(self, subscription_id: str) -> list[RuleChange]: ...


class Deliveries(Protocol):
    """Deliveries move as ``delivery`` draws it; a move that is not drawn, or comes too late, is not written."""

    def record(self, planned: Sequence[Planned]) -> list[str]:
        """Write deliveries with their items and move the subscriptions on.

        Idempotent by (subscription, slot key): a slot that has a delivery keeps it. What a new delivery
        supersedes gives its items up to it. Returns the ids of the deliveries that are new.
        """
        ...

    def ledger(self, subscription_ids: Iterable[str], *, since: datetime) -> dict[str, frozenset[str]]:
        """Ids of the entries, new after ``since``, that each subscription already has in a delivery."""
        ...

    def deferred(self, subscription_ids: Iterable[str]) -> dict[str, list[Delivery]]:
        """What is put off, oldest first; a subscription without any is absent."""
        ...

    def claim(self, now: datetime, *, lease: timedelta, limit: int, hold_unknown: bool = False) -> list[Delivery]:
        """Take deliveries that are due (or whose lease ran out), counting the attempt.

        Left alone where the subscription is paused or stopped. Where the rules are gone, or a lost claim may
        have sent it, it ends instead: what is returned is claimed, cancelled or held.
        """
        ...

    def items(self, delivery_id: str) -> list[DeliveryItem]: ...

    def follow(self, subscription_ids: Iterable[str], *, since: datetime, now: datetime) -> None:
        """Begin anew: follow what was sent after ``since`` from as it is now, or nothing where none is wanted."""
        ...

    def followed(
        self, wanted: Mapping[str, FollowUps], *, since: datetime, changed_after: datetime
    ) -> dict[str, list[Followed]]:
        """By subscription, of the papers that it was sent after ``since`` those that changed after an instant.

        A sieve: what cannot be a follow-up that is wanted is left out; ``followup`` decides.
        """
        ...

    def follow_ups(self, delivery_id: str) -> list[FollowUp]: ...

    def freeze(self, delivery_id: str, fence: int, message: Message) -> bool:
        """Keep the message for every later attempt; False if the claim is no longer ours."""
        ...

    def message(self, delivery_id: str) -> Message | None: ...

    def begin(self, delivery_id: str, fence: int, *, accepted: Sequence[str], now: datetime, lease: timedelta) -> bool:
        """Before each part is sent: the attempt has begun, ``accepted`` are through, the lease counts from now.

        False if the claim is no longer ours: then nothing may be sent.
        """
        ...

    def finish(self, outcomes: Sequence[Outcome]) -> list[str]:
        """Record outcomes; one whose fence is stale is dropped. Returns the ids that were recorded."""
        ...

    def retry(self, id: str, *, at: datetime) -> bool:
        """An operator's word: due at once. False where that cannot follow."""
        ...

    def cancel(self, id: str, *, at: datetime) -> bool:
        """An operator's word: never. False where that cannot follow."""
        ...

    def get(self, id: str) -> Delivery | None: ...

    def all(
        self,
        *,
        states: Iterable[DeliveryState] = (),
        subscription_id: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> list[Delivery]:
        """Those whose slot was due at ``since`` or later, newest first."""
        ...

    def attempts(self, delivery_id: str) -> list[Attempt]:
        """The latest attempts that were begun, in order; older ones are forgotten."""
        ...

    def counts(self) -> Mapping[DeliveryState, int]:
        """How many there are in each state that occurs."""
        ...

    def unknowns(self) -> int:
        """How many attempts ended where nobody can know whether they arrived."""
        ...

    def of_entry(self, subscription_id: str, entry_id: str) -> tuple[Delivery, DeliveryItem] | None: ...


class Gaps(Protocol):
    def note(self, gaps: Sequence[Gap]) -> None:
        """Record those that are not on record, open or closed."""
        ...

    def put(self, gap: Gap) -> None:
        """Write how far closing it has come."""
        ...

    def same(self, gap: Gap) -> Gap | None:
        """What is on record of the same days, reason and scope of its source."""
        ...

    def open(self, source: str) -> list[Gap]:
        """Those to be closed, oldest days first; no backfills, which go on when a person says so."""
        ...

    def all(self, source: str | None = None) -> list[Gap]:
        """Open and closed ones, backfills too, found last first."""
        ...

    def mark_late(self, entry_ids: Iterable[str], gap_id: str) -> None: ...

    def late(self, entry_ids: Iterable[str]) -> frozenset[str]:
        """Those that became news only when a gap was closed."""
        ...


class Services(Protocol):
    """The pace that services ask for, kept over all processes."""

    def reserve(self, name: str, every: timedelta, now: datetime) -> Turn:
        """Take the next turn, ``every`` after the last one; none is taken while the service is left alone."""
        ...

    def rest(self, name: str, until: datetime) -> None: ...


class Store(Protocol):
    """Everything that is kept. Reads may stand alone; writes happen inside ``write()``."""

    @property
    def sources(self) -> Sources: ...

    @property
    def entries(self) -> Entries: ...

    @property
    def subscribers(self) -> Subscribers: ...

    @property
    def subscriptions(self) -> Subscriptions: ...

    @property
    def rules(self) -> Rules: ...

    @property
    def deliveries(self) -> Deliveries: ...

    @property
    def gaps(self) -> Gaps: ...

    @property
    def services(self) -> Services: ...

    def write(self) -> AbstractContextManager[None]:
        """One transaction: everything inside, or nothing."""
        ...

    def facts(self) -> Mapping[str, int]:
        """How many rows of each noun there are, for ``doctor``."""
        ...

    def verify(self) -> None:
        """Check the whole of it. Raises DamagedDatabase."""
        ...

    def close(self) -> None: ...


class InStore(Protocol):
    """How async steps reach the store: a piece of work, run whole on the store's own thread."""

    async def __call__(self, work: Callable[[Store], T]) -> T: ...
