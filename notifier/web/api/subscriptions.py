"""Subscriptions: read, changed, paused; and the next digest as it would be now."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt
from starlette.requests import Request

from notifier import account
from notifier.cadence import describe, parse_days, parse_quiet
from notifier.checkup import told
from notifier.errors import UsageError
from notifier.explain import preview, why
from notifier.followup import OFF, format_follow_ups
from notifier.lookup import entry_of
from notifier.model import Cadence, DigestItem, Every, Subscription
from notifier.ports import Store
from notifier.web.api.caller import NOT_FOUND, SLOW, AnyCaller, Caller, ChangesRules, ReadsSubscriptions, demand_turn
from notifier.web.api.instants import Instant
from notifier.web.api.paging import Cursor, Limit, Page, id_of, page_of
from notifier.web.api.shapes import EntryOut, ReasonOut, fields_of
from notifier.web.site import site

router = APIRouter(tags=["subscriptions"])

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_QUIET = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"
_AT = r"^([01]\d|2[0-3]):[0-5]\d$"


class TokenOut(BaseModel):
    """The token that was sent."""

    id: str
    name: str
    scopes: list[str]
    of: str | None = Field(description="Whose subscriptions it opens; null for everybody's.")
    expires_at: datetime | None


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


class ItemOut(EntryOut):
    """A paper in a digest, and the rules that brought it."""

    reasons: list[ReasonOut]

    @classmethod
    def item(cls, item: DigestItem) -> Self:
        return cls(**fields_of(item.entry), reasons=[ReasonOut.of(each) for each in item.reasons])


class Preview(BaseModel):
    """The next digest as it would be now; nothing is recorded."""

    slot: str = Field(examples=["2025-12-18T08:00 Europe/Berlin"])
    due_at: datetime
    checked: int = Field(description="How many papers it was chosen from.")
    items: list[ItemOut] = Field(description="Shown in full.")
    more: list[ItemOut] = Field(description="Behind the cap.")


class VerdictOut(BaseModel):
    rule: str
    holds: bool
    words: str = Field(description="What decided, in words.")


class WhyOut(BaseModel):
    """Why a paper is, is not or is not yet in a digest of a subscription."""

    entry: str
    answer: str = Field(examples=["Sent in the digest of 2025-12-16T08:00 Europe/Berlin (d_k3m9x2tq7p)."])
    delivery: str | None
    verdicts: list[VerdictOut]


@router.get("/token", summary="The token that is sent", tags=["token"])
async def get_token(caller: AnyCaller) -> TokenOut:
    token = caller.token
    return TokenOut(
        id=token.id,
        name=token.name,
        scopes=sorted(token.scopes),
        of=token.owner or None,
        expires_at=token.expires_at,
    )


@router.get("/subscriptions", summary="The subscriptions that the token opens, by id")
async def list_subscriptions(
    request: Request, caller: ReadsSubscriptions, cursor: Cursor = "", limit: Limit = 50
) -> Page[SubscriptionOut]:
    after = id_of(cursor) or ""
    found = await site(request).read(lambda store: _opened(store, caller, after, limit + 1))
    return page_of(found, SubscriptionOut.of, lambda each: each.id, limit)


@router.get("/subscriptions/{id}", summary="One subscription", responses=NOT_FOUND)
async def get_subscription(request: Request, caller: ReadsSubscriptions, id: str) -> SubscriptionOut:
    return SubscriptionOut.of(await site(request).read(lambda store: caller.subscription(store, id)))


@router.patch("/subscriptions/{id}", summary="Change when digests come, pause or resume", responses=NOT_FOUND)
async def change_subscription(
    request: Request, caller: ChangesRules, id: str, wanted: SubscriptionPatch
) -> SubscriptionOut:
    now, until = site(request).now(), wanted.paused_until
    if until is not None and not wanted.paused:
        raise UsageError("An end belongs to a pause: give paused: true with paused_until.")

    def work(store: Store) -> Subscription:
        caller.subscription(store, id)
        changed = account.change(
            store,
            id,
            cadence=wanted.cadence,
            max_entries=wanted.max_entries,
            send_empty=wanted.send_empty,
            now=now,
        )
        if wanted.paused is None or (not wanted.paused and not changed.paused):
            return changed
        return account.pause(store, id, until=until, now=now) if wanted.paused else account.resume(store, id, now=now)

    return SubscriptionOut.of(await site(request).write(work))


@router.get("/subscriptions/{id}/preview", summary="The next digest as it would be now", responses=NOT_FOUND | SLOW)
async def preview_subscription(request: Request, caller: ReadsSubscriptions, id: str) -> Preview:
    house = site(request)
    now, app = house.now(), house.app
    demand_turn(request, caller)

    def work(store: Store) -> Preview:
        caller.subscription(store, id)
        look_back, sources = app.settings.look_back, told(store, now)
        digest = preview(store, app.topics, id, look_back=look_back, sources=sources, now=now)
        return Preview(
            slot=str(digest.slot),
            due_at=digest.slot.due_at,
            checked=digest.checked,
            items=[ItemOut.item(each) for each in digest.items],
            more=[ItemOut.item(each) for each in digest.more],
        )

    return await house.read(work)


@router.get("/subscriptions/{id}/why", summary="Why a paper is in its digests, or is not", responses=NOT_FOUND)
async def why_subscription(
    request: Request,
    caller: ReadsSubscriptions,
    id: str,
    entry: Annotated[str, Query(description="Its id, arXiv id, DOI, address, or words of its title.", max_length=1000)],
) -> WhyOut:
    house = site(request)
    now, app = house.now(), house.app

    def work(store: Store) -> WhyOut:
        caller.subscription(store, id)
        found = why(store, app.topics, entry_of(store, entry), id, look_back=app.settings.look_back, now=now)
        return WhyOut(
            entry=found.entry.id,
            answer=found.answer,
            delivery=found.delivery.id if found.delivery else None,
            verdicts=[VerdictOut(rule=each.rule.id, holds=each.holds, words=each.words) for each in found.verdicts],
        )

    return await house.read(work)


def _opened(store: Store, caller: Caller, after: str, limit: int) -> list[Subscription]:
    if not (owner := caller.token.owner):
        return store.subscriptions.page(after=after, limit=limit)
    own = {each.id: each for each in (*store.subscriptions.all(owner), *store.members.subscriptions(owner))}
    return [own[id] for id in sorted(own) if id > after][:limit]


def _days(names: list[Weekday]) -> frozenset[int]:
    return parse_days(",".join(names)) if names else frozenset()
