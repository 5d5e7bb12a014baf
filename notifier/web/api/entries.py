"""Papers: listed, looked up, searched, and added."""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from starlette.requests import Request
from starlette.responses import Response

from notifier.collect import absorb
from notifier.conditions import EVERY
from notifier.errors import NotFound, UsageError
from notifier.lookup import entry_of
from notifier.matching import MAX_LENGTH
from notifier.ports import Store
from notifier.search import search
from notifier.sources import read_lines
from notifier.web.api.caller import NOT_FOUND, SLOW, Feeds, ReadsEntries, demand_turn
from notifier.web.api.instants import Instant
from notifier.web.api.once import IdempotencyKey, once
from notifier.web.api.paging import Cursor, Limit, Page, cursor_of, id_of, lost, page_of
from notifier.web.api.shapes import EntryOut, HitOut, fields_of
from notifier.web.site import site

router = APIRouter(tags=["papers"])
MOST_AT_ONCE = 1_000

Since = Annotated[Instant | None, Query(description="Only papers first seen here after it.")]


class SightingOut(BaseModel):
    """That a source showed it."""

    source: str
    first_at: datetime
    last_at: datetime
    announce: str | None


class PointOut(BaseModel):
    """Its votes, comments and stars on one day."""

    at: datetime
    upvotes: int | None
    comments: int | None
    stars: int | None


class WholeEntry(EntryOut):
    """A paper with its history."""

    sightings: list[SightingOut]
    former_titles: list[str]
    growth: list[PointOut]


class Hits(Page[HitOut]):
    """``matched`` is how many match in all; where not ``exact``, at least so many."""

    matched: int
    exact: bool
    searched: int = Field(description="How many papers the time asked for holds.")
    gave_up_at: datetime | None = Field(
        None, description="Where too many candidates did not match: only what was first seen since then was looked at."
    )


class EntryIn(BaseModel):
    """A paper as the caller knows it: a `title` and one of `id` and `url`; other fields are kept as `extra`."""

    model_config = ConfigDict(
        extra="allow",
        strict=True,
        json_schema_extra={
            "examples": [
                {"id": "arxiv:2512.01234", "title": "A title", "abstract": "What it says.", "categories": ["cs.LG"]}
            ]
        },
    )

    title: str
    id: str | None = None
    url: str | None = None
    abstract: str | None = None
    authors: list[str] | None = None
    num_authors: int | None = Field(None, ge=0)
    organization: str | None = None
    categories: list[str] | None = None
    keywords: list[str] | None = None
    published_at: str | None = Field(None, description="A date, with or without time.", examples=["2025-12-16"])
    pdf_url: str | None = None
    code_url: str | None = None
    project_url: str | None = None
    thumbnail: str | None = None
    doi: str | None = None
    upvotes: int | None = Field(None, ge=0)
    comments: int | None = Field(None, ge=0)
    stars: int | None = Field(None, ge=0)
    version: int | None = Field(None, ge=1)


class EntriesIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    source: str = Field(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,59}$", description="Who shows them, a name of the caller's.", examples=["lab"]
    )
    entries: list[EntryIn] = Field(min_length=1, max_length=MOST_AT_ONCE)
    news: StrictBool = Field(True, description="Whether digests may have them; else they are only stored and found.")


class RejectedOut(BaseModel):
    at: str = Field(description="A JSON Pointer into the body.", examples=["/entries/3"])
    reason: str


class Absorbed(BaseModel):
    """What became of the papers; one that was sent again unchanged counts as `unchanged`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"new": 1, "updated": 0, "unchanged": 0, "rejected": []}]}
    )

    new: int
    updated: int
    unchanged: int
    rejected: list[RejectedOut]


@router.get("/entries", summary="Papers, newest first")
async def list_entries(
    request: Request, caller: ReadsEntries, since: Since = None, cursor: Cursor = "", limit: Limit = 50
) -> Page[EntryOut]:
    house, after = site(request), id_of(cursor)
    now = house.now()

    def work(store: Store) -> Page[EntryOut]:
        demand_entry(store, after)
        found = store.entries.search(EVERY, since=since, until=now, first=limit + 1, after=after)
        return page_of(next(found, []), EntryOut.of, lambda entry: entry.id, limit)

    return await house.read(work)


@router.get("/search", summary="Papers that match a query of the rule language, newest first, and why", responses=SLOW)
async def search_entries(
    request: Request,
    caller: ReadsEntries,
    q: Annotated[str, Query(min_length=1, max_length=MAX_LENGTH, examples=['"reward model" -survey'])],
    since: Since = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Hits:
    house, after = site(request), id_of(cursor)
    now, topics = house.now(), house.app.topics
    demand_turn(request, caller)

    def work(store: Store) -> Hits:
        demand_entry(store, after)
        last = now - since if since else None
        found = search(store, topics, q, last=last, limit=limit, after=after, now=now)
        return Hits(
            items=[HitOut.hit(hit.entry, hit.evidence) for hit in found.hits],
            next=cursor_of(found.behind) if found.behind else None,
            matched=found.matched,
            exact=found.exact,
            searched=found.searched,
            gave_up_at=found.gave_up_at,
        )

    return await house.read(work)


@router.get("/entries/{id:path}", summary="One paper with its history", responses=NOT_FOUND)
async def get_entry(
    request: Request,
    caller: ReadsEntries,
    id: Annotated[str, Path(description="Its id, arXiv id, DOI or address.", examples=["arxiv:2512.14696"])],
) -> WholeEntry:
    return await site(request).read(lambda store: _whole(store, id))


@router.post("/entries", summary="Add papers, as a source of them does", response_model=Absorbed)
async def add_entries(request: Request, caller: Feeds, wanted: EntriesIn, key: IdempotencyKey = "") -> Response:
    lines = (json.dumps(each.model_dump(exclude_unset=True)).encode() for each in wanted.entries)
    fetched = read_lines(io.BytesIO(b"\n".join(lines)), name=wanted.source)
    rejected = [RejectedOut(at=f"/entries/{each.line - 1}", reason=each.reason) for each in fetched.rejected]
    if not fetched.sightings:
        raise UsageError(f"None of the papers can be used. {rejected[0].at}: {rejected[0].reason}.")
    now = site(request).now()

    def work(store: Store) -> Absorbed:
        counts = absorb(store, fetched.sightings, source=wanted.source, baseline=not wanted.news, now=now)
        return Absorbed(new=counts.new, updated=counts.updated, unchanged=counts.unchanged, rejected=rejected)

    return await once(request, caller, key, work, status=200)


def demand_entry(store: Store, id: str | None) -> None:
    """Raises UsageError where a list is to go on behind an entry that is gone."""
    if id is not None and not store.entries.get([id]):
        raise lost()


def _whole(store: Store, id: str) -> WholeEntry:
    try:
        entry = entry_of(store, id)
    except NotFound:
        raise NotFound("There is no such paper: ask with its id, arXiv id, DOI or address.") from None
    growth = store.entries.growth([entry.id]).get(entry.id, ())
    return WholeEntry(
        **fields_of(entry),
        sightings=[
            SightingOut(source=each.source, first_at=each.first_at, last_at=each.last_at, announce=each.announce)
            for each in store.entries.sightings([entry.id]).get(entry.id, ())
        ],
        former_titles=[each.title for each in store.entries.titles(entry.id) if each.title != entry.title],
        growth=[PointOut(at=p.at, upvotes=p.upvotes, comments=p.comments, stars=p.stars) for p in growth],
    )
