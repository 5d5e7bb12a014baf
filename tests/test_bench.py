"""The benchmarks in short: that they run, and that all engines find the same; never how long it takes."""

from __future__ import annotations

from notifier.matching import RuleSet
from tests.bench import bench_matching
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
