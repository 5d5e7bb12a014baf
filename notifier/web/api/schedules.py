"""Subscriptions as they go over the wire: what comes where and when."""

from __future__ import annotations

from datetime import datetime, time
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from notifier import account
from notifier.cadence import describe, parse_days, parse_quiet
from notifier.followup import OFF, format_follow_ups
from notifier.model import Cadence, Every, Subscription
from notifier.web.api.instants import Instant

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_QUIET = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"
_AT = r"^([01]\d|2[0-3]):[0-5]\d$"


class SubscriptionOut(BaseModel):
    """One stream of digests; its hours are in the subscriber's own zone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "s_8w4hd2zqnb",
                    "subscriber": "ada@example.org",
                    "channel": "email:ada@example.org",
                    "every": "daily",
                    "at": "08:00",
                    "days": ["mon", "thu"],
                    "quiet": None,
                    "weekends": True,
                    "timezone": "Europe/Berlin",
                    "when": "On Mondays and Thursdays at 08:00 Europe/Berlin",
                    "max_entries": 20,
                    "send_empty": False,
                    "follow_ups": "off",
                    "paused": False,
                    "paused_until": None,
                    "stopped_reason": None,
                    "next_due_at": "2025-12-18T07:00:00Z",
                    "created_at": "2025-12-01T10:00:00Z",
                }
            ]
        }
    )

    id: str
    subscriber: str
    channel: str
    every: Every
    at: str
    days: list[Weekday]
    quiet: str | None = Field(description="Hours in which nothing is sent, such as 22:00-07:00.")
    weekends: bool
    timezone: str
    when: str = Field(description="All of that in words.")
    max_entries: int
    send_empty: bool
    follow_ups: str
    paused: bool
    paused_until: datetime | None
    stopped_reason: str | None = Field(description="Why the program itself paused it.")
    next_due_at: datetime
    created_at: datetime

    @classmethod
    def of(cls, each: Subscription) -> Self:
        cadence, zone = each.cadence, each.subscriber.timezone
        return cls(
            id=each.id,
            subscriber=each.subscriber.email,
            channel=str(each.address),
            every=cadence.every,
            at=cadence.at.isoformat("minutes"),
            days=[_WEEKDAYS[day] for day in sorted(cadence.days)],
            quiet=f"{cadence.quiet.start:%H:%M}-{cadence.quiet.end:%H:%M}" if cadence.quiet else None,
            weekends=cadence.weekends,
            timezone=zone,
            when=describe(cadence, zone),
            max_entries=each.max_entries,
            send_empty=each.send_empty,
            follow_ups=format_follow_ups(each.follow_ups) or OFF,
            paused=each.paused,
            paused_until=each.paused_until,
            stopped_reason=each.stopped_reason,
            next_due_at=each.next_due_at,
            created_at=each.created_at,
        )


class SubscriptionIn(BaseModel):
    """A subscription as somebody wants it; it gets nothing until it has a rule."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"channel": "email", "every": "daily", "at": "08:00"}]}
    )

    subscriber: str | None = Field(
        None, max_length=320, description="Whose it is, by address; needed with a token that opens everybody's."
    )
    channel: str = Field(
        "email",
        max_length=1000,
        description="`email` (the subscriber's own address), `slack:CHANNEL` and others as `notifier subscription add` "
        "takes them. With a subscriber's token only their own address.",
    )
    every: Every
    at: str = Field("08:00", pattern=_AT)
    days: list[Weekday] = Field([], max_length=7, description="Empty for every day.")
    quiet: str | None = Field(None, pattern=_QUIET)
    weekends: StrictBool = True
    max_entries: StrictInt | None = Field(None, ge=1, le=200)
    send_empty: StrictBool = False

    def wish(self, max_entries: int) -> account.Wish:
        cadence = Cadence(
            every=self.every,
            at=time.fromisoformat(self.at),
            days=_days(self.days),
            quiet=parse_quiet(self.quiet) if self.quiet else None,
            weekends=self.weekends,
        )
        return account.Wish(
            channel=self.channel,
            cadence=cadence,
            max_entries=self.max_entries or max_entries,
            send_empty=self.send_empty,
        )


class SubscriptionPatch(BaseModel):
    """What is given is changed; what is absent stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"at": "07:30", "days": ["mon", "thu"]}, {"paused": True}]}
    )

    every: Every | None = None
    at: str | None = Field(None, pattern=_AT)
    days: list[Weekday] | None = Field(None, max_length=7, description="Empty for every day.")
    quiet: str | None = Field(None, pattern=f"{_QUIET}|^off$", description="`off` for no quiet hours.")
    weekends: StrictBool | None = None
    max_entries: StrictInt | None = Field(None, ge=1, le=200)
    send_empty: StrictBool | None = None
    paused: StrictBool | None = None
    paused_until: Instant | None = Field(None, description="With `paused`: when it ends by itself.")

    def cadence(self, before: Cadence) -> Cadence:
        return Cadence(
            every=self.every or before.every,
            at=before.at if self.at is None else time.fromisoformat(self.at),
            days=before.days if self.days is None else _days(self.days),
            quiet=before.quiet if self.quiet is None else None if self.quiet == OFF else parse_quiet(self.quiet),
            weekends=before.weekends if self.weekends is None else self.weekends,
        )


def _days(names: list[Weekday]) -> frozenset[int]:
    return parse_days(",".join(names)) if names else frozenset()
