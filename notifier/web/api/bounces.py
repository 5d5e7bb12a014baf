"""Mail to us, handed in by the mail server or a provider's hook."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request

from notifier.bounced import Taken
from notifier.incoming import take
from notifier.ports import LONGEST_MAIL
from notifier.web.api.caller import HandsInBounces
from notifier.web.api.problems import Problem, Refusal
from notifier.web.site import site

router = APIRouter(tags=["bounces"])
_MAIL = "message/rfc822"


class TakenOut(BaseModel):
    taken: Taken = Field(
        description="What it was: `hard`, `soft`, `complaint`, `about us` (no fault of the address), `unsubscribed` "
        "(a mail to the address of List-Unsubscribe), `subscription is gone`, `not signed by us` or `no bounce`; the "
        "last three change nothing.",
        examples=["hard"],
    )


@router.post(
    "/bounces",
    summary="Hand in a mail that came back",
    responses={415: {"model": Problem, "description": f"The body is not {_MAIL}"}},
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The whole mail as it came, with its headers.",
            "content": {_MAIL: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def take_bounce(request: Request, caller: HandsInBounces) -> TakenOut:
    """Of one delivery each kind counts once, so the same mail may be handed in again."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _MAIL:
        raise Refusal(415, f"Send the mail itself with Content-Type: {_MAIL}.")
    raw = (await request.body())[:LONGEST_MAIL]
    house = site(request)
    keys, now = house.keys, house.now()
    return TakenOut(taken=await house.write(lambda store: take(store, raw, keys=keys, now=now)))
