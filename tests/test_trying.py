from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from notifier.cli.base import NOW_VARIABLE
from notifier.cli.trying import chart
from tests.conftest import Shell

MONDAY = "2025-12-15T05:00:00+00:00"
TUESDAY = "2025-12-16T05:00:00+00:00"

Arrive = Callable[..., None]


@pytest.fixture
def arrive(notifier: Shell) -> Arrive:
    def arrive(at: str, **titles: str) -> None:
        lines = [json.dumps({"id": id, "title": title}) for id, title in titles.items()]
        Path("papers.jsonl").write_text("\n".join(lines), "utf-8")
        notifier("import", "papers.jsonl", "--now", at)

    return arrive


@pytest.fixture
def subscription(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(NOW_VARIABLE, "2025-12-16T07:00:00+00:00")
    notifier("subscriber", "add", "ada@example.org", "--timezone", "Europe/Berlin")
    return notifier("subscription", "add", "ada@example.org", "--channel", "outbox", "--every", "daily").id


def test_a_test_shows_what_would_have_matched_newest_first_and_saves_nothing(
    notifier: Shell, subscription: str, arrive: Arrive
) -> None:
    arrive(MONDAY, a="Robots", b="Robot arms", c="Plants")
    arrive(TUESDAY, d="A robot")
    ran = notifier("rule", "test", subscription, "robot")
    assert "3 of 4 papers seen in the last 30d match." in ran.out
    assert "2025-12-15 Mon  2  ████" in ran.out
    assert ran.out.index("A robot\n") < ran.out.index("Robots\n")
    assert "\x1b" not in ran.out
    assert notifier("rule", "list", subscription, "--json").json == []


def test_a_test_counts_by_the_subscribers_own_day(notifier: Shell, subscription: str, arrive: Arrive) -> None:
    arrive("2025-12-14T23:30:00+00:00", a="Robots")
    found = notifier("rule", "test", subscription, "robot", "--json").json
    assert found["days"] == {"2025-12-15": 1, "2025-12-16": 0}


def test_an_include_adds_only_what_no_rule_brings_and_no_mute_leaves_out(
    notifier: Shell, subscription: str, arrive: Arrive
) -> None:
    arrive(MONDAY, a="Robot arms", b="Robot legs", c="Robot survey", d="Plants")
    notifier("rule", "add", subscription, "arm")
    notifier("rule", "add", subscription, "survey", "--mute")
    found = notifier("rule", "test", subscription, "robot", "--json").json
    assert (sorted(e["id"] for e in found["entries"]), found["adds"]) == (["a", "b", "c"], ["b"])
    assert "It adds 1 to" in notifier("rule", "test", subscription, "robot").out


def test_a_mute_takes_what_the_subscription_would_have_sent(notifier: Shell, subscription: str, arrive: Arrive) -> None:
    arrive(MONDAY, a="Robot arms", b="Robot legs", c="Human legs")
    notifier("rule", "add", subscription, "robot")
    assert notifier("rule", "test", subscription, "leg", "--mute", "--json").json["takes"] == ["b"]
    assert "As a mute it takes 1 from" in notifier("rule", "test", subscription, "leg", "--mute").out


def test_a_near_miss_lacks_one_clause_and_says_which(notifier: Shell, subscription: str, arrive: Arrive) -> None:
    arrive(MONDAY, a="Diffusion policy", b="Diffusion", c="Diffusion policy survey", d="Plants")
    found = notifier("rule", "test", subscription, "diffusion policy -survey", "--json").json
    assert {each["id"]: each["failed"] for each in found["near_misses"]} == {
        "b": "no policy",
        "c": "survey is there, which the rule excludes",
    }


def test_what_merely_lacks_the_excluded_word_is_no_near_miss(
    notifier: Shell, subscription: str, arrive: Arrive
) -> None:
    arrive(MONDAY, a="Plants")
    assert notifier("rule", "test", subscription, "diffusion -survey", "--json").json["near_misses"] == []


def test_a_test_looks_no_further_back_than_asked(notifier: Shell, subscription: str, arrive: Arrive) -> None:
    arrive("2025-12-01T05:00:00+00:00", a="Robots")
    assert notifier("rule", "test", subscription, "robot", "--last", "3d", "--json").json["checked"] == 0
    assert "0 of 0 papers" in notifier("rule", "test", subscription, "robot", "--last", "3d").out


def test_wrong_usage_of_a_test_is_a_sentence(notifier: Shell, subscription: str) -> None:
    assert notifier.tried("rule", "test", "s_none", "robot").code == 2
    refused = notifier.tried("rule", "test", subscription, '"robot')
    assert (refused.code, "does not parse" in refused.err) == (2, True)


def test_advice_is_given_on_a_test_and_after_adding_and_refuses_nothing(
    notifier: Shell, subscription: str, arrive: Arrive
) -> None:
    arrive(MONDAY, **{f"p{n}": "Value alignment" for n in range(30)})
    assert "did you mean alignment?" in notifier("rule", "test", subscription, "alignement").out
    (advice,) = notifier("rule", "test", subscription, "alignement", "--json").json["advice"]
    assert (advice["advice"], advice["instead"]) == ("unseen", "alignment")
    added = notifier("rule", "add", subscription, "alignement")
    assert "Advice: “alignement” was never seen in 30 papers: did you mean alignment?" in added.err
    assert added.out.split() == [added.id]


def test_at_most_three_pieces_of_advice_follow_an_added_rule(
    notifier: Shell, subscription: str, arrive: Arrive
) -> None:
    arrive(MONDAY, **{f"p{n}": "Plants" for n in range(30)})
    assert notifier("rule", "add", subscription, "aaaa OR bbbb OR cccc OR dddd").err.count("Advice:") == 3


def test_a_saved_rule_is_not_compared_with_itself(notifier: Shell, subscription: str, arrive: Arrive) -> None:
    arrive(MONDAY, a="Robots", b="Robots", c="Robots")
    assert "Advice" not in notifier("rule", "add", subscription, "robot").err
    assert "says the same" in notifier("rule", "add", subscription, "ROBOT").err


def test_stats_say_what_each_rule_brings_and_what_only_it_brings(
    notifier: Shell, subscription: str, arrive: Arrive
) -> None:
    arrive("2025-12-09T07:00:00+00:00", a="Robot arms", b="Robot legs", c="Robot survey", d="Arms", e="Plants")
    for rule in (["robot"], ["arm"], ["survey", "--mute"]):
        notifier("rule", "add", subscription, *rule)
    found = notifier("rule", "stats", subscription, "--json").json
    assert (found["checked"], found["sent"], found["days"]) == (5, 3, 7)
    assert [(each["a_week"], each["share"], each["alone"]) for each in found["rules"]] == [
        (3, 0.6667, 1),
        (2, 0.6667, 1),
        (1, 0.25, 1),
    ]
    assert "67%" in notifier("rule", "stats", subscription).out


def test_stats_of_a_subscription_without_rules_say_what_to_do(notifier: Shell, subscription: str) -> None:
    assert "notifier rule add" in notifier("rule", "stats", subscription).out


def test_the_chart_is_aligned_has_a_trace_for_one_and_none_for_zero() -> None:
    assert list(chart([(date(2025, 12, 15), 1_000), (date(2025, 12, 16), 1), (date(2025, 12, 17), 0)])) == [
        "2025-12-15 Mon  1000  " + "█" * 32,
        "2025-12-16 Tue     1  ▏",
        "2025-12-17 Wed     0",
    ]


def test_the_chart_of_many_days_goes_by_weeks() -> None:
    lines = list(chart([(date(2025, 9, 3) + timedelta(days=n), 1) for n in range(60)]))
    assert [line.split()[:3] for line in lines[:2]] == [["2025-09-01", "Mon", "5"], ["2025-09-08", "Mon", "7"]]
