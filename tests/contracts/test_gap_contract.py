"""What every store does about gaps and the pace of services."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from notifier.collect import absorb
from notifier.model import Gap, GapReason, Mode
from notifier.ports import Store
from tests.builders import NOW, rule, sighting, source, subscriber, subscription

EVERY = timedelta(seconds=3)
GAP = Gap(
    id="g_1",
    source="arxiv",
    first=date(2025, 12, 1),
    last=date(2025, 12, 2),
    reason=GapReason.MISSED,
    scope="cs.CL+cs.LG",
    found_at=NOW,
)


@pytest.fixture(autouse=True)
def _gap(store: Store) -> None:
    with store.write():
        store.sources.put(source("arxiv"))
        store.gaps.note([GAP])


def test_a_gap_is_kept_as_it_was_found(store: Store) -> None:
    assert store.gaps.all() == store.gaps.open("arxiv") == [GAP]
    assert store.gaps.all("other") == []


def test_the_same_days_reason_and_scope_are_on_record_once_even_when_closed(store: Store) -> None:
    closed = replace(GAP, cursor="1.500", closed_at=NOW, how="api", brought=7, last_error="no")
    with store.write():
        store.gaps.put(closed)
        store.gaps.note([replace(GAP, id="g_2"), replace(GAP, id="g_3", scope="cs.RO")])
    assert {gap.id: gap for gap in store.gaps.all()}["g_1"] == closed
    assert [gap.id for gap in store.gaps.open("arxiv")] == ["g_3"]
    assert store.gaps.same(replace(GAP, id="g_9")) == closed
    assert store.gaps.same(replace(GAP, is_news=False)) is None


def test_open_gaps_come_oldest_days_first_and_without_backfills(store: Store) -> None:
    with store.write():
        store.gaps.note(
            [
                replace(GAP, id="g_2", first=date(2025, 11, 30)),
                replace(GAP, id="g_3", reason=GapReason.BACKFILL, is_news=False),
            ]
        )
    assert [gap.id for gap in store.gaps.open("arxiv")] == ["g_2", "g_1"]


def test_the_gaps_of_a_removed_source_go_with_it(store: Store) -> None:
    with store.write():
        store.sources.put(source("arxiv", failures=3))
    assert store.gaps.all() == [GAP]
    with store.write():
        store.sources.remove("arxiv")
    assert store.gaps.all() == []


def test_late_entries_are_those_marked(store: Store) -> None:
    absorb(store, [sighting(n) for n in (1, 2)], source="arxiv", baseline=False, now=NOW)
    with store.write():
        for _ in range(2):
            store.gaps.mark_late(["arxiv:2512.00001"], "g_1")
    assert store.gaps.late(["arxiv:2512.00001", "arxiv:2512.00002", "nothing"]) == {"arxiv:2512.00001"}


def test_turns_of_a_service_are_apart_and_none_is_taken_while_it_rests(store: Store) -> None:
    with store.write():
        assert [store.services.reserve("arxiv", EVERY, NOW).at - NOW for _ in range(3)] == [0 * EVERY, EVERY, 2 * EVERY]
        assert store.services.reserve("biorxiv", EVERY, NOW).at == NOW
        store.services.rest("arxiv", NOW + 9 * EVERY)
        assert store.services.reserve("arxiv", EVERY, NOW).rest_until == NOW + 9 * EVERY
        later = store.services.reserve("arxiv", EVERY, NOW + 9 * EVERY)
    assert (later.at, later.rest_until) == (NOW + 9 * EVERY, NOW + 9 * EVERY)


def test_only_rules_that_include_and_may_name_a_category_are_asked_about(store: Store) -> None:
    queries = ["category:cs.CL", "Topic:alignment", "reward", "category:cs.AI", "category:cs.CV"]
    modes = [Mode.INCLUDE, Mode.INCLUDE, Mode.INCLUDE, Mode.MUTE, Mode.INCLUDE]
    rules = [rule(text, id=f"r_{n}", mode=mode) for n, (text, mode) in enumerate(zip(queries, modes, strict=True))]
    with store.write():
        store.subscribers.add(subscriber())
        store.subscriptions.put(subscription())
        store.rules.put([*rules[:4], replace(rules[4], broken="no")], actor="ada", via="cli", now=NOW)
    assert sorted(store.rules.naming_categories()) == ["Topic:alignment", "category:cs.CL"]
