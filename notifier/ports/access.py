"""What the store keeps of logins, mailed links, and who owns a subscription with whom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from notifier.model import Session, Subscriber, Subscription, Ticket, TicketKind


class Sessions(Protocol):
    """Known by the hash of the word in the cookie."""

    def add(self, session: Session, hash: str) -> None: ...

    def get(self, hash: str, *, now: datetime) -> Session | None:
        """None also for one that has expired."""
        ...

    def of(self, email: str, *, now: datetime) -> list[Session]:
        """Newest first."""
        ...

    def end(self, email: str, *, ids: Iterable[str] | None = None) -> int:
        """End those of one person, or all of theirs; how many there were."""
        ...


class Tickets(Protocol):
    """Known by the hash of the word in the link."""

    def add(self, ticket: Ticket, hash: str) -> None:
        """Those that have expired go."""
        ...

    def get(self, hash: str, kind: TicketKind, *, now: datetime) -> Ticket | None: ...

    def use(self, hash: str, kind: TicketKind, *, now: datetime) -> Ticket | None:
        """As ``get``, and it is gone."""
        ...

    def waiting(self, email: str, kind: TicketKind, *, now: datetime) -> int: ...


class Members(Protocol):
    """Who owns a subscription beside the one it was made by."""

    def of(self, subscription_id: str) -> list[Subscriber]: ...

    def add(self, subscription_id: str, email: str, *, now: datetime) -> None: ...

    def remove(self, subscription_id: str, email: str) -> bool: ...

    def share_ledger(self, subscription_id: str, email: str, *, shares: bool, now: datetime) -> None:
        """Whether what it showed is left out of this owner's private digests. Nothing for who owns no part of it."""
        ...

    def shares_ledger(self, subscription_id: str, email: str) -> bool: ...

    def subscriptions(self, email: str) -> list[Subscription]:
        """Those that a person owns with others, without their own."""
        ...
