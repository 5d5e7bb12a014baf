"""A clock that moves only while somebody sleeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from notifier.sources import Paces, Turns
from notifier.sources.pace import Ledger


class FakeTime:
    def __init__(self, now: datetime = datetime(2025, 12, 2, 9, tzinfo=UTC)) -> None:
        self.now = now

    def clock(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def paces(self, ledger: Ledger | None = None) -> Paces:
        return Paces(ledger, clock=self.clock, sleep=self.sleep)

    def turns(self) -> Turns:
        """Without a pause of its own between two requests to a host."""
        return Turns(timedelta(0), clock=lambda: self.now.timestamp(), sleep=self.sleep)
