"""RSS and Atom, as arXiv, blogs and broken servers send them."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.errors import SourceError
from notifier.merging import merged
from notifier.model import Announce, Entry, Fetched, Saying, Sighting, SourceState
from notifier.sources import Http, open_source
from notifier.sources.feed_items import MAX_ITEMS, parse
from tests.servers.web import Answer, WebServer
from tests.sources.samples import arxiv_item, arxiv_rss, atom, rss

NOW = datetime(2025, 12, 2, 9, tzinfo=UTC)
ITEM = "<item><title>A</title><guid>https://lab.example.org/a</guid></item>"


async def fetch(
    web: WebServer, http: Http, body: bytes, state: SourceState | None = None, status: int = 200
) -> Fetched:
    web.answer("/feed", status=status, body=body, headers={"Content-Type": "application/rss+xml"})
    return await open_source("feed", web.url("/feed"), http=http, name="lab").fetch(state or SourceState(), now=NOW)


def sightings(body: bytes, url: str = "https://lab.example.org/feed") -> tuple[Sighting, ...]:
    return parse(body, "application/rss+xml", url, source="lab", now=NOW).sightings


def only(body: bytes) -> Entry:
    (found,) = sightings(body)
    return found.entry


def test_an_arxiv_announcement_is_read_whole() -> None:
    more = "<arxiv:DOI>10.1000/Walk</arxiv:DOI><arxiv:journal_reference>J. Walk 1</arxiv:journal_reference>"
    (found,) = sightings(arxiv_rss(arxiv_item(more=more)))
    assert found.announce is Announce.NEW
    assert found.keys == ("arxiv:2512.01234", "doi:10.1000/walk", "https://arxiv.org/abs/2512.01234")
    assert found.entry == Entry(
        id="arxiv:2512.01234",
        title="A Walking Robot That Plans",
        abstract="We plan where $a<b$ & walk.",
        authors=("Ada Lovelace", "János Bolyai", "Emmy Nöther"),
        categories=("cs.RO", "cs.LG"),
        published_at=datetime(2025, 12, 1, 5, tzinfo=UTC),
        url="https://arxiv.org/abs/2512.01234",
        pdf_url="https://arxiv.org/pdf/2512.01234",
        version=1,
        extra=found.entry.extra,
        sources=("lab",),
    )
    assert json.loads(found.entry.extra) == {"announced_at": "2025-12-01", "journal_ref": "J. Walk 1"}


@pytest.mark.parametrize("announce", ["cross", "replace", "replace-cross"])
def test_the_date_of_another_announcement_is_no_date_of_publication(announce: str) -> None:
    (found,) = sightings(arxiv_rss(arxiv_item(version=2, announce=announce)))
    assert found.announce == announce
    assert found.entry.published_at is None
    assert found.entry.version == 2


def test_an_unknown_announce_type_is_none() -> None:
    assert sightings(arxiv_rss(arxiv_item(announce="rumour")))[0].announce is None


def test_an_arxiv_class_of_another_society_is_a_keyword() -> None:
    entry = only(arxiv_rss(arxiv_item(categories="math.CO 05C15 hep-th")))
    assert (entry.categories, entry.keywords) == (("math.CO", "hep-th"), ("05C15",))


def test_an_rss_item_is_cleaned_and_its_links_are_made_absolute() -> None:
    item = """<item><title>Walking &amp;amp; &lt;b&gt;planning&lt;/b&gt;, p &lt; 0.05</title><link>/notes/1</link>
      <guid isPermaLink="false">note-1</guid><pubDate>Mon, 01 Dec 2025 10:00:00 +0100</pubDate>
      <category>robots</category><dc:creator>Ada Lovelace</dc:creator><dc:creator>J Bolyai</dc:creator>
      <media:thumbnail url="https://lab.example.org/t.png"/>
      <description>&lt;p&gt;One.&lt;/p&gt;&lt;p&gt;Two &lt;script&gt;x()&lt;/script&gt;</description></item>"""
    (found,) = sightings(rss(item))
    assert found.keys == ("lab:note-1", "https://lab.example.org/notes/1")
    assert found.entry == Entry(
        id="lab:note-1",
        title="Walking & planning, p < 0.05",
        abstract="One. Two",
        authors=("Ada Lovelace", "J Bolyai"),
        categories=("robots",),
        published_at=datetime(2025, 12, 1, 9, tzinfo=UTC),
        url="https://lab.example.org/notes/1",
        thumbnail="https://lab.example.org/t.png",
        sources=("lab",),
    )


def test_an_atom_entry_is_read_with_its_content_and_relative_link() -> None:
    entry = only(
        atom(
            """<entry><title type="html">A &amp;lt;b&amp;gt; in &lt;i&gt;HTML&lt;/i&gt;</title><id>tag:x,2025:1</id>
            <link href="first"/><link rel="related" type="application/pdf" href="first.pdf"/>
            <updated>2025-12-01T10:00:00Z</updated><author><name>Ada Lovelace</name></author>
            <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>One.</p><p>Two.</p></div></content>
            </entry>"""
        )
    )
    assert entry.title == "A <b> in HTML"
    assert entry.abstract == "One. Two."
    assert entry.url == "https://lab.example.org/notes/first"
    assert entry.pdf_url == "https://lab.example.org/notes/first.pdf"
    assert entry.published_at == datetime(2025, 12, 1, 10, tzinfo=UTC)
    assert entry.id == "tag:x,2025:1"


@pytest.mark.parametrize(
    ("creator", "authors"),
    [
        ("Lovelace, Ada", ("Lovelace, Ada",)),
        ("Ada Lovelace, Alan Turing", ("Ada Lovelace", "Alan Turing")),
        ("Lovelace, A.; Turing, A. M.", ("Lovelace, A.", "Turing, A. M.")),
        ("The Example Team", ("The Example Team",)),
    ],
)
def test_names_are_split_only_where_they_are_plainly_several(creator: str, authors: tuple[str, ...]) -> None:
    assert only(rss(f"<item><title>A</title><dc:creator>{creator}</dc:creator></item>")).authors == authors


def test_a_biorxiv_identifier_is_a_doi() -> None:
    item = """<item><title>A</title><link>https://www.biorxiv.org/content/10.1101/2025.12.01.123456v2?rss=1</link>
      <dc:identifier>doi:10.1101/2025.12.01.123456</dc:identifier></item>"""
    (found,) = sightings(rss(item))
    assert found.keys[0] == "doi:10.1101/2025.12.01.123456"
    assert found.entry.version == 2


def test_items_without_id_date_or_title_are_still_entries() -> None:
    bare, untitled, dated = sightings(
        rss(
            "<item><title>Only a title</title></item>",
            "<item><guid>https://lab.example.org/2</guid><description>A short post of few words</description></item>",
            "<item><title>Old</title><pubDate>Thu, 01 Jan 1970 00:00:00 GMT</pubDate></item>",
        )
    )
    assert bare.keys[0].startswith("title:lab::")
    assert untitled.entry.title == "A short post of few words"
    assert dated.entry.published_at is None


def test_a_date_of_the_far_future_is_none() -> None:
    assert (
        only(rss("<item><title>A</title><pubDate>Thu, 01 Jan 2099 00:00:00 GMT</pubDate></item>")).published_at is None
    )


def test_an_item_with_nothing_to_show_is_reported() -> None:
    parsed = parse(rss(ITEM, "<item><guid>x</guid></item>"), "", "https://x.org/f", source="lab", now=NOW)
    assert len(parsed.sightings) == 1
    assert parsed.rejected[0].reason == "item 2 has neither a title nor a text"


def test_an_id_that_changes_each_time_leaves_the_link() -> None:
    first, second = (
        sightings(rss(f"<item><title>A</title><guid>{n}</guid><link>https://x.org/a</link></item>"))[0] for n in (1, 2)
    )
    assert set(first.keys) & set(second.keys)


def test_hostile_markup_in_a_title_is_text() -> None:
    assert only(rss("<item><title>&lt;script&gt;alert(1)&lt;/script&gt; A</title></item>")).title.endswith("A")
    assert only(rss("<item><title><![CDATA[<!channel> A\u202e]]></title></item>")).title == "<!channel> A"


async def test_its_first_fetch_is_the_baseline(http: Http) -> None:
    assert open_source("feed", "https://x.org/f", http=http, name="x").takes_baseline


async def test_a_304_changes_nothing(web: WebServer, http: Http) -> None:
    web.answer("/feed", Answer(body=rss(ITEM), headers={"ETag": '"1"', "Last-Modified": "x"}), Answer(status=304))
    source = open_source("feed", web.url("/feed"), http=http, name="lab")
    first = await source.fetch(SourceState(), now=NOW)
    second = await source.fetch(first.state, now=NOW)
    assert second == Fetched(state=first.state, unchanged=True)
    assert web.requests[1].headers["if-none-match"] == '"1"'


async def test_the_same_bytes_again_are_unchanged_without_an_etag(web: WebServer, http: Http) -> None:
    first = await fetch(web, http, rss(ITEM))
    assert len(first.sightings) == 1
    assert (await fetch(web, http, rss(ITEM), first.state)).unchanged


async def test_a_new_build_time_or_order_alone_is_no_change(web: WebServer, http: Http) -> None:
    one, two = arxiv_item("2512.00001"), arxiv_item("2512.00002")
    first = await fetch(web, http, arxiv_rss(one, two))
    second = await fetch(web, http, arxiv_rss(two, one, built="06:00:00"), first.state)
    assert second.unchanged
    assert second.state != first.state
    assert not (await fetch(web, http, arxiv_rss(two, arxiv_item("2512.00003")), second.state)).unchanged


async def test_an_edited_title_is_a_change(web: WebServer, http: Http) -> None:
    first = await fetch(web, http, rss(ITEM))
    second = await fetch(web, http, rss(ITEM.replace("<title>A", "<title>B")), first.state)
    assert [each.entry.title for each in second.sightings] == ["B"]


async def test_a_feed_without_items_is_an_answer(web: WebServer, http: Http) -> None:
    fetched = await fetch(web, http, arxiv_rss())
    assert (fetched.sightings, fetched.unchanged) == ((), False)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty page instead of a feed"),
        (b" \n ", "an empty page instead of a feed"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "no feed: open it in a browser"),
        (b"\n<!-- x --><HTML><body>Log in</body>", "no feed: open it in a browser"),
        (b"<?xml version='1.0'?><!DOCTYPE html><html xmlns='http://www.w3.org/1999/xhtml'/>", "no feed"),
        (b'{"ok": true}', "no feed"),
        (b"\x89PNG\r\n\x1a\n\x00", "no feed"),
    ],
)
async def test_an_answer_that_is_no_feed_is_a_failure(web: WebServer, http: Http, body: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        await fetch(web, http, body)


@pytest.mark.parametrize("status", [200, 400])
async def test_arxivs_own_word_about_a_bad_query_is_passed_on(web: WebServer, http: Http, status: int) -> None:
    with pytest.raises(SourceError, match=r"Feed error for query: cs\.XX"):
        await fetch(web, http, arxiv_rss(title="Feed error for query: cs.XX"), status=status)


async def test_any_other_400_is_a_failure_though_it_holds_a_feed(web: WebServer, http: Http) -> None:
    with pytest.raises(SourceError, match="400"):
        await fetch(web, http, rss(ITEM), status=400)


def test_of_a_feed_that_breaks_off_the_whole_items_are_read() -> None:
    items = [f"<item><title>T{n}</title><guid>https://x.org/{n}</guid></item>" for n in range(5)]
    whole = rss(*items)
    for cut in range(whole.index(b"T3"), whole.index(b"T4"), 3):
        parsed = parse(whole[:cut], "", "https://x.org/f", source="lab", now=NOW)
        assert {each.entry.id for each in parsed.sightings} <= {f"https://x.org/{n}" for n in range(5)}
        assert len(parsed.sightings) >= 3
        assert "damaged" in parsed.rejected[0].reason


@pytest.mark.parametrize("damage", [b"\x00", b"\xff\xfe", b"&nosuch;", b"<b>", b"\x0b"])
def test_damage_in_one_item_leaves_the_others_readable(damage: bytes) -> None:
    body = rss(
        "<item><title>One</title></item>", "<item><title>TwoX</title></item>", "<item><title>Three</title></item>"
    )
    titles = [each.entry.title for each in sightings(body.replace(b"X", damage))]
    assert titles[0] == "One"
    assert titles[-1] == "Three"


def test_external_entities_are_not_read_and_entity_bombs_do_not_grow() -> None:
    secret = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    assert only(secret + rss("<item><title>A &x; B</title></item>")[38:]).title in ("A B", "A &x; B")
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "lol">{levels}]>'.encode()
    assert all(len(each.entry.title) < 2000 for each in sightings(bomb + rss("<item><title>&l9;</title></item>")[38:]))


def test_deep_nesting_is_read_without_harm() -> None:
    deep = "<div>" * 5_000
    parsed = parse(rss(ITEM, f"<item><title>B</title>{deep}"), "", "https://x.org/f", source="lab", now=NOW)
    assert parsed.sightings[0].entry.title == "A"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_the_declared_encoding_is_used(encoding: str) -> None:
    text = rss("<item><title>Zürich</title></item>").decode().replace("UTF-8", encoding)
    assert only(text.encode(encoding)).title == "Zürich"


VALID = arxiv_rss(arxiv_item(), arxiv_item("2512.00002", 2, "cross"))
pieces = st.sampled_from([b"<item>", b"</item>", b"<title>", b"&", b"\x00", b"\xff", b"]]>", b"<![CDATA[", b"<guid/>"])


@settings(max_examples=60)
@given(st.integers(0, len(VALID)), st.integers(0, 200), st.lists(pieces | st.binary(max_size=8), max_size=8))
def test_whatever_the_bytes_there_are_clean_entries_or_a_source_error(at: int, gone: int, put: list[bytes]) -> None:
    try:
        found = sightings(VALID[:at] + b"".join(put) + VALID[at + gone :])
    except SourceError:
        return
    for each in found:
        assert each.entry.title
        assert each.entry.id == each.keys[0]
        assert merged(each.entry.id, {"x": [Saying(at=NOW, entry=each.entry)]}) == replace(each.entry, sources=())
        repr(each).encode("utf-8")


def test_of_too_many_items_the_first_are_read_and_it_is_said() -> None:
    body = rss(*(f"<item><title>T{n}</title></item>" for n in range(31)))
    parsed = parse(body, "", "https://lab.example.org/feed", source="lab", now=NOW, most=30)
    assert [each.entry.title for each in parsed.sightings] == [f"T{n}" for n in range(30)]
    assert "31 items: only the first 30" in parsed.rejected[0].reason


async def test_the_longest_feed_that_is_read_is_read_whole(web: WebServer, http: Http) -> None:
    head, tail = b"<rss version='2.0'><channel><title>T</title>", b"</channel></rss>"
    items = b"".join(b"<item><title>T%d</title></item>" % n for n in range(MAX_ITEMS))
    fetched = await fetch(web, http, head + items + tail)
    assert len(fetched.sightings) == MAX_ITEMS == 50_000
    assert fetched.rejected == ()
