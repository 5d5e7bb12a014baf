"""The digest as text for chats."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from notifier.model import Address
from notifier.render import Composer, Links
from notifier.render.chat import BYTES, CHARACTERS, inactive
from tests.render.samples import NOW, digest, entry, found, german, subscription

CHAT = Address(kind="apprise", target="ntfy://papers")


def chat(*items: object, **fields: object) -> list[str]:
    fields.setdefault("subscription", subscription(address=CHAT))
    message = Composer(links=Links()).render(digest(*items, **fields), "text", now=NOW)  # type: ignore[arg-type]
    assert message.format == "text" and message.target == "ntfy://papers"
    return [part.decode() for part in message.parts]


def test_a_short_digest_is_one_message_with_title_reason_and_address() -> None:
    (text,) = chat(found(entry()))
    assert "Falling Well, Part 1\n" in text and "because “legs”: humanoid in the abstract" in text
    assert "https://arxiv.org/abs/2512.00001" in text and text.startswith("1 of 112 new papers")
    assert "112 papers checked from 2 sources" in text


def test_a_long_one_is_several_each_within_its_bounds_and_no_entry_is_parted() -> None:
    parts = chat(*(found(entry(number)) for number in range(1, 41)))
    assert len(parts) > 2 and all(len(part) <= CHARACTERS for part in parts)
    for number in range(1, 41):
        (holding,) = [part for part in parts if f"Part {number}\n" in part]
        assert f"https://arxiv.org/abs/2512.{number:05}" in holding


def test_wide_letters_are_counted_as_bytes() -> None:
    parts = chat(*(found(replace(entry(number), title="論" * 200)) for number in range(1, 11)))
    assert all(len(part.encode()) <= BYTES for part in parts)


def test_it_speaks_the_readers_language() -> None:
    (text,) = chat(found(entry()), subscription=german(address=CHAT))
    assert "wegen „legs“" in text


@given(
    st.text(alphabet=st.sampled_from("@<>!#[](){}*_ahe:/.|`\n evryon"), max_size=60), st.sampled_from(["", "https://x"])
)
def test_no_title_is_more_than_text(title: str, address: str) -> None:
    title = address + title
    shown = inactive(title)
    assert shown.replace("\u200b", "").replace("%40", "@") == title
    for active in ("@everyone", "@here", "<@", "<!", "<#", "]("):
        assert active not in shown


def test_an_address_stays_what_it_was() -> None:
    url = "https://example.org/a(b)?c=[d]&e=%3Cf"
    assert inactive(f"see {url} @all") == f"see {url} @\u200ball"
