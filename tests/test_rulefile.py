"""Rules as a file: nothing is lost on the way out and in, and nothing happens that was not shown."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifier.errors import UsageError
from notifier.model import Mode, Rule
from notifier.rulefile import difference, dump, load
from tests.conftest import Shell

NOW = datetime(2025, 12, 16, 5, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")

# Lone surrogates cannot be in the database.
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ids = st.from_regex(r"r_[0-9a-z]{10}", fullmatch=True)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
tricky = st.sampled_from(
    ["yes", "null", "~", "1_0", "0x1f", "a: b", "- x", "#", "'", '"', "2025-01-01", "a  b", "|", ">"]
)


@st.composite
def rules(draw: st.DrawFn, subscription: str = "s_k3m9x2tq7p") -> Rule:
    mode = draw(st.sampled_from(Mode))
    return Rule(
        id=draw(ids),
        subscription_id=subscription,
        query=draw((words | tricky).map(str.strip).filter(bool)),
        label=" ".join(draw(words | tricky).split()),
        mode=mode,
        until=draw(st.none() | st.datetimes(timezones=zones)) if mode is Mode.MUTE else None,
        version=draw(st.integers(1, 9)),
        broken=draw(st.none() | st.just("unknown topic")),
        created_at=NOW,
    )


@example([Rule(id="r_0000000000", subscription_id="s_k3m9x2tq7p", query="0\x850 \u2028x", created_at=NOW)])
@given(st.lists(rules(), max_size=6, unique_by=lambda rule: rule.id))
def test_what_is_exported_and_imported_is_the_same(kept: list[Rule]) -> None:
    document = load(dump("s_k3m9x2tq7p", kept), file="rules.yaml")
    found = difference(document, kept, zone=BERLIN, now=NOW)
    assert (bool(found), found.unchanged) == (False, len(kept))


@given(*[st.lists(rules(), max_size=5, unique_by=lambda rule: rule.id)] * 2)
def test_a_difference_applied_makes_the_rules_those_of_the_file(old: list[Rule], new: list[Rule]) -> None:
    def contents(of: list[Rule]) -> set[tuple[object, ...]]:
        return {(rule.id, rule.query, rule.label, rule.mode, rule.until) for rule in of}

    found = difference(load(dump("s_k3m9x2tq7p", new), file="f"), old, zone=BERLIN, now=NOW)
    gone = {rule.id for rule in found.removed} | {before.id for before, _ in found.changed}
    result = [rule for rule in old if rule.id not in gone] + [after for _, after in found.changed] + list(found.added)
    assert contents(result) == contents(new)


def test_every_query_is_one_line_so_that_git_shows_what_changed() -> None:
    rule = Rule(id="r_long", subscription_id="s_a", query="a OR " * 300 + "b", created_at=NOW)
    assert len(dump("s_a", [rule]).splitlines()) == 4


HEAD = "subscription: s_a\nrules:\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "'subscription' and 'rules'"),
        ("rules: []", "'subscription' is missing"),
        ("subscription: s_a", "'rules' is missing"),
        (HEAD + "- {label: x}", "'rule 1 query' is missing"),
        (HEAD + "- {query: ' '}", "'rule 1 query' is wrong"),
        (HEAD + "- {query: a}\n- {query: a, lable: x}", "'rule 2 lable' is not a key"),
        (HEAD + "- {query: a, mode: hide}", "'rule 1 mode' is wrong"),
        (HEAD + "- {query: [a]}", "'rule 1 query' is wrong"),
        (HEAD + "- {query: a, mode: mute, until: 20260101.5}", "no date or time"),
        (HEAD + "- {query: a, id: x}", "no rule id"),
        (HEAD + "- {query: a, id: r_abcd}\n- {query: b, id: r_abcd}", "rule 2 has the id r_abcd of an earlier one"),
        (HEAD + "- {query: a, query: b}", "line 3 is not valid YAML (the key 'query' stands twice)"),
        (HEAD + '- query: "a" b', "line 3 is not valid YAML"),
        ("[" * 50_000, "nested too deeply"),
        ("a: \x00", "is not valid YAML"),
        (HEAD + "- ? [a]\n  : b", "rules.yaml"),
        ('subscription: "s\\e[2J"\nrules: []', "cannot be printed"),
    ],
)
def test_a_wrong_file_is_named_with_the_place(text: str, says: str) -> None:
    with pytest.raises(UsageError) as raised:
        load(text, file="rules.yaml")
    assert says in str(raised.value)
    assert str(raised.value).startswith("rules.yaml")


def test_words_that_yaml_takes_for_other_things_stay_words() -> None:
    (first, second) = load(HEAD + "- query: yes\n- query: 3.10\n", file="f").items
    assert (first.query, second.query) == ("yes", "3.10")


def test_a_date_without_offset_is_meant_in_the_zone_of_the_person() -> None:
    document = load(HEAD + "- {query: a, mode: mute, until: 2025-12-20}", file="f")
    (rule,) = difference(document, [], zone=BERLIN, now=NOW).added
    assert rule.until == datetime(2025, 12, 19, 23, tzinfo=UTC)


@pytest.fixture
def subscription(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("NOTIFIER_NOW", NOW.isoformat())
    notifier("subscriber", "add", "ada@example.org", "--timezone", "Europe/Berlin")
    id = notifier("subscription", "add", "ada@example.org", "--channel", "outbox", "--every", "daily").id
    notifier("rule", "add", id, "reward", "--label", "RLHF")
    notifier("rule", "add", id, "survey", "--mute", "--until", "2026-01-01")
    return id


def kept(notifier: Shell, subscription: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = notifier("rule", "list", subscription, "--json").json
    return found


def edited(notifier: Shell, subscription: str, *changes: tuple[str, str], more: str = "") -> str:
    notifier("rules", "export", subscription, "rules.yaml")
    text = Path("rules.yaml").read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    Path("rules.yaml").write_text(text + more, "utf-8")
    return "rules.yaml"


def test_a_file_is_shown_and_not_applied_where_nobody_can_be_asked(notifier: Shell, subscription: str) -> None:
    before = kept(notifier, subscription)
    ran = notifier.tried("rules", "import", edited(notifier, subscription, ("query: reward", "query: bees")))
    assert ran.code == 2
    assert f"~ {before[0]['id']}  query: reward → bees" in ran.out
    assert "add --yes" in ran.err
    assert kept(notifier, subscription) == before


def test_yes_applies_what_is_shown_and_keeps_ids(notifier: Shell, subscription: str) -> None:
    reward, survey = kept(notifier, subscription)
    text = edited(notifier, subscription, ("query: reward", "query: bees"), more="- query: wasps\n")
    Path(text).write_text("\n".join(line for line in Path(text).read_text().splitlines() if "until" not in line))
    ran = notifier("rules", "import", text, "--yes")
    assert "+ new  added: wasps" in ran.out
    assert f"~ {survey['id']}  until: 2026-01-01 00:00 CET → -" in ran.out
    assert "1 added, 2 changed, 0 removed, 0 unchanged" in ran.out
    after = kept(notifier, subscription)
    assert [each["query"] for each in after] == ["bees", "survey", "wasps"]
    assert [each["id"] for each in after][:2] == [reward["id"], survey["id"]]
    assert [each["version"] for each in after] == [2, 2, 1]
    assert {each["via"] for each in notifier("rule", "history", subscription, "--json").json[2:]} == {"file"}


def test_importing_a_file_twice_changes_nothing_also_without_ids(notifier: Shell, subscription: str) -> None:
    file = edited(notifier, subscription, more="- query: wasps\n- query: wasps\n")
    notifier("rules", "import", file, "--yes")
    before = kept(notifier, subscription)
    assert "0 added, 0 changed, 0 removed, 4 unchanged" in notifier("rules", "import", file).out
    assert kept(notifier, subscription) == before


def test_a_rule_that_is_not_in_the_file_goes_and_comes_back_with_its_id(notifier: Shell, subscription: str) -> None:
    first = kept(notifier, subscription)
    notifier("rules", "export", subscription, "all.yaml")
    Path("none.yaml").write_text(f"subscription: {subscription}\nrules: []\n")
    assert "2 removed" in notifier("rules", "import", "none.yaml", "--yes").out
    notifier("rules", "import", "all.yaml", "--yes")
    again = kept(notifier, subscription)
    assert [each | {"version": 1} for each in again] == first
    assert [each["version"] for each in again] == [2, 2]


def test_a_query_that_does_not_parse_is_named_with_its_column_and_nothing_is_written(
    notifier: Shell, subscription: str
) -> None:
    before = kept(notifier, subscription)
    file = edited(notifier, subscription, ("query: reward", "query: bees"), more="- query: bees catagory:x\n")
    ran = notifier.tried("rules", "import", file, "--yes")
    assert (ran.code, ran.out) == (2, "")
    assert "rule 3 (bees catagory:x)" in ran.err
    assert "did you mean 'category'? (column 6)" in ran.err
    assert kept(notifier, subscription) == before


def test_a_rule_of_another_subscription_is_not_taken_from_it(notifier: Shell, subscription: str) -> None:
    other = notifier("subscription", "add", "ada@example.org", "--channel", "outbox", "--every", "weekly").id
    ran = notifier.tried("rules", "import", edited(notifier, subscription, (subscription, other)), "--yes")
    assert (ran.code, f"belongs to {subscription}" in ran.err) == (2, True)
    assert kept(notifier, other) == []


def test_more_rules_than_there_can_be_are_refused_as_a_whole(notifier: Shell, subscription: str) -> None:
    file = edited(notifier, subscription, more="".join(f"- query: word{i}\n" for i in range(199)))
    ran = notifier.tried("rules", "import", file, "--yes")
    assert (ran.code, "200 are the most" in ran.err) == (2, True)
    assert len(kept(notifier, subscription)) == 2


def test_only_a_mute_ends_also_in_a_file(notifier: Shell, subscription: str) -> None:
    ran = notifier.tried("rules", "import", edited(notifier, subscription, ("  mode: mute\n", "")), "--yes")
    assert (ran.code, "only a mute can end" in ran.err) == (2, True)


def test_the_difference_is_data_too(notifier: Shell, subscription: str) -> None:
    file = edited(notifier, subscription, ("query: reward", "query: bees"))
    assert notifier.tried("rules", "import", file, "--json").json["applied"] is False
    shown = notifier("rules", "import", file, "--yes", "--json").json
    assert (shown["applied"], shown["unchanged"], len(shown["changed"])) == (True, 1, 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rules", "import", "absent.yaml"], "absent.yaml cannot be read"),
        (["rules", "export", "s_none"], "no subscription s_none"),
        (["rule", "history", "s_none"], "no subscription s_none"),
        (["rule", "undo", "s_none"], "no subscription s_none"),
    ],
)
def test_what_is_not_there_is_said(notifier: Shell, arguments: list[str], says: str) -> None:
    ran = notifier.tried(*arguments)
    assert (ran.code, says in ran.err) == (2, True)


def test_an_export_that_cannot_be_written_is_said(notifier: Shell, subscription: str) -> None:
    ran = notifier.tried("rules", "export", subscription, "absent/rules.yaml")
    assert (ran.code, "cannot be written" in ran.err) == (2, True)


@pytest.mark.parametrize(("answer", "code", "query"), [(b"y\n", 0, "bees"), (b"n\n", 1, "reward")])
def test_a_terminal_is_asked(notifier: Shell, subscription: str, answer: bytes, code: int, query: str) -> None:
    file = edited(notifier, subscription, ("query: reward", "query: bees"))
    ours, theirs = os.openpty()
    try:
        os.write(ours, answer)
        command = [sys.executable, "-c", "from notifier.cli import main; main()", "rules", "import", file]
        ran = subprocess.run(command, stdin=theirs, capture_output=True, timeout=60, check=False)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (ran.returncode, b"Apply this to" in ran.stderr) == (code, True), ran
    assert kept(notifier, subscription)[0]["query"] == query
