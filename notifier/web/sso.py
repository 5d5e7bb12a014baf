"""Logging in by the operator's identity provider: there, back, and in by a button that a script presses."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from notifier import entrance
from notifier.errors import NotFound, UsageError
from notifier.render import message
from notifier.web.base import HOUR, at_most, inside, language_of, page, see_other
from notifier.web.browser import browser_words
from notifier.web.entry import with_session
from notifier.web.oidc import ATTEMPT_FOR, REFUSED, Provider, unsealed
from notifier.web.site import Site, site

router = APIRouter(include_in_schema=False, prefix="/sso")
_NONE = message("No identity provider is set up here: log in by a mailed link.")
_STRANGE = message("That login was begun elsewhere: begin again.")


@router.get("/login", dependencies=[at_most(30, HOUR)])
async def begin(request: Request, next: str = "/") -> Response:
    house = site(request)
    url, attempt = await _provider(house).begin(inside(next), now=house.now())
    answer = see_other(url)
    answer.set_cookie(
        _cookie(house),
        attempt.sealed(house.keys),
        max_age=int(ATTEMPT_FOR.total_seconds()),
        secure=house.is_https,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get("/back")
async def back(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
    if error or not code:
        raise UsageError(REFUSED)
    return page(request, "web/back.html", state=state, code=code)


@router.post("/back", dependencies=[at_most(30, HOUR)])
async def finish(request: Request, state: Annotated[str, Form()], code: Annotated[str, Form()]) -> Response:
    house, now = site(request), site(request).now()
    attempt = unsealed(house.keys, request.cookies.get(_cookie(house), ""), now=now)
    if not hmac.compare_digest(attempt.state.encode(), state.encode()):
        raise UsageError(_STRANGE)
    email, name = await _provider(house).address(code, attempt, now=now)
    browser, language = browser_words(request.headers.get("user-agent", "")), language_of(request)
    zone = house.app.settings.default_timezone
    word = await house.write(
        lambda store: entrance.vouched(
            store, email, name=name, timezone=zone, language=language, browser=browser, now=now
        )
    )
    answer = with_session(request, see_other(inside(attempt.next)), word)
    answer.delete_cookie(_cookie(house), secure=house.is_https, httponly=True, samesite="lax")
    return answer


def _provider(house: Site) -> Provider:
    if house.provider is None:
        raise NotFound(_NONE)
    return house.provider


def _cookie(house: Site) -> str:
    return "__Host-sso" if house.is_https else "sso"
