from email import message_from_bytes, policy
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.errors import Refused
from notifier.render.mime import Body, Fragment, Header, address, alternative, encoded, fragment
from notifier.render.text import plain


@given(st.text(max_size=300), st.integers(0, 30))
def test_an_encoded_header_is_ascii_and_says_the_same(text: str, first: int) -> None:
    clean = plain(text, 300)
    value = encoded(clean, first=first)
    assert value.isascii()
    assert all(len(line) <= 78 for line in value.split("\r\n"))
    assert str(make_header(decode_header(value))) == clean


@given(st.text(max_size=80))
def test_a_display_name_stays_one_name(text: str) -> None:
    name = plain(text, 80)
    raw = f"To: {address(name, 'ada@example.org')}\r\n\r\n".encode()
    (found,) = message_from_bytes(raw, policy=policy.default)["To"].addresses
    assert found.addr_spec == "ada@example.org"
    # The standard library keeps the space between two encoded words of a phrase, which RFC 2047 says to drop.
    assert "".join(found.display_name.split()) == "".join(name.split())


@given(st.lists(st.text(max_size=200), min_size=1, max_size=4))
def test_fragments_encoded_apart_read_as_one_body(texts: list[str]) -> None:
    fragments = [fragment(text) for text in texts]
    raw, _ = alternative([Header(name="Subject", text="x")], [Body(subtype="plain", fragments=fragments)], key="d_1")
    (part,) = message_from_bytes(raw, policy=policy.default).iter_parts()
    assert part.get_payload(decode=True) == b"".join(each.raw for each in fragments)
    assert max(map(len, raw.split(b"\r\n"))) <= 998


def build(header: Header, body: Fragment | None = None) -> bytes:
    return alternative([header], [Body(subtype="plain", fragments=[body or fragment("x")])], key="d_1")[0]


@pytest.mark.parametrize(
    "header",
    [
        Header(name="To", text="a@b\r\nBcc: c@d", structured=True),
        Header(name="To", text="a@b\nBcc: c@d", structured=True),
        Header(name="To", text="a@b\r\n\r\nbody", structured=True),
        Header(name="List-Id", text="<" + "x" * 1000 + ">", structured=True),
        Header(name="X\r\nBcc", text="c@d", structured=True),
    ],
)
def test_bytes_that_say_something_else_than_was_meant_are_refused(header: Header) -> None:
    with pytest.raises(Refused):
        build(header)


def test_a_body_that_was_encoded_wrongly_is_refused() -> None:
    with pytest.raises(Refused):
        Fragment(raw=b"one\r\n", encoded=b"two\r\n")


@pytest.mark.parametrize("encoded", [b"one", b"one\n", b"one\r\ntwo", b"o" * 999 + b"\r\n", b"one\r\r\n"])
def test_a_fragment_is_of_whole_lines_that_are_short_enough(encoded: bytes) -> None:
    with pytest.raises(Refused):
        Fragment(raw=encoded, encoded=encoded)
