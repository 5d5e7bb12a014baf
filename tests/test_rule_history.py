"""Every change of a rule is kept with who, how and when, and can be taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier import account, edit
from notifier.errors import UsageError
from notifier.model import Cadence, Every, Mode, Rule
from notifier.store import SqliteStore
from tests.conftest import Shell

NOW = datetime(2025, 12, 16, 5, tzinfo=UTC)
ADA = edit.Author(name="ada", via="cli")


@pytest.fixture
def subscription(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("NOTIFIER_NOW", NOW.isoformat())
    notifier("subscriber", "add", "ada@example.org", "--timezone", "Europe/Berlin")
    return notifier("subscription", "add", "ada@example.org", "--channel", "outbox", "--every", "daily").id


def rules(notifier: Shell, subscription: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = notifier("rule", "list", subscription, "--json").json
    return found


def test_history_says_who_through_what_when_and_how(notifier: Shell, subscription: str) -> None:
    id = notifier("rule", "add", subscription, "survey", "--mute", "--until", "2026-01-01").id
    notifier("rule", "remove", id)
    added, removed = notifier("rule", "history", subscription, "--json").json
    assert (added["via"], added["at"], added["rule"]) == ("cli", NOW.isoformat(), id)
    assert added["who"]
    assert (added["before"], added["after"]["query"], removed["after"]) == (None, "survey", None)
    shown = notifier("rule", "history", subscription).out
    assert "2025-12-16 06:00 CET" in shown
    assert "added: survey (mute, until 2026-01-01 00:00 CET)" in shown


def test_a_subscription_without_changes_has_no_history(notifier: Shell, subscription: str) -> None:
    assert "No rule" in notifier("rule", "history", subscription).out


def test_undo_removes_what_was_added_and_is_in_the_history(notifier: Shell, subscription: str) -> None:
    notifier("rule", "add", subscription, "reward")
    assert "Took back" in notifier("rule", "undo", subscription).out
    assert rules(notifier, subscription) == []
    last = notifier("rule", "history", subscription, "--json").json[-1]
    assert (last["undo"], last["via"], last["after"]) == (True, "cli", None)
    assert "cli, undo" in notifier("rule", "history", subscription).out


def test_undo_brings_a_removed_rule_back_with_its_id(notifier: Shell, subscription: str) -> None:
    id = notifier("rule", "add", subscription, "survey", "--mute", "--until", "2026-01-01", "--label", "S").id
    (before,) = rules(notifier, subscription)
    notifier("rule", "remove", id)
    notifier("rule", "undo", subscription)
    assert rules(notifier, subscription) == [before | {"version": 2}]


def test_undo_steps_further_back_and_says_when_nothing_is_left(notifier: Shell, subscription: str) -> None:
    for query in ("one", "two"):
        notifier("rule", "add", subscription, query)
    notifier("rule", "undo", subscription)
    notifier("rule", "add", subscription, "three")
    assert [rule["query"] for rule in rules(notifier, subscription)] == ["one", "three"]
    notifier("rule", "undo", subscription)
    notifier("rule", "undo", subscription)
    assert rules(notifier, subscription) == []
    ran = notifier.tried("rule", "undo", subscription)
    assert (ran.code, "nothing left to undo" in ran.err) == (2, True)


def test_an_imported_file_is_taken_back_as_one(notifier: Shell, subscription: str) -> None:
    notifier("rule", "add", subscription, "reward")
    (before,) = rules(notifier, subscription)
    Path("f.yaml").write_text(f"subscription: {subscription}\nrules:\n- query: bees\n- query: wasps\n")
    notifier("rules", "import", "f.yaml", "--yes")
    assert len(notifier("rule", "undo", subscription, "--json").json) == 3
    assert rules(notifier, subscription) == [before | {"version": 2}]


def test_undo_takes_no_rule_from_the_subscription_that_has_its_id_now(notifier: Shell, subscription: str) -> None:
    id = notifier("rule", "add", subscription, "reward").id
    notifier("rule", "remove", id)
    other = notifier("subscription", "add", "ada@example.org", "--channel", "outbox", "--every", "weekly").id
    Path("f.yaml").write_text(f"subscription: {other}\nrules:\n- {{id: {id}, query: bees}}\n")
    notifier("rules", "import", "f.yaml", "--yes")
    assert notifier.tried("rule", "undo", subscription).code == 2
    assert [rule["query"] for rule in rules(notifier, other)] == ["bees"]


def test_a_rule_that_comes_back_and_no_longer_parses_is_off_and_said(
    notifier: Shell, subscription: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = tmp_path / "topics"
    topics.mkdir()
    (topics / "bees.yaml").write_text("title: Bees\ndescription: Honeybees.\nquery: bee\n")
    monkeypatch.setenv("NOTIFIER_TOPICS_DIR", str(topics))
    notifier("rule", "remove", notifier("rule", "add", subscription, "topic:bees").id)
    (topics / "bees.yaml").unlink()
    assert "does not parse" in notifier("rule", "undo", subscription).err
    assert rules(notifier, subscription)[0]["broken"]


def subscribed(store: SqliteStore) -> str:
    account.add_subscriber(store, "ada@example.org", name="", timezone="UTC", language="en", now=NOW)
    wish = account.Wish(channel="outbox", cadence=Cadence(every=Every.DAILY), max_entries=20, send_empty=False)
    return account.subscribe(store, "ada@example.org", wish, now=NOW).id


def test_what_the_program_noted_is_in_the_history_and_skipped_by_undo(store: SqliteStore) -> None:
    id = subscribed(store)
    rule = edit.add_rule(store, {}, id, "reward", author=ADA, now=NOW)
    store.rules.put([replace(rule, broken="unknown topic")], actor="notifier", via="plan", now=NOW)
    edit.undo(store, {}, id, author=ADA, now=NOW)
    assert edit.rules_of(store, id) == []
    assert [step.author.via for step in edit.history(store, id)] == ["cli", "plan", "cli"]


def test_a_changed_rule_returns_as_it_was(store: SqliteStore) -> None:
    id = subscribed(store)
    rule = edit.add_rule(store, {}, id, "reward", label="R", author=ADA, now=NOW)
    changed = replace(rule, query="bees", label="", mode=Mode.MUTE, until=NOW + timedelta(days=1))
    edit.apply(store, {}, id, put=[changed], remove=[], seen=[rule], author=ADA, now=NOW)
    edit.undo(store, {}, id, author=ADA, now=NOW)
    assert edit.rules_of(store, id) == [replace(rule, version=3)]


def test_a_rule_is_changed_as_a_whole_and_returns_by_undo(store: SqliteStore) -> None:
    id = subscribed(store)
    rule = edit.add_rule(store, {}, id, "reward", label="R", author=ADA, now=NOW)
    new = {"query": " bees ", "label": "B  ees", "mode": Mode.MUTE, "until": NOW + timedelta(days=1)}
    changed = edit.change_rule(store, {}, rule.id, **new, author=ADA, now=NOW)
    wanted = replace(rule, query="bees", label="B ees", mode=Mode.MUTE, until=NOW + timedelta(days=1), version=2)
    assert edit.rules_of(store, id) == [changed] == [wanted]
    assert edit.change_rule(store, {}, rule.id, **new, author=ADA, now=NOW + timedelta(days=2)) == changed
    assert len(edit.history(store, id)) == 2
    edit.undo(store, {}, id, author=ADA, now=NOW)
    assert edit.rules_of(store, id) == [replace(rule, version=3)]


def test_only_a_mute_gets_an_end_and_only_a_later_one(store: SqliteStore) -> None:
    rule = edit.add_rule(store, {}, subscribed(store), "reward", author=ADA, now=NOW)
    for mode, until, words in (
        (Mode.INCLUDE, timedelta(days=1), "Only a mute"),
        (Mode.MUTE, -timedelta(1), "the past"),
    ):
        with pytest.raises(UsageError, match=words):
            new = {"query": "bees", "label": "", "mode": mode, "until": NOW + until}
            edit.change_rule(store, {}, rule.id, **new, author=ADA, now=NOW)


def test_a_file_is_not_applied_to_rules_that_changed_since_it_was_shown(store: SqliteStore) -> None:
    id = subscribed(store)
    rule = edit.add_rule(store, {}, id, "reward", author=ADA, now=NOW)
    with pytest.raises(UsageError, match="changed meanwhile"):
        edit.apply(store, {}, id, put=[], remove=[], seen=[], author=ADA, now=NOW)
    assert edit.rules_of(store, id) == [rule]


Change = tuple[str, int]
changes = st.lists(st.tuples(st.sampled_from(["add", "remove", "change", "undo"]), st.integers(0, 5)), max_size=12)


@given(changes)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_undo_walks_back_through_every_state(store: SqliteStore, tries: list[Change]) -> None:
    id = subscribed(store) if not store.subscriptions.all() else store.subscriptions.all()[0].id
    store.subscriptions.remove(id)
    wish = account.Wish(channel="outbox", cadence=Cadence(every=Every.DAILY), max_entries=20, send_empty=False)
    id = account.subscribe(store, "ada@example.org", wish, now=NOW).id
    states = [contents(edit.rules_of(store, id))]
    for kind, number in tries:
        rules = edit.rules_of(store, id)
        if kind == "undo" and len(states) > 1:
            edit.undo(store, {}, id, author=ADA, now=NOW)
            states.pop()
            assert contents(edit.rules_of(store, id)) == states[-1]
            continue
        if kind == "add":
            edit.add_rule(store, {}, id, f"word{number}", author=ADA, now=NOW)
        elif kind == "remove" and rules:
            edit.remove_rule(store, rules[number % len(rules)].id, author=ADA, now=NOW)
        elif kind == "change" and rules:
            rule = replace(rules[number % len(rules)], query=f"other{number}", label=str(len(states)))
            edit.apply(store, {}, id, put=[rule], remove=[], seen=rules, author=ADA, now=NOW)
        else:
            continue
        states.append(contents(edit.rules_of(store, id)))
    while len(states) > 1:
        edit.undo(store, {}, id, author=ADA, now=NOW)
        states.pop()
        assert contents(edit.rules_of(store, id)) == states[-1]


def contents(rules: list[Rule]) -> set[tuple[object, ...]]:
    return {(rule.id, rule.query, rule.label, rule.mode, rule.until, rule.created_at) for rule in rules}
