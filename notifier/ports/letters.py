"""What the store keeps of letters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from notifier.model import DeliveryState, Letter, Message, Outcome, Posting, Start


class Letters(Protocol):
    """Letters move as ``delivery`` draws it, but are never superseded."""

    def put(self, letters: Sequence[Letter]) -> None:
        """To be sent from ``created_at`` on; an id that is there stays as it is. In the caller's transaction."""
        ...

    def is_due(self, now: datetime) -> bool:
        """Whether a claim would find any. A read alone."""
        ...

    def claim(self, now: datetime, *, lease: timedelta, limit: int) -> list[Posting]:
        """Take those that are due, counting the attempt; what has expired or may not go there any more is cancelled.

        What is returned is claimed, cancelled or held.
        """
        ...

    def message(self, id: str) -> Message | None:
        """As it was first sent; None before that, and after its end."""
        ...

    def begin(self, start: Start) -> bool:
        """Before it is sent. False where the claim is lost."""
        ...

    def finish(self, outcome: Outcome) -> bool:
        """Record an outcome, and suppress the address that the server says is not there. False where it is stale."""
        ...

    def retry(self, id: str, *, at: datetime) -> bool:
        """An operator's word: due at once. False where that cannot follow."""
        ...

    def get(self, id: str) -> Posting | None: ...

    def all(self, *, states: Iterable[DeliveryState] = (), limit: int = 100) -> list[Posting]:
        """Newest first."""
        ...

    def count(self, to: str, *, since: datetime) -> int:
        """How many were put for this address after ``since``: so that nobody can fill another's mailbox."""
        ...

    def forget(self, before: datetime) -> None:
        """Those put before, but for what is on its way."""
        ...
