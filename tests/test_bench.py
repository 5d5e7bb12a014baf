"""The benchmarks in short: that they run, and that all engines find the same; never how long it takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.matching import RuleSet
from tests.bench import bench_collect, bench_matching, bench_slack
from tests.bench.feeds import feeds
from tests.bench.workload import workload


def test_the_matcher_and_both_peers_find_the_same_entries() -> None:
    assert bench_matching.run(1_500, 60, seed=3).ours > 0


def test_a_set_from_the_shelf_serves_a_process_that_never_compiled() -> None:
    measured = bench_matching.ready(workload(20, 500, seed=3))
    assert measured["compiled"] >= 0


def test_the_workload_is_the_same_for_the_same_seed_and_parses_whole() -> None:
    made = workload(30, 400, seed=11)
    assert made == workload(30, 400, seed=11)
    learned = RuleSet()
    assert (learned.rows(made.rules) >= 0).all()


def test_feeds_of_all_shapes_are_collected_whole(tmp_path: Path) -> None:
    assert bench_collect.stages(feeds(3, 20, seed=3), tmp_path).items == 60


@pytest.mark.parametrize("conditional", [True, False])
async def test_a_fetch_that_brings_nothing_new_writes_its_sources_record_and_no_more(
    conditional: bool, tmp_path: Path
) -> None:
    (body,) = feeds(1, 20, seed=3)
    assert (await bench_collect.quiet(body, tmp_path, conditional=conditional)).written == 0


async def test_many_slow_hosts_are_all_asked_and_few_at_a_time(tmp_path: Path) -> None:
    many = await bench_collect.crowd(25, tmp_path)
    assert many.answered == 25
    assert 1 < many.requests <= bench_collect.AT_ONCE


def test_a_process_of_its_own_tells_what_collecting_took_of_memory() -> None:
    (body,) = feeds(1, 20, seed=3)
    most = bench_collect.peak(body)
    assert most.items == 20
    assert most.own > most.apart / 10 > 0


def test_an_ideal_sender_to_slack_loses_time_to_the_pace_and_the_pauses_only() -> None:
    assert bench_slack.ideal(channels=4, each=4) == 0
    assert bench_slack.ideal(channels=1, each=6) == 2
    # The twentieth call is put off for a second.
    assert bench_slack.ideal(channels=5, each=4) == 1
