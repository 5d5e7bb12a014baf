"""Who may, and what they did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, TypeVar

from fastapi import Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request

from notifier.model import Operation, Subscriber
from notifier.ports import Store
from notifier.web.base import Viewer, is_operator
from notifier.web.site import site

T = TypeVar("T")


async def _operator(request: Request, viewer: Viewer) -> Subscriber:
    if not is_operator(site(request), viewer):
        raise HTTPException(404)
    return viewer


Operator = Annotated[Subscriber, Depends(_operator)]


async def do(
    request: Request, operator: Subscriber, act: str, subjects: Iterable[str], work: Callable[[Store], T]
) -> T:
    """``work`` and its lines in the history, in one transaction. ``act`` is kept in English, as logs are."""
    now = site(request).now()
    noted = [Operation(at=now, actor=operator.email, act=act, subject=each) for each in subjects]

    def whole(store: Store) -> T:
        result = work(store)
        store.operations.note(noted)
        return result

    return await site(request).write(whole)
