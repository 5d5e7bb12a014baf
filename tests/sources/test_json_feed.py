"""JSON Feed 1.0 and 1.1."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.errors import SourceError
from notifier.model import Entry, SourceState
from notifier.sources import Http, open_source
from notifier.sources.json_feed import parse
from tests.servers.web import WebServer

NOW = datetime(2025, 12, 2, 9, tzinfo=UTC)
URL = "https://lab.example.org/feed.json"


def feed(*items: object, **fields: Any) -> bytes:
    said = {"version": "https://jsonfeed.org/version/1.1", "title": "Notes", "items": list(items)}
    return json.dumps(said | fields).encode()


def only(item: dict[str, Any], **fields: Any) -> Entry:
    (found,) = parse(feed(item, **fields), "", URL, source="lab", now=NOW).sightings
    return found.entry


def test_every_field_of_an_item_is_read() -> None:
    entry = only(
        {
            "id": "note-1",
            "url": "/notes/1",
            "title": "Walking\u202e & planning",
            "content_html": "<p>One.</p><p>Two <script>x()</script></p>",
            "image": "https://lab.example.org/t.png",
            "date_published": "2025-12-01T10:00:00+01:00",
            "authors": [{"name": "Ada Lovelace"}, {"url": "https://x.org/"}],
            "tags": ["robots", 7],
            "attachments": [{"url": "1.pdf", "mime_type": "application/pdf"}],
        }
    )
    assert entry == Entry(
        id="lab:note-1",
        title="Walking & planning",
        abstract="One. Two",
        authors=("Ada Lovelace",),
        categories=("robots",),
        published_at=datetime(2025, 12, 1, 9, tzinfo=UTC),
        url="https://lab.example.org/notes/1",
        pdf_url="https://lab.example.org/1.pdf",
        thumbnail="https://lab.example.org/t.png",
        sources=("lab",),
    )


def test_an_item_may_be_a_short_post_of_a_feed_with_one_author() -> None:
    entry = only({"id": 7, "content_text": "p < 0.05 holds"}, author={"name": "Ada Lovelace"})
    assert (entry.id, entry.title, entry.abstract, entry.authors) == (
        "lab:7",
        "p < 0.05 holds",
        "",
        ("Ada Lovelace",),
    )


def test_a_link_that_is_none_is_left_out() -> None:
    assert only({"id": "a", "title": "A", "url": "javascript:alert(1)", "image": "data:x"}).url is None


def test_what_cannot_be_used_is_reported_and_the_others_go_in() -> None:
    parsed = parse(feed({"id": "a"}, "text", {"id": "b", "title": "B"}), "", URL, source="lab", now=NOW)
    assert [each.line for each in parsed.rejected] == [1, 2]
    assert len(parsed.sightings) == 1


@pytest.mark.parametrize("body", [b'{"items": [', b"{" + b'"a":[' * 100_000])
def test_damaged_json_is_a_failure(body: bytes) -> None:
    with pytest.raises(SourceError, match="damaged"):
        parse(body, "", URL, source="lab", now=NOW)


async def test_it_is_read_as_any_feed(web: WebServer, http: Http) -> None:
    web.answer("/feed.json", body=b"\xef\xbb\xbf" + feed({"id": "a", "title": "A"}))
    source = open_source("feed", web.url("/feed.json"), http=http, name="lab")
    first = await source.fetch(SourceState(), now=NOW)
    assert [each.entry.title for each in first.sightings] == ["A"]
    assert (await source.fetch(first.state, now=NOW)).unchanged


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from(
    ["id", "url", "title", "summary", "content_html", "authors", "tags", "date_published", "image"]
)


@settings(max_examples=80)
@given(st.lists(values | st.dictionaries(fields, values)))
def test_whatever_the_items_each_is_a_clean_entry_or_a_reason(items: list[object]) -> None:
    parsed = parse(feed(*items), "", URL, source="lab", now=NOW)
    assert len(parsed.sightings) + len(parsed.rejected) == len(items)
    for each in parsed.sightings:
        assert each.entry.title
        assert each.entry.id == each.keys[0]
        repr(each).encode("utf-8")
        assert each.entry.url is None or each.entry.url.startswith("http")
