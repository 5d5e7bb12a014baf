"""Past digests on pages, why a paper is in none of them, and feeds."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta

from notifier.model import DeliveryState, Outcome
from tests.builders import NOW
from tests.web.conftest import SiteServer
from tests.web.reading import bring, delivered, shown, subscribed


def digest(site: SiteServer) -> str:
    bring(site, "Walking robots", "Walking dogs", "Plants")
    return delivered(site, *subscribed(site, "walking"), papers=2)


def test_a_digest_is_whole_for_whoever_has_its_address_but_its_rules_are_its_owners(reading: SiteServer) -> None:
    id = digest(reading)
    page = reading.client().get(f"/d/{id}")
    assert shown(page.text) == ["Walking robots", "Walking dogs"]
    assert "Its message showed 1 of these 2 in full." in page.text
    assert "<mark>Walking</mark> dogs" in page.text
    assert "because “walking”" in page.text and "/s/s_ada" not in page.text
    assert page.headers["x-robots-tag"] == "noindex"
    assert "/s/s_ada?rule=" in reading.logged_in().get(f"/d/{id}").text
    assert "/s/s_ada" not in reading.logged_in("eve@example.org").get(f"/d/{id}").text


def test_a_digest_that_is_not_there_is_not_found(reading: SiteServer) -> None:
    assert reading.client().get("/d/d_none").status_code == 404


def test_past_digests_are_listed_with_their_state(reading: SiteServer) -> None:
    id = digest(reading)
    page = reading.logged_in().get("/s/s_ada/digests").text
    assert f'<a href="/d/{id}">Tue 16 Dec 07:00 UTC</a>' in page
    assert "2 papers · about to be sent" in page


def test_a_pasted_link_is_answered(reading: SiteServer) -> None:
    digest(reading)
    ada = reading.logged_in()
    for asked, answer in (
        ("arxiv:2512.00001", "In the digest of 2025-12-16T07:00 UTC (d_one), which is about to be sent."),
        ("https://arxiv.org/abs/2512.00003v2", "Not sent: no rule matches it."),
        ("plants", "Not sent: no rule matches it."),
        ("unheard of", "No stored paper answers to"),
    ):
        assert answer in html.unescape(ada.get("/s/s_ada/why", params={"paper": asked}).text)


def test_a_feed_has_an_address_of_its_own_that_can_be_renewed_and_ended(reading: SiteServer) -> None:
    id = digest(reading)
    with reading.store() as store, store.write():
        store.deliveries.claim(NOW, lease=timedelta(minutes=5), limit=9)
        store.deliveries.finish([Outcome(delivery_id=id, fence=1, state=DeliveryState.SENT, at=NOW)])
    ada, reader = reading.logged_in(), reading.client()
    assert ada.post("/s/s_ada/feed").status_code == 303

    def addresses() -> list[str]:
        return re.findall(r'value="(http[^"]+)"', ada.get("/s/s_ada/feed").text)

    atom, feed = addresses()
    first = reader.get(atom)
    assert first.headers["content-type"].startswith("application/atom+xml") and "Walking robots" in first.text
    assert json.loads(reader.get(feed).text)["feed_url"] == feed
    assert reader.get(atom, headers={"if-none-match": first.headers["etag"]}).status_code == 304
    ada.post("/s/s_ada/feed")
    assert reader.get(atom).status_code == 404 and addresses()[0] != atom
    renewed = addresses()[0]
    ada.post("/s/s_ada/feed/end")
    assert reader.get(renewed).status_code == 404 and addresses() == []


def test_a_feed_has_no_other_name_and_nothing_is_told_of_a_wrong_secret(reading: SiteServer) -> None:
    digest(reading)
    assert reading.client().get("/f/x/atom.xml").status_code == 404
    assert reading.client().get("/f/s_ada/atom.xml").status_code == 404
