"""Rules are changed, moved, and what that would do to the digests is known before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifier.collect import absorb
from notifier.edit import Author, add_rule, change_rule, history, move_rule, undo
from notifier.errors import RuleError, UsageError
from notifier.matching import KeptIndex
from notifier.model import Mode, Rule
from notifier.store import SqliteStore
from notifier.trying import Trial, try_rule, without_rule
from tests.builders import NOW, sighting, subscriber, subscription

ADA = Author(name="ada@example.org", via="web")
MONTH = timedelta(days=30)


@pytest.fixture
def store(store: SqliteStore) -> SqliteStore:
    with store.write():
        store.subscribers.add(subscriber())
        store.subscriptions.put(subscription())
    titles = ("Robot arms", "Robot legs", "A survey of robot legs", "Plants")
    absorb(
        store,
        [sighting(number, title=title) for number, title in enumerate(titles)],
        source="feed",
        baseline=False,
        now=NOW - timedelta(hours=1),
    )
    return store


def add(store: SqliteStore, query: str, mode: Mode = Mode.INCLUDE) -> Rule:
    return add_rule(store, {}, "s_one", query, mode=mode, author=ADA, now=NOW)


def change(store: SqliteStore, rule: Rule, query: str, *, mode: Mode = Mode.INCLUDE, version: int = 1) -> Rule:
    return change_rule(
        store, {}, rule.id, query=query, label="", mode=mode, until=None, version=version, author=ADA, now=NOW
    )


def tried(store: SqliteStore, query: str, *, mode: Mode = Mode.INCLUDE, instead_of: Rule | None = None) -> Trial:
    id = instead_of.id if instead_of else None
    return try_rule(store, {}, "s_one", query, mode=mode, last=MONTH, instead_of=id, now=NOW)


def adds_and_takes(trial: Trial) -> tuple[list[str], list[str]]:
    return [each.title for each in trial.adds], [each.title for each in trial.takes]


def test_a_change_makes_a_new_version_with_its_line_of_history(store: SqliteStore) -> None:
    changed = change(store, add(store, "robot"), " robot legs ")
    assert (changed.query, changed.version, store.rules.get(changed.id)) == ("robot legs", 2, changed)
    steps = history(store, "s_one")
    assert [(each.before and each.before.query, each.after and each.after.query) for each in steps] == [
        (None, "robot"),
        ("robot", "robot legs"),
    ]
    undo(store, {}, "s_one", author=ADA, now=NOW)
    back = store.rules.get(changed.id)
    assert back is not None and (back.query, back.version) == ("robot", 3)


def test_a_change_that_changes_nothing_is_none(store: SqliteStore) -> None:
    rule = add(store, "robot")
    assert change(store, rule, "robot") == rule
    assert len(history(store, "s_one")) == 1


def test_a_rule_that_was_changed_meanwhile_is_left_alone(store: SqliteStore) -> None:
    rule = add(store, "robot")
    change(store, rule, "legs")
    with pytest.raises(UsageError, match="changed meanwhile"):
        change(store, rule, "arms")
    assert store.rules.get(rule.id).query == "legs"  # type: ignore[union-attr]


def test_a_change_that_does_not_parse_is_refused_with_its_column(store: SqliteStore) -> None:
    rule = add(store, "robot")
    with pytest.raises(RuleError) as refused:
        change(store, rule, 'robot "legs')
    assert (refused.value.column, store.rules.get(rule.id)) == (7, rule)


@pytest.mark.parametrize(("by", "order"), [(-1, "bac"), (1, "acb"), (-9, "bac"), (9, "acb")])
def test_a_rule_moves_among_the_others_as_far_as_there_are_any(store: SqliteStore, by: int, order: str) -> None:
    rules = [add(store, name) for name in "abc"]
    move_rule(store, rules[1].id, by=by)
    assert "".join(each.query for each in store.rules.of(["s_one"])["s_one"]) == order


def test_a_rule_in_the_place_of_another_adds_and_takes(store: SqliteStore) -> None:
    rule = add(store, "arms OR survey")
    assert adds_and_takes(tried(store, "legs", instead_of=rule)) == (["Robot legs"], ["Robot arms"])
    assert adds_and_takes(tried(store, "legs")) == (["Robot legs"], [])


def test_a_mute_in_the_place_of_another_gives_back_what_that_took(store: SqliteStore) -> None:
    add(store, "robot")
    mute = add(store, "arms", Mode.MUTE)
    found = adds_and_takes(tried(store, "survey", mode=Mode.MUTE, instead_of=mute))
    assert found == (["Robot arms"], ["A survey of robot legs"])


def test_what_a_rule_alone_brings_is_gone_without_it(store: SqliteStore) -> None:
    rule, _ = add(store, "legs"), add(store, "survey")
    adds, takes = without_rule(store, {}, rule, last=MONTH, now=NOW)
    assert (adds, [each.title for each in takes]) == ((), ["Robot legs"])


def test_an_index_that_somebody_keeps_gives_the_same_answer(store: SqliteStore) -> None:
    add(store, "arms")
    kept = KeptIndex(store.entries.seen(NOW - MONTH, NOW), now=NOW)
    for _ in range(2):
        found = try_rule(store, {}, "s_one", "robot -survey", last=MONTH, index=kept.at(NOW), now=NOW)
        assert found == try_rule(store, {}, "s_one", "robot -survey", last=MONTH, now=NOW)
    quick = try_rule(store, {}, "s_one", "robot", last=MONTH, thorough=False, index=kept.at(NOW), now=NOW)
    assert (quick.matched, quick.findings, quick.near_misses) == (3, (), ())
