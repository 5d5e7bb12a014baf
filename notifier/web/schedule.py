"""A subscription as a form has it, and as a page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from notifier.account import Wish
from notifier.cadence import parse_quiet
from notifier.model import Cadence, Every, FollowUps, Subscription
from notifier.render import Catalog
from notifier.web.wording import cadence_words, channel_words, next_words


class Schedule(BaseModel):
    """Fields of the form. A box that is not ticked is not sent."""

    model_config = ConfigDict(frozen=True)

    channel: str = "email"
    every: Every = Every.DAILY
    at: time = time(8)
    days: Annotated[frozenset[Annotated[int, Field(ge=0, le=6)]], Field(max_length=7)] = frozenset()
    quiet_from: str = ""
    quiet_to: str = ""
    free_weekends: bool = False
    max_entries: Annotated[int, Field(ge=1, le=200)] = 20
    send_empty: bool = False
    version: bool = False
    code: bool = False
    votes: Annotated[int | str, Field(union_mode="left_to_right")] = ""
    packs: tuple[str, ...] = ()

    @classmethod
    def of(cls, subscription: Subscription) -> Self:
        cadence, told = subscription.cadence, subscription.follow_ups
        return cls(
            channel=str(subscription.address),
            every=cadence.every,
            at=cadence.at,
            days=cadence.days,
            quiet_from=f"{cadence.quiet.start:%H:%M}" if cadence.quiet else "",
            quiet_to=f"{cadence.quiet.end:%H:%M}" if cadence.quiet else "",
            free_weekends=not cadence.weekends,
            max_entries=subscription.max_entries,
            send_empty=subscription.send_empty,
            version=told.version,
            code=told.code,
            votes="" if told.votes is None else told.votes,
        )

    def wish(self) -> Wish:
        """Raises UsageError for quiet hours that are none."""
        has_quiet = bool(self.quiet_from.strip() or self.quiet_to.strip())
        cadence = Cadence(
            every=self.every,
            at=self.at,
            days=self.days,
            quiet=parse_quiet(f"{self.quiet_from}-{self.quiet_to}") if has_quiet else None,
            weekends=not self.free_weekends,
        )
        return Wish(
            channel=self.channel,
            cadence=cadence,
            max_entries=self.max_entries,
            send_empty=self.send_empty,
            follow_ups=FollowUps(version=self.version, code=self.code, votes=self._bar),
        )

    @property
    def _bar(self) -> int | None:
        return self.votes if isinstance(self.votes, int) and self.votes > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionView:
    """In words, for a list."""

    id: str
    owner: str
    channel: str
    cadence: str
    zone: str
    next: str
    rules: int
    most: int
    paused: bool


def subscription_view(subscription: Subscription, rules: int, words: Catalog) -> SubscriptionView:
    return SubscriptionView(
        id=subscription.id,
        owner=subscription.subscriber.email,
        channel=channel_words(subscription.address, words),
        cadence=cadence_words(subscription.cadence, words),
        zone=subscription.subscriber.timezone,
        next=next_words(subscription, words),
        rules=rules,
        most=subscription.max_entries,
        paused=subscription.paused,
    )
