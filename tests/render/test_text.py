import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.render.text import columns, plain, same_length, web_url, wrap
from tests.render.hostile import LINKS


def test_wrapped_lines_fit_into_72_columns_where_wide_characters_take_two() -> None:
    assert all(columns(line) <= 72 for line in wrap("漢字" * 100 + " " + "word " * 40, "  ").split("\n"))


def test_a_link_is_never_broken() -> None:
    url = "https://example.org/" + "a" * 100
    assert url in wrap(f"see {url} there").split("\n")


@given(st.text(max_size=400))
def test_wrapping_loses_no_word_and_makes_no_long_line(text: str) -> None:
    clean = plain(text, 400)
    wrapped = wrap(clean)
    assert "".join(wrapped.split()) == "".join(clean.split())
    assert all(columns(line) <= 72 or line.startswith(("http", "mailto:")) for line in wrapped.split("\n"))


@given(st.text(alphabet=st.characters(), max_size=200))
def test_cleaning_keeps_the_length_and_leaves_nothing_that_breaks_a_line(text: str) -> None:
    clean = same_length(text)
    assert len(clean) == len(text)
    assert len(clean.splitlines()) <= 1
    clean.encode("utf-8")


@pytest.mark.parametrize("link", LINKS)
def test_a_link_is_an_ascii_web_address_or_none(link: str) -> None:
    url = web_url(link)
    assert url is None or (
        url.isascii()
        and url.startswith(("https://", "http://"))
        and len(url) <= 2000
        and not set(url) & set(' "<>\\^`{}\r\n')
    )


@pytest.mark.parametrize("link", LINKS[:17])
def test_what_is_no_plain_web_address_is_dropped(link: str) -> None:
    assert web_url(link) is None


def test_a_web_address_keeps_its_query_and_gets_a_punycode_host() -> None:
    assert web_url("https://bücher.example/straße?q=a%20b&c=d#e") == (
        "https://xn--bcher-kva.example/stra%C3%9Fe?q=a%20b&c=d#e"
    )
