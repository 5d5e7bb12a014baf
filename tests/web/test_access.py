"""Every route there is, asked by nobody, by somebody whose session is over, and by the wrong person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute, Mount

from notifier.model import Subscription
from tests.web.conftest import SiteServer
from tests.web.test_people import subscribed

# What anybody may see or ask for; a link in a mail proves by itself what it may.
PUBLIC = re.compile(
    r"/|/static/.*|/login|/login/.*|/logout|/subscribe|/confirm/.*|/u/.*|/a/.*|/search|/e|/e/.*|/sso/.*"
    r"|/healthz|/readyz|/api/v1/openapi\.json|/api/v1/docs"
)
SECRET = "zebrafish"


def routes(web: FastAPI) -> list[tuple[str, str]]:
    return sorted(set(_routes(web.routes, "")))


def _routes(table: list[BaseRoute], prefix: str) -> Iterator[tuple[str, str]]:
    for each in table:
        if isinstance(each, Mount):
            yield from _routes(each.routes, prefix + each.path)
            continue
        for context in iter_route_contexts([each]):
            if isinstance(context.original_route, APIRoute):
                yield from ((method, prefix + str(context.path)) for method in context.methods or ())


def ours(site: SiteServer) -> list[tuple[str, str]]:
    found = [(method, path) for method, path in routes(site.web) if not PUBLIC.fullmatch(path)]
    assert ("POST", "/s/{id}/remove") in found and ("GET", "/account") in found
    return found


def filled(path: str, own: Subscription, rule: str) -> str:
    named = {"id": own.id, "rule": rule, "format": "json", "word": "x", "token": own.id, "session": "x"}
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: named.get(found[1], "x"), path)


def asked(client: httpx2.Client, method: str, path: str) -> httpx2.Response:
    """With a form that would do."""
    form = {"email": "eve@example.org", "until": "2099-01-01", "every": "daily", "at": "08:00", "max_entries": "20"}
    if method in ("GET", "HEAD", "DELETE"):
        return client.request(method, path)
    more = {"query": "x", "name": "x", "timezone": "UTC", "language": "en", "channel": "email", "id": "x"}
    return client.request(method, path, data=form | more)


@pytest.fixture
def own(site: SiteServer) -> tuple[Subscription, str]:
    made = subscribed(site, query=SECRET)
    with site.store() as store:
        return made, store.rules.of([made.id])[made.id][0].id


def test_nobody_gets_into_what_is_somebodys(site: SiteServer, own: tuple[Subscription, str]) -> None:
    client, before = site.client(), site.dump()
    for method, path in ours(site):
        answer = asked(client, method, filled(path, *own))
        is_sent_away = answer.status_code == 303 and answer.headers["location"].startswith("/login")
        assert is_sent_away or answer.status_code in (401, 403, 404), (method, path, answer.status_code)
        assert SECRET not in answer.text, path
    assert site.dump() == before


def test_a_session_that_is_over_is_nobodys(site: SiteServer, own: tuple[Subscription, str]) -> None:
    client = site.logged_in()
    assert client.get("/account").status_code == 200
    site.move(timedelta(days=31))
    before = site.dump()
    for method, path in ours(site):
        answer = asked(client, method, filled(path, *own))
        is_sent_away = answer.status_code == 303 and answer.headers["location"].startswith("/login")
        assert is_sent_away or answer.status_code in (401, 403, 404), (method, path, answer.status_code)
    assert site.dump() == before


def test_the_wrong_person_sees_and_changes_nothing_of_anothers(site: SiteServer, own: tuple[Subscription, str]) -> None:
    before = [line for line in site.dump().splitlines() if own[0].id in line or own[1] in line or "ada@" in line]
    assert len(before) >= 3
    for method, path in ours(site):
        # Some of these end the session.
        answer = asked(site.logged_in("eve@example.org"), method, filled(path, *own))
        names_it = re.search(r"\{(id|rule)\b", path)
        assert not names_it or answer.status_code in (400, 401, 403, 404, 405), (method, path, answer.status_code)
        assert SECRET not in answer.text and "ada@example.org" not in answer.text, path
    after = site.dump().splitlines()
    assert [line for line in before if line not in after] == []
