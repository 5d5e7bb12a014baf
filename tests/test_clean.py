"""Text and links from outside, made harmless."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.clean import from_html, link, plain, untex

any_text = st.text(st.characters(codec=None), max_size=200)
html = st.lists(
    any_text
    | st.sampled_from(["<b>", "</b>", "<p>", "<br/>", "<script>", "</script>", "<!--", "-->", "&lt;", "&#x202e;", "<"]),
    max_size=12,
).map("".join)


def assert_clean(text: str, limit: int) -> None:
    text.encode("utf-8")
    assert len(text) <= limit
    assert text == " ".join(text.split())
    assert unicodedata.is_normalized("NFC", text)
    assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]
    assert not set(text) & set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff")


@settings(max_examples=60)
@given(any_text, st.integers(1, 60))
def test_plain_text_is_one_clean_line_within_its_limit(text: str, limit: int) -> None:
    assert_clean(plain(text, limit=limit), limit)


@settings(max_examples=60)
@given(any_text)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@settings(max_examples=60)
@given(html, st.integers(1, 60))
def test_text_from_html_is_one_clean_line_within_its_limit(text: str, limit: int) -> None:
    assert_clean(from_html(text, limit=limit), limit)


@settings(max_examples=60)
@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Sm"]), max_size=80))
def test_plain_text_loses_no_visible_character(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("p < 0.05 and <script>", "p < 0.05 and <script>"),
        ("one\ntwo\u2028three\x85four\xa0five", "one two three four five"),
        ("a\ud800b\x00c\u202ed\u200be\ufeff", "abcde"),
        ("Cafe\u0301", "Café"),
        ("=?UTF-8?Q?=0D=0ABcc:x?=", "=?UTF-8?Q?=0D=0ABcc:x?="),
        ("نامه\u200cای 👩\u200d🔬", "نامه\u200cای 👩\u200d🔬"),
    ],
)
def test_plain_text_keeps_what_can_be_seen(text: str, clean: str) -> None:
    assert plain(text) == clean


def test_a_cut_is_marked() -> None:
    assert plain("one two three", limit=8) == "one two…"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("<p>One</p><p>Two<br>Three</p>", "One Two Three"),
        ("H<sub>2</sub>O &amp; <i>more</i>", "H2O & more"),
        ("p < 0.05 and a<b and c>d", "p < 0.05 and a<b and c>d"),
        ("List<int> &lt;b&gt; $x<y$", "List<int> <b> $x<y$"),
        ("a<script>x<b>y()</script>b<style>p{}</style>c<!-- d -->e", "abce"),
        ("a <script>alert(1)", "a <script>alert(1)"),
        ('<a href="x" title="a > b">link</a> <img src=x onerror=alert(1)>', "link"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("&#x202e;abc&#0;", "abc\ufffd"),
        ("<jats:p>One</jats:p> two", "One two"),
    ],
)
def test_html_becomes_the_text_a_reader_would_see(text: str, clean: str) -> None:
    assert from_html(text) == clean


@pytest.mark.parametrize(
    "piece", ["<div>", "<a ", "<p a=b", '<p a="', "<!--", "<script>", "</script><script>", "<table>", "<"]
)
def test_hostile_repetition_is_read_in_linear_time(piece: str) -> None:
    """A parser that takes the square of the input would not come back from this."""
    assert_clean(from_html(piece * 200_000), 20_000)


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        (" https://example.org/a?b=c#d ", "https://example.org/a?b=c#d"),
        ("HTTP://Example.ORG:8080/A", "http://example.org:8080/A"),
        ("https://example.org/a b/ü?q=ä", "https://example.org/a%20b/%C3%BC?q=%C3%A4"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://example.org/%2f%E4?x=%20", "https://example.org/%2f%E4?x=%20"),
        ("http://[::1]:8000/x", "http://[::1]:8000/x"),
        ('https://example.org/"><script>', "https://example.org/%22%3E%3Cscript%3E"),
    ],
)
def test_a_web_address_is_kept_in_ascii(url: str, clean: str) -> None:
    assert link(url) == clean


@pytest.mark.parametrize(
    "url",
    ["", "/relative", "//example.org/", "javascript:alert(1)", "JaVaScRiPt://x", "data:text/html,x", "file:///etc/passwd",
     "mailto:a@b.org", "http://", "http:///x", "http://user@example.org/", "http://user:pw@example.org/",
     "http://exa mple.org/", "http://example.org\\@evil.org/", "http://example.org/\nX: y", "http://example.org/\u202e",
     "http://example.org:99999/", "http://[::1", "http://a<b>.org/", "http://exa%6dple.org/", "http://.org/",
     "https://example.org/" + "a" * 3000],
)  # fmt: skip
def test_what_is_no_safe_web_address_is_none(url: str) -> None:
    assert link(url) is None


@settings(max_examples=60)
@given(any_text | any_text.map("https://example.org/{}".format) | any_text.map("http://{}/".format))
def test_every_link_is_plain_ascii_and_stays_as_it_is(url: str) -> None:
    found = link(url)
    if found is not None:
        assert found.isascii()
        assert found.startswith(("http://", "https://"))
        assert not set(found) & set(' \t\r\n"<>\\')
        assert link(found) == found


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        (r"Emmy N\"other", "Emmy Nöther"),
        (r"Erwin Schr\"{o}dinger", "Erwin Schrödinger"),
        (r"Paul Erd\H{o}s", "Paul Erdős"),
        (r"{\L}ukasz Kaiser", "Łukasz Kaiser"),
        (r"Fran\c{c}ois", "François"),
        (r"Mar\'{\i}a", "María"),
        (r"\v{C}ech", "Čech"),
        (r"H\aa kon", "Håkon"),
        (r"Stra\ss e", "Straße"),
        ("Ada Lovelace", "Ada Lovelace"),
    ],
)
def test_tex_in_names_becomes_letters(name: str, clean: str) -> None:
    assert untex(name) == clean


@settings(max_examples=60)
@given(any_text)
def test_no_name_makes_it_fail(name: str) -> None:
    untex(name)
