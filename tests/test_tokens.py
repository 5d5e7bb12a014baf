"""A signed word proves one thing, for one purpose, under any key that is still known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from notifier.bounce import marked, signed_delivery
from notifier.tokens import NO_KEYS, UNSUBSCRIBE, Keys, fresh, hashed, sign, signed

KEYS = Keys(SecretStr("k"))


@given(st.text())
def test_what_was_signed_is_read_back(value: str) -> None:
    assert signed(KEYS, UNSUBSCRIBE, sign(KEYS, UNSUBSCRIBE, value)) == value


@given(st.text())
def test_nothing_else_is(token: str) -> None:
    assert signed(KEYS, UNSUBSCRIBE, token) is None


def test_a_token_serves_its_own_purpose_only() -> None:
    assert signed(KEYS, "login", sign(KEYS, UNSUBSCRIBE, "s_one")) is None


def test_no_bit_of_a_token_can_be_changed() -> None:
    token = sign(KEYS, UNSUBSCRIBE, "s_one")
    changed = [token[:at] + chr(ord(token[at]) ^ 1) + token[at + 1 :] for at in range(len(token))]
    assert not any(signed(KEYS, UNSUBSCRIBE, each) for each in changed)


def test_links_of_old_mails_live_on_when_the_key_is_changed_and_die_with_it() -> None:
    old = sign(KEYS, UNSUBSCRIBE, "s_one")
    path = marked("b@example.org", "d_k3m9x2tq7p", KEYS)
    renewed = Keys(SecretStr("new"), (SecretStr("k"),))
    assert signed(renewed, UNSUBSCRIBE, old) == "s_one"
    assert signed_delivery(path, renewed) == "d_k3m9x2tq7p"
    assert sign(renewed, UNSUBSCRIBE, "s_one") != old
    assert signed(Keys(SecretStr("new")), UNSUBSCRIBE, old) is None


def test_without_a_key_nothing_is_believed() -> None:
    assert signed(NO_KEYS, UNSUBSCRIBE, sign(NO_KEYS, UNSUBSCRIBE, "s_one")) is None


def test_a_random_word_cannot_be_read_from_its_hash() -> None:
    word = fresh()
    assert len(word) >= 43 and word != fresh()
    assert hashed(word) == hashed(word) and word not in hashed(word)
