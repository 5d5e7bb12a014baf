"""The ASGI application of the API."""

from __future__ import annotations

from fastapi import APIRouter, Depends, FastAPI

from notifier import __version__
from notifier.web.api import bounces, digests, entries, problems, rules, schema, subscriptions, token, topics
from notifier.web.api.caller import ANSWERS, only_known
from notifier.web.site import Site

ROUTERS: tuple[APIRouter, ...] = (
    entries.router,
    topics.router,
    subscriptions.router,
    rules.router,
    digests.router,
    bounces.router,
    token.router,
)


def create_api(site: Site) -> FastAPI:
    api = schema.Documented(
        title="Notifier",
        version=__version__,
        description=schema.DESCRIPTION,
        # The pages of these documents load scripts from elsewhere; /openapi.json is what programs read.
        docs_url=None,
        redoc_url=None,
        servers=[{"url": site.url("/api/v1")}],
        root_path_in_servers=False,
        responses=ANSWERS,
        dependencies=[Depends(only_known)],
        separate_input_output_schemas=False,
        generate_unique_id_function=lambda route: route.name,
    )
    api.state.site = site
    problems.register(api, [route for router in ROUTERS for route in router.routes])
    for router in ROUTERS:
        api.include_router(router)
    return api
