"""Search: an archive of 100,000 entries, asked in the rule language; against matching all of it.

python -m tests.bench.bench_search [--entries N] [--seed S]

Prints what the search table costs to write, milliseconds a query, and the ratio to the matcher over every entry.
Fails where the two do not find the same, or where a common word takes longer than the goal.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from notifier.matching import Index, evaluate, parse, positions
from notifier.model import Entry
from notifier.search import Found, search
from notifier.store import SqliteStore
from notifier.store.terms import TermRows
from tests.bench.bench_matching import NOW, best_of, show
from tests.bench.workload import workload
from tests.builders import sighted

LIMIT = 20
GOAL = 0.1
"""Seconds for a common query over 100,000 entries."""
_BATCH = 1_000
_AUTHORS = ("Ada Lovelace", "Yoshua Bengio", "Grace Hopper", "Alan Turing", "Emmy Noether", "Kurt Gödel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    name: str
    query: str
    common: bool = False


def archive(count: int, seed: int) -> list[Entry]:
    """Generated papers, a second apart, some with glued, joined and parted compounds; newest first."""
    rng = random.Random(seed)
    made = workload(count, 10, seed).entries
    return [_aged(rng, number, each) for number, each in enumerate(made)]


def _aged(rng: random.Random, number: int, entry: Entry) -> Entry:
    compound = rng.choices(("", "fine-tuning", "finetuned", "fine tuning"), (90, 5, 2, 3))[0]
    acronym = rng.choices(("", "RLHF", "rlhf"), (90, 5, 5))[0]
    return replace(
        entry,
        abstract=f"{entry.abstract} {compound} {acronym}",
        authors=tuple(rng.sample(_AUTHORS, 2)) if rng.random() < 0.02 else ("Someone Else",),
        published_at=NOW - timedelta(seconds=number),
        first_seen_at=NOW - timedelta(seconds=number),
    )


def questions(entries: Sequence[Entry]) -> list[Asked]:
    """From the words of the archive itself, by how many of its papers have them."""
    papers = dict[str, int]()
    for entry in entries[:2_000]:
        for word in {each for each in entry.abstract.replace(".", "").split() if each.isalpha() and len(each) > 3}:
            papers[word] = papers.get(word, 0) + 1
    ranked = sorted(papers, key=lambda word: (-papers[word], word))
    common, other, third = ranked[2], ranked[5], ranked[8]
    mid, rare = ranked[len(ranked) // 20], ranked[-1]
    first = next(e.abstract.replace(".", "").split() for e in entries if common in e.abstract.split())
    at = first.index(common)
    phrase = " ".join(first[max(0, at - 1) : max(0, at - 1) + 2])
    return [
        Asked(name="a common word", query=common, common=True),
        Asked(name="a word of every 20th rank", query=mid, common=True),
        Asked(name="a rare word", query=rare),
        Asked(name="a word nobody has", query="unheardofword"),
        Asked(name="a phrase", query=f'"{phrase}"', common=True),
        Asked(name="two words near", query=f'"{common} {other}"~5'),
        Asked(name="AND of two common words", query=f"{common} {other}", common=True),
        Asked(name="OR of three", query=f"{common} OR {mid} OR {third}", common=True),
        Asked(name="NOT", query=f"{common} -{other}", common=True),
        Asked(name="NOT alone", query=f"-{common}"),
        Asked(name="a beginning", query=f"{mid[:4]}*"),
        Asked(name="a beginning of two letters", query=f"{common[:2]}*"),
        Asked(name="an author", query='author:"Y. Bengio"', common=True),
        Asked(name="a compound", query="finetuning", common=True),
        Asked(name="its two words", query="fine tuning", common=True),
        Asked(name="in the title", query=f"title:{common}", common=True),
        Asked(name="a category", query=f"category:cs.LG {mid}", common=True),
        Asked(name="votes", query=f"{common} upvotes>=50"),
        Asked(name="an acronym, exactly so", query="=RLHF", common=True),
        Asked(name="a regular expression", query=f"/{rare[:-1]}./"),
        Asked(name="*", query="*", common=True),
    ]


@contextmanager
def opened(folder: Path, name: str) -> Iterator[SqliteStore]:
    store = SqliteStore(folder / name)
    try:
        yield store
    finally:
        store.close()


def fill(store: SqliteStore, entries: Sequence[Entry]) -> None:
    for start in range(0, len(entries), _BATCH):
        with store.write():
            store.entries.put([sighted(each, at=NOW) for each in entries[start : start + _BATCH]], now=NOW)


def indexed(entries: Sequence[Entry]) -> list[Index]:
    """In windows of a usual size."""
    return [Index(entries[start : start + _BATCH], now=NOW) for start in range(0, len(entries), _BATCH)]


def unnarrowed(windows: Iterable[Index], query: str) -> list[str]:
    """The ids of all matches in the order given, without the store."""
    parsed, ids = parse(query), list[str]()
    for window in windows:
        ids += [window.entries[place].id for place in positions(evaluate(window, [parsed])[0])]
    return ids


def ask(store: SqliteStore, asked: Asked) -> Found:
    return search(store, {}, asked.query, limit=LIMIT, now=NOW)


def demand_equal(found: Found, ids: Sequence[str]) -> None:
    """What was found is what the matcher finds in the whole, and its total is right or admits that it is less."""
    if found.gave_up_at is None:
        assert [hit.entry.id for hit in found.hits] == list(ids[:LIMIT])
    assert found.matched == len(ids) if found.exact else found.matched <= len(ids)


class _WithoutTerms(TermRows):
    """A store as it would be without the search table, to know what that costs."""

    def documents(self, ids: object) -> dict[str, tuple[int, tuple[str, ...]]]:
        return {}


def _writing(folder: Path, entries: Sequence[Entry]) -> None:
    """Words are known by now: this is about writing, not about the dictionary."""
    took = {}
    for name in ("without", "with"):
        with opened(folder, f"{name}.db") as store:
            if name == "without":
                store.entries._terms = _WithoutTerms(store._db.conn)
            begun = time.perf_counter()
            fill(store, entries)
            took[name] = time.perf_counter() - begun
        with sqlite3.connect(folder / f"{name}.db") as conn:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = (folder / f"{name}.db").stat().st_size / 1e6
        print(f"  written {name:<8} the search table: {took[name]:6.1f} s, {size:6.0f} MB")
    print(f"  with / without = {took['with'] / took['without']:.2f}")


def run(count: int, seed: int) -> bool:
    entries = archive(count, seed)
    print(f"{count:,} entries (seed {seed}); the newest {LIMIT} matches with their evidence, and how many there are")
    windows, first = best_of(1, lambda: indexed(entries))
    show("without narrowing: index every entry, words not known yet", first)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _writing(folder, entries)
        with opened(folder, "with.db") as store:
            return _asking(store, entries, windows)


def _asking(store: SqliteStore, entries: Sequence[Entry], windows: Sequence[Index]) -> bool:
    _, indexing = best_of(1, lambda: indexed(entries))
    show("without narrowing: index every entry, words known", indexing)
    slow = []
    for asked in questions(entries):
        begun = time.perf_counter()
        ids = unnarrowed(windows, asked.query)
        matching = time.perf_counter() - begun
        found, seconds = best_of(3, lambda asked=asked: ask(store, asked))
        show(f"{asked.name} ({asked.query})", seconds)
        demand_equal(found, ids)
        total = f"{found.matched:,}{'' if found.exact else ' or more'} of {len(ids):,}"
        print(f"    {total}; unnarrowed / narrowed = {(indexing + matching) / seconds:,.0f}")
        if asked.common and seconds > GOAL:
            slow.append(asked.name)
    print(f"  over the goal of {GOAL * 1_000:.0f} ms: {', '.join(slow) or 'none of the common ones'}")
    return not slow


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    return 0 if run(options.entries, options.seed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
