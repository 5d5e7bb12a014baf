from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from notifier import access
from notifier.errors import NotFound, UsageError
from notifier.model import Answer, ApiToken, Operation, Scope
from notifier.store import SqliteStore
from tests.builders import NOW, subscriber
from tests.conftest import Shell

DAY = timedelta(days=1)


def believed(store: SqliteStore, text: str, *, operators: Sequence[str] = (), days: int = 0) -> ApiToken | None:
    return access.believed(store, text, operators=operators, now=NOW + days * DAY)


def test_a_token_is_believed_until_it_expires(store: SqliteStore) -> None:
    token, text = access.make_token(store, " for\nnightly\x1b jobs ", [Scope.ENTRIES], lasts=2 * DAY, now=NOW)
    assert (token.name, token.owner) == ("for nightly jobs", "")
    assert believed(store, text) == token
    assert believed(store, text, days=1) == token
    assert believed(store, text, days=2) is None


def test_a_token_that_never_expires_is_still_believed_after_years(store: SqliteStore) -> None:
    token, text = access.make_token(store, "feeder", [Scope.FEED], lasts=None, now=NOW)
    assert believed(store, text, days=4000) == token


def test_only_the_exact_text_of_a_token_is_believed(store: SqliteStore) -> None:
    _, text = access.make_token(store, "one", [Scope.ENTRIES], now=NOW)
    _, other = access.make_token(store, "two", [Scope.ENTRIES], now=NOW)
    swapped = text[: len("notifier_t_k3m9x2tq7p_")] + other[len("notifier_t_k3m9x2tq7p_") :]
    for wrong in ("", "notifier", text[:-1], f"{text} ", text.upper(), swapped, f"{text}x", "notifier_t_ä_x", "\0"):
        assert believed(store, wrong) is None


def test_the_secret_is_nowhere_in_the_database(store: SqliteStore, tmp_path: Path) -> None:
    _, text = access.make_token(store, "one", [Scope.ENTRIES], now=NOW)
    written = b"".join(file.read_bytes() for file in tmp_path.glob("store.db*"))
    assert text[9:21].encode() in written
    assert text[22:42].encode() not in written


def test_a_revoked_token_opens_nothing(store: SqliteStore) -> None:
    token, text = access.make_token(store, "one", [Scope.ENTRIES], now=NOW)
    access.revoke(store, token.id)
    assert believed(store, text) is None
    with pytest.raises(NotFound, match=token.id):
        access.revoke(store, token.id)


def test_a_subscriber_revokes_only_their_own(store: SqliteStore) -> None:
    with store.write():
        store.subscribers.add(subscriber())
    token, _ = access.make_token(store, "mine", [Scope.ENTRIES], owner="ada@example.org", now=NOW)
    with pytest.raises(NotFound):
        access.revoke(store, token.id, owner="bob@example.org")
    assert access.revoke(store, token.id, owner="ada@example.org") == token


def test_what_concerns_everybody_is_not_for_a_subscribers_token(store: SqliteStore) -> None:
    with store.write():
        store.subscribers.add(subscriber())
    with pytest.raises(UsageError, match="bounces, feed is only for tokens of the operator"):
        access.make_token(store, "x", [Scope.FEED, Scope.BOUNCES], owner="ada@example.org", now=NOW)


def test_a_token_needs_a_name_a_scope_and_a_known_owner(store: SqliteStore) -> None:
    with pytest.raises(UsageError, match="needs a name"):
        access.make_token(store, " \x00 ", [Scope.ENTRIES], now=NOW)
    with pytest.raises(UsageError, match="good for"):
        access.make_token(store, "x", [], now=NOW)
    with pytest.raises(NotFound, match="no subscriber nobody@"):
        access.make_token(store, "x", [Scope.ENTRIES], owner="nobody@example.org", now=NOW)


def test_one_owner_has_a_bounded_number_of_tokens(store: SqliteStore) -> None:
    for number in range(access.MOST_TOKENS):
        access.make_token(store, f"{number}", [Scope.ENTRIES], now=NOW)
    with pytest.raises(UsageError, match="revoke one first"):
        access.make_token(store, "one more", [Scope.ENTRIES], now=NOW)


def test_an_operators_token_ends_with_their_being_an_operator(store: SqliteStore) -> None:
    token, text = access.make_token(store, "x", [Scope.FEED], made_by="Op@example.org", now=NOW)
    assert believed(store, text, operators=["op@example.org"]) == token
    assert believed(store, text, operators=["other@example.org"]) is None


def test_tokens_go_with_their_subscriber(store: SqliteStore) -> None:
    with store.write():
        store.subscribers.add(subscriber())
    _, text = access.make_token(store, "mine", [Scope.ENTRIES], owner="ada@example.org", now=NOW)
    with store.write():
        store.subscribers.remove("ada@example.org")
    assert believed(store, text) is None
    assert store.api_tokens.all() == []


def test_use_is_noted_at_most_once_an_hour(store: SqliteStore) -> None:
    token, text = access.make_token(store, "x", [Scope.ENTRIES], now=NOW)
    assert access.is_use_to_note(token, now=NOW)
    with store.write():
        store.api_tokens.touch(token.id, at=NOW)
    used = believed(store, text)
    assert used == replace(token, used_at=NOW)
    assert not access.is_use_to_note(used, now=NOW + timedelta(minutes=59))
    assert access.is_use_to_note(used, now=NOW + timedelta(minutes=60))


def test_answers_are_kept_by_token_and_key_until_they_are_forgotten(store: SqliteStore) -> None:
    token, _ = access.make_token(store, "x", [Scope.ENTRIES], now=NOW)
    answer = Answer(token_id=token.id, key="k", request="digest", status=201, body='{"a": 1}', at=NOW)
    with store.write():
        store.answers.put(answer)
    assert store.answers.get(token.id, "k") == answer
    assert store.answers.get(token.id, "other") is None
    with store.write():
        assert store.answers.forget(NOW) == 0
        assert store.answers.forget(NOW + DAY) == 1
    assert store.answers.get(token.id, "k") is None


def test_what_operators_did_is_told_newest_first(store: SqliteStore) -> None:
    done = [Operation(at=NOW + n * DAY, actor="op@example.org", act="retry", subject=f"d_{n}") for n in range(3)]
    with store.write():
        store.operations.note(done)
    assert store.operations.newest(limit=2) == [done[2], done[1]]


def test_the_shell_makes_lists_and_revokes_tokens(notifier: Shell) -> None:
    notifier("subscriber", "add", "ada@example.org")
    made = notifier("token", "add", "my phone", "--scope", "entries", "--scope", "rules", "--for", "ada@example.org")
    assert made.id.startswith("notifier_t_")
    assert "of ada@example.org until" in made.err
    (listed,) = notifier("token", "list", "--json").json
    assert (listed["name"], listed["scopes"], listed["of"]) == ("my phone", ["entries", "rules"], "ada@example.org")
    assert made.id.rpartition("_")[2] not in notifier("token", "list", "--json").out
    assert "Revoked" in notifier("token", "revoke", listed["id"]).out
    assert notifier("token", "list").out.startswith("No tokens")


def test_the_shell_says_how_an_expiry_is_written(notifier: Shell) -> None:
    assert "30d" in notifier.tried("token", "add", "x", "--scope", "feed", "--expires", "soon").err
    forever = notifier("token", "add", "x", "--scope", "feed", "--expires", "never", "--json").json
    assert forever["expires_at"] is None
    assert forever["token"].startswith(f"notifier_{forever['id']}_")
