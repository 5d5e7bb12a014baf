"""Digests that were made: what was in each, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from notifier.errors import NotFound
from notifier.model import Delivery, DeliveryState
from notifier.ports import Store
from notifier.web.api.caller import NOT_FOUND, Caller, ReadsSubscriptions
from notifier.web.api.paging import Cursor, Limit, Page, id_of, lost, page_of
from notifier.web.api.shapes import EntryOut, ReasonOut, fields_of
from notifier.web.site import site

router = APIRouter(tags=["digests"])


class DigestOut(BaseModel):
    """A digest on its way, or at its end."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "d_k3m9x2tq7p",
                    "subscription": "s_8w4hd2zqnb",
                    "slot": "2025-12-16T08:00 Europe/Berlin",
                    "due_at": "2025-12-16T07:00:00Z",
                    "state": "sent",
                    "late": False,
                    "checked": 112,
                    "attempts": 1,
                    "next_attempt_at": "2025-12-16T07:00:00Z",
                    "sent_at": "2025-12-16T07:00:03Z",
                    "reason": None,
                }
            ]
        }
    )

    id: str
    subscription: str
    slot: str
    due_at: datetime
    state: DeliveryState
    late: bool
    checked: int = Field(description="How many papers it was chosen from.")
    attempts: int
    next_attempt_at: datetime
    sent_at: datetime | None
    reason: str | None = Field(description="Why it is not sent, in words.")

    @classmethod
    def of(cls, each: Delivery) -> Self:
        return cls(**_fields(each))


class LineOut(EntryOut):
    """A paper in a digest: whether it was shown in full or behind "more", and the rules that brought it."""

    shown: bool
    reasons: list[ReasonOut]


class WholeDigest(DigestOut):
    items: list[LineOut] = Field(description="In their order.")


@router.get("/subscriptions/{id}/digests", summary="The digests of a subscription, newest first", responses=NOT_FOUND)
async def list_digests(
    request: Request, caller: ReadsSubscriptions, id: str, cursor: Cursor = "", limit: Limit = 50
) -> Page[DigestOut]:
    after = id_of(cursor)

    def work(store: Store) -> list[Delivery]:
        own = caller.subscription(store, id).id
        if after is not None and store.deliveries.get(after) is None:
            raise lost()
        return store.deliveries.all(subscription_id=own, after=after, limit=limit + 1)

    return page_of(await site(request).read(work), DigestOut.of, lambda each: each.id, limit)


@router.get("/digests/{id}", summary="One digest, whole", responses=NOT_FOUND)
async def get_digest(request: Request, caller: ReadsSubscriptions, id: str) -> WholeDigest:
    return await site(request).read(lambda store: _whole(store, caller, id))


def _whole(store: Store, caller: Caller, id: str) -> WholeDigest:
    found = store.deliveries.get(id)
    if found is None or not _opens(store, caller, found):
        raise NotFound("There is no such digest.")
    items = store.deliveries.items(id)
    entries = store.entries.get(each.entry_id for each in items)
    lines = [
        LineOut(
            **fields_of(entries[each.entry_id]), shown=each.shown, reasons=[ReasonOut.of(why) for why in each.reasons]
        )
        for each in items
    ]
    return WholeDigest(**_fields(found), items=lines)


def _opens(store: Store, caller: Caller, delivery: Delivery) -> bool:
    try:
        caller.subscription(store, delivery.subscription_id)
    except NotFound:
        return False
    return True


def _fields(each: Delivery) -> dict[str, Any]:
    own = {name: getattr(each, name) for name in DigestOut.model_fields if hasattr(each, name)}
    return own | {"subscription": each.subscription_id, "slot": str(each.slot), "due_at": each.slot.due_at}
