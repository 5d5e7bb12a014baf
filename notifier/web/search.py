"""Search over the whole archive in the rule language; what was found can be kept as a subscription."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from notifier import account
from notifier.account import Wish
from notifier.edit import Author, add_rule
from notifier.errors import RuleError
from notifier.matching import parse
from notifier.model import Cadence, Every, Subscription
from notifier.ports import Store
from notifier.render import Catalog, listed, paper_view
from notifier.search import Found, search
from notifier.web.base import HOUR, MINUTE, Viewer, Visitor, all_own, at_most, page, see_other, words
from notifier.web.site import site
from notifier.web.trial import fault_of, in_words

router = APIRouter(include_in_schema=False)
PAGE = 25


@router.get("/search", dependencies=[at_most(120, MINUTE)])
async def found(request: Request, visitor: Visitor, q: str = "", after: str | None = None) -> Response:
    if not q.strip():
        return page(request, "web/search.html", q="", fault=None, result=None)
    house, now = site(request), site(request).now()
    topics = house.app.topics
    try:
        result = await house.read(lambda store: search(store, topics, q, limit=PAGE, after=after, now=now))
    except RuleError as error:
        return page(request, "web/search.html", status=400, q=q, fault=fault_of(q, error), result=None)
    catalog, settings = words(request), house.app.settings
    shown = [
        paper_view(
            listed(hit.entry, hit.evidence),
            catalog,
            year=now.year,
            summaries=settings.ai_summaries,
            thumbnails=settings.thumbnails,
        )
        for hit in result.hits
    ]
    return page(
        request,
        "web/search.html",
        q=q,
        fault=None,
        result=result,
        papers=shown,
        meaning=in_words(parse(q, topics)),
        count=_count(result, catalog),
        next=f"/search?{urlencode({'q': q, 'after': result.behind})}" if result.behind else None,
        is_first=after is None,
        mine=await house.read(lambda store: all_own(store, visitor)) if visitor else [],
    )


@router.post("/search/keep", dependencies=[at_most(30, HOUR)])
async def keep(request: Request, viewer: Viewer, q: Annotated[str, Form()]) -> Response:
    """A search becomes a daily mail. Raises RuleError where it cannot be read."""
    house, now = site(request), site(request).now()

    def work(store: Store) -> Subscription:
        parse(q, house.app.topics)
        wish = Wish(channel="email", cadence=Cadence(every=Every.DAILY), max_entries=house.app.settings.max_entries)
        made = account.subscribe(store, viewer.email, wish, now=now)
        author = Author(name=viewer.email, via="web")
        add_rule(store, house.app.topics, made.id, q, author=author, now=now)
        return made

    made = await house.write(work)
    return see_other(f"/s/{made.id}")


def _count(result: Found, catalog: Catalog) -> str:
    searched = catalog.number(result.searched)
    if result.exact:
        return catalog.count(
            "%(num)s of %(all)s papers matches", "%(num)s of %(all)s papers match", result.matched, all=searched
        )
    return catalog.say(
        "%(number)s or more of %(all)s papers match", number=catalog.number(result.matched), all=searched
    )
