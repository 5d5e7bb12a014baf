"""The account: name, zone, language; where one is logged in; all one's data, to take along or to delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from notifier import account
from notifier.export import export as exported
from notifier.ports import Store
from notifier.settings import Language
from notifier.web.base import HOUR, CurrentSession, Viewer, at_most, page, see_other, words
from notifier.web.entry import without_session
from notifier.web.foreseen import zones
from notifier.web.site import site
from notifier.web.wording import moment

router = APIRouter(include_in_schema=False, prefix="/account")
_TYPES = {"json": "application/json", "yaml": "application/yaml"}


@router.get("")
async def show(request: Request, viewer: Viewer, session: CurrentSession, saved: bool = False) -> Response:
    now = site(request).now()
    sessions = await site(request).read(lambda store: store.sessions.of(viewer.email, now=now))
    shown = [
        {
            "id": each.id,
            "browser": each.browser,
            "since": moment(each.created_at, viewer.timezone, words(request)),
            "until": moment(each.expires_at, viewer.timezone, words(request)),
            "current": session is not None and each.id == session.id,
        }
        for each in sessions
    ]
    return page(request, "web/account.html", sessions=shown, zones=zones(), languages=list(Language), saved=saved)


@router.post("", dependencies=[at_most(60, HOUR)])
async def save(
    request: Request,
    viewer: Viewer,
    timezone: Annotated[str, Form()],
    language: Annotated[str, Form()],
    name: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    now = site(request).now()
    await site(request).write(
        lambda store: account.change_subscriber(
            store, viewer.email, name=name, timezone=timezone, language=language, now=now
        )
    )
    return see_other("/account", saved="true")


@router.post("/sessions/end", dependencies=[at_most(60, HOUR)])
async def end(request: Request, viewer: Viewer, session: CurrentSession, id: Annotated[str, Form()] = "") -> Response:
    """One session, or without ``id`` all of them, this one too."""
    ids = [id] if id else None
    await site(request).write(lambda store: store.sessions.end(viewer.email, ids=ids))
    if not id or (session and session.id == id):
        return without_session(request, see_other("/"))
    return see_other("/account")


@router.get("/export.{format}", dependencies=[at_most(30, HOUR)])
async def export(request: Request, viewer: Viewer, format: str) -> Response:
    now = site(request).now()
    text = await site(request).read(lambda store: exported(store, viewer.email, format, now=now))
    headers = {"Content-Disposition": f'attachment; filename="notifier.{format}"'}
    return Response(text, headers=headers, media_type=_TYPES[format])


@router.get("/delete")
async def ask_delete(request: Request, viewer: Viewer) -> Response:
    def work(store: Store) -> dict[str, int]:
        mine = store.subscriptions.all(viewer.email)
        rules = store.rules.of(each.id for each in mine)
        digests = sum(len(store.deliveries.all(subscription_id=each.id, limit=1000)) for each in mine)
        shared = sum(bool(store.members.of(each.id)) for each in mine)
        return {
            "subscriptions": len(mine),
            "shared": shared,
            "rules": sum(map(len, rules.values())),
            "digests": digests,
        }

    return page(request, "web/delete.html", lost=await site(request).read(work))


@router.post("/delete", dependencies=[at_most(10, HOUR)])
async def delete(request: Request, viewer: Viewer) -> Response:
    await site(request).write(lambda store: account.remove_subscriber(store, viewer.email))
    return without_session(request, page(request, "web/deleted.html", viewer=None))
