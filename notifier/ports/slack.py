"""What the store keeps for the face inside Slack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from notifier.model import Code, Keeping, Kept, Subscriber, Work, Workspace


class SlackInbox(Protocol):
    """What came in. It is kept before Slack is told that it arrived, and worked on afterwards."""

    def take(self, key: str, payload: str, *, now: datetime) -> bool:
        """False for a ``key`` that was taken before."""
        ...

    def claim(self, now: datetime, *, lease: timedelta, limit: int) -> list[Work]:
        """What is due or whose lease ran out, oldest first, counting the attempt."""
        ...

    def answered(self, id: int, fence: int, calls: str) -> bool:
        """In the transaction of the work itself: what is left to be told. False where the claim is lost."""
        ...

    def put_off(self, id: int, fence: int, until: datetime) -> None: ...

    def done(self, id: int, fence: int, outcome: str, *, now: datetime) -> None:
        """The payload is forgotten, the key is not."""
        ...

    def due(self, now: datetime) -> int:
        """How many ``claim`` would find."""
        ...

    def forget(self, before: datetime) -> None:
        """What was done or told before an instant, with its keys."""
        ...


class SlackPlaces(Protocol):
    """Workspaces, and who their members are to us."""

    def put(self, workspace: Workspace) -> None:
        """Add or renew it; one that was gone is back."""
        ...

    def workspaces(self) -> list[Workspace]: ...

    def gone(self, team: str, reason: str, *, now: datetime) -> bool:
        """With its token forgotten; everything else stays. False where it was gone already, or never there."""
        ...

    def link(self, team: str, user: str, subscriber_id: str, *, now: datetime) -> None: ...

    def subscriber(self, team: str, user: str) -> Subscriber | None: ...

    def put_code(self, team: str, user: str, code: Code) -> None: ...

    def code(self, team: str, user: str) -> Code | None: ...

    def drop_code(self, team: str, user: str) -> None: ...

    def keep(self, kept: Kept) -> bool:
        """False where it was kept so already."""
        ...

    def drop(self, team: str, user: str, entry_id: str, what: Keeping) -> bool: ...

    def kept(self, team: str, *, user: str | None = None, channel: str | None = None, since: datetime) -> list[Kept]:
        """Latest first."""
        ...

    def react(self, team: str, channel: str, ts: str, user: str, name: str, *, added: bool, now: datetime) -> None: ...

    def reactions(self, team: str, ts: Iterable[str]) -> Mapping[str, int]:
        """By name, over these messages."""
        ...

    def delivery_of(self, targets: Iterable[str], ts: str) -> str | None:
        """The delivery of which ``ts`` is a message, to one of ``targets``."""
        ...

    def told(self, key: str, *, now: datetime) -> bool:
        """Note that something was told, once: False where it was noted before."""
        ...
