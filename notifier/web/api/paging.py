"""Lists come a page at a time; the next goes on behind a cursor, which says nothing to anybody else."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from notifier.errors import UsageError

T = TypeVar("T")
Item = TypeVar("Item")
MOST = 200

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
Cursor = Annotated[
    str, Query(max_length=1000, description="`next` of the page before; empty for the first page.", examples=[""])
]


class Page(BaseModel, Generic[Item]):
    items: list[Item]
    next: str | None = Field(None, description="Where the next page goes on (`cursor`); null on the last one.")


def page_of(found: Sequence[T], shape: Callable[[T], Item], name: Callable[[T], str], limit: int) -> Page[Item]:
    """Of ``found``, one more than ``limit`` where there is a next page."""
    shown = found[:limit]
    following = cursor_of(name(shown[-1])) if len(found) > limit else None
    return Page(items=[shape(each) for each in shown], next=following)


def cursor_of(id: str) -> str:
    return urlsafe_b64encode(id.encode()).rstrip(b"=").decode()


def id_of(cursor: str) -> str | None:
    """What ``cursor_of`` was given; None for no cursor. Raises UsageError for what is none."""
    if not cursor:
        return None
    try:
        id = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode()
    except ValueError:
        raise lost() from None
    if cursor_of(id) != cursor:
        raise lost()
    return id


def lost() -> UsageError:
    return UsageError("There is nothing at that cursor any more: begin with the first page.")
