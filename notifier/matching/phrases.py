"""The plain leaves, words and phrases, as a tree that a window is walked along, all of its positions at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from notifier.matching.hashing import Hashes, Table, hashes_of
from notifier.matching.index import SEARCHED
from notifier.matching.normalize import PRIME, Atom, atom
from notifier.matching.query import Text
from notifier.matching.sequence import MOST_JOINED, joined_term, parts_of

Context: TypeAlias = tuple[Atom | None, Atom | None]
Ints: TypeAlias = NDArray[np.int32]

_SEARCHES = tuple(SEARCHED)
_JOINT = "\x1f"


@dataclass(frozen=True, slots=True)
class Packed(Sequence[str]):
    """Many short texts without NUL in one, because each Python string costs fifty bytes more than its letters."""

    body: bytes
    """UTF-8, a NUL behind each."""
    bounds: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Packed:
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        bounds = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(each) + 1 for each in encoded], out=bounds[1:])
        return cls(b"\0".join([*encoded, b""]), bounds)

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, place: int) -> str:  # type: ignore[override]
        start, stop = self.bounds[place : place + 2].tolist()
        return self.body[start : stop - 1].decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        return iter(self.body.decode("utf-8", "surrogatepass").split("\0")[:-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of the tree of phrases: ``table`` leads from ``node above << 32 | term`` to a node here.

    ``ends[search][node]`` is the leaf that ends here for one way of searching (a place in ``SEARCHED``), or -1;
    ``goes_on[node]`` says whether a longer phrase begins so.
    """

    table: Table
    ends: dict[int, Ints]
    goes_on: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The plain leaves of a set of queries; numbers are those of leaves."""

    terms: dict[str, int]
    levels: tuple[Level, ...]
    same: Ints
    """Pairs of leaves (n, 2): the second is found wherever the first is, but joins otherwise (model, models)."""
    solid: Hashes
    """Terms that a window's atoms may join to."""
    merged: Hashes
    """Leaves with two or three parts that a window may have as one word."""
    leaves_of_term: tuple[Ints, Ints]
    """Those of term t are ``[1][[0][t]:[0][t + 1]]``."""
    specs: Packed
    """Field and parts of each plain leaf, see ``text_of``."""
    place_of: Ints
    """The place of a leaf in ``specs``, or -1."""

    contexts: dict[tuple[int, str], tuple[Context, ...]] = field(default_factory=dict, repr=False, compare=False)
    """What ``contexts_of`` found, kept: the same few words join in every window."""

    def contexts_of(self, leaf: int, term: str) -> tuple[Context, ...]:
        """Where in a leaf stands what ``term`` may stand for: what comes before it and after it there."""
        key = (leaf, term)
        if key not in self.contexts:
            atoms = [part.atom for part in parts_of(self.text_of(leaf))]
            sizes = range(1, min(MOST_JOINED, len(atoms)) + 1)
            self.contexts[key] = tuple(
                (atoms[start - 1] if start else None, atoms[start + size] if start + size < len(atoms) else None)
                for size in sizes
                for start in range(len(atoms) - size + 1)
                if joined_term(atoms[start : start + size]) == term
            )
        return self.contexts[key]

    def text_of(self, leaf: int) -> Text:
        field, *parts = self.specs[int(self.place_of[leaf])].split(_JOINT)
        return Text(field=field, parts=tuple(parts))

    def leaves_with(self, term: int) -> list[int]:
        starts, members = self.leaves_of_term
        found: list[int] = members[starts[term] : starts[term + 1]].tolist()
        return found


class PhraseTree:
    """Phrases by their terms; phrases with the same beginning share nodes."""

    def __init__(self) -> None:
        self.size = 0
        self._terms: dict[str, int] = {}
        self._hashes: list[tuple[int, int]] = []
        self._nodes: list[dict[int, int]] = []
        self._ends: list[dict[tuple[int, int], int]] = []
        self._same: list[tuple[int, int]] = []
        self._merged: list[tuple[int, int]] = []
        self._used: list[tuple[int, int]] = []
        self._specs: list[str] = []
        self._numbers: list[int] = []

    def add(self, leaf: Text, number: int) -> None:
        self.size += 1
        self._specs.append(_JOINT.join((leaf.field, *leaf.parts)))
        self._numbers.append(number)
        atoms = [atom(part[1:] if part[0] == "-" else part) for part in leaf.parts]
        node = depth = 0
        for depth, each in enumerate(atoms):
            term = self._terms.get(each.term)
            if term is None:
                term = self._terms[each.term] = len(self._terms) + 1
                self._hashes.append((each.hashes[2], term))
            self._used.append((term, number))
            if depth == len(self._nodes):
                self._nodes.append({})
                self._ends.append({})
            level = self._nodes[depth]
            node = level.setdefault(node << 32 | term, len(level))
        for size in range(2, min(MOST_JOINED, len(atoms)) + 1):
            for start in range(len(atoms) - size + 1):
                self._merged.append((joined_hash(atoms[start : start + size]), number))
        owner = self._ends[depth].setdefault((_SEARCHES.index(leaf.field), node), number)
        if owner != number:
            self._same.append((owner, number))

    def words(self, leaves: int) -> Words:
        place_of = np.full(leaves, -1, np.int32)
        place_of[np.array(self._numbers, np.int64)] = np.arange(self.size)
        used = np.unique(np.array(self._used, np.int64).reshape(-1, 2), axis=0) if self._used else np.zeros((0, 2))
        starts = np.searchsorted(used[:, 0], np.arange(len(self._terms) + 2)).astype(np.int32)
        return Words(
            terms=self._terms,
            levels=tuple(self._levels()),
            same=np.array(self._same, np.int32).reshape(-1, 2),
            solid=hashes_of(self._hashes),
            merged=hashes_of(self._merged),
            leaves_of_term=(starts, used[:, 1].astype(np.int32)),
            specs=Packed.of(self._specs),
            place_of=place_of,
        )

    def _levels(self) -> Iterator[Level]:
        for depth, (nodes, ends) in enumerate(zip(self._nodes, self._ends, strict=True)):
            keys = np.fromiter(nodes, np.int64, len(nodes))
            goes_on = np.zeros(len(keys), bool)
            if depth + 1 < len(self._nodes):
                below = self._nodes[depth + 1]
                goes_on[np.fromiter(below, np.int64, len(below)) >> 32] = True
            by_search: dict[int, Ints] = {}
            for (search, node), leaf in ends.items():
                if search not in by_search:
                    by_search[search] = np.full(len(keys), -1, np.int32)
                by_search[search][node] = leaf
            yield Level(table=Table.of(keys), ends=by_search, goes_on=goes_on)


def joined_hash(atoms: Sequence[Atom]) -> int:
    """``text_hash(joined_term(atoms))``, from the hashes of the atoms."""
    found = 0
    for each in atoms[:-1]:
        found = (found * _power(each.hashes[1]) + each.hashes[0]) % PRIME
    last = atoms[-1].hashes
    return (found * _power(last[3]) + last[2]) % PRIME


@cache
def _power(width: int) -> int:
    return pow(256, width, PRIME)
