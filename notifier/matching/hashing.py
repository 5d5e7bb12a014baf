"""Look-ups of many numbers at once, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# An odd constant near 2^64 / golden ratio spreads what is multiplied by it over the upper bits (Knuth, TAOCP 6.4).
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Table:
    """An open hash table from different keys (not negative) to their places; -1 marks an empty slot."""

    keys: NDArray[np.int64]
    places: NDArray[np.int32]

    @classmethod
    def of(cls, keys: NDArray[np.int64]) -> Table:
        bits = max(4, int(3 * len(keys)).bit_length())
        table = cls(np.full(1 << bits, -1, np.int64), np.zeros(1 << bits, np.int32))
        rest, slots = np.arange(len(keys)), table._slots(keys)
        while len(rest):
            free = table.keys[slots] == -1
            table.keys[slots[free]] = keys[rest[free]]
            placed = table.keys[slots] == keys[rest]
            table.places[slots[placed]] = rest[placed]
            rest, slots = rest[~placed], (slots[~placed] + 1) & (len(table.keys) - 1)
        return table

    def find(self, wanted: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Which of ``wanted`` are keys (their places there, rising), and the places of these keys."""
        slots = self._slots(wanted)
        there = self.keys[slots]
        slot_of = np.where(there == wanted, slots, -1)
        rest = np.flatnonzero((there != wanted) & (there != -1))
        slots = slots[rest]
        while len(rest):
            slots = (slots + 1) & (len(self.keys) - 1)
            there = self.keys[slots]
            hit = there == wanted[rest]
            slot_of[rest[hit]] = slots[hit]
            going = ~hit & (there != -1)
            rest, slots = rest[going], slots[going]
        found = np.flatnonzero(slot_of >= 0)
        return found, self.places[slot_of[found]]

    def _slots(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        return _spread(keys.view(np.uint64), len(self.keys).bit_length() - 1)


def _spread(keys: NDArray[np.uint64], bits: int) -> NDArray[np.int64]:
    return ((keys * _SPREAD) >> np.uint64(64 - bits)).view(np.int64)


@dataclass(frozen=True, slots=True)
class Hashes:
    """Sorted hashes of joined words, each with what asks for it (a leaf, a query, a term).

    ``flags`` says no to nearly every hash that is not there, cheaper than a search.
    """

    hashes: NDArray[np.uint64]
    owners: NDArray[np.int32]
    flags: NDArray[np.bool_]

    def hits(self, hashes: NDArray[np.uint64]) -> list[tuple[int, int]]:
        """Pairs of a place in ``hashes`` and an owner that asks for what is there."""
        if not len(self.hashes):
            return []
        maybe = np.flatnonzero(self.flags[_spread(hashes, _bits(self.flags))])
        first = np.searchsorted(self.hashes, hashes[maybe], "left")
        counts = np.searchsorted(self.hashes, hashes[maybe], "right") - first
        ends = np.cumsum(counts)
        inside = np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - ends + counts, counts)
        places = np.repeat(maybe, counts)
        return list(zip(places.tolist(), self.owners[inside].tolist(), strict=True))


def _bits(flags: NDArray[np.bool_]) -> int:
    return len(flags).bit_length() - 1


def hashes_of(pairs: Sequence[tuple[int, int]]) -> Hashes:
    """From pairs of a hash and its owner."""
    array = np.array(pairs, np.int64).reshape(-1, 2)
    array = array[np.argsort(array[:, 0], kind="stable")]
    return with_flags(array[:, 0].astype(np.uint64), array[:, 1].astype(np.int32))


def with_flags(hashes: NDArray[np.uint64], owners: NDArray[np.int32]) -> Hashes:
    flags = np.zeros(1 << min(21, max(6, (8 * len(hashes)).bit_length())), bool)
    flags[_spread(hashes, _bits(flags))] = True
    return Hashes(hashes, owners, flags)
