"""One paper: what is known of it, where it was seen, how it grew, and why it did or did not come."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from notifier.errors import NotFound
from notifier.explain import Why, why
from notifier.model import Entry, Point, Subscriber
from notifier.ports import Store, StoredSighting, Titled
from notifier.render import LONG_DATE, WHOLE, listed, paper_view
from notifier.web.base import MINUTE, Visitor, all_own, at_most, page, words
from notifier.web.graph import votes
from notifier.web.site import site

router = APIRouter(include_in_schema=False)
_MOST_ANSWERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    entry: Entry
    sightings: tuple[StoredSighting, ...]
    former: tuple[Titled, ...]
    growth: tuple[Point, ...]
    answers: tuple[Why, ...]


@router.get("/e", dependencies=[at_most(240, MINUTE)])
@router.get("/e/{id:path}", dependencies=[at_most(240, MINUTE)])
async def paper(request: Request, visitor: Visitor, id: str) -> Response:
    house, now = site(request), site(request).now()
    known = await house.read(lambda store: _known(request, store, id, visitor))
    catalog, settings = words(request), house.app.settings
    zone = visitor.timezone if visitor else settings.default_timezone
    return page(
        request,
        "web/paper.html",
        paper=paper_view(
            listed(known.entry),
            catalog,
            year=now.year,
            limit=WHOLE,
            summaries=settings.ai_summaries,
            thumbnails=settings.thumbnails,
        ),
        authors=known.entry.authors,
        sightings=[
            (each.source, catalog.moment(each.first_at, zone), catalog.moment(each.last_at, zone), each.announce)
            for each in known.sightings
        ],
        former=[(each.title, catalog.date(each.last_at, LONG_DATE)) for each in known.former],
        version=known.entry.version,
        votes=votes(known.growth, catalog),
        answers=known.answers,
    )


def _known(request: Request, store: Store, id: str, visitor: Subscriber | None) -> _Known:
    house = site(request)
    entry = store.entries.get([id]).get(id) or store.entries.by_keys([id]).get(id)
    if entry is None:
        raise NotFound("There is no such paper here.")
    mine = all_own(store, visitor)[:_MOST_ANSWERS] if visitor else []
    titles = store.entries.titles(entry.id)
    look_back, now = house.app.settings.look_back, house.now()
    return _Known(
        entry=entry,
        sightings=tuple(store.entries.sightings([entry.id]).get(entry.id, ())),
        former=tuple(each for each in titles if each.title != entry.title),
        growth=tuple(store.entries.growth([entry.id]).get(entry.id, ())),
        answers=tuple(why(store, house.app.topics, entry, s.id, look_back=look_back, now=now) for s in mine),
    )
