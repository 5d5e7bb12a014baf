"""One subscriber never sees or changes what is another's: every route of the pages for reading."""

from __future__ import annotations

import re

import pytest
from starlette.routing import Route

from notifier.web import digests, feeds, home, paper, rules, search
from tests.web.conftest import SiteServer
from tests.web.reading import bring, delivered, rules_of, subscribed

ROOMS = (digests, feeds, home, paper, rules, search)
PUBLIC = {"/", "/e", "/e/{id:path}", "/search", "/d/{id}", "/f/{secret}/{name}"}
FIELDS = {"query": "stolen", "mode": "include", "by": "1", "q": "stolen"}


def routes() -> list[tuple[str, str]]:
    found = [each for room in ROOMS for each in room.router.routes if isinstance(each, Route)]
    return sorted((method, each.path) for each in found for method in each.methods or () if method != "HEAD")


PERSONAL = [(method, path) for method, path in routes() if path not in PUBLIC]


@pytest.fixture
def house(reading: SiteServer) -> SiteServer:
    bring(reading, "Walking")
    (rule,) = subscribed(reading, "walking")
    subscribed(reading, "own", email="eve@example.org", id="s_eve")
    delivered(reading, rule)
    with reading.store() as store, store.write():
        store.feeds.put("s_ada", "the-secret", now=reading.app.clock())
    return reading


def addressed(path: str, rule: str) -> str:
    named = path.replace("{id}", "s_ada").replace("{rule}", rule).replace("{name}", "nlp")
    assert not re.search(r"[{}]", named)
    return named


def state(house: SiteServer) -> list[tuple[object, ...]]:
    with house.store() as store:
        conn = store.entries._conn  # type: ignore[attr-defined]
        tables = ("rule", "rule_change", "subscription", "feed", "delivery", "subscriber")
        return [tuple(row) for table in tables for row in conn.execute(f"SELECT * FROM {table}")]  # noqa: S608


def test_every_route_is_of_one_kind_or_the_other() -> None:
    assert {path for _, path in routes()} >= PUBLIC
    assert len(PERSONAL) > 12 and all(path.startswith(("/s/{id}", "/search/keep")) for _, path in PERSONAL)


def test_the_wrong_person_and_nobody_see_and_change_nothing(house: SiteServer) -> None:
    before, rule = state(house), rules_of(house)[0].id
    fields = FIELDS | {"rule": rule, "version": "1"}
    for client, refusals in ((house.logged_in("eve@example.org"), {404}), (house.client(), {303, 401})):
        for method, path in PERSONAL:
            if path.startswith("/s/"):
                url = addressed(path, rule)
                answer = client.get(url) if method == "GET" else client.post(url, data=fields)
                assert answer.status_code in refusals, (method, url)
                assert "walking" not in answer.text.casefold() and "the-secret" not in answer.text
    assert state(house) == before


def test_a_rule_of_another_is_not_reached_through_a_subscription_of_ones_own(house: SiteServer) -> None:
    before, rule, eve = state(house), rules_of(house)[0].id, house.logged_in("eve@example.org")
    fields = FIELDS | {"rule": rule, "version": "1"}
    for url in (f"/s/s_eve?rule={rule}", f"/s/s_eve/rules/{rule}/drop"):
        assert eve.get(url).status_code == 404
    for url in ("/s/s_eve/rules", f"/s/s_eve/rules/{rule}/move", f"/s/s_eve/rules/{rule}/drop"):
        assert eve.post(url, data=fields).status_code == 404
    preview = eve.get("/s/s_eve/preview", params={"query": "own", "rule": rule}).text
    assert "Walking" not in preview
    assert state(house) == before


def test_reading_changes_nothing(house: SiteServer) -> None:
    ada, rule = house.logged_in(), rules_of(house)[0].id
    before = state(house)
    for method, path in routes():
        if method == "GET":
            url = addressed(path.replace("{id:path}", "arxiv:2512.00001").replace("{secret}", "the-secret"), rule)
            for asked in (ada.get, ada.head):
                assert asked(url.replace("/d/s_ada", "/d/d_one")).status_code < 500
    assert state(house) == before


def test_nothing_is_changed_from_another_site(house: SiteServer) -> None:
    client, rule = house.logged_in(**{"sec-fetch-site": "cross-site"}), rules_of(house)[0].id
    before = state(house)
    for method, path in PERSONAL:
        if method == "POST":
            assert client.post(addressed(path, rule), data=FIELDS).status_code == 403
    assert state(house) == before
