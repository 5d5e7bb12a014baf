"""Lists of feeds: those of other readers, hostile ones, and our own there and back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.errors import UsageError
from notifier.model import SourceRecord
from notifier.sources import kind_of, opml
from notifier.sources.naming import name_from
from tests.conftest import Shell

NOW = datetime(2025, 12, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIST = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE opml>
<opml version="1.0"><head><title>mine</title></head><body>
  <outline text="Robots" title="Robots">
    <outline text="Deeper">
      <outline type="rss" text="The Gradient &#8212; essays" xmlUrl="https://gradient.example.org/rss" htmlUrl="https://x/"/>
    </outline>
    <OUTLINE Text="Lil'Notes" XMLURL="https://notes.example.org/feed.xml"/>
  </outline>
  <outline text="The Gradient, again" xmlUrl="http://gradient.example.org/rss/"/>
  <outline text="Lil&apos;Notes" xmlUrl="https://other.example.org/feed.xml"/>
  <outline text="passwords" xmlUrl="file:///etc/passwd"/>
  <outline text="papers" xmlUrl="/srv/papers.jsonl"/>
  <outline text="login" xmlUrl="https://me:secret@feeds.example.org/"/>
  <outline text="script" xmlUrl="javascript:alert(1)"/>
  <outline text="daily" xmlUrl="https://huggingface.co/papers"/>
</body></opml>"""


def chosen(body: bytes, *known: SourceRecord) -> list[opml.Listed]:
    return opml.choose(opml.read(body), known, kind_of=kind_of, every=HOUR, now=NOW)


def test_a_nested_list_gives_its_feeds_once_each_with_names_that_can_be_typed() -> None:
    records = [each.record for each in chosen(LIST) if each.record]
    assert [(each.name, each.kind, each.url) for each in records] == [
        ("the-gradient-essays", "feed", "https://gradient.example.org/rss"),
        ("lilnotes", "feed", "https://notes.example.org/feed.xml"),
        ("lilnotes-2", "feed", "https://other.example.org/feed.xml"),
        ("daily", "huggingface", "https://huggingface.co/papers"),
    ]


def test_what_is_skipped_says_why_and_where() -> None:
    left = [(each.line, each.is_known, each.why) for each in chosen(LIST) if not each.record]
    assert left[0] == (10, True, "is read already as 'the-gradient-essays'")
    assert [line for line, known, _ in left if not known] == [12, 13, 14, 15]
    assert all("is no address of a feed" in why for _, known, why in left if not known)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not well-formed XML"),
        (b"<opml><body><outline></body></opml>", "line 1: mismatched tag"),
        (b'<?xml version="1.0" encoding="no-such"?><opml/>', "unknown encoding"),
        (b"<rss><channel/></rss>", "no OPML list"),
        (b"<html><body><outline xmlUrl='https://x.org/f'/></body></html>", "no OPML list"),
        (b'<!DOCTYPE o [<!ENTITY a "b">]><opml/>', "declares XML entities"),
        (b'<!DOCTYPE o [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml>&a;</opml>', "declares XML entities"),
        (b'<!DOCTYPE o [<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]><opml/>', "declares XML entities"),
        (b"<opml>" + b"<outline xmlUrl='https://x.org/f'/>" * 5_001 + b"</opml>", "more than 5,000 feeds"),
        (b"<opml>" + b" " * opml.MAX_BYTES + b"</opml>", "longer than 5,242,880 bytes"),
    ],
)
def test_what_is_no_list_is_refused_with_what_to_do(body: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        opml.read(body)


def test_a_list_nested_100_000_deep_is_read() -> None:
    deep = b"<outline text='x'>" * 100_000 + b"<outline xmlUrl='https://x.org/f'/>" + b"</outline>" * 100_000
    assert [each.address for each in opml.read(b"<opml>" + deep + b"</opml>")] == ["https://x.org/f"]


pieces = st.sampled_from(
    [b"<outline", b"/>", b"&", b"\x00", b"\xff", b"xmlUrl='", b"<!ENTITY a 'b'>", b"<!DOCTYPE x ["]
)


@settings(max_examples=80)
@given(st.integers(0, len(LIST)), st.integers(0, 100), st.lists(pieces | st.binary(max_size=8), max_size=6))
def test_whatever_the_bytes_there_are_safe_records_or_a_usage_error(at: int, gone: int, put: list[bytes]) -> None:
    try:
        found = chosen(LIST[:at] + b"".join(put) + LIST[at + gone :])
    except UsageError:
        return
    records = [each.record for each in found if each.record]
    assert len({each.name for each in records}) == len(records)
    assert all(each.url.startswith(("http://", "https://")) for each in records)
    assert all(bool(each.record) != bool(each.why) for each in found)


@given(st.text(max_size=80), st.sets(st.text(max_size=5), max_size=3))
def test_a_name_is_short_printable_and_not_taken(text: str, taken: set[str]) -> None:
    name = name_from(text, "https://lab.example.org/feed", taken)
    assert name
    assert name not in taken
    assert len(name) <= 64
    assert name == "".join(name.split())


names = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True)
paths = st.text(st.characters(codec="utf-8", categories=["L", "N", "S"]), max_size=20)


@given(st.dictionaries(names, st.tuples(paths, st.integers(1, 40_000)), max_size=5))
def test_our_own_list_comes_back_as_it_went(feeds: dict[str, tuple[str, int]]) -> None:
    outlines = "".join(
        f'<outline text="{name}" xmlUrl="https://{n}.example.org/{path.encode().hex()}?a=1&amp;b=2"/>'
        for n, (name, (path, _)) in enumerate(feeds.items())
    )
    first = [each.record for each in chosen(f"<opml>{outlines}</opml>".encode()) if each.record]
    assert len(first) == len(feeds)
    assert [each.record for each in chosen(opml.write(first, now=NOW))] == first
    assert all(each.is_known for each in chosen(opml.write(first, now=NOW), *first))


def test_the_shell_imports_reports_and_exports(notifier: Shell) -> None:
    Path("mine.opml").write_bytes(LIST)
    notifier("source", "add", "https://notes.example.org/feed.xml", "--name", "notes", "--every", "90m")
    notifier("source", "add", "papers.jsonl")
    ran = notifier("source", "import", "mine.opml", "--every", "1d")
    assert "added 'the-gradient-essays' (https://gradient.example.org/rss)" in ran.out
    assert "skipped 'Lil'Notes': it is read already as 'notes'" in ran.out
    assert "line 12: 'passwords' was not added" in ran.err
    assert "secret" not in notifier("source", "list", "--json").out
    assert ran.out.splitlines()[-1] == "3 added, 2 known already, 4 not usable."
    exported = notifier("source", "export", "ours.opml")
    assert "left out 'papers'" in exported.err
    again = notifier("source", "import", "ours.opml", "--json").json
    assert {each["outcome"] for each in again} == {"known"}
    before = notifier("source", "list", "--json").json
    for each in before:
        if each["name"] != "papers":
            notifier("source", "remove", each["name"])
    notifier("source", "import", "ours.opml")
    after = notifier("source", "list", "--json").json
    assert [(e["name"], e["url"], e["every_seconds"]) for e in after] == [
        (e["name"], e["url"], e["every_seconds"]) for e in before
    ]


def test_a_list_without_a_usable_feed_fails(notifier: Shell) -> None:
    Path("bad.opml").write_bytes(b"<opml><outline xmlUrl='ftp://x.org/'/></opml>")
    assert notifier.tried("source", "import", "bad.opml").code == 1
    assert notifier.tried("source", "import", "absent.opml").code == 2
