"""JSON Lines: what goes in, what is reported, with which words."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.errors import SourceError
from notifier.merging import merged
from notifier.model import Entry, Fetched, Saying, SourceState
from notifier.sources import Http, open_source, read_lines
from tests.servers.web import WebServer

NOW = datetime(2025, 12, 2, tzinfo=UTC)


def read(*lines: object, name: str = "") -> Fetched:
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return read_lines(io.BytesIO(b"\n".join(texts)), name=name)


def entry(**fields: Any) -> Entry:
    fetched = read({"id": "p1", "title": "A paper"} | fields)
    assert fetched.rejected == ()
    return fetched.sightings[0].entry


def reason(line: object) -> str:
    fetched = read(line)
    assert fetched.sightings == ()
    return fetched.rejected[0].reason


def test_every_known_key_becomes_its_field() -> None:
    found = entry(
        id="arxiv:2512.01234v2",
        abstract="We walk.",
        authors=["Ada Lovelace", "J Bolyai"],
        num_authors=9,
        organization="Example Labs",
        categories=["cs.RO", "cs.LG", "cs.AI"],
        keywords=["walking", "legs"],
        published_at="2025-12-01",
        url="https://arxiv.org/abs/2512.01234",
        pdf_url="https://arxiv.org/pdf/2512.01234v2",
        code_url="https://github.com/example/walk",
        project_url="https://walk.example.org/",
        upvotes=7,
        comments=0,
        stars=3,
        thumbnail="https://cdn.example.org/t.png",
        source="arxiv",
    )
    assert found == Entry(
        id="arxiv:2512.01234",
        title="A paper",
        abstract="We walk.",
        authors=("Ada Lovelace", "J Bolyai"),
        num_authors=9,
        organization="Example Labs",
        categories=("cs.RO", "cs.AI", "cs.LG"),
        keywords=("legs", "walking"),
        published_at=datetime(2025, 12, 1, tzinfo=UTC),
        url="https://arxiv.org/abs/2512.01234",
        pdf_url="https://arxiv.org/pdf/2512.01234v2",
        code_url="https://github.com/example/walk",
        project_url="https://walk.example.org/",
        upvotes=7,
        comments=0,
        stars=3,
        thumbnail="https://cdn.example.org/t.png",
        version=2,
        sources=("arxiv",),
    )


def test_what_is_kept_of_unknown_keys_hides_and_reorders_nothing() -> None:
    found = json.loads(entry(**{"ven\u202eue": {"na\u200bme": ["A\u2028Work\x85shop", 3]}}).extra)
    assert found == {"venue": {"name": ["A Work shop", 3]}}


def test_unknown_keys_are_kept_in_extra() -> None:
    assert json.loads(entry(announced_at="2025-12-16", nested={"a": [1, None]}).extra) == {
        "announced_at": "2025-12-16",
        "nested": {"a": [1, None]},
    }


def test_a_null_is_an_absent_key() -> None:
    assert entry(abstract=None, upvotes=None, authors=None) == entry()


def test_the_id_is_kept_as_it_was_given() -> None:
    assert entry(id="daily-papers:2025-12-12:01").id == "daily-papers:2025-12-12:01"
    assert entry(id=17).id == "17"


def test_an_entry_may_have_only_an_address() -> None:
    (only,) = read({"title": "A post", "url": "http://Lab.example.org/post/?utm_source=x#top"}).sightings
    assert only.keys[0] == "https://lab.example.org/post"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-12-16", datetime(2025, 12, 16, tzinfo=UTC)),
        ("2025-12-16T08:00:00", datetime(2025, 12, 16, 8, tzinfo=UTC)),
        ("2025-12-16T08:00:00Z", datetime(2025, 12, 16, 8, tzinfo=UTC)),
        ("2025-12-16T08:00:00+01:00", datetime(2025, 12, 16, 7, tzinfo=UTC)),
        ("", None),
    ],
)
def test_dates_may_come_with_and_without_time_and_zone(text: str, instant: datetime | None) -> None:
    assert entry(published_at=text).published_at == instant


@pytest.mark.parametrize("text", ["yesterday", "16.12.2025", "2025-13-01", "0001-01-01T00:00:00+23:00", "2025"])
def test_a_date_that_is_none_rejects_the_line(text: str) -> None:
    assert "must be a date like 2025-12-16" in reason({"id": "a", "title": "t", "published_at": text})


def test_a_mark_of_byte_order_crlf_and_blank_lines_do_no_harm() -> None:
    fetched = read_lines(io.BytesIO(b'\xef\xbb\xbf{"id":"a","title":"A"}\r\n\r\n  \n{"id":"b","title":"B"}\r\nnope'))
    assert [each.entry.id for each in fetched.sightings] == ["a", "b"]
    assert [each.line for each in fetched.rejected] == [5]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"id": "a", "title": "A"', "not valid JSON"),
        (b'{"id": "a", "title": "\xff"}', "byte 23 is not UTF-8: save the file as UTF-8"),
        (b'["a"]', "this is a list: write one {…} per line"),
        (b'"a"', "this is text"),
        (b'{"id": "a", "title": "A", "x": NaN}', "NaN is no JSON number"),
        (b'{"id": "a", "title": "A", "x": 1e999}', "1e999 is no JSON number"),
        (b'{"id": "a", "title": "A", "x": ' + b"9" * 5000 + b"}", "not usable JSON"),
        (b'{"id": "a", "title": "A", "x": ' + b"[" * 60 + b"]" * 60 + b"}", "nested more than 50 deep"),
        (b"[" * 100_000, "not usable JSON"),
        (b'{"id": "a", "title": "' + b"x" * 2_000_000 + b'"}', "longer than 1,048,576 bytes"),
        ({"id": "a"}, "no 'title'"),
        ({"id": "a", "title": " \u200b\u0000 "}, "no 'title'"),
        ({"title": "A"}, "neither an 'id' nor an http(s) address in 'url'"),
        ({"title": "A", "id": ""}, "neither an 'id'"),
        ({"title": "A", "url": "javascript:alert(1)"}, "neither an 'id'"),
        ({"id": "a", "title": ["A"]}, "'title' is a list, but must be text"),
        ({"id": "a", "title": "A", "authors": "Ada"}, "'authors' is text ('Ada'), but must be a list of texts"),
        ({"id": "a", "title": "A", "authors": [{"name": "Ada"}]}, "'authors' is a list that holds more than texts"),
        ({"id": "a", "title": "A", "upvotes": "12"}, "'upvotes' is text ('12'), but must be a whole number"),
        ({"id": "a", "title": "A", "upvotes": 1.5}, "'upvotes' is a number (1.5), but must be a whole number"),
        ({"id": "a", "title": "A", "upvotes": True}, "'upvotes' is true or false"),
        ({"id": "a", "title": "A", "upvotes": -1}, "'upvotes' is a number (-1)"),
        ({"id": "a", "title": "A", "comments": 10**300}, "'comments' is a number (out of range)"),
        ({"id": "a", "title": "A", "version": 0}, "whole number, 1 or more"),
        ({"id": "a", "title": "A", "url": {}}, "'url' is an object, but must be text"),
    ],
)
def test_a_bad_line_is_reported_with_what_to_do(line: object, words: str) -> None:
    assert words in reason(line)


def test_a_bad_line_does_not_stop_the_others() -> None:
    fetched = read({"id": "a", "title": "A"}, b"{", b"x" * 3_000_000, {"id": "b", "title": "B"})
    assert [each.entry.id for each in fetched.sightings] == ["a", "b"]
    assert [each.line for each in fetched.rejected] == [2, 3]


def test_an_address_that_cannot_be_one_is_no_link_but_is_kept() -> None:
    found = entry(url="javascript:alert(1)", pdf_url="http://user:pass@example.org/")
    assert (found.url, found.pdf_url) == (None, None)
    assert json.loads(found.extra) == {"url": "javascript:alert(1)", "pdf_url": "http://user:pass@example.org/"}


def test_markup_in_a_title_is_text_and_stays() -> None:
    assert entry(title="p < 0.05 and <script>alert(1)</script>").title == "p < 0.05 and <script>alert(1)</script>"


def test_an_address_that_many_entries_share_names_none_of_them() -> None:
    lines = [{"id": name, "title": name, "url": "https://lab.example.org/list"} for name in ("a", "b")]
    assert [each.keys for each in read(*lines).sightings] == [("a",), ("b",)]


def test_lines_without_a_source_belong_to_the_file() -> None:
    assert read({"id": "a", "title": "A"}, name="mine").sightings[0].entry.sources == ("mine",)
    assert read({"id": "a", "title": "A", "source": "arxiv"}, name="mine").sightings[0].entry.sources == ("arxiv",)
    assert read({"id": "a", "title": "A"}).sightings[0].entry.sources == ()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["id", "title", "url", "authors", "upvotes", "version", "published_at", "source", "x"])


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=60) | st.dictionaries(names, json_values).map(lambda d: json.dumps(d).encode())))
def test_whatever_comes_is_either_an_entry_or_a_reason(lines: list[bytes]) -> None:
    fetched = read_lines(io.BytesIO(b"\n".join(lines)))
    count = sum(1 for line in b"\n".join(lines).removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip())
    assert len(fetched.sightings) + len(fetched.rejected) == count
    for each in fetched.sightings:
        assert each.entry.title
        assert each.entry.id == each.keys[0]
        assert merged(each.entry.id, {"x": [Saying(at=NOW, entry=each.entry)]}) == replace(each.entry, sources=())
        str(each).encode("utf-8")


async def test_a_file_is_read_again_only_when_it_changed(tmp_path: Path, http: Http) -> None:
    file = tmp_path / "papers.jsonl"
    file.write_text('{"id": "a", "title": "A"}\n')
    source = open_source("jsonl", str(file), http=http, name="mine")
    first = await source.fetch(SourceState(), now=NOW)
    assert first.sightings[0].entry.sources == ("mine",)
    assert (await source.fetch(first.state, now=NOW)).unchanged
    file.write_text('{"id": "a", "title": "B"}\n')
    assert (await source.fetch(first.state, now=NOW)).sightings[0].entry.title == "B"


async def test_a_file_at_an_address_is_asked_for_conditionally(web: WebServer, http: Http) -> None:
    web.answer("/p.jsonl", body=b'{"id": "a", "title": "A"}', headers={"ETag": '"1"'})
    source = open_source("jsonl", web.url("/p.jsonl"), http=http, name="mine")
    first = await source.fetch(SourceState(), now=NOW)
    assert first.state.etag == '"1"'
    web.answer("/p.jsonl", status=304)
    assert (await source.fetch(first.state, now=NOW)).unchanged
    assert web.requests[1].headers["if-none-match"] == '"1"'


async def test_of_too_many_lines_at_an_address_the_first_are_read_and_it_is_said(web: WebServer, http: Http) -> None:
    web.answer("/p.jsonl", body=b"\n".join(b'{"id": %d, "title": "A"}' % n for n in range(1, 20_002)))
    fetched = await open_source("jsonl", web.url("/p.jsonl"), http=http, name="mine").fetch(SourceState(), now=NOW)
    assert len(fetched.sightings) == 20_000
    assert (fetched.rejected[0].line, fetched.rejected[0].reason[:27]) == (20_001, "only the first 20,000 lines")


async def test_a_file_that_is_missing_or_of_another_kind_is_a_failure(tmp_path: Path, http: Http) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        await open_source("jsonl", str(tmp_path / "no.jsonl"), http=http, name="mine").fetch(SourceState(), now=NOW)
    (tmp_path / "page.jsonl").write_text("<html>login</html>")
    with pytest.raises(SourceError, match="line 1: not valid JSON"):
        await open_source("jsonl", str(tmp_path / "page.jsonl"), http=http, name="m").fetch(SourceState(), now=NOW)


def test_an_arxiv_id_without_an_address_leads_to_its_page() -> None:
    (found,) = read_lines(io.BytesIO(b'{"id": "arXiv:2512.01234v2", "title": "A"}')).sightings
    assert (found.entry.url, found.entry.pdf_url) == (
        "https://arxiv.org/abs/2512.01234",
        "https://arxiv.org/pdf/2512.01234",
    )
