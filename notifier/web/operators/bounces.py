"""Addresses that get nothing, and mail that came back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from notifier import account, consent, readmit
from notifier.model import Bounce, BounceKind, Suppression
from notifier.ports import Store
from notifier.render import Catalog, message
from notifier.web.base import page, see_other, words
from notifier.web.operators.rights import Operator, do
from notifier.web.site import site

router = APIRouter(include_in_schema=False, prefix="/operator/bounces")

_NEWEST = 50
_KINDS = {
    BounceKind.HARD: message("not there"),
    BounceKind.SOFT: message("takes no mail now"),
    BounceKind.COMPLAINT: message("reported as spam"),
}
_BY_HAND = "The operator suppressed it."


@router.get("")
async def list_(request: Request, operator: Operator, done: str = "") -> Response:
    def work(store: Store) -> tuple[list[Suppression], list[Bounce]]:
        return store.bounces.suppressed(), store.bounces.newest(limit=_NEWEST)

    suppressed, newest = await site(request).read(work)
    said, now = words(request), site(request).now()
    return page(
        request,
        "web/operators/bounces.html",
        done=done,
        suppressed=[
            {
                "address": each.address,
                "since": said.moment(each.since, operator.timezone),
                "reason": each.reason,
                "asked": _asked(each, said, operator.timezone),
                "is_open": consent.state(each, now) is consent.State.ASKED,
            }
            for each in suppressed
        ],
        newest=[
            {
                "address": each.address,
                "at": said.moment(each.at, operator.timezone),
                "kind": said.say(_KINDS[each.kind]),
                "status": each.status,
                "reason": each.reason,
            }
            for each in newest
        ],
    )


@router.post("/suppress")
async def suppress(
    request: Request,
    operator: Operator,
    address: Annotated[str, Form(max_length=320)],
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    wanted, now = account.email_address(address), site(request).now()
    said = " ".join(reason.split()) or _BY_HAND
    suppressed = Suppression(address=wanted, since=now, reason=said)
    await do(request, operator, "suppress", [wanted], lambda store: store.bounces.suppress(suppressed))
    return see_other("/operator/bounces", done="suppress")


@router.post("/ask")
async def ask(request: Request, operator: Operator, address: Annotated[str, Form(max_length=320)]) -> Response:
    """Ask its owner by mail whether it may be used again."""
    links, now = site(request).app.links, site(request).now()
    await do(
        request,
        operator,
        "ask address",
        [address],
        lambda store: readmit.ask_for(store, address, links=links, now=now),
    )
    return see_other("/operator/bounces", done="ask")


@router.post("/release")
async def release(request: Request, operator: Operator, address: Annotated[str, Form(max_length=320)]) -> Response:
    """Its owner has said so, by another way."""
    await do(request, operator, "release", [address], lambda store: readmit.release(store, address))
    return see_other("/operator/bounces", done="release")


def _asked(each: Suppression, said: Catalog, zone: str) -> str | None:
    if each.question is None:
        return None
    return said.say(
        "Its owner was asked on %(when)s and may answer until %(until)s.",
        when=said.moment(each.question.at, zone),
        until=said.moment(each.question.until, zone),
    )
