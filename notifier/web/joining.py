"""Subscribing without an account: ask, follow the link in the mail, see the first digest, confirm."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from notifier import entrance
from notifier.checkup import told
from notifier.entrance import Waiting, Wanted
from notifier.errors import NotifierError, RuleError, UsageError
from notifier.explain import foreseen
from notifier.model import Digest
from notifier.ports import Store
from notifier.web.base import HOUR, at_most, language_of, page, see_other, words
from notifier.web.browser import browser_words
from notifier.web.entry import with_session
from notifier.web.foreseen import digest_shown, zones
from notifier.web.site import Site, site
from notifier.web.wording import next_words

router = APIRouter(include_in_schema=False)


@router.get("/subscribe")
async def ask(request: Request, email: str = "", query: str = "") -> Response:
    return _form(request, Wanted(email=email, query=query, timezone="", language=""), None)


@router.post("/subscribe", dependencies=[at_most(20, HOUR)])
async def send(
    request: Request,
    email: Annotated[str, Form()],
    query: Annotated[str, Form()] = "",
    packs: Annotated[tuple[str, ...], Form()] = (),
    timezone: Annotated[str, Form()] = "",
) -> Response:
    house, now = site(request), site(request).now()
    zone = timezone or house.app.settings.default_timezone
    wanted = Wanted(email=email, query=query, packs=packs, timezone=zone, language=language_of(request))
    topics, known = house.app.topics, house.packs
    try:
        await house.write(
            lambda store: entrance.ask_to_subscribe(store, topics, known, wanted, link=house.url, now=now)
        )
    except (RuleError, UsageError) as error:
        return _form(request, wanted, error)
    return page(request, "web/asked.html", email=email.strip())


@router.get("/confirm/{word}", dependencies=[at_most(60, HOUR)])
async def show(request: Request, word: str) -> Response:
    house = site(request)
    waiting, digest = await house.read(lambda store: _first_digest(store, house, word))
    said = words(request)
    return page(
        request,
        "web/confirm.html",
        word=word,
        email=waiting.subscription.subscriber.email,
        rules=waiting.rules,
        next=next_words(waiting.subscription, said),
        digest=digest_shown(digest, said, house.app.links),
    )


@router.post("/confirm/{word}", dependencies=[at_most(30, HOUR)])
async def confirm(request: Request, word: str) -> Response:
    house, now = site(request), site(request).now()
    browser = browser_words(request.headers.get("user-agent", ""))
    most = house.app.settings.max_entries
    cookie, made = await house.write(
        lambda store: entrance.confirm(
            store, house.app.topics, house.packs, word, max_entries=most, browser=browser, now=now
        )
    )
    return with_session(request, see_other("/subscriptions", new=made.id), cookie)


def _first_digest(store: Store, house: Site, word: str) -> tuple[Waiting, Digest]:
    settings, now = house.app.settings, house.now()
    waiting = entrance.asked_for(store, house.packs, word, max_entries=settings.max_entries, now=now)
    digest = foreseen(
        store,
        house.app.topics,
        waiting.subscription,
        waiting.rules,
        look_back=settings.look_back,
        sources=told(store, now),
        now=now,
    )
    return waiting, digest


def _form(request: Request, wanted: Wanted, error: NotifierError | None) -> Response:
    house = site(request)
    return page(
        request,
        "web/subscribe.html",
        status=400 if error else 200,
        wanted=wanted,
        packs=house.packs.values(),
        zones=zones(),
        zone=wanted.timezone or house.app.settings.default_timezone,
        error=words(request).translations.gettext(str(error)) if error else None,
    )
