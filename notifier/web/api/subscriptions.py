"""Subscriptions: made, read, changed, paused, removed; and the next digest as it would be now."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from notifier import account
from notifier.checkup import told
from notifier.errors import UsageError
from notifier.explain import preview, why
from notifier.lookup import entry_of, subscriber_of
from notifier.model import DigestItem, Subscription
from notifier.ports import Store
from notifier.web.api.caller import NOT_FOUND, SLOW, Caller, ChangesRules, ReadsSubscriptions, demand_turn
from notifier.web.api.once import IdempotencyKey, once
from notifier.web.api.paging import Cursor, Limit, Page, id_of, page_of
from notifier.web.api.schedules import SubscriptionIn, SubscriptionOut, SubscriptionPatch
from notifier.web.api.shapes import EntryOut, ReasonOut, fields_of
from notifier.web.site import site
from notifier.web.subscriptions import demand_channel

router = APIRouter(tags=["subscriptions"])


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


@router.post(
    "/subscriptions", status_code=201, summary="Subscribe", response_model=SubscriptionOut, responses=NOT_FOUND
)
async def add_subscription(
    request: Request, caller: ChangesRules, wanted: SubscriptionIn, key: IdempotencyKey = ""
) -> Response:
    house, now = site(request), site(request).now()
    settings = house.app.settings
    email, wish = _subscriber(caller, wanted), wanted.wish(settings.max_entries)

    def work(store: Store) -> SubscriptionOut:
        if caller.token.owner:
            demand_channel(house, subscriber_of(store, email), wish.channel)
        return SubscriptionOut.of(account.subscribe(store, email, wish, schemas=settings.apprise_schemas, now=now))

    return await once(request, caller, key, work, status=201)


@router.delete("/subscriptions/{id}", status_code=204, summary="Remove a subscription", responses=NOT_FOUND)
async def remove_subscription(request: Request, caller: ChangesRules, id: str) -> Response:
    """With its rules and past digests. One that is shared is removed by who made it."""

    def work(store: Store) -> None:
        found = caller.subscription(store, id)
        if caller.token.owner not in ("", found.subscriber.email):
            raise UsageError("Only who made a subscription can remove it.")
        account.unsubscribe(store, id)

    await site(request).write(work)
    return Response(status_code=204)


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


def _subscriber(caller: Caller, wanted: SubscriptionIn) -> str:
    owner = caller.token.owner
    if not (email := wanted.subscriber or owner):
        raise UsageError("Say whose it is to be: give the subscriber's address.")
    if owner not in ("", email):
        raise UsageError("The token opens only its owner's subscriptions: leave the subscriber out.")
    return email
