"""Deliveries: what waits, is held, failed or was sent; tried again, or never sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from notifier.delivery import OPEN, TABLE, Event
from notifier.errors import NotFound, UsageError
from notifier.model import Attempt, Delivery, DeliveryState, Subscription
from notifier.ports import Store
from notifier.render import Catalog, message
from notifier.trouble import advice
from notifier.web.base import page, see_other, words
from notifier.web.operators.rights import Operator, do
from notifier.web.site import site
from notifier.web.wording import STATES, channel_words

router = APIRouter(include_in_schema=False, prefix="/operator/deliveries")

_SHOWN = 50
_MOST_AT_ONCE = 10_000
_NO_MORE = message("Nothing was changed: what is sent, or has ended otherwise, stays as it is.")
_NO_SUCH = message("There is no such delivery.")


class Word(StrEnum):
    RETRY = "retry"
    CANCEL = "cancel"


class View(StrEnum):
    """Which of them are listed."""

    FAILED = "failed"
    HELD = "held"
    WAITING = "waiting"
    SENT = "sent"
    ALL = "all"


_LISTED: dict[View, frozenset[DeliveryState]] = {
    View.FAILED: frozenset({DeliveryState.FAILED}),
    View.HELD: frozenset({DeliveryState.HELD}),
    View.WAITING: OPEN,
    View.SENT: frozenset({DeliveryState.SENT}),
    View.ALL: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A delivery as a list shows it; instants are in the operator's zone."""

    id: str
    slot: str
    person: str
    channel: str
    papers: int
    state: str
    attempts: int
    unknowns: int
    reason: str | None
    next_at: str | None
    sent_at: str | None
    to_do: str | None
    may_retry: bool
    may_cancel: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    delivery: Delivery
    subscription: Subscription
    papers: int


@router.get("")
async def list_(request: Request, operator: Operator, view: View = View.FAILED, after: str = "") -> Response:
    def work(store: Store) -> list[Found]:
        states = _LISTED[view]
        return _found(store, store.deliveries.all(states=states, after=after or None, limit=_SHOWN + 1))

    found, said = await site(request).read(work), words(request)
    return page(
        request,
        "web/operators/deliveries.html",
        view=view,
        views=list(View),
        lines=[_line(each, said, operator.timezone) for each in found[:_SHOWN]],
        next=found[_SHOWN - 1].delivery.id if len(found) > _SHOWN else None,
    )


@router.get("/{id}")
async def show(request: Request, operator: Operator, id: str, done: Word | None = None) -> Response:
    def work(store: Store) -> tuple[Found, list[Attempt], list[tuple[str, str]]]:
        (found,) = _found(store, [_delivery(store, id)])
        entries = store.entries.get(each.entry_id for each in store.deliveries.items(id))
        return found, store.deliveries.attempts(id), [(each.id, each.title) for each in entries.values()]

    found, attempts, papers = await site(request).read(work)
    said = words(request)
    return page(
        request,
        "web/operators/delivery.html",
        line=_line(found, said, operator.timezone),
        subscription=found.subscription.id,
        attempts=[
            {
                "number": each.fence,
                "began": said.moment(each.began_at, operator.timezone),
                "became": said.say(STATES[each.state]) if each.state else said.say("under way"),
                "unknown": each.unknown,
                "reason": each.reason,
            }
            for each in attempts
        ],
        papers=papers,
        done=done,
    )


@router.post("/retry-failed")
async def retry_failed(request: Request, operator: Operator) -> Response:
    """All that have failed for good."""
    now = site(request).now()

    def work(store: Store) -> None:
        for each in store.deliveries.all(states=[DeliveryState.FAILED], limit=_MOST_AT_ONCE):
            store.deliveries.retry(each.id, at=now)

    await do(request, operator, "retry deliveries", ["all that had failed"], work)
    return see_other("/operator/deliveries", view=View.WAITING)


@router.post("/{id}/{word}")
async def tell(request: Request, operator: Operator, id: str, word: Word) -> Response:
    now = site(request).now()

    def work(store: Store) -> None:
        _delivery(store, id)
        told = store.deliveries.retry if word is Word.RETRY else store.deliveries.cancel
        if not told(id, at=now):
            raise UsageError(_NO_MORE)

    await do(request, operator, f"{word} delivery", [id], work)
    return see_other(f"/operator/deliveries/{id}", done=word)


def _delivery(store: Store, id: str) -> Delivery:
    if (found := store.deliveries.get(id)) is None:
        raise NotFound(_NO_SUCH)
    return found


def _found(store: Store, deliveries: Sequence[Delivery]) -> list[Found]:
    subscriptions = store.subscriptions.get({each.subscription_id for each in deliveries})
    contents = store.deliveries.contents([each.id for each in deliveries])
    return [
        Found(delivery=each, subscription=subscriptions[each.subscription_id], papers=len(contents[each.id].items))
        for each in deliveries
    ]


def _line(found: Found, said: Catalog, zone: str) -> Line:
    each, told = found.delivery, advice(found.delivery)
    return Line(
        id=each.id,
        slot=said.moment(each.slot.due_at, zone),
        person=found.subscription.subscriber.email,
        channel=channel_words(found.subscription.address, said),
        papers=found.papers,
        state=said.say(STATES[each.state]),
        attempts=each.attempts,
        unknowns=each.unknowns,
        reason=each.reason,
        next_at=said.moment(each.next_attempt_at, zone) if each.state in OPEN else None,
        sent_at=said.moment(each.sent_at, zone) if each.sent_at else None,
        to_do=told[1] if told else None,
        may_retry=each.state in TABLE[Event.RETRY][0],
        may_cancel=each.state in TABLE[Event.CANCEL][0] - {DeliveryState.CLAIMED},
    )
