"""Past digests, each whole, and why a paper is in none of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from notifier.errors import NotFound, UsageError
from notifier.explain import Why, why
from notifier.lookup import delivery_of, entry_of
from notifier.matching import Topics
from notifier.model import Delivery, DeliveryState, Digest, DigestItem, PastDigest, Subscriber, Subscription
from notifier.past import reopened
from notifier.ports import Store
from notifier.render import (
    SHORT_DAY,
    Because,
    Catalog,
    PaperView,
    digest_view,
    grouped,
    paper_path,
    paper_view,
)
from notifier.web.base import MINUTE, Own, Visitor, at_most, own, page, words
from notifier.web.site import site
from notifier.web.wording import STATES

router = APIRouter(include_in_schema=False)
PAGE = 50
_LISTED = frozenset(STATES) - {DeliveryState.SUPERSEDED}
"""Of a superseded one the papers are in the digest that took them over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A paper of a digest, with the rules that brought it: where each is open in the editor, for its owner."""

    paper: PaperView
    because: tuple[tuple[Because, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One past digest in the list."""

    id: str
    day: str
    papers: int
    state: str
    reason: str | None


@router.get("/d/{id}", dependencies=[at_most(240, MINUTE)])
async def digest(request: Request, visitor: Visitor, id: str) -> Response:
    """Whoever has its address may read it: the id is random, and the digest's own messages link here."""
    house, catalog = site(request), words(request)
    past, in_full, is_mine = await house.read(lambda store: _opened(store, house.app.topics, id, visitor))
    found = past.digest
    view = digest_view(found, catalog, house.app.links)
    groups = [
        (group.label, [_shown(item, found, catalog, is_mine=is_mine) for item in group.items])
        for group in grouped(found.items, is_late=found.late)
    ]
    return page(
        request,
        "web/digest.html",
        headers={"X-Robots-Tag": "noindex"},
        # Why there was nothing is known on its day only.
        view=view if found.checked else replace(view, notices=()),
        groups=groups,
        in_full=in_full,
        found=len(found.items),
        own=found.subscription if is_mine else None,
        zone=found.slot.zone,
    )


def _opened(store: Store, topics: Topics, id: str, visitor: Subscriber | None) -> tuple[PastDigest, int, bool]:
    """A digest, how many papers its message showed, and whether it is the visitor's."""
    try:
        delivery = delivery_of(store, id)
    except NotFound:
        raise NotFound("There is no such digest, or its subscription is gone.") from None
    found = reopened(store, topics, [delivery], whole=True)
    in_full = sum(item.shown for item in store.deliveries.items(id))
    return found[0], in_full, _is_own(store, delivery.subscription_id, visitor)


def _is_own(store: Store, subscription_id: str, visitor: Subscriber | None) -> bool:
    if visitor is None:
        return False
    try:
        own(store, subscription_id, visitor)
    except NotFound:
        return False
    return True


def _shown(item: DigestItem, digest: Digest, catalog: Catalog, *, is_mine: bool) -> Shown:
    paper = paper_view(item, catalog, year=digest.slot.local.year)
    base = f"/s/{digest.subscription.id}"
    links = [
        f"{base}?{urlencode({'rule': reason.rule_id, 'paper': item.entry.id})}" if is_mine else None
        for reason in item.reasons[: len(paper.view.because)]
    ]
    return Shown(paper=paper, because=tuple(zip(paper.view.because, links, strict=True)))


@router.get("/s/{id}/digests")
async def past(request: Request, own: Own, after: str | None = None) -> Response:
    catalog = words(request)
    lines, behind = await site(request).read(lambda store: _lines(store, own, after, catalog))
    return page(request, "web/digests.html", own=own, lines=lines, behind=behind, answer=None, asked="")


def _lines(store: Store, own: Subscription, after: str | None, catalog: Catalog) -> tuple[list[Line], str | None]:
    found = store.deliveries.all(states=_LISTED, subscription_id=own.id, limit=PAGE + 1, after=after)
    contents = store.deliveries.contents(each.id for each in found[:PAGE])
    lines = [_line(each, len(contents[each.id].items), catalog) for each in found[:PAGE]]
    return lines, found[PAGE - 1].id if len(found) > PAGE else None


def _line(delivery: Delivery, papers: int, catalog: Catalog) -> Line:
    local = delivery.slot.local
    return Line(
        id=delivery.id,
        day=f"{catalog.date(local, SHORT_DAY)} {catalog.clock(local)}",
        papers=papers,
        state=catalog.say(STATES[delivery.state]),
        reason=None if delivery.state is DeliveryState.SENT else delivery.reason,
    )


@router.get("/s/{id}/why", dependencies=[at_most(120, MINUTE)])
async def asked(request: Request, own: Own, paper: str = "") -> Response:
    """Why a paper, by its link, id or words of its title, did or did not come."""
    house, now, catalog = site(request), site(request).now(), words(request)

    def work(store: Store) -> Why | str:
        try:
            entry = entry_of(store, paper)
        except UsageError as error:
            return str(error)
        return why(store, house.app.topics, entry, own.id, look_back=house.app.settings.look_back, now=now)

    answer = await house.read(work) if paper.strip() else None
    lines, behind = await house.read(lambda store: _lines(store, own, None, catalog))
    is_told = isinstance(answer, Why)
    return page(
        request,
        "web/digests.html",
        own=own,
        lines=lines,
        behind=behind,
        asked=paper,
        answer=answer if is_told else None,
        unknown=None if is_told else answer,
        answer_path=paper_path(answer.entry.id) if isinstance(answer, Why) else None,
    )
