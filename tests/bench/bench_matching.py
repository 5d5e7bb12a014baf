"""Matching: 1,000 entries against N rules, ours against each distinct rule as an FTS5 query over the same tokens.

python -m tests.bench.bench_matching [--rules N] [--entries M] [--seed S]

Prints times, the ratio and the peak memory. Fails where the two do not find the same entries.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import TypeVar

import numpy as np

from notifier.matching import Groups, Index, Query, compile_rules, match, parse, select
from notifier.matching.normalize import pieces_of, raw_runs
from notifier.matching.query import And, Compare, Label, Not, Or, Text
from notifier.matching.sequence import parts_of
from notifier.model import Entry

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEST = 10
"""How many entries of each subscriber are taken out of its row."""
RULES_PER_SUBSCRIBER = 5
GOAL = 5.0
_ONSETS = "b bl br c ch cl cr d dr f fl fr g gl gr h j k l m n p pl pr r s sc sh sk sl sm sn sp st str t th tr v w"
_MIDDLES = "a e i o u ai ea ee oa ou"
_CODAS = "b ck d ft g l lt m mp n nd nt p pt r rd rk rm rn rt sk st t th x"
_CATEGORIES = ("cs.CL", "cs.LG", "cs.CV", "stat.ML", "math.OC", "q-bio.NC")

T = TypeVar("T")
_TOO_COMMON = 90
"""The words that more than a fifth of the papers have, which ``rule test`` advises against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    entries: list[Entry]
    rules: list[str]


def workload(entries: int, rules: int, seed: int, *, too_common: int = _TOO_COMMON) -> Workload:
    """Zipf-repeated rules: 40% words, 25% phrases, 20% AND/OR, 10% NOT, 5% a field or a threshold.

    No rule is about one of the ``too_common`` commonest words.
    """
    rng = random.Random(seed)
    words = _words(rng, 20_000)
    weights = list(accumulate(1 / (rank + 2.7) for rank in range(len(words))))
    papers = [_paper(rng, number, words, weights) for number in range(entries)]
    asked = words[too_common:]
    weights = list(accumulate(1 / (rank + too_common + 2.7) for rank in range(len(asked))))
    pool = list(dict.fromkeys(_rule(rng, papers, asked, weights) for _ in range(rules // 2)))
    popularity = list(accumulate(1 / (rank + 10) ** 0.7 for rank in range(len(pool))))
    return Workload(entries=papers, rules=rng.choices(pool, cum_weights=popularity, k=rules))


def _words(rng: random.Random, size: int) -> list[str]:
    onsets, middles, codas = _ONSETS.split(), _MIDDLES.split(), _CODAS.split()
    made: dict[str, None] = {}
    while len(made) < size:
        syllables = rng.choices((1, 2, 3), (2, 5, 3))[0]
        word = "".join(rng.choice(onsets) + rng.choice(middles) for _ in range(syllables)) + rng.choice(codas)
        if word not in ("and", "not", "or"):
            made[word] = None
    return list(made)


def _paper(rng: random.Random, number: int, words: list[str], weights: list[float]) -> Entry:
    def some(count: int) -> str:
        return " ".join(rng.choices(words, cum_weights=weights, k=count))

    return Entry(
        id=f"bench:{number}",
        title=some(rng.randint(6, 14)),
        abstract=". ".join(some(rng.randint(12, 28)) for _ in range(rng.randint(6, 10))),
        categories=(rng.choice(_CATEGORIES),),
        upvotes=int(rng.paretovariate(0.8)) % 500,
    )


def _rule(rng: random.Random, papers: list[Entry], words: list[str], weights: list[float]) -> str:
    def word() -> str:
        return rng.choices(words, cum_weights=weights)[0]

    def phrase() -> str:
        read = rng.choice(papers).abstract.replace(".", "").split()
        start, size = rng.randrange(len(read) - 3), rng.choice((2, 2, 3))
        return f'"{" ".join(read[start : start + size])}"'

    draw = rng.random()
    if draw < 0.40:
        return word()
    if draw < 0.65:
        return phrase()
    if draw < 0.85:
        several = [rng.choice((word, word, phrase))() for _ in range(rng.choice((2, 2, 3)))]
        return rng.choice((" ", " OR ")).join(several)
    if draw < 0.95:
        return f"{word()} -{word()}"
    return rng.choice(
        (
            f"title:{word()}",
            f"{word()} category:{rng.choice(_CATEGORIES)}",
            f"{word()} upvotes>={rng.choice((5, 20, 50))}",
        )
    )


class Peer:
    """FTS5 over our own terms, so that both see the same tokens; columns for what is no text."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.db = sqlite3.connect(":memory:")
        self.db.execute("create virtual table text using fts5(title, abstract, tokenize = 'unicode61', detail = full)")
        self.db.execute("create table entry (id integer primary key, category text, upvotes integer)")
        self.db.executemany(
            "insert into text (rowid, title, abstract) values (?, ?, ?)",
            [(i, _terms(each.title), _terms(each.abstract)) for i, each in enumerate(entries)],
        )
        self.db.executemany(
            "insert into entry values (?, ?, ?)",
            [(i, each.categories[0].casefold(), each.upvotes) for i, each in enumerate(entries)],
        )

    def hits(self, query: Query) -> list[int]:
        text, where, values = _sql(query)
        sql = "select text.rowid from text join entry on entry.id = text.rowid where text match ?" if where else ""
        sql = sql or "select rowid from text where text match ?"
        return [row[0] for row in self.db.execute(sql + where, (text, *values))]


def _terms(text: str) -> str:
    return " ".join(piece.atom.term for run in raw_runs(text) for piece in pieces_of(run))


def _sql(query: Query) -> tuple[str, str, list[object]]:
    if not isinstance(query, And):
        return _match(query), "", []
    texts = [each for each in query.children if not isinstance(each, Label | Compare)]
    where, values = "", list[object]()
    for each in query.children:
        if isinstance(each, Label):
            where, values = where + " and category = ?", [*values, each.value]
        elif isinstance(each, Compare):
            where, values = where + f" and upvotes {each.op} ?", [*values, each.value]
    excluded = [each.query for each in texts if isinstance(each, Not)]
    text = " AND ".join(_match(each) for each in texts if not isinstance(each, Not))
    return " NOT ".join([f"({text})", *(f"({_match(each)})" for each in excluded)]), where, values


def _match(query: Query) -> str:
    match query:
        case Or(children=children):
            return " OR ".join(f"({_match(child)})" for child in children)
        case Text(field=field):
            phrase = " ".join(part.atom.term for part in parts_of(query))
            return f'{{{field}}} : "{phrase}"' if field else f'"{phrase}"'
        case _:
            raise ValueError(f"no such rule in the workload: {query}")


def timed(label: str, work: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    print(f"  {label:<58} {seconds * 1_000:9.1f} ms")
    return result, seconds


def best_of(label: str, times: int, work: Callable[[], T]) -> tuple[T, float]:
    measured = []
    for _ in range(times):
        start = time.perf_counter()
        result = work()
        measured.append(time.perf_counter() - start)
    print(f"  {label:<58} {min(measured) * 1_000:9.1f} ms")
    return result, min(measured)


def floor(entries: Sequence[Entry], known: dict[str, int]) -> int:
    """Tokenise and look each token up: no matcher can do with less."""
    look_up, find = known.get, re.compile(r"\w+").findall
    return sum(len(list(map(look_up, find(f"{each.title} {each.abstract}".lower())))) for each in entries)


def run(rules: int, entries: int, seed: int) -> float:
    made = workload(entries, rules, seed)
    print(f"{entries:,} entries, {rules:,} rules of {rules // RULES_PER_SUBSCRIBER:,} subscribers (seed {seed})")
    queries, _ = timed("parse every rule text", lambda: [parse(rule) for rule in made.rules])
    compiled, _ = timed("compile", lambda: compile_rules(queries))
    known = dict.fromkeys((word for each in made.entries for word in each.abstract.split()), 0)
    _, floor_time = best_of("floor: tokenise and look up", 3, lambda: floor(made.entries, known))
    timed("index, first time (dictionary and lemmas)", lambda: Index(made.entries, now=NOW))
    _, index_time = best_of("index, words known", 3, lambda: Index(made.entries, now=NOW))
    rows, match_time = best_of(
        f"match {len(compiled.queries):,} distinct rules, window fresh",
        3,
        lambda: match(Index(made.entries, now=NOW), compiled),
    )
    match_time = max(match_time - index_time, 0)
    edges = np.arange(0, rules + 1, RULES_PER_SUBSCRIBER)
    include = Groups(edges.astype(np.int64), compiled.of[: edges[-1]])
    mute = Groups(np.zeros(len(edges), np.int64), np.zeros(0, np.int32))
    _, fan_time = best_of(f"fan out to the {BEST} best of each", 3, lambda: select(rows, include, mute, limit=BEST))
    one = Index(made.entries[:1], now=NOW)
    best_of("one entry against all rules", 3, lambda: match(one, compiled))
    ours = index_time + match_time + fan_time
    print(f"  {'ours: index, match, fan out':<58} {ours * 1_000:9.1f} ms  ({ours / floor_time:.1f} x floor)")
    peer, insert_time = best_of("FTS5: insert", 3, lambda: Peer(made.entries))
    found, peer_time = best_of("FTS5: each distinct rule", 3, lambda: [peer.hits(query) for query in compiled.queries])
    _demand_equal(rows, found, compiled.queries)
    # Both from entries to hits; the second ratio leaves out making the index on either side.
    ratio, without = (insert_time + peer_time) / ours, peer_time / (match_time + fan_time)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  same hits ({sum(map(len, found)):,}); FTS5 / ours = {ratio:.1f} (goal {GOAL:.0f})")
    print(f"  the same without indexing on either side: {without:.1f}")
    print(f"  peak memory, both together: {peak:,.0f} MB")
    return ratio


def _demand_equal(rows: np.ndarray, found: Sequence[Sequence[int]], queries: Sequence[Query]) -> None:
    bits = np.unpackbits(rows.view(np.uint8), axis=1, bitorder="little")
    for query, row, hits in zip(queries, bits, found, strict=True):
        ours = np.flatnonzero(row).tolist()
        assert ours == sorted(hits), f"{query}: {set(ours) ^ set(hits)}"


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    return 0 if run(options.rules, options.entries, options.seed) >= GOAL or options.rules < 100_000 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
