"""A request with an Idempotency-Key is done once: sent again within a day, it is answered as before.

What is done and its answer are one transaction, so there is no moment at which only one of them is there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from notifier.model import Answer
from notifier.ports import Store
from notifier.web.api.caller import Caller
from notifier.web.api.problems import Refusal
from notifier.web.site import site

KEPT = timedelta(days=1)

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="A word of the caller's own, new for each thing to be done. Within 24 hours the same request with "
        "the same key is not done again but answered as the first time, with `Idempotency-Replayed: true`.",
        examples=["5f0c7127-5b41-4f0b-8d6e-bd1d1d3c2c1e"],
    ),
]


async def once(
    request: Request, caller: Caller, key: str, work: Callable[[Store], BaseModel], *, status: int
) -> Response:
    """Do ``work`` in one transaction and answer with what it returns. Raises Refusal for a key of another request."""
    house, asked = site(request), _digest(request, await request.body())
    now = house.now()

    def whole(store: Store) -> tuple[int, str, bool]:
        store.answers.forget(now - KEPT)
        known = store.answers.get(caller.token.id, key) if key else None
        if known is None:
            body = work(store).model_dump_json()
            if key:
                store.answers.put(_answer(caller, key, asked, status, body, now))
            return status, body, False
        if known.request != asked:
            raise Refusal(422, "That Idempotency-Key was sent with another request: take a new one.")
        return known.status, known.body, True

    code, body, replayed = await house.write(whole)
    headers = {"Idempotency-Replayed": "true"} if replayed else {}
    return Response(body, code, headers=headers, media_type="application/json")


def _answer(caller: Caller, key: str, asked: str, status: int, body: str, now: datetime) -> Answer:
    return Answer(token_id=caller.token.id, key=key, request=asked, status=status, body=body, at=now)


def _digest(request: Request, body: bytes) -> str:
    head = f"{request.method} {request.url.path}?{request.url.query}\0".encode()
    return sha256(head + body).hexdigest()
