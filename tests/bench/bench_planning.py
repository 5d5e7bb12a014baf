"""Planning 20,000 due subscriptions with 100,000 rules against 1,000 entries, from SQLite and back into it.

``python -m tests.bench.bench_planning [--subscribers N] [--rules N] [--entries N]`` prints how long one pass of
``plan`` takes, what share of it is the store's commit, and the peak memory of a process that does only that.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from notifier.ids import new_id
from notifier.matching import RuleSet
from notifier.model import Rule, Subscription
from notifier.plan import plan
from notifier.store import SqliteStore
from tests.bench.bench_matching import memory
from tests.bench.workload import workload
from tests.builders import NOW, sighted, subscriber, subscription

# Chosen so that a digest has about ten entries, as a person's has.
_COMMON_SHARE = 0.004
DUE = NOW + timedelta(hours=1)
LOOK_BACK = timedelta(days=7)


def fill(file: Path, *, subscribers: int, rules: int, entries: int) -> None:
    made = workload(entries, rules, seed=7, common_share=_COMMON_SHARE)
    store = SqliteStore(file)
    people: list[Subscription] = []
    with store.write():
        for number in range(subscribers):
            person = subscriber(f"person{number}@example.org", id=new_id("p"))
            people.append(subscription(new_id("s"), person, max_entries=10))
            store.subscribers.add(person)
            store.subscriptions.put(people[-1])
        store.rules.put(
            [
                Rule(id=new_id("r"), subscription_id=people[n % subscribers].id, query=text, created_at=NOW)
                for n, text in enumerate(made.rules)
            ],
            actor="bench",
            via="cli",
            now=NOW,
        )
        new = [replace(each, first_seen_at=NOW - LOOK_BACK / 2, new_at=NOW - LOOK_BACK / 2) for each in made.entries]
        store.entries.put([sighted(each) for each in new], now=NOW)
    store.close()


def measure(file: Path) -> None:
    store = SqliteStore(file)
    begun = time.perf_counter()
    done = plan(store, RuleSet(), look_back=LOOK_BACK, now=DUE)
    took = time.perf_counter() - begun
    peak = memory("VmHWM")
    print(
        f"planned {done.looked_at:,} subscriptions: {done.deliveries:,} deliveries with {done.entries:,} entries "
        f"in {took:.1f} s ({took / max(done.looked_at, 1) * 1e6:.0f} µs each), peak {peak:.0f} MB"
    )
    store.close()


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=20_000)
    parser.add_argument("--rules", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=1_000)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.measure:
        measure(given.measure)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.db"
        fill(file, subscribers=given.subscribers, rules=given.rules, entries=given.entries)
        # A process of its own, so that the peak is planning's and not the workload's.
        command = [sys.executable, "-m", "tests.bench.bench_planning", "--measure", str(file)]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
