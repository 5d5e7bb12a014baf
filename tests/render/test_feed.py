"""The feeds of a subscription: valid, the same in both forms, harmless, and with ids that stay."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import feedparser
import nh3
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.model import Digest, PastDigest
from notifier.render import Feeds, FeedWriter, Links
from notifier.render.feed import ATOM, KEPT
from tests.render.samples import DUE, digest, entry, found, german, subscription

LINKS = Links(base_url="https://papers.example.org")
HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("<>&\"'\x00\x08\x0b\ufffe\ud800]-!\u202e\r\n")), max_size=60
)


def feeds(*digests: Digest, links: Links = LINKS, **more: Any) -> Feeds:
    past = [PastDigest(digest=each, at=DUE - timedelta(days=n)) for n, each in enumerate(digests)]
    owner = digests[0].subscription if digests else subscription()
    return FeedWriter(links=links).write(owner, past, **more)


def tree(made: Feeds) -> ElementTree.Element:
    return ElementTree.fromstring(made.atom)  # noqa: S314 - our own, and without a document type


def numbered(number: int) -> Digest:
    return digest(found(entry(number)), delivery_id=f"d_{number}")


def test_the_atom_feed_has_all_that_its_standard_demands() -> None:
    made = feeds(numbered(1), numbered(2), urls=("https://papers.example.org/f/1.atom", ""))
    root = tree(made)
    assert root.tag == f"{{{ATOM}}}feed"
    for where in (root, *root.iter(f"{{{ATOM}}}entry")):
        for name in ("id", "title", "updated"):
            assert len(where.findall(f"{{{ATOM}}}{name}")) == 1 and where.findtext(f"{{{ATOM}}}{name}")
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", where.findtext(f"{{{ATOM}}}id") or "")
    assert root.findtext(f"{{{ATOM}}}author/{{{ATOM}}}name")
    links = {(each.get("rel"), each.get("href")) for each in root.findall(f"{{{ATOM}}}link")}
    assert ("self", "https://papers.example.org/f/1.atom") in links


def test_a_reader_sees_each_digest_with_its_papers() -> None:
    parsed = feedparser.parse(io.BytesIO(feeds(numbered(1), numbered(2)).atom))
    assert not parsed.bozo and parsed.version == "atom10"
    assert [each.title for each in parsed.entries] == ["1 paper · legs · Tue 16 Dec"] * 2
    content = parsed.entries[0].content[0].value
    assert '<a href="https://arxiv.org/abs/2512.00001">Falling Well, Part 1</a>' in content
    assert "because “legs”: humanoid in the abstract" in content
    assert "a <mark>humanoid</mark> that walks" in json.loads(feeds(numbered(1)).json)["items"][0]["content_html"]
    assert parsed.entries[0].link == "https://papers.example.org/d/d_1"


def test_the_json_feed_says_the_same() -> None:
    made = feeds(numbered(1), numbered(2), urls=("", "https://papers.example.org/f/1.json"))
    said, atom = json.loads(made.json), tree(made)
    assert said["version"] == "https://jsonfeed.org/version/1.1"
    assert said["feed_url"] == "https://papers.example.org/f/1.json" and said["language"] == "en"
    assert said["title"] == atom.findtext(f"{{{ATOM}}}title") == "Papers for ada@example.org"
    assert [each["id"] for each in said["items"]] == [
        each.text for each in atom.iterfind(f"{{{ATOM}}}entry/{{{ATOM}}}id")
    ]
    assert [each["content_html"] for each in said["items"]] == [
        each.text for each in atom.iterfind(f"{{{ATOM}}}entry/{{{ATOM}}}content")
    ]
    assert said["items"][0]["date_published"] == "2025-12-16T07:00:00Z" and said["items"][0]["tags"] == ["legs"]


def test_the_same_bytes_come_of_the_same_digests_whatever_the_address_of_the_pages() -> None:
    assert feeds(numbered(1)) == feeds(numbered(1))
    elsewhere = json.loads(feeds(numbered(1), links=Links()).json)
    assert elsewhere["items"][0]["id"] == json.loads(feeds(numbered(1)).json)["items"][0]["id"]
    assert "url" not in elsewhere["items"][0] and "home_page_url" not in elsewhere


def test_a_feed_holds_the_latest_and_one_without_digests_is_a_feed() -> None:
    many = json.loads(feeds(*(numbered(n) for n in range(KEPT + 5))).json)
    assert len(many["items"]) == KEPT
    empty = feeds()
    assert json.loads(empty.json)["items"] == []
    assert not feedparser.parse(io.BytesIO(empty.atom)).bozo


def test_it_speaks_the_readers_language() -> None:
    made = feeds(digest(subscription=german()))
    assert json.loads(made.json)["title"] == "Paper für ada@example.org"
    assert "wegen „legs“" in made.atom.decode()


def test_of_a_day_without_papers_it_is_not_said_why() -> None:
    silent = replace(digest(), items=(), checked=0, sources=())
    (item,) = json.loads(feeds(silent).json)["items"]
    assert item["content_html"] == "<p>no new papers</p>"


@settings(max_examples=60)
@given(title=HOSTILE, label=HOSTILE, url=HOSTILE)
def test_nothing_from_outside_breaks_a_feed_or_is_active_in_it(title: str, label: str, url: str) -> None:
    made = feeds(digest(found(entry(1, title=title, url=f"https://x.org/{url}"), label=label)))
    root = tree(made)
    (item,) = json.loads(made.json)["items"]
    html = item["content_html"]
    tags = {"p", "h3", "h4", "a", "mark", "ul", "li"}
    assert nh3.clean(html, tags=tags, attributes={"a": {"href"}}, link_rel=None).count("<") == html.count("<")
    assert root.findtext(f"{{{ATOM}}}entry/{{{ATOM}}}title") is not None
