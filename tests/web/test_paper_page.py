"""The page of one paper."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from notifier.render import paper_path
from tests.web.conftest import SiteServer
from tests.web.reading import bring, subscribed

FIRST = "/e/arxiv:2512.00001"


def test_a_paper_has_its_whole_abstract_its_sightings_and_how_it_grew(reading: SiteServer) -> None:
    abstract = "A long sentence about legs. " * 60
    bring(reading, "Walking", days=2, upvotes=3, abstract=abstract)
    bring(reading, "Walking on legs", upvotes=9, abstract=abstract, version=2, authors=tuple("ABCDE"))
    page = reading.client().get(FIRST).text
    assert page.count("A long sentence about legs.") == 60
    assert "Votes: 3 on Sun 14 Dec, 9 on Tue 16 Dec" in page and "<polyline" in page
    assert "feed" in page and "Sun 14 Dec 07:00 UTC" in page and "It is at version 2." in page
    assert "A, B, C, D, E" in page
    assert "Former titles:" in page and '<li dir="auto">Walking <' in page


def test_who_is_logged_in_reads_why_it_came_or_did_not(reading: SiteServer) -> None:
    bring(reading, "Walking", "Swimming")
    subscribed(reading, "walking")
    subscribed(reading, "swimming", email="eve@example.org", id="s_eve")
    client = reading.logged_in()
    assert "Not yet sent: “walking” will include it" in client.get(FIRST).text
    page = client.get("/e/arxiv:2512.00002").text
    assert "Not sent: no rule matches it." in page and "walking</a>: does not match, no walking" in page
    assert "s_eve" not in page
    assert "Why it came" not in reading.client().get(FIRST).text


def test_another_name_of_a_paper_leads_to_it_and_an_unknown_one_nowhere(reading: SiteServer) -> None:
    bring(reading, "Walking")
    assert reading.client().get("/e/arxiv:9912.00001").status_code == 404


def test_a_paper_has_an_address_whatever_its_id_is(reading: SiteServer) -> None:
    for id in ("doi:10.1/a/b", "https://x.org//a?b=1#c", "../../etc", "a b%2F", "ü/./x", "?", "x/"):
        bring(reading, f"On {id}", id=id, keys=(id,))
        assert f"On {id}</h1>" in reading.client().get(paper_path(id)).text


@given(st.text(min_size=1, max_size=30))
def test_a_browser_leaves_the_address_of_a_paper_as_it_is(id: str) -> None:
    path = urlsplit(paper_path(id.encode("utf-8", "ignore").decode() or "x"))
    assert path.path.isascii() and not {".", ".."} & set(path.path.split("/"))
    assert unquote(path.path.removeprefix("/e/")) == id or path.query
