"""What a page is made with: who looks at it, how it is answered, how often it may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from notifier.errors import NotFound
from notifier.model import Session, Subscriber, Subscription
from notifier.ports import Store
from notifier.render import Catalog
from notifier.settings import Language
from notifier.tokens import hashed
from notifier.web.site import Site, site

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


class LoginNeeded(Exception):
    """Nobody is logged in where somebody has to be."""


class TooOften(Exception):
    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def cookie_name(house: Site) -> str:
    """``__Host-`` binds it to this host and to https; browsers refuse that without https."""
    return "__Host-session" if house.is_https else "session"


async def _session(request: Request) -> Session | None:
    house = site(request)
    word = request.cookies.get(cookie_name(house))
    found = None
    if word:
        hash, now = hashed(word), house.now()
        found = await house.read(lambda store: store.sessions.get(hash, now=now))
    request.state.session = found
    return found


async def _visitor(session: Annotated[Session | None, Depends(_session)]) -> Subscriber | None:
    return session.subscriber if session else None


async def _viewer(session: Annotated[Session | None, Depends(_session)]) -> Subscriber:
    if session is None:
        raise LoginNeeded
    return session.subscriber


# Who is logged in: perhaps nobody, or somebody for certain (others are sent to log in).
CurrentSession = Annotated[Session | None, Depends(_session)]
Visitor = Annotated[Subscriber | None, Depends(_visitor)]
Viewer = Annotated[Subscriber, Depends(_viewer)]


def own(store: Store, id: str, viewer: Subscriber) -> Subscription:
    """A subscription that the viewer owns, alone or with others. Raises NotFound for any other, there or not."""
    found = store.subscriptions.get([id]).get(id)
    if found and (found.subscriber.id == viewer.id or any(each.id == viewer.id for each in store.members.of(id))):
        return found
    raise NotFound("There is no such subscription among yours.")


def all_own(store: Store, viewer: Subscriber) -> list[Subscription]:
    """The viewer's subscriptions, then those of others that they share."""
    return [*store.subscriptions.all(viewer.email), *store.members.subscriptions(viewer.email)]


async def _own(request: Request, id: str, viewer: Viewer) -> Subscription:
    return await site(request).read(lambda store: own(store, id, viewer))


# The subscription that {id} in the path names, the viewer's own; any other is Not found.
Own = Annotated[Subscription, Depends(_own)]


def is_operator(house: Site, viewer: Subscriber) -> bool:
    return viewer.email.lower() in house.app.settings.operators


def at_most(times: int, per: timedelta, name: str = "") -> Any:
    """A dependency: from one address so often, and its neighbourhood ten times that; more is 429."""

    async def check(request: Request) -> None:
        house = site(request)
        address = request.client.host if request.client else ""
        seconds = house.paces.wait(name or request.scope["route"].path, address, times, per, house.now())
        if seconds:
            raise TooOften(seconds)

    return Depends(check)


def language_of(request: Request) -> str:
    """The viewer's; else the first we have of those the browser asks for; else the operator's."""
    session: Session | None = getattr(request.state, "session", None)
    if session:
        return session.subscriber.language
    for each in request.headers.get("accept-language", "").split(","):
        wanted = each.partition(";")[0].partition("-")[0].strip().lower()
        if wanted in set(Language):
            return wanted
    return site(request).app.settings.default_language


def words(request: Request) -> Catalog:
    """Texts in the language of who looks at the page."""
    return site(request).pages.catalog(language_of(request))


def page(
    request: Request, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: object
) -> HTMLResponse:
    """``template`` with its context; ``viewer`` is who is logged in, None for nobody."""
    text = page_text(request, template, **context)
    return HTMLResponse(text, status, headers={"Vary": "Cookie, Accept-Language", **(headers or {})})


def page_text(request: Request, template: str, **context: object) -> str:
    session: Session | None = getattr(request.state, "session", None)
    shared: dict[str, object] = {
        "viewer": session.subscriber if session else None,
        "operates": session is not None and is_operator(site(request), session.subscriber),
        "language": language_of(request),
        "words": words(request),
        "path": request.url.path,
    }
    return site(request).pages.render(template, language_of(request), **(shared | context))


def see_other(path: str, **query: str) -> Response:
    """After something was done: to a page of ours, by GET."""
    return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303)


def inside(path: str) -> str:
    """A path of our own site, as a link brought it back; ``/`` for anything that leads elsewhere."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if is_ours else "/"
