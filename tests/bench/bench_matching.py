"""Matching: 1,000 entries against N rules, and the same hits demanded of FTS5 and tantivy, rule by rule.

python -m tests.bench.bench_matching [--rules N …] [--entries M] [--seed S]

Prints times and, as all of them swing with the machine, the ratios within this run that count. Fails where a goal is
missed, and at once where two engines do not find the same entries.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np

from notifier.matching import Groups, Index, Matches, RuleSet, parse, select
from notifier.matching.shelf import dump, load
from notifier.model import Entry
from tests.bench.peers import Fts5, Tantivy
from tests.bench.workload import Workload, workload
from tests.matching import oracle

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEST = 10
"""How many entries of each subscriber are taken out of its row."""
RULES_PER_SUBSCRIBER = 5
SIZES = (10_000, 100_000, 1_000_000)
FASTER_THAN_PEERS = {100_000: 6.0, 1_000_000: 30.0}
OVER_FLOOR = 2.5
GROWTH = 3.0

T = TypeVar("T")


def best_of(times: int, work: Callable[[], T]) -> tuple[T, float]:
    """What ``work`` gives, and the seconds of its quickest run."""
    measured = []
    for _ in range(times):
        start = time.perf_counter()
        result = work()
        measured.append(time.perf_counter() - start)
    return result, min(measured)


def show(label: str, seconds: float, remark: str = "") -> None:
    print(f"  {label:<66} {seconds * 1_000:9.1f} ms  {remark}".rstrip(), flush=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Seconds, from entries to hits."""

    ours: float
    floor: float
    peer: float


def floor(entries: Sequence[Entry], known: dict[str, int]) -> int:
    """Tokenise and look each token up: no matcher can do with less."""
    look_up, find = known.get, re.compile(r"\w+").findall
    return sum(len(list(map(look_up, find(f"{each.title} {each.abstract}".lower())))) for each in entries)


def run(rules: int, entries: int, seed: int) -> Result:
    made = workload(entries, rules, seed)
    texts = list(dict.fromkeys(made.rules))
    print(f"{entries:,} entries, {rules:,} rules, {len(texts):,} of them distinct (seed {seed})")
    learned = RuleSet()
    _, cold = best_of(1, lambda: learned.rows(made.rules))
    show("rule texts ready, cold", cold)
    known = learned.segments[0].compiled.words.terms
    _, floor_time = best_of(5, lambda: floor(made.entries, known))
    show("floor: tokenise, and look each token up among the rules' terms", floor_time)
    _, first_time = best_of(1, lambda: Index(made.entries, now=NOW))
    show("index, its words never seen (normalised and lemmatised)", first_time)
    _, index_time = best_of(5, lambda: Index(made.entries, now=NOW))
    show("index, its words known", index_time, f"{index_time / floor_time:.1f} x floor")
    rows, ours = best_of(5, lambda: Matches(learned, Index(made.entries, now=NOW)).rows())
    show("index and match", ours, f"{ours / floor_time:.1f} x floor")
    numbers = learned.rows(texts)
    peers = [_peer(kind, made.entries, texts, rows, numbers, ours) for kind in (Fts5, Tantivy)]
    return Result(ours=ours, floor=floor_time, peer=min(peers))


def _peer(
    kind: type[Fts5 | Tantivy],
    entries: Sequence[Entry],
    texts: Sequence[str],
    rows: np.ndarray,
    numbers: np.ndarray,
    ours: float,
) -> float:
    peer, insert_time = best_of(1, lambda: kind(entries))
    asks = [peer.ask(parse(text)) for text in texts]
    found, search_time = best_of(1 if len(texts) > 100_000 else 2, lambda: [ask() for ask in asks])
    differing = _demand_equal(rows, numbers, found, texts, entries)
    total = insert_time + search_time
    show(f"{kind.name}: index, and each distinct rule", total, f"{total / ours:.1f} x ours")
    show(f"{kind.name}: each distinct rule alone", search_time)
    hits = sum(map(len, found))
    print(f"  {'':<6}same hits ({hits:,}), but for {differing:,} that joined words decide, each as the oracle says")
    return total


def _demand_equal(
    rows: np.ndarray, numbers: np.ndarray, found: list[list[int]], texts: Sequence[str], entries: Sequence[Entry]
) -> int:
    """Where the hits differ, the oracle sides with ours. Returns how often.

    The peers have no idea that "finetuning" and "fine-tuning" are one.
    """
    differing = 0
    for text, row, hits in zip(texts, _unpacked(rows, numbers), found, strict=True):
        if row == sorted(hits):
            continue
        query = parse(text)
        for place in set(row) ^ set(hits):
            assert oracle.matches(query, entries[place], NOW) is (place in row), f"{text}: {entries[place]}"
            differing += 1
    return differing


def _unpacked(rows: np.ndarray, numbers: np.ndarray) -> Iterator[list[int]]:
    for start in range(0, len(numbers), 4096):
        bits = np.unpackbits(rows[numbers[start : start + 4096]].view(np.uint8), axis=1, bitorder="little")
        yield from (np.flatnonzero(row).tolist() for row in bits)


def ready(made: Workload) -> dict[str, float]:
    """In a process of its own: from the shelf to the best entries of every subscriber, and what it costs."""
    with tempfile.TemporaryDirectory() as folder:
        shelf, told = Path(folder) / "rules.cache", Path(folder) / "workload.json"
        learned = RuleSet()
        learned.rows(made.rules)
        kept = learned.kept(frozenset(made.rules))
        kept.rows(made.rules)
        shelf.write_bytes(dump(kept, key=""))
        entries = [asdict(each) for each in made.entries]
        told.write_text(json.dumps(entries) + "\n" + "\n".join(made.rules))
        command = [sys.executable, "-m", "tests.bench.bench_matching", "--from-shelf", str(shelf), str(told)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _from_shelf(shelf: Path, told: Path) -> dict[str, float]:
    first, *rules = told.read_text().split("\n")
    entries = [Entry(**_tuples(each)) for each in json.loads(first)]
    Index(entries, now=NOW)
    before = memory("VmRSS")
    known, load_time = best_of(1, lambda: load(shelf.read_bytes(), {}, key=""))
    assert known is not None
    numbers, rows_time = best_of(1, lambda: known.rows(rules))
    compiled = memory("VmRSS") - before
    rows, match_time = best_of(5, lambda: Matches(known, Index(entries, now=NOW)).rows())
    edges = np.arange(0, len(rules) + 1, RULES_PER_SUBSCRIBER)
    include = Groups(edges.astype(np.int64), numbers[: edges[-1]].astype(np.int32))
    mute = Groups(np.zeros(len(edges), np.int64), np.zeros(0, np.int32))
    _, fan_time = best_of(3, lambda: select(rows, include, mute, limit=BEST))
    one = Index(entries[:1], now=NOW)
    _, one_time = best_of(5, lambda: Matches(known, one).rows())
    peak = memory("VmHWM")
    changed = [*rules[:500], "another rule", *rules[501:]]
    _, noticed_time = best_of(1, lambda: known.rows(changed))
    _, more_time = best_of(1, lambda: [known.rows([f"one more {n}"]) for n in range(1_000)])
    return {
        "load": load_time,
        "rows": rows_time,
        "compiled": compiled,
        "match": match_time,
        "fan": fan_time,
        "one": one_time,
        "peak": peak,
        "noticed": noticed_time,
        "more": more_time / 1_000,
    }


def _tuples(fields: dict[str, object]) -> dict[str, object]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


def memory(what: str, *, process: int | str = "self") -> float:
    """MB of a process: VmRSS now, VmHWM at most. What getrusage tells begins with the parent's, at the fork."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) / 1024


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, nargs="+", default=SIZES)
    parser.add_argument("--entries", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--from-shelf", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.from_shelf:
        print(json.dumps(_from_shelf(*options.from_shelf)))
        return 0
    results = {rules: run(rules, options.entries, options.seed) for rules in options.rules}
    most = max(options.rules)
    measured = ready(workload(options.entries, most, options.seed))
    return 0 if all(list(_goals(results, measured, most))) else 1


def _goals(results: dict[int, Result], measured: dict[str, float], most: int) -> Iterator[bool]:
    print("Goals")
    for rules, result in results.items():
        if rules in FASTER_THAN_PEERS:
            ratio = result.peer / result.ours
            yield goal(f"N={rules:,}: faster than the better peer", ratio, at_least=FASTER_THAN_PEERS[rules])
    middle = results.get(100_000) or next(iter(results.values()))
    yield goal("index and match over the floor", middle.ours / middle.floor, at_most=OVER_FLOOR)
    if len(results) > 1:
        growth = results[most].ours / results[min(results)].ours
        yield goal(f"growth of time from {min(results):,} to {most:,} rules", growth, at_most=GROWTH)
    everything = measured["match"] + measured["fan"]
    yield goal(f"N={most:,}: index, match and the {BEST} best of each, s", everything, at_most=0.5)
    yield goal(f"N={most:,}: peak memory of that process, MB", measured["peak"], at_most=600)
    yield goal("compiled rules, MB", measured["compiled"], at_most=120)
    yield goal("rule texts ready from the shelf, s", measured["load"] + measured["rows"], at_most=0.2)
    print(f"  of a million rules one has changed: noticed and ready in {measured['noticed'] * 1_000:.0f} ms")
    yield goal("one more rule, mean of 1,000, ms", measured["more"] * 1_000, at_most=1.0)
    yield goal("one entry against all rules, ms", measured["one"] * 1_000, at_most=10)


def goal(what: str, value: float, *, at_least: float = 0.0, at_most: float = float("inf")) -> bool:
    reached = at_least <= value <= at_most
    bound = f"at least {at_least:g}" if at_least else f"at most {at_most:g}"
    print(f"  {what:<66} {value:9.2f}  ({bound}){'' if reached else '  MISSED'}")
    return reached


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
