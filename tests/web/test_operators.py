"""The operator's pages: what they show and do, and that nobody else sees or does it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute

from notifier import access
from notifier.collect import absorb
from notifier.errors import Cause
from notifier.model import (
    Bounce,
    BounceKind,
    DeliveryState,
    LetterKind,
    Outcome,
    Scope,
    Start,
    Suppression,
)
from notifier.ports import DayCount
from notifier.render import load
from notifier.web.operators import ROUTERS
from notifier.web.operators.chart import HEIGHT, of_digests
from notifier.web.tokens import router as tokens_router
from tests.builders import NOW, planned, rule, sighting, source, subscription
from tests.web.conftest import SiteServer

DAY = timedelta(days=1)
OP, ADA = "op@example.org", "ada@example.org"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SiteServer]:
    server = SiteServer(
        tmp_path / "data", clock=lambda: NOW + DAY, operators="OP@example.org", smtp_password="hush-hush"
    )
    ada = server.person(ADA)
    server.person(OP)
    with server.store() as store, store.write():
        store.subscriptions.put(subscription("s_one", ada))
        store.rules.put([rule()], actor="ada", via="cli", now=NOW)
        absorb(store, [sighting(1, title="<b>Bees</b> & co")], source="feed", baseline=False, now=NOW - DAY)
        store.deliveries.record([planned("d_one", "s_one", "2025-12-16", "arxiv:2512.00001")])
        store.deliveries.claim(NOW, lease=DAY, limit=9)
        store.deliveries.begin([Start(delivery_id="d_one", fence=1, at=NOW, lease_until=NOW + DAY)])
        store.deliveries.finish([_failed()])
        store.sources.put(source("feed", last_error="<i>503</i>", failing_since=NOW, failures=3))
        store.bounces.suppress(Suppression(address="gone@example.org", since=NOW, reason="It is not there."))
        store.bounces.note(Bounce(address="gone@example.org", kind=BounceKind.HARD, at=NOW, status="5.1.1"))
    yield server
    server.close()


def _failed() -> Outcome:
    reason = "550 <script>alert(1)</script>"
    return Outcome(delivery_id="d_one", fence=1, state=DeliveryState.FAILED, at=NOW, reason=reason, cause=Cause.REFUSED)


@pytest.fixture
def operator(site: SiteServer) -> httpx2.Client:
    return site.logged_in(OP)


def post(client: httpx2.Client, path: str, status: int = 303, **form: Any) -> httpx2.Response:
    answer = client.post(path, data=form)
    assert answer.status_code == status, answer.text
    return answer


def history(site: SiteServer) -> list[tuple[str, str, str]]:
    with site.store() as store:
        return [(each.actor, each.act, each.subject) for each in store.operations.newest()]


def addresses() -> list[tuple[str, str]]:
    """Method and path of every page of the operator's, filled in with what is there."""
    routes = [route for router in (*ROUTERS, tokens_router) for route in router.routes]
    filled = {"id": "d_one", "word": "cancel", "name": "feed", "act": "pause", "email": ADA}
    return [
        (method, re.sub(r"{(\w+)(?::path)?}", lambda found: filled[found[1]], route.path))
        for route in routes
        if isinstance(route, APIRoute) and route.path.startswith("/operator")
        for method in route.methods
    ]


def test_no_page_of_the_operators_is_there_for_anybody_else(site: SiteServer) -> None:
    found = addresses()
    assert len(found) > 20
    form = {"address": ADA, "email": ADA, "id": "t_x", "name": "x", "days": "30", "scope": "feed", "query": "x"}
    ada, nobody = site.logged_in(ADA), site.client()
    for method, path in found:
        answer = ada.request(method, path, data=form if method == "POST" else None)
        assert answer.status_code == 404, path
        assert "<h1>Not found</h1>" in answer.text
        assert nobody.request(method, path, data=form if method == "POST" else None).status_code in (303, 401), path
    assert history(site) == []
    with site.store() as store:
        assert store.deliveries.counts() == {DeliveryState.FAILED: 1}
        assert store.sources.all()[0].paused_at is None
        assert store.subscribers.get(ADA)
        assert [each.address for each in store.bounces.suppressed()] == ["gone@example.org"]
        assert store.api_tokens.all() == []


def test_every_page_shows_hostile_texts_as_texts(site: SiteServer, operator: httpx2.Client) -> None:
    site.person("eve@example.org")
    for method, path in addresses():
        if method != "GET":
            continue
        text = operator.get(path).text
        assert "<script>alert" not in text
        assert "<b>Bees" not in text
        assert "<i>503" not in text
        assert "hush-hush" not in text


def test_getting_every_page_changes_nothing(site: SiteServer, operator: httpx2.Client) -> None:
    file = site.app.settings.database

    def everything() -> str:
        with closing(sqlite3.connect(file)) as db:
            return "\n".join(
                str(db.execute(f'SELECT * FROM "{name}"').fetchall())  # noqa: S608
                for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
                if not name.startswith("entry_terms")
            )

    before = everything()
    for _, path in addresses():
        operator.get(path)
        operator.head(path)
    assert everything() == before


def test_the_overview_counts_what_is_wrong_and_draws_the_days(operator: httpx2.Client) -> None:
    text = operator.get("/operator").text
    assert re.search(r'view=failed"><strong class="error">1</strong>', text)
    assert "1 source cannot be relied on:" in text
    assert 'aria-label="0 sent, 0 waiting and 1 failed or held in 30 days; most on Tue 16 Dec: 1."' in text
    assert 'class="failed"' in text
    assert "has not run here yet" in text


def test_a_chart_stacks_its_parts_up_to_the_highest_day() -> None:
    days = [DayCount(day=NOW.date() - DAY), DayCount(day=NOW.date(), sent=3, failed=1, waiting=4)]
    chart = of_digests(days, load("en"))
    assert [(part.kind, part.y, part.height) for part in chart.parts] == [
        ("sent", 50.0, 30.0),
        ("waiting", 10.0, 40.0),
        ("failed", 0.0, 10.0),
    ]
    assert chart.told == "3 sent, 4 waiting and 1 failed or held in 2 days; most on Tue 16 Dec: 8."
    assert of_digests([DayCount(day=NOW.date())], load("en")).told == "None in 1 days."
    many = of_digests([DayCount(day=NOW.date(), sent=100_000, failed=1)], load("en"))
    assert all(part.y >= 0 and part.y + part.height <= HEIGHT + 1 for part in many.parts)


def test_a_failed_delivery_is_sent_again_or_never_and_the_history_says_who(
    site: SiteServer, operator: httpx2.Client
) -> None:
    assert "d_one" in operator.get("/operator/deliveries").text
    shown = operator.get("/operator/deliveries/d_one").text
    assert "550 &lt;script&gt;" in shown
    assert "&lt;b&gt;Bees&lt;/b&gt; &amp; co" in shown
    assert "due again" in operator.get(post(operator, "/operator/deliveries/d_one/retry").headers["location"]).text
    with site.store() as store:
        assert store.deliveries.counts() == {DeliveryState.DEFERRED: 1}
    assert "d_one" in operator.get("/operator/deliveries?view=waiting").text
    assert (
        "will not be sent" in operator.get(post(operator, "/operator/deliveries/d_one/cancel").headers["location"]).text
    )
    assert "stays as it is" in post(operator, "/operator/deliveries/d_one/retry", 400).text
    assert post(operator, "/operator/deliveries/d_none/retry", 404)
    assert history(site) == [(OP, "cancel delivery", "d_one"), (OP, "retry delivery", "d_one")]
    assert "cancel delivery" in operator.get("/operator/history").text


def test_all_that_failed_is_sent_again_at_once(site: SiteServer, operator: httpx2.Client) -> None:
    post(operator, "/operator/deliveries/retry-failed")
    with site.store() as store:
        assert store.deliveries.counts() == {DeliveryState.DEFERRED: 1}


def test_a_source_is_paused_read_again_and_asked_now(site: SiteServer, operator: httpx2.Client) -> None:
    def record() -> Any:
        with site.store() as store:
            return store.sources.get("feed")

    post(operator, "/operator/sources/feed/pause")
    assert record().paused_at == NOW + DAY
    assert "Read it again" in operator.get("/operator/sources").text
    post(operator, "/operator/sources/feed/resume")
    assert (record().paused_at, record().failures) == (None, 0)
    post(operator, "/operator/sources/feed/read")
    assert record().next_fetch_at == NOW + DAY
    assert post(operator, "/operator/sources/none/read", 404)
    with site.store() as store, store.write():
        store.sources.put(source("lab/news"))
    assert 'action="/operator/sources/lab/news/pause"' in operator.get("/operator/sources").text
    post(operator, "/operator/sources/lab/news/pause")
    assert [each[2] for each in history(site)] == ["lab/news", "feed", "feed", "feed"]
    assert [each[1] for each in history(site)][1:] == ["read source", "resume source", "pause source"]


def test_an_address_is_suppressed_and_its_owner_asked_or_believed(site: SiteServer, operator: httpx2.Client) -> None:
    post(operator, "/operator/bounces/suppress", address=ADA, reason=" moved\naway ")
    with site.store() as store:
        assert store.bounces.get(ADA).reason == "moved away"  # type: ignore[union-attr]
    post(operator, "/operator/bounces/ask", address=ADA)
    with site.store() as store:
        (letter,) = store.letters.claim(NOW + 2 * DAY, lease=DAY, limit=9)
        assert (letter.letter.kind, letter.letter.to) == (LetterKind.CONFIRM_ADDRESS, ADA)
    assert "was asked on" in operator.get("/operator/bounces").text
    post(operator, "/operator/bounces/release", address=ADA)
    post(operator, "/operator/bounces/release", 404, address=ADA)
    assert post(operator, "/operator/bounces/suppress", 400, address="no address")
    assert [each[1] for each in history(site)] == ["release", "ask address", "suppress"]


def test_somebody_is_invited_by_a_letter_and_nothing_begins_before_they_confirm(
    site: SiteServer, operator: httpx2.Client
) -> None:
    post(operator, "/operator/people/invite", email="new@example.org", query='"reward model"', language="de")
    with site.store() as store:
        (posting,) = store.letters.claim(NOW + DAY, lease=DAY, limit=9)
        assert (posting.letter.kind, posting.letter.to) == (LetterKind.CONFIRM_SUBSCRIPTION, "new@example.org")
        assert posting.letter.language == "de"
        assert store.subscribers.get("new@example.org") is None
    assert history(site) == [(OP, "invite", "new@example.org")]
    assert "column 1" in post(operator, "/operator/people/invite", 400, email="n@example.org", query='"x').text


def test_subscribers_are_found_and_removed_with_everything(site: SiteServer, operator: httpx2.Client) -> None:
    found = operator.get("/operator/people", params={"text": "ADA"}).text
    assert (ADA in found, "op@example.org" in found, "1 subscription ·" in found) == (True, False, True)
    assert "Lost with them: 1 subscription" in operator.get(f"/operator/people/{ADA}").text
    post(operator, f"/operator/people/{ADA}/remove")
    with site.store() as store:
        assert store.subscribers.get(ADA) is None
    assert operator.get(f"/operator/people/{ADA}").status_code == 404
    assert history(site) == [(OP, "remove subscriber", ADA)]
    site.person("a/b@example.org")
    assert "a/b@example.org" in operator.get("/operator/people/a/b@example.org").text


def test_settings_are_shown_without_secrets(operator: httpx2.Client) -> None:
    text = operator.get("/operator/settings").text
    assert "<code>smtp_password</code>: <strong>set, not shown</strong>" in text
    assert "<code>operators</code>: <strong>op@example.org</strong>" in text
    assert "<code>look_back</code>: 7d" in text


def made(text: str) -> str:
    found = re.search(r"notifier_t_\w+", text.replace("-", "_"))
    assert found
    return text[found.start() : found.end()]


def test_a_subscriber_makes_and_revokes_tokens_of_their_own(site: SiteServer) -> None:
    ada = site.logged_in(ADA)
    text = made(post(ada, "/account/tokens", 200, name="phone", days="30", scope=["entries", "rules"]).text)
    with site.store() as store:
        token = access.believed(store, text, operators=(), now=NOW + DAY)
    assert token is not None
    assert (token.owner, token.scopes) == (ADA, {Scope.ENTRIES, Scope.RULES})
    assert text not in ada.get("/account/tokens").text
    assert "phone" in ada.get("/account/tokens").text
    assert (
        "only for tokens of the operator" in post(ada, "/account/tokens", 400, name="x", days="30", scope="feed").text
    )
    assert post(site.logged_in(OP), "/account/tokens/revoke", 404, id=token.id)
    post(ada, "/account/tokens/revoke", id=token.id)
    with site.store() as store:
        assert access.believed(store, text, operators=(), now=NOW + DAY) is None


def test_an_operators_token_ends_when_its_maker_is_no_operator(site: SiteServer, operator: httpx2.Client) -> None:
    text = made(post(operator, "/operator/tokens", 200, name="feeder", days="90", scope="feed").text)
    with site.store() as store:
        assert access.believed(store, text, operators=(OP,), now=NOW + DAY)
        assert access.believed(store, text, operators=(), now=NOW + DAY) is None
    assert history(site) == [(OP, "make token", "feeder")]


def test_the_pages_are_german_for_who_chose_german(site: SiteServer) -> None:
    site.person("betrieb@example.org", language="de")
    assert site.logged_in("betrieb@example.org").get("/operator").status_code == 404
    german = site.logged_in(OP)
    german.post("/account", data={"timezone": "Europe/Berlin", "language": "de"})
    text = german.get("/operator").text
    assert "Überblick" in text
    assert "fehlgeschlagen" in text
