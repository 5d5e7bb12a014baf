"""The owner of an address that gets no mail any more says that it is to be used again."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from notifier import readmit
from notifier.web.base import HOUR, at_most, page
from notifier.web.site import site

router = APIRouter(include_in_schema=False, prefix="/a/{token}")


@router.get("")
async def ask(request: Request, token: str) -> Response:
    house, now = site(request), site(request).now()
    found = await house.read(lambda store: readmit.question(store, token, keys=house.keys, now=now))
    return page(request, "web/readmit.html", token=token, address=found.address, reason=found.reason)


@router.post("", dependencies=[at_most(30, HOUR)])
async def confirm(request: Request, token: str) -> Response:
    house, now = site(request), site(request).now()
    address = await house.write(lambda store: readmit.confirm(store, token, keys=house.keys, now=now))
    return page(request, "web/readmitted.html", address=address)
