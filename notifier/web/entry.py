"""Logging in and out: a link by mail, which opens a page whose button uses it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from notifier import entrance
from notifier.errors import NotFound, UsageError
from notifier.model import TicketKind
from notifier.tokens import hashed
from notifier.web.base import HOUR, CurrentSession, Visitor, at_most, cookie_name, inside, page, see_other
from notifier.web.browser import browser_words
from notifier.web.site import site

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def ask(request: Request, visitor: Visitor, next: str = "/") -> Response:
    if visitor:
        return see_other(inside(next))
    return _form(request, next=inside(next))


@router.post("/login", dependencies=[at_most(20, HOUR)])
async def send(request: Request, email: Annotated[str, Form()], next: Annotated[str, Form()] = "/") -> Response:
    house, now = site(request), site(request).now()
    path = inside(next)
    try:
        await house.write(lambda store: entrance.ask_to_log_in(store, email, next=path, link=house.url, now=now))
    except UsageError as error:
        return _form(request, next=path, email=email, error=str(error))
    return page(request, "web/sent.html", email=email.strip(), minutes=int(entrance.LOGIN_FOR.total_seconds() // 60))


def _form(request: Request, *, next: str, email: str = "", error: str | None = None) -> Response:
    house = site(request)
    provider = house.app.settings.oidc_name if house.provider else None
    status = 400 if error else 200
    return page(request, "web/login.html", status=status, next=next, email=email, error=error, provider=provider)


@router.get("/login/{word}")
async def opened(request: Request, word: str) -> Response:
    house, now = site(request), site(request).now()
    ticket = await house.read(lambda store: store.tickets.get(hashed(word), TicketKind.LOGIN, now=now))
    if ticket is None:
        raise NotFound(entrance.USED_LOGIN)
    return page(request, "web/enter.html", word=word, email=ticket.email)


@router.post("/login/{word}", dependencies=[at_most(30, HOUR)])
async def use(request: Request, word: str) -> Response:
    house, now = site(request), site(request).now()
    browser = browser_words(request.headers.get("user-agent", ""))
    cookie, path = await house.write(lambda store: entrance.log_in(store, word, browser=browser, now=now))
    return with_session(request, see_other(inside(path)), cookie)


@router.post("/logout")
async def logout(request: Request, session: CurrentSession) -> Response:
    if session:
        email, ids = session.subscriber.email, [session.id]
        await site(request).write(lambda store: store.sessions.end(email, ids=ids))
    return without_session(request, see_other("/"))


def with_session(request: Request, response: Response, word: str) -> Response:
    house = site(request)
    response.set_cookie(
        cookie_name(house),
        word,
        max_age=int(entrance.SESSION_FOR.total_seconds()),
        secure=house.is_https,
        httponly=True,
        samesite="lax",
    )
    return response


def without_session(request: Request, response: Response) -> Response:
    house = site(request)
    response.delete_cookie(cookie_name(house), secure=house.is_https, httponly=True, samesite="lax")
    return response
