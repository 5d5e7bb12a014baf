"""Many names, one paper."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.identity import arxiv_id, doi_of, keys, normal_link, parse_reference, version_of

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


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_no_text_makes_any_of_it_fail(text: str) -> None:
    parse_reference(text)
    parse_reference(f"https://{text}")
    assert named(id=text or None, doi=text, guid=text, url=f"https://{text}", title=text)
    assert normal_link(normal_link(f"https://{text}")) == normal_link(f"https://{text}")
