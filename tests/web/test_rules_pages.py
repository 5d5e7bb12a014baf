"""The rule editor: what a draft would do, saving, order, dropping, taking back."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from notifier.model import Mode
from tests.builders import NOW
from tests.web.conftest import SiteServer
from tests.web.reading import bring, delivered, rules_of, shown, subscribed

PAGE = "/s/s_ada"


@pytest.fixture
def ada(reading: SiteServer) -> httpx2.Client:
    bring(reading, "Robot arms", "Robot legs", "A survey of robot legs", "Plants")
    return reading.logged_in()


def save(client: httpx2.Client, query: str, **fields: Any) -> httpx2.Response:
    return client.post(f"{PAGE}/rules", data={"query": query, "mode": "include", **fields})


def plain(page: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", page)).split())


def test_a_draft_says_what_it_means_what_it_finds_and_what_the_digest_gains(
    reading: SiteServer, ada: httpx2.Client
) -> None:
    subscribed(reading, "arms")
    page = ada.get(f"{PAGE}/preview", params={"query": "robot -survey"}).text
    said = plain(page)
    assert "Finds papers where text contains robot and text does not contain survey" in said
    assert "2 of 4 papers of the last 30 days match." in said
    assert "It adds 1 paper to these digests" in said and "It takes" not in said
    assert set(shown(page)) == {"Robot arms", "Robot legs"} and "<mark>Robot</mark>" in page
    assert "<svg" in page and 'aria-label="Papers a day from Tue 16 Dec to Tue 16 Dec, most on Tue 16 Dec: 2"' in page
    assert "<html" not in page


def test_a_mute_says_what_it_takes(reading: SiteServer, ada: httpx2.Client) -> None:
    subscribed(reading, "robot")
    said = plain(ada.get(f"{PAGE}/preview", params={"query": "survey", "mode": "mute"}).text)
    assert "Leaves out papers where text contains survey" in said
    assert "It takes 1 paper from these digests A survey of robot legs" in said


def test_another_text_of_a_rule_is_weighed_against_the_rule_as_it_stands(
    reading: SiteServer, ada: httpx2.Client
) -> None:
    (rule,) = subscribed(reading, "arms OR survey")
    said = plain(ada.get(f"{PAGE}/preview", params={"query": "legs", "rule": rule.id}).text)
    assert "It adds 1 paper to these digests Robot legs" in said
    assert "It takes 1 paper from these digests Robot arms" in said


def test_a_draft_that_cannot_be_read_says_where_without_leaving_the_page(
    reading: SiteServer, ada: httpx2.Client
) -> None:
    subscribed(reading)
    answer = ada.get(f"{PAGE}/preview", params={"query": "catagory:cs.CL"})
    assert answer.status_code == 200
    assert "did you mean 'category'?" in html.unescape(answer.text) and 'role="alert"' in answer.text


def test_without_scripts_the_same_is_seen_after_check(reading: SiteServer, ada: httpx2.Client) -> None:
    subscribed(reading)
    page = ada.get(PAGE, params={"query": "robot", "label": "my robots", "mode": "mute", "until": "2026-01-02"}).text
    assert "3 of 4 papers of the last 30 days match." in plain(page)
    assert 'value="my robots"' in page and 'value="2026-01-02"' in page
    assert re.search(r'value="mute"\s+checked', page)
    wrong = ada.get(PAGE, params={"query": "robot ("})
    assert wrong.status_code == 400 and ">robot (</textarea>" in wrong.text and 'role="alert"' in wrong.text


def test_advice_comes_with_what_is_just_missed(reading: SiteServer, ada: httpx2.Client) -> None:
    subscribed(reading, "robot")
    page = ada.get(f"{PAGE}/advice", params={"query": "robot dancing"}).text
    assert "Just missed" in page and "no dancing" in page
    assert "The rule “robot” says the same." in ada.get(f"{PAGE}/advice", params={"query": "robot"}).text


def test_what_is_saved_stands_in_the_list_with_what_it_does(reading: SiteServer, ada: httpx2.Client) -> None:
    subscribed(reading)
    answer = save(ada, " robot ", label="machines")
    (rule,) = rules_of(reading)
    assert (rule.query, rule.label, rule.mode) == ("robot", "machines", Mode.INCLUDE)
    assert answer.headers["location"] == f"{PAGE}?saved={rule.id}"
    said = plain(ada.get(answer.headers["location"]).text)
    assert "Saved: machines" in said and "21 a week, 100 % of the digests, 3 papers only by it" in said


def test_what_cannot_be_read_is_not_saved_and_stays_in_the_form(reading: SiteServer, ada: httpx2.Client) -> None:
    subscribed(reading)
    answer = save(ada, 'robot "legs', label="kept")
    assert answer.status_code == 400 and rules_of(reading) == []
    assert "robot &#34;legs</textarea>" in answer.text and 'value="kept"' in answer.text


def test_a_mute_that_ends_in_the_past_or_never_is_not_saved(reading: SiteServer, ada: httpx2.Client) -> None:
    subscribed(reading)
    for until in ("2020-01-01", "soon", "2025-99-99"):
        assert save(ada, "robot", mode="mute", until=until).status_code == 400
    assert rules_of(reading) == []


def test_a_mute_ends_with_the_day_of_its_owner(reading: SiteServer, ada: httpx2.Client) -> None:
    subscribed(reading)
    save(ada, "robot", mode="mute", until="2026-01-02")
    (rule,) = rules_of(reading)
    assert rule.until is not None and rule.until.isoformat() == "2026-01-01T23:00:00+00:00"
    assert "mute until 2026-01-02" in ada.get(PAGE).text


def test_a_rule_is_opened_changed_and_the_change_taken_back(reading: SiteServer, ada: httpx2.Client) -> None:
    (rule,) = subscribed(reading, "robot")
    assert ">robot</textarea>" in ada.get(PAGE, params={"rule": rule.id}).text
    save(ada, "robot legs", rule=rule.id, version=1)
    assert [(each.id, each.query) for each in rules_of(reading)] == [(rule.id, "robot legs")]
    assert "robot → robot legs" in plain(ada.get(f"{PAGE}/history").text)
    ada.post(f"{PAGE}/undo")
    assert [each.query for each in rules_of(reading)] == ["robot"]
    assert "taken back" in ada.get(f"{PAGE}/history").text


def test_a_rule_that_was_changed_meanwhile_is_not_overwritten(reading: SiteServer, ada: httpx2.Client) -> None:
    (rule,) = subscribed(reading, "robot")
    save(ada, "robot legs", rule=rule.id, version=1)
    answer = save(ada, "robot arms", rule=rule.id, version=1)
    assert answer.status_code == 400 and "was changed meanwhile" in answer.text
    assert [each.query for each in rules_of(reading)] == ["robot legs"]


def test_a_rule_moves_up(reading: SiteServer, ada: httpx2.Client) -> None:
    first, second = subscribed(reading, "robot", "plants")
    ada.post(f"{PAGE}/rules/{second.id}/move", data={"by": "-1"})
    assert [each.id for each in rules_of(reading)] == [second.id, first.id]


def test_what_is_lost_with_a_rule_is_said_before_it_is_dropped(reading: SiteServer, ada: httpx2.Client) -> None:
    (rule,) = subscribed(reading, "legs")
    page = ada.get(f"{PAGE}/rules/{rule.id}/drop").text
    assert "2 papers of the last 30 days would not have come" in plain(page) and "Robot legs" in page
    assert rules_of(reading) == [rule]
    ada.post(f"{PAGE}/rules/{rule.id}/drop")
    assert rules_of(reading) == []


def test_a_because_leads_to_its_rule_with_what_may_be_done_and_what_that_takes(
    reading: SiteServer, ada: httpx2.Client
) -> None:
    (rule,) = subscribed(reading, "robot")
    digest = ada.get(f"/d/{delivered(reading, rule)}").text
    link = re.search(r'because <a href="(/s/[^"]+)"', digest)
    assert link
    page = ada.get(html.unescape(link[1])).text
    said = plain(page)
    assert ">robot</textarea>" in page
    assert "Mute robot takes 3 papers of 30 days" in said
    assert "Look in titles only takes 0 papers of 30 days" in said
    assert "Drop the rule takes 3 papers of 30 days" in said
    urls = {text: html.unescape(url) for url, text in re.findall(r'<li><a href="([^"]+)">([^<]+)</a>', page)}
    mute = ada.get(urls["Mute robot"]).text
    assert ">robot</textarea>" in mute and "It takes 3 papers from these digests" in plain(mute)
    narrow = ada.get(urls["Look in titles only"]).text
    assert ">title:robot</textarea>" in narrow and "It changes nothing" in plain(narrow)
    assert len(rules_of(reading)) == 1


def test_a_topic_is_looked_at_and_a_pack_added_whole_once(reading: SiteServer, ada: httpx2.Client) -> None:
    subscribed(reading)
    page = ada.get(f"{PAGE}/topics").text
    assert "/s/s_ada?query=topic%3Alegged-robots&amp;label=Legged+robots" in page
    ada.post(f"{PAGE}/packs/robotics-lab")
    count = len(rules_of(reading))
    ada.post(f"{PAGE}/packs/robotics-lab")
    assert len(rules_of(reading)) == count > 2
    assert "All of it is here." in ada.get(f"{PAGE}/topics").text
    ada.post(f"{PAGE}/undo")
    assert rules_of(reading) == []


def test_a_rule_that_no_longer_parses_says_so_where_it_stands(reading: SiteServer, ada: httpx2.Client) -> None:
    (rule,) = subscribed(reading, "robot")
    with reading.store() as store, store.write():
        store.rules.put([replace(rule, query="topic:gone")], actor="x", via="file", now=NOW)
    assert "Off, because it does not parse" in ada.get(PAGE).text


def test_papers_that_come_later_are_seen_by_the_next_draft(reading: SiteServer, ada: httpx2.Client) -> None:
    subscribed(reading)
    ask = {"query": "whale"}
    assert "0 of 4" in plain(ada.get(f"{PAGE}/preview", params=ask).text)
    bring(reading, "Whales", first=9)
    assert "1 of 5" in plain(ada.get(f"{PAGE}/preview", params=ask).text)


def test_no_draft_breaks_the_editor(reading: SiteServer, ada: httpx2.Client) -> None:
    subscribed(reading)
    for query in ("<script>alert(1)</script>", "\u202e", "a" * 3_000, "((((", "\x00x", "=", "/(/"):
        for path in ("", "/preview", "/advice"):
            answer = ada.get(f"{PAGE}{path}", params={"query": query})
            assert answer.status_code in (200, 400) and "<script>alert" not in answer.text
