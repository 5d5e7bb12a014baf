"""What the store keeps of deliveries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from notifier.model import (
    Attempt,
    Contents,
    Delivery,
    DeliveryItem,
    DeliveryState,
    Earlier,
    Followed,
    FollowUp,
    FollowUps,
    Message,
    Outcome,
    Planned,
    Start,
)


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

    def message(self, delivery_id: str) -> Message | None: ...

    def earlier(self, delivery_ids: Iterable[str]) -> dict[str, Earlier]:
        """What was sent before that each of these may answer; absent where there is nothing."""
        ...

    def contents(self, delivery_ids: Iterable[str]) -> dict[str, Contents]:
        """Of each of these, known or not."""
        ...

    def begin(self, starts: Sequence[Start]) -> list[str]:
        """Before a part of each is sent. Returns the ids of those that may be sent: the claim of the others is lost."""
        ...

    def finish(self, outcomes: Sequence[Outcome]) -> list[str]:
        """Record outcomes; one whose fence is stale is dropped. Returns the ids that were recorded."""
        ...

    def sweep(self) -> int:
        """Throw away what frozen messages had in common and none needs any more; how much it was."""
        ...

    def recompose(self, subscription_id: str) -> None:
        """It goes elsewhere now: what waits, and cannot have arrived, is composed anew when it is sent."""
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
        after: str | None = None,
        limit: int = 100,
    ) -> list[Delivery]:
        """Those whose slot was due at ``since`` or later, newest first; with ``after``, those behind that delivery."""
        ...

    def past(self, subscription_id: str, *, limit: int) -> list[Delivery]:
        """Those of a subscription that have gone out, or should have and wait for a person, newest first."""
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
