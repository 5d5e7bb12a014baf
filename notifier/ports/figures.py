"""Numbers over everything, for operators and their monitoring; about nobody in particular."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from notifier.model import DeliveryState


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """The digests that were due on one day (UTC), and how many papers became news on it."""

    day: date
    sent: int = 0
    failed: int = 0
    """For good, or held."""
    waiting: int = 0
    entries: int = 0


class Figures(Protocol):
    def deliveries(self) -> Mapping[tuple[str, DeliveryState], int]:
        """How many there are, by kind of channel and state."""
        ...

    def oldest_due(self, now: datetime) -> datetime | None:
        """When the longest waiting of the deliveries that may be sent now was due."""
        ...

    def late_slots(self, before: datetime) -> int:
        """How many subscriptions, not paused, have a slot from before that instant that nobody has planned."""
        ...

    def days(self, first: date, last: date) -> list[DayCount]:
        """One for each of these days, both inclusive."""
        ...
