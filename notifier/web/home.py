"""The first page: the papers of a day, a week or a month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from notifier.daily import Listing, Span, bounds, listing
from notifier.errors import NotFound
from notifier.model import Subscriber
from notifier.ports import Order
from notifier.render import LONG_DAY, SHORT_DAY, Catalog, listed, message, paper_view
from notifier.web.base import Visitor, language_of, page_text, words
from notifier.web.site import site

router = APIRouter(include_in_schema=False)

_SPANS = {Span.DAY: message("Day"), Span.WEEK: message("Week"), Span.MONTH: message("Month")}
_ORDERS = {"trending": Order.VOTES, "newest": Order.TIME}
_ORDER_NAMES = {"trending": message("Trending"), "newest": message("Newest")}
_WEEK = message("Week of %(day)s")
_MONTH = message("MMMM y")
_LONG_DAY_WITH_YEAR = message("EEEE d MMMM y")
_YEARS = range(1990, 2200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A link to another list; ``current`` for the one that is shown."""

    text: str
    url: str
    current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    span: Span
    day: date | None
    by: str
    after: str | None

    def url(self, **change: object) -> str:
        """The address of the same list but for what is changed; what is usual is left out."""
        wanted = {"span": self.span, "day": self.day, "by": self.by} | change
        usual = {"span": Span.DAY, "by": "trending", "day": None, "after": None}
        query = {name: str(value) for name, value in wanted.items() if value not in (None, usual[name])}
        return f"/?{urlencode(query)}" if query else "/"


@router.get("/")
async def home(
    request: Request,
    visitor: Visitor,
    span: str = Span.DAY,
    day: str | None = None,
    by: str = "trending",
    after: str | None = None,
) -> Response:
    asked = _asked(span, day, by, after)
    house = site(request)
    zone = visitor.timezone if visitor else house.app.settings.default_timezone
    version = await house.read(lambda store: store.entries.version())
    today = house.now().date()
    key = (asked, zone, language_of(request), visitor is not None, today)
    return await house.rendered.answer(request, key, version, lambda: _page(request, asked, zone, visitor))


async def _page(request: Request, asked: _Asked, zone: str, visitor: Subscriber | None) -> str:
    house = site(request)
    now = house.now()
    found = await house.read(
        lambda store: listing(
            store,
            span=asked.span,
            day=asked.day,
            order=_ORDERS[asked.by],
            after=asked.after,
            zone=zone,
            now=now,
        )
    )
    settings = house.app.settings
    catalog = words(request)
    papers = [
        paper_view(
            listed(entry), catalog, year=now.year, summaries=settings.ai_summaries, thumbnails=settings.thumbnails
        )
        for entry in found.entries
    ]
    return page_text(
        request,
        "web/home.html",
        papers=papers,
        heading=_heading(found.span, found.first, now.year, catalog),
        first=found.first.isoformat(),
        zone=zone,
        count=catalog.count("%(num)s paper", "%(num)s papers", found.total),
        empty=_empty(found, catalog),
        next=asked.url(day=found.first, after=found.behind) if found.behind else None,
        **_choices(asked, found, catalog),
    )


def _asked(span: str, day: str | None, by: str, after: str | None) -> _Asked:
    """Raises NotFound for what no link here leads to."""
    try:
        wanted = _Asked(span=Span(span), day=date.fromisoformat(day) if day else None, by=by, after=after)
    except ValueError:
        raise NotFound("There is no such list of papers: choose a day, a week or a month.") from None
    if by not in _ORDERS or (wanted.day and wanted.day.year not in _YEARS):
        raise NotFound("There is no such list of papers: choose a day, a week or a month.")
    return wanted


def _choices(asked: _Asked, found: Listing, catalog: Catalog) -> dict[str, object]:
    def step(day: date | None) -> Choice | None:
        text = _short(found.span, day, catalog) if day else ""
        return Choice(text=text, url=asked.url(day=day)) if day else None

    return {
        "earlier": step(found.earlier),
        "later": step(found.later),
        "spans": [
            Choice(text=catalog.say(name), url=asked.url(span=span, day=asked.day), current=span is found.span)
            for span, name in _SPANS.items()
        ],
        "orders": [
            Choice(text=catalog.say(name), url=asked.url(by=by), current=by == asked.by)
            for by, name in _ORDER_NAMES.items()
        ],
    }


def _heading(span: Span, first: date, this_year: int, catalog: Catalog) -> str:
    at = datetime.combine(first, time())
    if span is Span.MONTH:
        return catalog.date(at, _MONTH)
    day = catalog.date(at, LONG_DAY if first.year == this_year else _LONG_DAY_WITH_YEAR)
    return day if span is Span.DAY else catalog.say(_WEEK, day=day)


def _short(span: Span, day: date, catalog: Catalog) -> str:
    at = datetime.combine(bounds(span, day)[0], time())
    return catalog.date(at, _MONTH if span is Span.MONTH else SHORT_DAY)


def _empty(found: Listing, catalog: Catalog) -> str:
    if found.earlier or found.later:
        return catalog.say("No papers were announced then.")
    return catalog.say("No papers have been announced yet. They stand here as soon as a source has been read.")
