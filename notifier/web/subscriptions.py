"""A person's subscriptions: what comes where and when, pausing, a test now, sharing, removing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from notifier import account, entrance
from notifier.edit import Author
from notifier.errors import NotFound, SendError, UsageError
from notifier.model import Address, Subscriber, Subscription
from notifier.ports import Store
from notifier.render import message
from notifier.web.base import HOUR, MINUTE, Own, Viewer, all_own, at_most, is_operator, page, see_other, words
from notifier.web.schedule import Schedule, SubscriptionView, subscription_view
from notifier.web.sending import send_now
from notifier.web.site import Site, site
from notifier.web.wording import channel_words, day_names

router = APIRouter(include_in_schema=False)
_MOST = 50
"""Subscriptions that one person can make here."""
_TOO_MANY = message("There are 50 subscriptions already, the most there can be: remove one first.")
_NOT_YOURS = message(
    "Digests go to the own mailbox or to oneself in Slack: other places are set up by whoever runs this."
)
_SHARED = message("Only who made a subscription can remove it or share it; leave it instead.")
_UNKNOWN = message("Nobody with this address is here: they have to subscribe or log in once before.")


@router.get("/subscriptions")
async def listed(request: Request, viewer: Viewer, new: str = "") -> Response:
    def work(store: Store) -> list[SubscriptionView]:
        mine = all_own(store, viewer)
        rules = store.rules.of(each.id for each in mine)
        return [subscription_view(each, len(rules.get(each.id, ())), words(request)) for each in mine]

    return page(request, "web/subscriptions.html", subscriptions=await site(request).read(work), new=new)


@router.get("/subscriptions/new")
async def form(request: Request, viewer: Viewer) -> Response:
    house = site(request)
    return page(
        request,
        "web/subscription_new.html",
        schedule=Schedule(max_entries=house.app.settings.max_entries),
        channels=_places(request, viewer),
        days=day_names(words(request)),
        packs=house.packs.values(),
        zone=viewer.timezone,
    )


@router.post("/subscriptions", dependencies=[at_most(30, HOUR)])
async def add(
    request: Request,
    viewer: Viewer,
    schedule: Annotated[Schedule, Form()],
) -> Response:
    house, now = site(request), site(request).now()
    demand_channel(house, viewer, schedule.channel)

    def work(store: Store) -> Subscription:
        if len(store.subscriptions.all(viewer.email)) >= _MOST:
            raise UsageError(_TOO_MANY)
        schemas = house.app.settings.apprise_schemas
        made = account.subscribe(store, viewer.email, schedule.wish(), schemas=schemas, now=now)
        chosen = [house.packs[name] for name in schedule.packs if name in house.packs]
        author = Author(name=viewer.email, via="web")
        entrance.add_packs(store, house.app.topics, chosen, made.id, author=author, now=now)
        return made

    made = await house.write(work)
    return see_other("/subscriptions", new=made.id)


@router.get("/s/{id}/settings")
async def settings(request: Request, viewer: Viewer, own: Own, saved: bool = False) -> Response:
    house = site(request)
    members, shares, rules = await house.read(
        lambda store: (
            store.members.of(own.id),
            store.members.shares_ledger(own.id, viewer.email),
            len(store.rules.of([own.id]).get(own.id, ())),
        )
    )
    return page(
        request,
        "web/subscription.html",
        subscription=own,
        shown=subscription_view(own, rules, words(request)),
        schedule=Schedule.of(own),
        channels=_places(request, viewer, own.address),
        days=day_names(words(request)),
        zone=own.subscriber.timezone,
        members=members,
        shares_ledger=shares,
        owner=own.subscriber,
        is_mine=own.subscriber.id == viewer.id,
        saved=saved,
    )


@router.post("/s/{id}/settings", dependencies=[at_most(60, HOUR)])
async def save(request: Request, viewer: Viewer, own: Own, schedule: Annotated[Schedule, Form()]) -> Response:
    house, now = site(request), site(request).now()
    channel = None if schedule.channel == str(own.address) else schedule.channel
    if channel is not None:
        demand_channel(house, viewer, channel)

    def work(store: Store) -> None:
        wish = schedule.wish()
        account.change(
            store,
            own.id,
            cadence=lambda _: wish.cadence,
            channel=channel,
            schemas=house.app.settings.apprise_schemas,
            max_entries=wish.max_entries,
            send_empty=wish.send_empty,
            now=now,
        )
        if wish.follow_ups != own.follow_ups:
            account.follow(store, own.id, wish.follow_ups, now=now)

    await house.write(work)
    return see_other(f"/s/{own.id}/settings", saved="true")


@router.get("/s/{id}/pause")
async def ask_pause(request: Request, own: Own) -> Response:
    now = site(request).now()
    return page(
        request,
        "web/pause.html",
        shown=subscription_view(own, 0, words(request)),
        soonest=(now + timedelta(days=1)).date(),
        usual=(now + timedelta(days=14)).date(),
    )


@router.post("/s/{id}/pause", dependencies=[at_most(60, HOUR)])
async def pause(request: Request, own: Own, until: Annotated[date | None, Form()] = None) -> Response:
    zone = ZoneInfo(own.subscriber.timezone)
    end = datetime.combine(until, time(0), zone) if until else None
    now = site(request).now()
    await site(request).write(lambda store: account.pause(store, own.id, until=end, now=now))
    return see_other("/subscriptions")


@router.post("/s/{id}/resume", dependencies=[at_most(60, HOUR)])
async def resume(request: Request, own: Own) -> Response:
    now = site(request).now()
    await site(request).write(lambda store: account.resume(store, own.id, now=now))
    return see_other("/subscriptions")


@router.post("/s/{id}/test", dependencies=[at_most(5, 10 * MINUTE)])
async def test(request: Request, own: Own) -> Response:
    """The next digest as it would be, sent now; nothing counts as sent by it."""
    try:
        count = await send_now(site(request), own)
    except SendError as error:
        return page(request, "web/tested.html", status=502, shown=_view(request, own), error=str(error), count=0)
    return page(request, "web/tested.html", shown=_view(request, own), error=None, count=count)


@router.get("/s/{id}/remove")
async def ask_remove(request: Request, viewer: Viewer, own: Own) -> Response:
    _demand_owner(own, viewer)

    def work(store: Store) -> tuple[int, int]:
        sent = store.deliveries.all(subscription_id=own.id, limit=1000)
        return len(store.rules.of([own.id]).get(own.id, ())), len(sent)

    rules, digests = await site(request).read(work)
    return page(request, "web/remove.html", shown=_view(request, own), rules=rules, digests=digests)


@router.post("/s/{id}/remove", dependencies=[at_most(30, HOUR)])
async def remove(request: Request, viewer: Viewer, own: Own) -> Response:
    _demand_owner(own, viewer)
    await site(request).write(lambda store: account.unsubscribe(store, own.id))
    return see_other("/subscriptions")


@router.post("/s/{id}/members", dependencies=[at_most(30, HOUR)])
async def share(request: Request, viewer: Viewer, own: Own, email: Annotated[str, Form()]) -> Response:
    """With somebody who is here already: they see and change it as its maker does."""
    _demand_owner(own, viewer)
    now = site(request).now()

    def work(store: Store) -> None:
        address = account.email_address(email)
        if store.subscribers.get(address) is None:
            raise NotFound(_UNKNOWN)
        store.members.add(own.id, address, now=now)

    await site(request).write(work)
    return see_other(f"/s/{own.id}/settings", saved="true")


@router.post("/s/{id}/ledger", dependencies=[at_most(60, HOUR)])
async def share_ledger(request: Request, viewer: Viewer, own: Own, shares: Annotated[bool, Form()] = False) -> Response:
    """Leave out of one's private digests what this one showed."""
    now = site(request).now()
    await site(request).write(lambda store: store.members.share_ledger(own.id, viewer.email, shares=shares, now=now))
    return see_other(f"/s/{own.id}/settings", saved="true")


@router.post("/s/{id}/members/remove", dependencies=[at_most(60, HOUR)])
async def leave(request: Request, viewer: Viewer, own: Own, email: Annotated[str, Form()]) -> Response:
    """Its maker ends anybody's share, the others their own."""
    if email != viewer.email:
        _demand_owner(own, viewer)
    await site(request).write(lambda store: store.members.remove(own.id, email))
    return see_other("/subscriptions" if email == viewer.email else f"/s/{own.id}/settings")


def _view(request: Request, own: Subscription) -> SubscriptionView:
    return subscription_view(own, 0, words(request))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A channel to choose; ``words`` say it for people."""

    value: str
    words: str


def _places(request: Request, viewer: Subscriber, now: Address | None = None) -> list[Place]:
    """Where a digest may go without anybody else being asked, and where it goes now."""
    found = dict.fromkeys([*_own_places(site(request), viewer), *([now] if now else [])])
    return [Place(value=str(each), words=channel_words(each, words(request))) for each in found]


def _own_places(house: Site, viewer: Subscriber) -> list[Address]:
    kinds = ("email", "slack") if house.app.settings.has_slack else ("email",)
    return [Address(kind=kind, target=viewer.email) for kind in kinds]


def demand_channel(house: Site, viewer: Subscriber, channel: str) -> None:
    """Nobody's mailbox or channel is filled by somebody else; operators may set up any."""
    own = map(str, _own_places(house, viewer))
    if channel not in ("email", *own) and not is_operator(house, viewer):
        raise UsageError(_NOT_YOURS)


def _demand_owner(own: Subscription, viewer: Subscriber) -> None:
    if own.subscriber.id != viewer.id:
        raise UsageError(_SHARED)
