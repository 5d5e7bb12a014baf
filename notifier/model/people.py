"""People, what they subscribe to, and by which rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo


class Every(StrEnum):
    INSTANT = "instant"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Mode(StrEnum):
    INCLUDE = "include"
    MUTE = "mute"


TEAM_DOMAIN = "slack.internal"
"""Stands behind the address of a subscriber that is a channel; ``internal`` is reserved, so no mail goes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    id: str
    email: str
    name: str = ""
    timezone: str = "UTC"
    language: str = "en"
    created_at: datetime

    @property
    def is_team(self) -> bool:
        return self.email.endswith(f".{TEAM_DOMAIN}")

    @property
    def shown(self) -> str:
        """What readers call it: a person's address, a channel's name."""
        return self.name if self.is_team and self.name else self.email


_HIDING = MappingProxyType({"webhook": re.compile(r"https?://[^/?#]*/?"), "apprise": re.compile(r"[a-z0-9+]+://")})
"""By channel kind, how much of its targets may be shown. Apprise puts tokens where others have a host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a digest goes: a channel kind and its target, written ``kind:target``."""

    kind: str
    target: str = ""

    def __str__(self) -> str:
        """As it may be shown: of an address that holds a key only its beginning."""
        if self.kind in _HIDING and (found := _HIDING[self.kind].match(self.target)):
            return f"{self.kind}:{found[0]}…"
        return f"{self.kind}:{self.target}" if self.target else self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Wall-clock hours of every day in which nothing is sent; ``end`` before ``start`` is on the next day."""

    start: time
    end: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """When digests are due, in the subscriber's own calendar.

    ``days`` are weekdays, Monday = 0; empty means every day (daily, hourly), Monday (weekly) or the first
    of the month (monthly). ``at`` is wall-clock time; an hourly cadence uses only its minute. ``quiet`` hours and
    free ``weekends`` hold what is due back, until they are over.
    """

    every: Every
    at: time = time(8, 0)
    days: frozenset[int] = frozenset()
    quiet: Quiet | None = None
    weekends: bool = True


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
