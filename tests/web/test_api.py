"""The API as programs use it: over HTTP, with a token."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from notifier import access, account, edit
from notifier.collect import absorb
from notifier.matching import RuleSet
from notifier.model import Cadence, Every, Scope, Subscription
from notifier.plan import plan
from tests.builders import NOW, sighting
from tests.web.conftest import SiteServer

DAY = timedelta(days=1)
EVERYTHING = tuple(Scope)
ADA, BOB = "ada@example.org", "bob@example.org"


class Api:
    """A program with a token."""

    def __init__(self, site: SiteServer, token: str) -> None:
        self._client = httpx2.Client(
            base_url=f"{site.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=20
        )

    def __call__(self, method: str, path: str, status: int = 200, **given: Any) -> Any:
        """The answer's JSON; demands its status and that it is of the right kind."""
        answer = self._client.request(method, path, **given)
        assert answer.status_code == status, answer.text
        kind = "application/json" if status < 400 else "application/problem+json"
        assert status == 204 or answer.headers["content-type"] == kind
        self.headers = answer.headers
        return answer.json() if status != 204 else None

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        return self("GET", path, status, params=params)


def token(site: SiteServer, *scopes: Scope, owner: str = "") -> Api:
    with site.store() as store:
        _, text = access.make_token(store, "a test", scopes or EVERYTHING, owner=owner, now=site.app.clock())
    return Api(site, text)


def furnished(folder: Path) -> Iterator[SiteServer]:
    """Two people with a subscription each, and some papers."""
    site = SiteServer(folder, clock=lambda: NOW)
    for email in (ADA, BOB):
        site.person(email)
        wish = account.Wish(channel="outbox", cadence=Cadence(every=Every.DAILY), max_entries=2)
        with site.store() as store:
            own = account.subscribe(store, email, wish, now=NOW - 2 * DAY)
            author = edit.Author(name=email, via="cli")
            edit.add_rule(store, {}, own.id, "reward", label="R", author=author, now=NOW - 2 * DAY)
    with site.store() as store:
        absorb(store, [sighting(n) for n in range(1, 6)], source="feed", baseline=False, now=NOW - DAY / 2)
    yield site
    site.close()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteServer]:
    """For tests that change nothing."""
    yield from furnished(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def reader(library: SiteServer) -> Api:
    return token(library, *access.PERSONAL, owner=ADA)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SiteServer]:
    yield from furnished(tmp_path / "data")


@pytest.fixture
def operator(site: SiteServer) -> Api:
    return token(site)


@pytest.fixture
def ada(site: SiteServer) -> Api:
    return token(site, *access.PERSONAL, owner=ADA)


def subscription_of(site: SiteServer, email: str) -> Subscription:
    with site.store() as store:
        return store.subscriptions.all(email)[0]


def walk(api: Api, path: str, **params: Any) -> Iterator[list[Any]]:
    cursor = ""
    while cursor is not None:
        page = api.get(path, cursor=cursor, **params)
        yield page["items"]
        cursor = page["next"]


def test_papers_come_in_pages_without_gap_or_repetition(reader: Api) -> None:
    pages = list(walk(reader, "/entries", limit=2))
    assert [len(each) for each in pages] == [2, 2, 1]
    assert sorted(each["id"] for page in pages for each in page) == [f"arxiv:2512.{n:05}" for n in range(1, 6)]


def test_only_papers_seen_after_an_instant_are_listed(reader: Api) -> None:
    assert len(reader.get("/entries", since=(NOW - DAY).isoformat())["items"]) == 5
    assert reader.get("/entries", since=NOW.isoformat()) == {"items": [], "next": None}


def test_a_paper_tells_its_history_under_any_of_its_names(reader: Api) -> None:
    found = reader.get("/entries/arxiv:2512.00003")
    assert (found["title"], found["sources"]) == ("Paper 3 on reward models", ["feed"])
    assert [each["source"] for each in found["sightings"]] == ["feed"]
    assert reader.get("/entries/https://arxiv.org/abs/2512.00003v2")["id"] == "arxiv:2512.00003"
    assert "no such paper" in reader.get("/entries/arxiv:9912.99999", 404)["detail"]


def test_a_search_says_why_and_goes_on_page_by_page(reader: Api) -> None:
    first = reader.get("/search", q="reward", limit=3)
    assert (len(first["items"]), first["matched"], first["searched"]) == (3, 5, 5)
    assert first["items"][0]["evidence"][0] == {"field": "title", "text": "reward", "spans": [[11, 17]]}
    found = [each["id"] for page in walk(reader, "/search", q="reward", limit=3) for each in page]
    assert len(set(found)) == len(found) == 5


def test_a_query_that_does_not_parse_names_its_column(reader: Api) -> None:
    problem = reader.get("/search", 422, q="catagory:cs.CL")
    assert (problem["type"], problem["column"]) == ("urn:notifier:problem:rule", 1)
    assert problem["suggestion"] == "category"


@pytest.mark.parametrize("cursor", ["x", "eA", "!!", "ä", "YXJ4aXY6MDAwMC4wMDAwMA", "eA=="])
def test_a_cursor_that_leads_nowhere_is_refused(reader: Api, cursor: str) -> None:
    for path, given in (("/entries", {}), ("/search", {"q": "reward"})):
        assert "first page" in reader.get(path, 422, cursor=cursor, **given)["detail"]


def test_papers_that_are_added_are_found_and_are_news(operator: Api) -> None:
    paper = {"id": "lab-1", "title": "Bees", "upvotes": 3, "mood": "sunny"}
    done = operator("POST", "/entries", json={"source": "lab", "entries": [paper, {"title": "Nameless"}]})
    assert (done["new"], done["updated"], done["unchanged"]) == (1, 0, 0)
    assert [each["at"] for each in done["rejected"]] == ["/entries/1"]
    (found,) = operator.get("/search", q="bees")["items"]
    assert (found["sources"], found["extra"], found["news_at"]) == (["lab"], {"mood": "sunny"}, "2025-12-16T07:00:00Z")
    again = operator("POST", "/entries", json={"source": "lab", "entries": [paper]})
    assert (again["new"], again["unchanged"]) == (0, 1)


def test_papers_may_be_added_without_being_news(operator: Api) -> None:
    paper = {"id": "lab-1", "title": "Bees"}
    operator("POST", "/entries", json={"source": "lab", "news": False, "entries": [paper]})
    assert operator.get("/search", q="bees")["items"][0]["news_at"] is None


def test_where_no_paper_can_be_used_nothing_is_added(operator: Api) -> None:
    problem = operator("POST", "/entries", 422, json={"source": "lab", "entries": [{"title": "Nameless"}]})
    assert problem["detail"].startswith("None of the papers can be used. /entries/0: neither an 'id' nor")


def test_what_does_not_fit_is_named_with_its_place(operator: Api) -> None:
    problem = operator("POST", "/entries", 422, json={"source": "Lab!", "entries": [{"title": 3}], "more": 1})
    assert problem["type"] == "urn:notifier:problem:input"
    assert [each["at"] for each in problem["errors"]] == ["/source", "/entries/0/title", "/more"]


def test_a_post_with_a_key_is_done_once_and_answered_again(site: SiteServer, ada: Api) -> None:
    path = f"/subscriptions/{subscription_of(site, ADA).id}/rules"
    key = {"Idempotency-Key": "one"}
    first = ada("POST", path, 201, json={"query": "bees"}, headers=key)
    assert "Idempotency-Replayed" not in ada.headers
    assert ada("POST", path, 201, json={"query": "bees"}, headers=key) == first
    assert ada.headers["Idempotency-Replayed"] == "true"
    assert len(ada.get(path)["items"]) == 2
    assert "another request" in ada("POST", path, 422, json={"query": "wasps"}, headers=key)["detail"]


def test_a_key_is_forgotten_after_a_day_and_is_nobody_elses(site: SiteServer, ada: Api, operator: Api) -> None:
    path = f"/subscriptions/{subscription_of(site, ADA).id}/rules"
    wanted: dict[str, Any] = {"json": {"query": "bees"}, "headers": {"Idempotency-Key": "one"}}
    ids = {ada("POST", path, 201, **wanted)["id"], operator("POST", path, 201, **wanted)["id"]}
    site.app.clock = lambda: NOW + timedelta(hours=25)
    ids.add(ada("POST", path, 201, **wanted)["id"])
    assert len(ids) == 3


def test_a_refused_post_may_be_mended_and_sent_again_under_its_key(site: SiteServer, ada: Api) -> None:
    path = f"/subscriptions/{subscription_of(site, ADA).id}/rules"
    key = {"Idempotency-Key": "one"}
    assert ada("POST", path, 422, json={"query": '"bees'}, headers=key)["column"] == 1
    assert ada("POST", path, 201, json={"query": "bees"}, headers=key)["query"] == "bees"


def test_a_rule_is_added_read_changed_and_removed(site: SiteServer, ada: Api) -> None:
    id = subscription_of(site, ADA).id
    wanted = {"query": "survey", "label": " no  surveys ", "mode": "mute", "until": "2026-01-01"}
    rule = ada("POST", f"/subscriptions/{id}/rules", 201, json=wanted)
    assert (rule["label"], rule["until"], rule["off"]) == ("no surveys", "2026-01-01T00:00:00Z", None)
    path = f"/subscriptions/{id}/rules/{rule['id']}"
    assert ada.get(path) == rule
    changed = ada("PUT", path, json={"query": "bees", "version": 1})
    assert (changed["query"], changed["mode"], changed["version"]) == ("bees", "include", 2)
    assert "meanwhile" in ada("PUT", path, 422, json={"query": "wasps", "version": 1})["detail"]
    ada("DELETE", path, 204)
    assert "no such rule" in ada.get(path, 404)["detail"]
    with site.store() as store:
        steps = [step for step in edit.history(store, id) if step.rule.id == rule["id"]]
    assert {(step.author.name, step.author.via) for step in steps} == {(ADA, "api")}


def test_all_rules_are_replaced_or_none(site: SiteServer, ada: Api) -> None:
    id = subscription_of(site, ADA).id
    path = f"/subscriptions/{id}/rules"
    (before,) = ada.get(path)["items"]
    bad = {"items": [{"query": "bees"}, {"query": "(wasps"}]}
    assert ada("PUT", path, 422, json=bad)["column"] == 7
    assert ada.get(path)["items"] == [before]
    kept = {"id": before["id"], "query": "reward", "label": "R"}
    after = ada("PUT", path, json={"items": [kept, {"query": "bees", "mode": "mute"}]})["items"]
    assert [(each["query"], each["mode"]) for each in after] == [("reward", "include"), ("bees", "mute")]
    assert after[0] == before
    assert ada("PUT", path, json={"items": []}) == {"items": []}
    assert "no rule with" in ada("PUT", path, 404, json={"items": [kept | {"id": "r_none"}]})["detail"]


def test_a_rule_is_tried_before_it_is_saved(library: SiteServer, reader: Api) -> None:
    id = subscription_of(library, ADA).id
    trial = reader("POST", f"/subscriptions/{id}/trial", json={"query": "Paper 3", "mode": "mute"})
    assert (trial["checked"], trial["matched"]) == (5, 1)
    assert [each["title"] for each in trial["takes"]] == ["Paper 3 on reward models"]
    assert trial["canonical"] == "3 paper"
    assert len(reader.get(f"/subscriptions/{id}/rules")["items"]) == 1


def test_the_next_digest_is_shown_as_it_would_be(library: SiteServer, reader: Api) -> None:
    shown = reader.get(f"/subscriptions/{subscription_of(library, ADA).id}/preview")
    assert (len(shown["items"]), len(shown["more"]), shown["checked"]) == (2, 3, 5)
    (reason,) = shown["items"][0]["reasons"]
    assert (reason["label"], reason["evidence"][0]["text"]) == ("R", "reward")


def test_digests_are_listed_and_opened_whole(site: SiteServer, ada: Api) -> None:
    own = subscription_of(site, ADA)
    with site.store() as store:
        for day in (0, 1):
            absorb(store, [sighting(10 + day)], source="feed", baseline=False, now=NOW + day * DAY)
            plan(store, RuleSet({}), look_back=7 * DAY, now=NOW + day * DAY + timedelta(hours=1))
    pages = list(walk(ada, f"/subscriptions/{own.id}/digests", limit=1))
    assert [len(each) for each in pages] == [1, 1]
    newest, oldest = (page[0] for page in pages)
    assert newest["due_at"] > oldest["due_at"]
    whole = ada.get(f"/digests/{oldest['id']}")
    assert (len(whole["items"]), [each["shown"] for each in whole["items"]][:3]) == (6, [True, True, False])
    assert whole["items"][0]["reasons"][0]["query"] == "reward"
    said = ada.get(f"/subscriptions/{own.id}/why", entry="arxiv:2512.00003")
    assert said["delivery"] == oldest["id"]


def test_a_subscription_is_changed_paused_and_resumed(site: SiteServer, ada: Api) -> None:
    path = f"/subscriptions/{subscription_of(site, ADA).id}"
    changed = ada("PATCH", path, json={"at": "07:30", "days": ["mon", "thu"], "quiet": "22:00-07:00", "max_entries": 5})
    assert (changed["at"], changed["days"], changed["quiet"]) == ("07:30", ["mon", "thu"], "22:00-07:00")
    assert (changed["max_entries"], changed["next_due_at"]) == (5, "2025-12-18T06:30:00Z")
    paused = ada("PATCH", path, json={"paused": True, "paused_until": "2026-01-01T00:00:00+01:00", "quiet": "off"})
    assert (paused["paused"], paused["paused_until"], paused["quiet"]) == (True, "2025-12-31T23:00:00Z", None)
    assert ada("PATCH", path, json={"paused": False})["paused"] is False
    assert "belongs to a pause" in ada("PATCH", path, 422, json={"paused_until": "2026-01-01"})["detail"]


def test_a_subscription_is_made_once_and_removed(site: SiteServer, ada: Api) -> None:
    wanted = {"every": "weekly", "days": ["fri"], "at": "07:15"}
    made = ada("POST", "/subscriptions", 201, json=wanted, headers={"Idempotency-Key": "one"})
    assert (made["subscriber"], made["channel"], made["max_entries"]) == (ADA, f"email:{ADA}", 20)
    assert made["next_due_at"] == "2025-12-19T06:15:00Z"
    assert ada("POST", "/subscriptions", 201, json=wanted, headers={"Idempotency-Key": "one"}) == made
    assert len(ada.get("/subscriptions")["items"]) == 2
    ada("DELETE", f"/subscriptions/{made['id']}", 204)
    assert ada.get(f"/subscriptions/{made['id']}", 404)


def test_a_subscribers_token_fills_nobody_elses_mailbox(site: SiteServer, ada: Api, operator: Api) -> None:
    daily = {"every": "daily"}
    assert "only its owner's" in ada("POST", "/subscriptions", 422, json=daily | {"subscriber": BOB})["detail"]
    for channel in (f"email:{BOB}", "slack:#papers", "webhook:https://example.org/"):
        ada("POST", "/subscriptions", 422, json=daily | {"channel": channel})
    assert "whose it is" in operator("POST", "/subscriptions", 422, json=daily)["detail"]
    made = operator("POST", "/subscriptions", 201, json=daily | {"subscriber": BOB, "channel": f"email:{ADA}"})
    assert (made["subscriber"], made["channel"]) == (BOB, f"email:{ADA}")
    assert operator("POST", "/subscriptions", 404, json=daily | {"subscriber": "nobody@example.org"})
    with site.store() as store:
        assert len(store.subscriptions.all()) == 3


def test_who_shares_a_subscription_reads_and_changes_it_but_does_not_remove_it(site: SiteServer, ada: Api) -> None:
    theirs = subscription_of(site, BOB).id
    with site.store() as store, store.write():
        store.members.add(theirs, ADA, now=NOW)
    assert theirs in [each["id"] for each in ada.get("/subscriptions")["items"]]
    assert ada("PATCH", f"/subscriptions/{theirs}", json={"at": "07:00"})["at"] == "07:00"
    assert "Only who made" in ada("DELETE", f"/subscriptions/{theirs}", 422)["detail"]


def test_a_subscribers_token_opens_nothing_of_others(site: SiteServer, ada: Api) -> None:
    theirs, mine = subscription_of(site, BOB).id, subscription_of(site, ADA).id
    with site.store() as store:
        (rule,) = edit.rules_of(store, theirs)
        plan(store, RuleSet({}), look_back=7 * DAY, now=NOW + timedelta(hours=1))
        (digest,) = store.deliveries.all(subscription_id=theirs)
    assert [each["id"] for each in ada.get("/subscriptions")["items"]] == [mine]
    for path in ("", "/rules", f"/rules/{rule.id}", "/preview", "/digests"):
        assert "no such" in ada.get(f"/subscriptions/{theirs}{path}", 404)["detail"]
    assert "no such" in ada.get(f"/subscriptions/{theirs}/why", 404, entry="arxiv:2512.00003")["detail"]
    assert "no such" in ada.get(f"/digests/{digest.id}", 404)["detail"]
    body = {"query": "bees"}
    ada("POST", f"/subscriptions/{theirs}/rules", 404, json=body)
    ada("POST", f"/subscriptions/{theirs}/trial", 404, json=body)
    ada("PUT", f"/subscriptions/{theirs}/rules", 404, json={"items": []})
    ada("PATCH", f"/subscriptions/{theirs}", 404, json={"paused": True})
    ada("DELETE", f"/subscriptions/{theirs}", 404)
    # Nor through a subscription of their own.
    for subscription in (theirs, mine):
        ada("PUT", f"/subscriptions/{subscription}/rules/{rule.id}", 404, json=body)
        ada("DELETE", f"/subscriptions/{subscription}/rules/{rule.id}", 404)
    ada("PUT", f"/subscriptions/{mine}/rules", 404, json={"items": [body | {"id": rule.id}]})
    with site.store() as store:
        assert edit.rules_of(store, theirs) == [rule]
        assert not store.subscriptions.all(BOB)[0].paused


def test_the_operators_token_opens_everybodys_subscriptions(operator: Api) -> None:
    pages = list(walk(operator, "/subscriptions", limit=1))
    assert sorted(page[0]["subscriber"] for page in pages) == [ADA, BOB]
    assert operator.get("/token")["of"] is None


def test_mail_that_came_back_is_taken_in(operator: Api) -> None:
    def hand_in(status: int, kind: str) -> Any:
        return operator("POST", "/bounces", status, content=b"Subject: hello\n\nhello", headers={"Content-Type": kind})

    assert hand_in(200, "message/rfc822") == {"taken": "no bounce"}
    assert "message/rfc822" in hand_in(415, "application/json")["detail"]


def operations(site: SiteServer) -> Iterator[tuple[str, str, list[str]]]:
    """Every operation with an address that fits, and the scopes it needs."""
    document = httpx2.get(f"{site.url}/api/v1/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            address = path.replace("{id}", "x_none").replace("{rule}", "r_none").replace("{name}", "none")
            yield method.upper(), address, operation["security"][0]["token"]


def test_every_operation_wants_a_token_that_is_good_for_it(library: SiteServer) -> None:
    with library.store() as store:
        _, expired = access.make_token(store, "old", EVERYTHING, lasts=DAY, now=NOW - 2 * DAY)
        gone, revoked = access.make_token(store, "gone", EVERYTHING, now=NOW)
        access.revoke(store, gone.id)
    without = {each: token(library, *(set(EVERYTHING) - {each})) for each in Scope}
    found = list(operations(library))
    assert len(found) > 20
    with httpx2.Client(base_url=f"{library.url}/api/v1") as client:
        for method, path, scopes in found:
            for word in ("", f"Bearer {expired}", f"Bearer {revoked}"):
                answer = client.request(method, path, headers={"Authorization": word})
                assert (answer.status_code, answer.json()["status"]) == (401, 401)
            if scopes:
                short = without[Scope(scopes[0])]
                assert scopes[0] in short(method, path, 403)["detail"]
                assert "insufficient_scope" in short.headers["WWW-Authenticate"]


def test_a_cookie_opens_nothing_of_the_api(library: SiteServer) -> None:
    client = library.logged_in(ADA)
    for method, path, _ in operations(library):
        assert client.request(method, f"/api/v1{path}").status_code == 401


def test_a_mistyped_parameter_is_refused(reader: Api) -> None:
    assert "no parameter limt here" in reader.get("/entries", 422, limt=5)["detail"]


def test_what_takes_long_may_be_asked_for_so_often_in_a_minute(library: SiteServer) -> None:
    api = token(library, Scope.ENTRIES)
    for _ in range(120):
        api.get("/search", q="reward", limit=1)
    assert "try again in 1 s" in api.get("/search", 429, q="reward")["detail"]
    assert api.headers["Retry-After"] == "1"
    assert api.get("/entries", limit=1)["items"]


def test_what_is_not_there_is_a_problem_too(reader: Api) -> None:
    assert reader("GET", "/entries", 421, headers={"Host": "elsewhere.example"})["status"] == 421
    assert reader.get("/nowhere", 404)["status"] == 404
    assert reader("DELETE", "/entries", 405)["status"] == 405
