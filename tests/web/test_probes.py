from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from notifier import access
from notifier.collect import absorb
from notifier.model import Scope
from notifier.serve import beat
from tests.builders import NOW, planned, rule, sighting, source, subscriber, subscription
from tests.web.conftest import SiteServer

DAY = timedelta(days=1)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SiteServer]:
    server = SiteServer(tmp_path / "data", clock=lambda: NOW + DAY, metrics_networks="127.0.0.0/8")
    with server.store() as store, store.write():
        store.subscribers.add(subscriber())
        store.subscriptions.put(subscription())
        store.rules.put([rule()], actor="ada", via="cli", now=NOW)
        store.sources.put(source("feed", last_error="Gone away.", failing_since=NOW, failures=3))
        absorb(store, [sighting()], source="feed", baseline=False, now=NOW)
        store.deliveries.record([planned("d_one")])
    yield server
    server.close()


def get(site: SiteServer, path: str, **headers: str) -> httpx2.Response:
    return httpx2.get(f"{site.url}{path}", headers=headers)


def test_what_watches_is_answered_under_any_name_of_the_host(site: SiteServer) -> None:
    for path, word in (("/healthz", "ok\n"), ("/readyz", "ready\n")):
        answer = get(site, path, Host="10.0.0.7:8000")
        assert (answer.status_code, answer.text) == (200, word)
        assert httpx2.head(f"{site.url}{path}").status_code == 200


def test_it_is_not_ready_without_its_database(tmp_path: Path) -> None:
    site = SiteServer(tmp_path / "data")
    try:
        shutil.rmtree(tmp_path / "data")
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "notifier.db").write_text("no database")
        answer = get(site, "/readyz")
        assert (answer.status_code, get(site, "/healthz").status_code) == (503, 200)
        assert "see the log" in answer.text
    finally:
        site.close()


def test_metrics_tell_what_waits_what_is_late_and_how_sources_are(site: SiteServer) -> None:
    beat(site.app.settings.data_dir, NOW)
    families = {each.name: each for each in text_string_to_metric_families(get(site, "/metrics").text)}
    told = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert told["notifier_deliveries", "outbox", "planned"] == 1
    assert told["notifier_queue_age_seconds",] == DAY.total_seconds()
    assert told["notifier_late_slots",] == 0
    assert told["notifier_source_health", "failing", "feed"] == 1
    assert told["notifier_source_health", "fresh", "feed"] == 0
    assert told["notifier_source_failures", "feed"] == 3
    assert told["notifier_rows", "entry"] == 1
    assert told["notifier_last_tick_timestamp_seconds",] == NOW.timestamp()
    assert all(family.documentation for family in families.values())


def test_no_metric_names_a_person(site: SiteServer) -> None:
    text = get(site, "/metrics").text
    for name in ("ada", "example.org", "s_one", "d_one", "r_one"):
        assert name not in text


def test_metrics_are_for_their_networks_or_a_token_of_that_scope(tmp_path: Path) -> None:
    site = SiteServer(tmp_path / "data", clock=lambda: NOW, metrics_networks="10.0.0.0/8")
    try:
        with site.store() as store:
            _, good = access.make_token(store, "prometheus", [Scope.METRICS], now=NOW)
            _, other = access.make_token(store, "feeder", [Scope.FEED], now=NOW)
            _, old = access.make_token(store, "old", [Scope.METRICS], lasts=DAY, now=NOW - 2 * DAY)
        assert get(site, "/metrics", Authorization=f"Bearer {good}").status_code == 200
        for word in ("", f"Bearer {other}", f"Bearer {old}", f"Basic {good}", "Bearer"):
            answer = get(site, "/metrics", Authorization=word)
            assert (answer.status_code, "notifier_" in answer.text) == (401, False)
    finally:
        site.close()
