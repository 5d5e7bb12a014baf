"""A subscription's digests as Atom and JSON Feed, behind a secret address that can be renewed."""

from __future__ import annotations

from hashlib import sha256

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from notifier.errors import NotFound
from notifier.model import PastDigest, Subscription
from notifier.past import past_digests
from notifier.ports import Store
from notifier.tokens import fresh
from notifier.web.base import HOUR, Own, at_most, page, see_other
from notifier.web.site import Site, site

router = APIRouter(include_in_schema=False)
_TYPES = {"atom.xml": "application/atom+xml", "feed.json": "application/feed+json"}
_DIGESTS = 30


@router.get("/s/{id}/feed")
async def shown(request: Request, own: Own) -> Response:
    house = site(request)
    secret = await house.read(lambda store: store.feeds.secret(own.id))
    return page(request, "web/feed.html", own=own, urls=_urls(house, secret) if secret else None)


@router.post("/s/{id}/feed", dependencies=[at_most(30, HOUR)])
async def renew(request: Request, own: Own) -> Response:
    """A first address, or another one: the one before leads nowhere any more."""
    house, secret = site(request), fresh()
    await house.write(lambda store: store.feeds.put(own.id, secret, now=house.now()))
    return see_other(f"/s/{own.id}/feed")


@router.post("/s/{id}/feed/end", dependencies=[at_most(30, HOUR)])
async def end(request: Request, own: Own) -> Response:
    await site(request).write(lambda store: store.feeds.remove(own.id))
    return see_other(f"/s/{own.id}/feed")


@router.get("/f/{secret}/{name}", dependencies=[at_most(120, HOUR)])
async def feed(request: Request, secret: str, name: str) -> Response:
    house = site(request)

    def work(store: Store) -> tuple[Subscription, list[PastDigest]]:
        id = store.feeds.subscription(secret)
        if id is None or name not in _TYPES:
            raise NotFound("There is no such feed: its address may have been renewed by its owner.")
        return store.subscriptions.get([id])[id], past_digests(store, house.app.topics, id, limit=_DIGESTS)

    subscription, past = await house.read(work)
    atom, json = _urls(house, secret)
    feeds = house.feed_writer.write(subscription, past, urls=(atom, json))
    body = feeds.atom if name == "atom.xml" else feeds.json
    headers = {"ETag": f'W/"{sha256(body).hexdigest()[:20]}"', "Cache-Control": "private, max-age=900"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers={**headers, "X-Robots-Tag": "noindex"}, media_type=_TYPES[name])


def _urls(house: Site, secret: str) -> tuple[str, str]:
    return house.url(f"/f/{secret}/atom.xml"), house.url(f"/f/{secret}/feed.json")
