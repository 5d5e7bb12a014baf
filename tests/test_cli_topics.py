"""Topics can be listed, read and tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Shell

BEES = "title: Bees\ndescription: Honeybees.\nquery: bee OR honeybee\nparents: [robotics]\nexamples:\n"
HOLDS = BEES + "  match: [Bees in winter]\n  miss: [Wasps]\n"
FAILS = BEES + "  match: [Bees in winter, Wasps in summer]\n  miss: [The bee and the ant]\n"


def own(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    Path("topics").mkdir()
    Path("topics/bees.yaml").write_text(text, "utf-8")
    monkeypatch.setenv("NOTIFIER_TOPICS_DIR", "topics")


def test_topics_are_listed_with_their_titles(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    own(monkeypatch, HOLDS)
    listed = {each["name"]: each for each in notifier("topics", "list", "--json").json}
    assert {"alignment", "bees"} <= set(listed)
    assert (listed["bees"]["title"], listed["bees"]["description"]) == ("Bees", "Honeybees.")
    assert "Honeybees." in notifier("topics", "list").out


def test_a_topic_is_shown_with_its_meaning_and_examples(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    own(monkeypatch, HOLDS)
    shown = notifier("topics", "show", "topic:Bees").out
    for part in ("bee OR honeybee", "papers where", "robotics", "Bees in winter", "Wasps"):
        assert part in shown
    assert notifier("topics", "show", "bees", "--json").json["parents"] == ["robotics"]


def test_an_unknown_topic_is_answered_with_the_nearest(notifier: Shell) -> None:
    ran = notifier.tried("topics", "show", "aligment")
    assert (ran.code, "did you mean 'alignment'?" in ran.err) == (2, True)


def test_check_holds_for_every_bundled_topic(notifier: Shell) -> None:
    assert "0 of which do not hold" in notifier("topics", "check").out


def test_check_names_the_examples_that_do_not_hold(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    own(monkeypatch, FAILS)
    ran = notifier.tried("topics", "check")
    assert ran.code == 1
    assert "bees: has to match and does not: Wasps in summer" in ran.out
    assert "bees: must not match and does: The bee and the ant" in ran.out
    assert "winter" not in ran.out


def test_check_tries_one_file_that_is_not_on_the_shelf_yet(notifier: Shell) -> None:
    Path("bees.yaml").write_text(FAILS, "utf-8")
    ran = notifier.tried("topics", "check", "bees.yaml", "--json")
    assert ran.code == 1
    assert [(each["title"], each["should_match"]) for each in ran.json] == [
        ("Wasps in summer", True),
        ("The bee and the ant", False),
    ]
    Path("bees.yaml").write_text(HOLDS, "utf-8")
    assert "1 topics with 2 examples" in notifier("topics", "check", "bees.yaml").out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HOLDS.replace("bee OR", "catagory:bee OR"), "does not parse"),
        (HOLDS.replace("robotics", "robotic"), "parent 'robotic'"),
        (HOLDS.replace("bee OR", "topic:bees OR"), "does not parse"),
        (None, "cannot be read"),
    ],
)
def test_a_wrong_topic_file_is_named(notifier: Shell, text: str | None, says: str) -> None:
    if text is not None:
        Path("bees.yaml").write_text(text, "utf-8")
    ran = notifier.tried("topics", "check", "bees.yaml")
    assert (ran.code, says in ran.err, "bees.yaml" in ran.err) == (2, True, True)


def test_categories_are_listed_by_group_or_archive(notifier: Shell) -> None:
    listed = {each["name"]: each for each in notifier("topics", "categories", "--json").json}
    assert (listed["cs.CL"]["title"], listed["cs.CL"]["group"]) == ("Computation and Language", "Computer Science")
    assert (listed["cs.SY"]["same_as"], listed["eess.SY"]["same_as"]) == ("eess.SY", None)
    shown = notifier("topics", "categories", "econ").out
    assert "econ.EM" in shown and "cs.CL" not in shown


def test_an_unknown_group_of_categories_is_answered_with_those_there_are(notifier: Shell) -> None:
    ran = notifier.tried("topics", "categories", "alchemy")
    assert (ran.code, "Computer Science" in ran.err) == (2, True)


def test_a_rule_is_added_with_the_title_of_its_category_and_advice_on_one_that_is_not_there(notifier: Shell) -> None:
    notifier("subscriber", "add", "ada@example.org")
    id = notifier("subscription", "add", "ada@example.org", "--channel", "outbox", "--every", "daily").id
    added = notifier("rule", "add", id, "category:cs.SY OR category:cs.lgx").err
    assert "category is cs.SY (Systems and Control)" in added
    assert "Advice: arXiv has no category cs.lgx: did you mean cs.LG (Machine Learning)?" in added
