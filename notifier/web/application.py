"""The ASGI application: routers, what stands before them, and what becomes of errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from notifier.app import App
from notifier.errors import SettingsError
from notifier.web import (
    answering,
    digests,
    entry,
    feeds,
    home,
    joining,
    leaving,
    operators,
    paper,
    personal,
    probes,
    rules,
    search,
    sso,
    static,
    subscriptions,
    tokens,
    trouble,
)
from notifier.web.api import create_api
from notifier.web.safety import Safety
from notifier.web.site import Site

# Each group of pages, in the order in which routes are tried.
ROUTERS: tuple[APIRouter, ...] = (
    static.router,
    home.router,
    paper.router,
    rules.router,
    digests.router,
    feeds.router,
    search.router,
    answering.router,
    entry.router,
    joining.router,
    leaving.router,
    personal.router,
    sso.router,
    subscriptions.router,
    tokens.router,
    *operators.ROUTERS,
    probes.router,
)
# Paths whose callers bring a proof of their own, a token or a signature, and no cookie.
WITHOUT_COOKIE = ("/u/", "/api/", "/slack/")
THUMBNAILS = ("https://cdn-thumbnails.huggingface.co",)
_COMPRESSED_FROM = 1000


def create(app: App, *, mounts: Mapping[str, ASGIApp] | None = None) -> FastAPI:
    """``mounts`` are other applications by their path, such as ``/slack``. Raises SettingsError."""
    if urlsplit(app.settings.base_url).path:
        raise SettingsError("Setting 'base_url' names a path: the pages need a host of their own.")
    site = Site(app)
    web = FastAPI(
        title="Notifier",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
        middleware=[
            Middleware(
                Safety,
                rules=site.rules,
                without_cookie=WITHOUT_COOKIE,
                failed=trouble.bug,
                pictures=THUMBNAILS if app.settings.thumbnails else (),
            ),
            Middleware(GZipMiddleware, minimum_size=_COMPRESSED_FROM, compresslevel=4),
        ],
    )
    web.state.site = site
    trouble.register(web)
    for router in ROUTERS:
        web.include_router(router)
    web.mount("/api/v1", create_api(site))
    for path, mounted in (mounts or {}).items():
        web.mount(path, mounted)
    return web


@asynccontextmanager
async def _lifespan(web: FastAPI) -> AsyncIterator[None]:
    yield
    await web.state.site.close()
