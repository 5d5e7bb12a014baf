"""Packs can be read and put into a subscription, as one change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Shell

HIVE = (
    "title: Hive\ndescription: Bees.\nrules:\n- {query: bee OR honeybee, label: Bees}\n"
    "- {query: wasp, label: Wasps, mode: mute}\n"
)


@pytest.fixture
def subscription(notifier: Shell) -> str:
    notifier("subscriber", "add", "ada@example.org")
    return notifier("subscription", "add", "ada@example.org", "--channel", "outbox", "--every", "daily").id


@pytest.fixture
def hive(monkeypatch: pytest.MonkeyPatch) -> Path:
    Path("packs").mkdir()
    file = Path("packs/hive.yaml")
    file.write_text(HIVE, "utf-8")
    monkeypatch.setenv("NOTIFIER_PACKS_DIR", "packs")
    return file


def rules(notifier: Shell, subscription: str) -> list[tuple[str, str, str]]:
    listed = notifier("rule", "list", subscription, "--json").json
    return [(each["query"], each["label"], each["mode"]) for each in listed]


def test_the_bundled_packs_are_listed(notifier: Shell) -> None:
    titles = {each["name"]: each["title"] for each in notifier("packs", "list", "--json").json}
    assert {"llm-alignment", "robotics-lab", "computational-biology"} <= titles.keys()
    assert "Robotics lab" in notifier("packs", "list").out


def test_the_operators_packs_add_to_the_bundled_ones_and_replace_them(notifier: Shell, hive: Path) -> None:
    hive.with_name("robotics-lab.yaml").write_text(HIVE.replace("Hive", "Our robots"), "utf-8")
    titles = {each["name"]: each["title"] for each in notifier("packs", "list", "--json").json}
    assert (titles["hive"], titles["robotics-lab"], "vision" in titles) == ("Hive", "Our robots", True)


def test_a_pack_is_shown_with_its_rules(notifier: Shell, hive: Path) -> None:
    shown = notifier("packs", "show", "Hive").out
    for part in ("Bees.", "bee OR honeybee", "mute", "Wasps", "notifier packs add ID hive"):
        assert part in shown
    assert len(notifier("packs", "show", "hive", "--json").json["rules"]) == 2


def test_an_unknown_pack_is_answered_with_the_nearest(notifier: Shell) -> None:
    ran = notifier.tried("packs", "show", "robotic-lab")
    assert (ran.code, "did you mean 'robotics-lab'?" in ran.err) == (2, True)


def test_a_pack_is_added_as_one_change_that_undo_takes_back(notifier: Shell, subscription: str, hive: Path) -> None:
    notifier("rule", "add", subscription, "ant")
    shown = notifier("packs", "add", subscription, "hive", "--yes").out
    assert "added: bee OR honeybee (label Bees)" in shown
    assert "2 added, 0 changed, 0 removed, 0 unchanged" in shown
    assert rules(notifier, subscription)[1:] == [("bee OR honeybee", "Bees", "include"), ("wasp", "Wasps", "mute")]
    assert [each["via"] for each in notifier("rule", "history", subscription, "--json").json] == ["cli", "pack", "pack"]
    notifier("rule", "undo", subscription)
    assert rules(notifier, subscription) == [("ant", "", "include")]


def test_what_says_the_same_is_not_added_again(notifier: Shell, subscription: str, hive: Path) -> None:
    notifier("rule", "add", subscription, "Honeybee or BEE", "--label", "Mine")
    notifier("rule", "add", subscription, "wasp")
    added = notifier("packs", "add", subscription, "hive", "--yes", "--json").json
    assert ([each["query"] for each in added["added"]], added["unchanged"], added["applied"]) == (["wasp"], 1, True)
    again = notifier("packs", "add", subscription, "hive")
    assert "0 added, 0 changed, 0 removed, 2 unchanged" in again.out
    assert len(rules(notifier, subscription)) == 3


def test_without_yes_and_without_a_terminal_nothing_is_added(notifier: Shell, subscription: str, hive: Path) -> None:
    ran = notifier.tried("packs", "add", subscription, "hive")
    assert (ran.code, "add --yes" in ran.err, "added: wasp" in ran.out) == (2, True, True)
    assert rules(notifier, subscription) == []


def test_every_bundled_pack_fits_into_one_subscription(notifier: Shell, subscription: str) -> None:
    for name in [each["name"] for each in notifier("packs", "list", "--json").json]:
        notifier("packs", "add", subscription, name, "--yes")
        assert "0 added" in notifier("packs", "add", subscription, name).out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HIVE.replace("wasp,", "topic:wasps,"), "rule 2 (Wasps) does not parse: unknown topic 'wasps'"),
        (HIVE.replace(", label: Bees", ""), "'rules item 1 label' is missing"),
        ("title: T\ndescription: D.\nrules: []\n", "'rules' is wrong"),
    ],
)
def test_a_wrong_pack_is_named_wherever_packs_are_looked_at(notifier: Shell, hive: Path, text: str, says: str) -> None:
    hive.write_text(text, "utf-8")
    for command in (("packs", "list"), ("topics", "check")):
        ran = notifier.tried(*command)
        assert (ran.code, "hive.yaml" in ran.err, says in ran.err) == (2, True, True), ran
    examined = notifier.tried("doctor")
    assert examined.code == 1 and says in examined.out


def test_topics_check_and_doctor_count_the_packs(notifier: Shell, hive: Path) -> None:
    assert "7 packs with" in notifier("topics", "check").out
    assert "7 packs can be put into subscriptions." in notifier("doctor").out
