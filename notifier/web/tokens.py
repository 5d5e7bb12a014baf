"""Tokens of the API, made and revoked on a page: a subscriber's own, and the operator's."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from notifier import access
from notifier.access import PERSONAL
from notifier.errors import UsageError
from notifier.model import ApiToken, Scope, Subscriber
from notifier.ports import Store
from notifier.render import Catalog, message
from notifier.web.base import HOUR, Viewer, at_most, page, see_other, words
from notifier.web.operators.rights import Operator, do
from notifier.web.site import site

router = APIRouter(include_in_schema=False)

_SCOPES = {
    Scope.ENTRIES: message("read papers, search, topics"),
    Scope.SUBSCRIPTIONS: message("read subscriptions, rules and digests"),
    Scope.RULES: message("change rules and subscriptions"),
    Scope.FEED: message("add papers"),
    Scope.BOUNCES: message("hand in mail that came back"),
    Scope.METRICS: message("read metrics"),
}
_DAYS = (30, 90, 365)

Scopes = Annotated[tuple[Scope, ...], Form()]
Name = Annotated[str, Form(max_length=80)]
Days = Annotated[int, Form(ge=1, le=365)]


@router.get("/account/tokens")
async def own(request: Request, viewer: Viewer) -> Response:
    return await _list(request, viewer, owner=viewer.email)


@router.post("/account/tokens", dependencies=[at_most(30, HOUR)])
async def make_own(request: Request, viewer: Viewer, name: Name, days: Days, scope: Scopes = ()) -> Response:
    now = site(request).now()

    def work(store: Store) -> tuple[ApiToken, str]:
        return access.make_token(store, name, scope, owner=viewer.email, lasts=timedelta(days=days), now=now)

    try:
        _, text = await site(request).write(work)
    except UsageError as error:
        return await _list(request, viewer, owner=viewer.email, error=str(error))
    return await _list(request, viewer, owner=viewer.email, made=text)


@router.post("/account/tokens/revoke", dependencies=[at_most(60, HOUR)])
async def revoke_own(request: Request, viewer: Viewer, id: Annotated[str, Form()]) -> Response:
    await site(request).write(lambda store: access.revoke(store, id, owner=viewer.email))
    return see_other("/account/tokens")


@router.get("/operator/tokens")
async def all_(request: Request, operator: Operator) -> Response:
    return await _list(request, operator, owner=None)


@router.post("/operator/tokens")
async def make(request: Request, operator: Operator, name: Name, days: Days, scope: Scopes = ()) -> Response:
    now = site(request).now()

    def work(store: Store) -> tuple[ApiToken, str]:
        return access.make_token(store, name, scope, made_by=operator.email, lasts=timedelta(days=days), now=now)

    try:
        _, text = await do(request, operator, "make token", [name], work)
    except UsageError as error:
        return await _list(request, operator, owner=None, error=str(error))
    return await _list(request, operator, owner=None, made=text)


@router.post("/operator/tokens/revoke")
async def revoke(request: Request, operator: Operator, id: Annotated[str, Form()]) -> Response:
    await do(request, operator, "revoke token", [id], lambda store: access.revoke(store, id))
    return see_other("/operator/tokens")


async def _list(
    request: Request, viewer: Subscriber, *, owner: str | None, made: str | None = None, error: str | None = None
) -> Response:
    """``owner`` None shows everybody's, and makes the operator's; ``made`` is shown this once."""
    found = await site(request).read(lambda store: store.api_tokens.all(owner))
    said, now = words(request), site(request).now()
    offered = [scope for scope in Scope if owner is None or scope in PERSONAL]
    return page(
        request,
        "web/tokens.html",
        status=400 if error else 200,
        is_operators=owner is None,
        action="/operator/tokens" if owner is None else "/account/tokens",
        scopes=[(each, said.say(_SCOPES[each])) for each in offered],
        days=_DAYS,
        tokens=[
            {
                "id": each.id,
                "name": each.name,
                "owner": each.owner,
                "scopes": ", ".join(said.say(_SCOPES[scope]) for scope in Scope if scope in each.scopes),
                "ends": _ends(each, viewer, said),
                "is_over": each.expires_at is not None and each.expires_at <= now,
                "used": said.moment(each.used_at, viewer.timezone) if each.used_at else None,
            }
            for each in found
        ],
        made=made,
        error=said.translations.gettext(error) if error else None,
    )


def _ends(token: ApiToken, viewer: Subscriber, said: Catalog) -> str | None:
    return said.moment(token.expires_at, viewer.timezone) if token.expires_at else None
