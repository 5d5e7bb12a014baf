"""Less, from a link in a mail and without logging in: leave one subscription or all, pause, or get fewer papers.

The token in the link proves the right to that and to nothing else. RFC 8058: the POST needs no cookie, is answered
at once and by no redirect, and what it says is done when it is answered.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from notifier import account
from notifier.errors import NotFound, UsageError
from notifier.model import Subscription
from notifier.ports import Store
from notifier.render import message
from notifier.tokens import UNSUBSCRIBE, signed
from notifier.web.base import page, words
from notifier.web.site import site
from notifier.web.wording import cadence_words, channel_words, moment

router = APIRouter(include_in_schema=False, prefix="/u/{token}")
FEW = 5
"""What "too many" is offered instead."""
_VIA = "a link in a mail"
_BROKEN = message(
    "This link is not whole: copy all of it from the mail, or use the unsubscribe button of your mailbox."
)


@router.get("")
async def ask(request: Request, token: str) -> Response:
    id = _subscription_id(request, token)
    found, others = await site(request).read(lambda store: _found(store, id))
    return _page(request, token, found, others=others)


@router.post("")
async def leave(request: Request, token: str) -> Response:
    id = _subscription_id(request, token)
    left = await site(request).write(lambda store: account.leave(store, id, via=_VIA))
    return _done(request, left, words(request).say("Unsubscribed. Nothing more comes from this subscription."))


@router.post("/all")
async def leave_all(request: Request, token: str) -> Response:
    id = _subscription_id(request, token)

    def work(store: Store) -> Subscription | None:
        found = store.subscriptions.get([id]).get(id)
        if found:
            account.leave(store, id, via=_VIA)
            account.leave_all(store, found.subscriber.email, via=_VIA)
        return found

    left = await site(request).write(work)
    return _done(request, left, words(request).say("Unsubscribed from everything. No more mail comes from here."))


@router.post("/pause")
async def pause(request: Request, token: str, until: Annotated[date, Form()]) -> Response:
    id = _subscription_id(request, token)
    paused = await site(request).write(lambda store: _paused(store, id, until, site(request).now()))
    end = paused.paused_until
    assert end is not None  # noqa: S101 - this pause has an end
    when = moment(end, paused.subscriber.timezone, words(request))
    return _done(request, paused, words(request).say("Paused until %(when)s.", when=when))


@router.post("/fewer")
async def fewer(request: Request, token: str) -> Response:
    id = _subscription_id(request, token)

    def work(store: Store) -> Subscription:
        found = _there(store, id)
        most = min(found.max_entries, FEW)
        return account.change(store, id, max_entries=most, now=site(request).now())

    changed = await site(request).write(work)
    sentence = words(request).count(
        "From now on a digest shows at most %(num)s paper; the others stand behind a link.",
        "From now on a digest shows at most %(num)s papers; the others stand behind a link.",
        changed.max_entries,
    )
    return _done(request, changed, sentence)


def _subscription_id(request: Request, token: str) -> str:
    id = signed(site(request).keys, UNSUBSCRIBE, token)
    if id is None:
        raise NotFound(_BROKEN)
    return id


def _found(store: Store, id: str) -> tuple[Subscription | None, int]:
    """It, and how many others mail the same person."""
    found = store.subscriptions.get([id]).get(id)
    if found is None:
        return None, 0
    mine = [each for each in store.subscriptions.all(found.subscriber.email) if account.is_to_owner(each)]
    return found, sum(not each.paused and each.id != id for each in mine)


def _there(store: Store, id: str) -> Subscription:
    found = store.subscriptions.get([id]).get(id)
    if found is None:
        raise NotFound(message("This subscription has ended: nothing more comes from it."))
    return found


def _paused(store: Store, id: str, until: date, now: datetime) -> Subscription:
    found = _there(store, id)
    if found.paused and found.paused_until is None:
        raise UsageError(message("Nothing comes from this subscription: there is nothing to pause."))
    zone = ZoneInfo(found.subscriber.timezone)
    return account.pause(store, id, until=datetime.combine(until, time(0), zone), now=now)


def _page(request: Request, token: str, found: Subscription | None, *, others: int) -> Response:
    if found is None or (found.paused and found.paused_until is None):
        return _done(request, found, words(request).say("Nothing comes from this subscription any more."))
    return page(
        request,
        "web/leave.html",
        token=token,
        channel=channel_words(found.address, words(request)),
        cadence=cadence_words(found.cadence, words(request)),
        others=others,
        few=FEW if found.max_entries > FEW else None,
        soonest=(site(request).now() + timedelta(days=1)).date(),
        usual=(site(request).now() + timedelta(days=14)).date(),
    )


def _done(request: Request, subscription: Subscription | None, sentence: str) -> Response:
    """``subscription`` is None where it is gone, with its rules."""
    return page(request, "web/left.html", sentence=sentence, kept=subscription is not None)
