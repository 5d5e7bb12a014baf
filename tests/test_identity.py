"""Many names, one paper; many sayings, one entry."""

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.identity import (
    arxiv_id,
    canonical_categories,
    canonical_keywords,
    doi_of,
    extra_text,
    keys,
    merge,
    normal_link,
    parse_reference,
    version_of,
)
from notifier.model import Entry

DAY = datetime(2025, 12, 1, tzinfo=UTC)

NEW_STYLE = """
2512.01234 2512.01234v2 arXiv:2512.01234 arxiv:2512.01234v1 ARXIV:2512.01234V3 oai:arXiv.org:2512.01234v2
oai:arXiv.org:2512.01234 10.48550/arXiv.2512.01234 10.48550/ARXIV.2512.01234 doi:10.48550/arXiv.2512.01234v1
https://doi.org/10.48550/arXiv.2512.01234 http://dx.doi.org/10.48550/arxiv.2512.01234 https://arxiv.org/abs/2512.01234
http://arxiv.org/abs/2512.01234v2 https://www.arxiv.org/abs/2512.01234/ https://arxiv.org/pdf/2512.01234
https://arxiv.org/pdf/2512.01234v2.pdf https://arxiv.org/html/2512.01234v1 https://export.arxiv.org/abs/2512.01234
https://arxiv.org/abs/2512.01234?context=cs.LG https://arxiv.org/abs/2512.01234#references
https://arxiv.org/format/2512.01234 https://arxiv.org/src/2512.01234v1 https://arxiv.org/e-print/2512.01234
https://ar5iv.org/abs/2512.01234 https://ar5iv.labs.arxiv.org/html/2512.01234 https://www.alphaxiv.org/abs/2512.01234
https://alphaxiv.org/overview/2512.01234v1 https://xxx.lanl.gov/abs/2512.01234
https://huggingface.co/papers/2512.01234 https://huggingface.co/papers/2512.01234#community
https://hf.co/papers/2512.01234 arxiv.org/abs/2512.01234 HTTPS://ARXIV.ORG/ABS/2512.01234
https://scirate.com/arxiv/2512.01234
""".split()  # noqa: SIM905


@pytest.mark.parametrize("name", NEW_STYLE)
def test_every_form_of_an_arxiv_name_is_one_id(name: str) -> None:
    found = arxiv_id(name)
    assert found is not None
    assert found[0] == "2512.01234"


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("math.GT/0309136", ("math/0309136", None)),
        ("math/0309136v2", ("math/0309136", 2)),
        ("https://arxiv.org/abs/hep-th/9901001v3", ("hep-th/9901001", 3)),
        ("https://arxiv.org/pdf/hep-th/9901001.pdf", ("hep-th/9901001", None)),
        ("oai:arXiv.org:cond-mat/0001001v1", ("cond-mat/0001001", 1)),
        ("10.48550/arXiv.quant-ph/0001001", ("quant-ph/0001001", None)),
        ("0704.0001", ("0704.0001", None)),
        ("1412.9999v1", ("1412.9999", 1)),
        ("1501.00001", ("1501.00001", None)),
    ],
)
def test_old_ids_lose_their_class_and_keep_their_archive(name: str, id: tuple[str, int | None]) -> None:
    assert arxiv_id(name) == id


@pytest.mark.parametrize(
    "name",
    ["", "2513.01234", "2500.01234", "0703.0001", "1501.0001", "1412.12345", "2512.012345", "12.01234", "x2512.01234",
     "daily-papers:2025-12-12:01", "foo/0309136", "10.1000/2512.01234", "https://example.org/abs/2512.01234",
     "https://arxiv.org.evil.org/abs/2512.01234", "https://arxiv.org/list/cs.LG/recent", "https://arxiv.org/a/2512.01234",
     "https://evilarxiv.org/abs/2512.01234", "http://[", "2512.01234 and more"],
)  # fmt: skip
def test_what_only_looks_like_an_arxiv_id_is_none(name: str) -> None:
    assert arxiv_id(name) is None


@pytest.mark.parametrize(
    "name",
    ["10.1000/Xyz.1", "doi:10.1000/xyz.1", "DOI: 10.1000/XYZ.1", "https://doi.org/10.1000/xyz.1",
     "info:doi/10.1000/xyz.1", "http://dx.doi.org/10.1000/xyz.1?x=y", "https://dl.example.org/doi/10.1000/xyz.1",
     "https://pub.example.org/doi/abs/10.1000/xyz.1", "https://doi.org/10.1000%2Fxyz.1"],
)  # fmt: skip
def test_every_form_of_a_doi_is_one(name: str) -> None:
    assert doi_of(name) == ("10.1000/xyz.1", None)


def test_a_biorxiv_address_is_a_doi_with_a_version() -> None:
    for end in ("", "v2", "v2.full", "v2.full.pdf", "v2?rss=1"):
        found = doi_of(f"https://www.biorxiv.org/content/10.1101/2025.12.01.123456{end}")
        assert found == ("10.1101/2025.12.01.123456", 2 if end else None)


def test_arxivs_own_doi_is_no_doi() -> None:
    assert doi_of("10.48550/arXiv.2512.01234") is None


@pytest.mark.parametrize(
    "url",
    ["https://example.org/a/b?x=1&y=2", "http://example.org/a/b/?y=2&x=1", "HTTPS://WWW.Example.org:443/a//b?x=1&y=2#top",
     "https://example.org./a/b?utm_source=feed&x=1&y=2&fbclid=abc", "http://example.org:80/a/b?x=1&y=2&utm_medium=rss"],
)  # fmt: skip
def test_addresses_of_one_page_are_one_link(url: str) -> None:
    assert normal_link(url) == "https://example.org/a/b?x=1&y=2"


@pytest.mark.parametrize(
    "url", [None, "", "https://example.org", "https://example.org/", "x", "ftp://e.org/a", "http://[/a"]
)
def test_a_front_page_and_what_is_no_address_name_nothing(url: str | None) -> None:
    assert normal_link(url) is None


def test_different_pages_stay_different() -> None:
    assert normal_link("https://example.org/?p=1") != normal_link("https://example.org/?p=2")
    assert normal_link("https://example.org/A") != normal_link("https://example.org/a")


def named(**names: Any) -> tuple[str, ...]:
    return keys(**{"source": "lab", "title": "A paper"} | names)


def test_keys_come_strongest_first() -> None:
    assert named(
        id="p1", doi="10.1000/X", guid="oai:arXiv.org:2512.01234v2", url="https://example.org/a/", published=DAY
    ) == ("arxiv:2512.01234", "doi:10.1000/x", "p1", "https://example.org/a")


def test_an_id_is_kept_as_its_source_gave_it() -> None:
    assert named(id="daily-papers:2025-12-12:01") == ("daily-papers:2025-12-12:01",)


def test_a_bare_guid_counts_within_its_source_only() -> None:
    assert named(guid="17", url="https://example.org/a") == ("lab:17", "https://example.org/a")
    assert named(guid="17", url="https://example.org/a", source="other")[0] == "other:17"
    assert named(guid="tag:example.org,2025:17", url="https://example.org/a")[0] == "tag:example.org,2025:17"
    assert named(guid="http://example.org/a/", url="https://example.org/a")[0] == "https://example.org/a"


def test_title_and_day_stand_in_where_nothing_else_can_be_relied_upon() -> None:
    alone = named(published=DAY)
    assert len(alone) == 1
    assert alone[0].startswith("title:lab:2025-12-01:")
    assert alone == named(title="a  PAPER!", published=DAY + timedelta(hours=5))
    assert alone != named(title="a paper", published=DAY, source="other")
    assert set(named(guid="1", published=DAY)) & set(named(guid="2", published=DAY))
    assert not set(named(id="1", published=DAY)) & set(named(id="2", published=DAY))


def test_one_paper_from_four_sources_has_a_name_in_common() -> None:
    sightings = [
        named(id="2512.01234", source="huggingface"),
        named(guid="oai:arXiv.org:2512.01234v2", url="https://arxiv.org/abs/2512.01234"),
        named(doi="10.48550/arXiv.2512.01234", url="https://journal.example.org/x"),
        named(url="https://alphaxiv.org/abs/2512.01234v1"),
    ]
    assert {each[0] for each in sightings} == {"arxiv:2512.01234"}


def test_the_highest_version_that_is_named_counts() -> None:
    assert version_of("2512.01234v2", "https://arxiv.org/pdf/2512.01234v3", None, "x") == 3
    assert version_of("2512.01234") is None


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("2512.01234", "arxiv:2512.01234"),
        (" <https://arxiv.org/abs/2512.01234v2> ", "arxiv:2512.01234"),
        ("see https://arxiv.org/abs/2512.01234.", "arxiv:2512.01234"),
        ("Lovelace (2025), arXiv: 2512.01234v2 [cs.RO]", "arxiv:2512.01234"),
        ("https://doi.org/10.1000/X", "doi:10.1000/x"),
        ("J. Walk 1, doi:10.1000/X.", "doi:10.1000/x"),
        ("http://Example.org/a/", "https://example.org/a"),
        ("daily-papers:2025-12-12:01", "daily-papers:2025-12-12:01"),
    ],
)
def test_what_a_person_pastes_leads_to_a_key(text: str, first: str) -> None:
    assert parse_reference(text)[0] == first


@pytest.mark.parametrize("text", ["", "  ", "walking robots", "the year 2512.01234 of"])
def test_other_words_lead_to_none(text: str) -> None:
    assert parse_reference(text) == ()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_no_text_makes_any_of_it_fail(text: str) -> None:
    parse_reference(text)
    parse_reference(f"https://{text}")
    assert named(id=text or None, doi=text, guid=text, url=f"https://{text}", title=text)
    assert normal_link(normal_link(f"https://{text}")) == normal_link(f"https://{text}")


def said(**fields: Any) -> Entry:
    return Entry(**{"id": "arxiv:2512.01234", "title": "A"} | fields)


def test_the_richer_field_wins_whoever_came_first() -> None:
    one = said(abstract="Short.", authors=("A B",), organization="Labs")
    two = said(abstract="Much longer.", authors=("A B", "C D"), code_url="https://x.org/c")
    for merged in (merge(one, two), merge(two, one)):
        assert merged.abstract == "Much longer."
        assert merged.authors == ("A B", "C D")
        assert (merged.organization, merged.code_url) == ("Labs", "https://x.org/c")


def test_counts_take_what_was_said_last() -> None:
    merged = merge(said(upvotes=9, comments=3, stars=1), said(upvotes=7, comments=0))
    assert (merged.upvotes, merged.comments, merged.stars) == (7, 0, 1)


def test_a_shorter_abstract_replaces_only_with_a_higher_version() -> None:
    known = said(abstract="A long abstract.", version=1)
    assert merge(known, said(abstract="Short.", version=1)).abstract == "A long abstract."
    assert merge(known, said(abstract="Short.")).abstract == "A long abstract."
    assert merge(known, said(abstract="Short.", version=2)).abstract == "Short."
    assert merge(known, said(version=2)).abstract == "A long abstract."


def test_the_version_only_grows() -> None:
    assert merge(said(version=3), said(version=2)).version == 3
    assert merge(said(version=2), said(version=3)).version == 3
    assert merge(said(version=2), said()).version == 2


def test_an_older_version_does_not_take_fields_back() -> None:
    merged = merge(said(title="New", version=2), said(title="An older title", abstract="Still useful.", version=1))
    assert (merged.title, merged.abstract) == ("New", "Still useful.")
    assert merge(merged, said(abstract="Short.", version=2)).abstract == "Short."


def test_the_only_source_corrects_itself_but_never_shortens_an_abstract() -> None:
    known = said(title="A tpyo in the title", abstract="Long enough.", url="https://x.org/a", sources=("lab",))
    now = said(title="A title", abstract="Short.", url="https://x.org/a-longer-one", sources=("lab",))
    merged = merge(known, now)
    assert (merged.title, merged.abstract, merged.url) == ("A title", "Long enough.", "https://x.org/a-longer-one")
    assert merge(replace(known, sources=("lab", "other")), now).title == "A tpyo in the title"


def test_identity_and_first_sighting_stay() -> None:
    known = said(id="a", sources=("lab",), first_seen_at=DAY, new_at=DAY)
    merged = merge(known, said(id="b", sources=("x",), first_seen_at=DAY + timedelta(1), new_at=DAY + timedelta(1)))
    assert (merged.id, merged.sources, merged.first_seen_at, merged.new_at) == ("a", ("lab",), DAY, DAY)


def test_extra_is_united() -> None:
    merged = merge(said(extra='{"a":1,"b":"x"}'), said(extra='{"b":"longer","c":null}'))
    assert json.loads(merged.extra) == {"a": 1, "b": "longer", "c": None}


def test_arxivs_page_is_the_address_of_a_paper() -> None:
    arxiv, other = said(url="https://arxiv.org/abs/2512.01234"), said(url="https://x.org/a")
    assert merge(arxiv, other).url == merge(other, arxiv).url == arxiv.url


words = st.sampled_from(["", "a", "b", "long", "words", "Long"])
dates = st.none() | st.integers(0, 3).map(lambda days: DAY + timedelta(days=days))
links = st.sampled_from([None, "https://x.org/a", "http://x.org/bb", "https://arxiv.org/abs/2512.01234"])
lists = st.lists(st.sampled_from(["cs.LG", "cs.AI", "robots", "Robots", "math.CO"]), max_size=3)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """What a source may say of one paper, in the spelling that sources give (votes are told by one source only)."""
    extra = draw(st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 12) | words, max_size=2))
    return said(
        title=draw(words) or "t",
        abstract=draw(words),
        authors=tuple(draw(st.lists(words.filter(bool), max_size=2))),
        num_authors=draw(st.none() | st.integers(0, 3)),
        organization=draw(words) or None,
        categories=canonical_categories(draw(lists)),
        keywords=canonical_keywords(draw(lists)),
        published_at=draw(dates),
        url=draw(links),
        pdf_url=draw(links),
        code_url=draw(links),
        version=draw(st.none() | st.integers(1, 3)),
        extra=extra_text(extra),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(entries(), min_size=1, max_size=4))
def test_any_order_and_repetition_of_sightings_gives_the_same_entry(sightings: list[Entry]) -> None:
    outcomes = {reduce(merge, order) for order in itertools.permutations(sightings)}
    assert len(outcomes) == 1
    (outcome,) = outcomes
    assert reduce(merge, sightings, outcome) == outcome


@settings(max_examples=60, deadline=None)
@given(entries(), entries(), entries())
def test_two_stored_entries_that_turn_out_to_be_one_join_as_if_never_apart(a: Entry, b: Entry, c: Entry) -> None:
    assert merge(a, merge(b, c)) == merge(merge(a, b), c)


@settings(max_examples=60, deadline=None)
@given(st.lists(entries(), min_size=2, max_size=4))
def test_within_a_version_an_abstract_never_gets_shorter(sightings: list[Entry]) -> None:
    entry = sightings[0]
    for each in sightings[1:]:
        merged = merge(entry, each)
        assert len(merged.abstract) >= len(entry.abstract) or (each.version or 0) > 1
        entry = merged
