"""From rows of rules to the entries of each subscription, a block of subscriptions at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
Ints = NDArray[np.int64]

_CELLS = 1 << 18
"""Words of a block (2 MB): memory stays flat however many subscriptions there are."""


@dataclass(frozen=True, slots=True)
class Groups:
    """A list of numbers for each subscription: those of s are ``members[indptr[s]:indptr[s + 1]]``."""

    indptr: NDArray[np.int64]
    members: NDArray[np.int32]

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> Groups:
        indptr = np.zeros(len(lists) + 1, np.int64)
        np.cumsum([len(each) for each in lists], out=indptr[1:])
        return cls(indptr, np.fromiter(chain.from_iterable(lists), np.int32, count=int(indptr[-1])))

    def __len__(self) -> int:
        return len(self.indptr) - 1


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen entry positions of subscription s, best first, are ``members[indptr[s]:indptr[s + 1]]``.

    ``counts[s]`` is how many there are without the limit.
    """

    indptr: NDArray[np.int64]
    members: NDArray[np.int32]
    counts: NDArray[np.int64]


def select(
    rows: Bits,
    include: Groups,
    mute: Groups,
    *,
    seen: Groups | None = None,
    windows: Bits | None = None,
    window_of: NDArray[np.int32] | None = None,
    limit: int | None = None,
) -> Selection:
    """The entries of each subscription: any of its include rows, none of its mute rows, in its window, not seen.

    ``rows`` (R, W) are bitsets over entries in rank order; ``include`` and ``mute`` name rows, ``seen`` entry
    positions; ``windows[window_of[s]]`` (W) is the window of subscription s. Without an include rule a
    subscription gets nothing. ``limit`` keeps the first so many of each.
    """
    size, words = len(include), rows.shape[1]
    step = max(1, _CELLS // max(1, words))
    chosen: list[NDArray[np.int32]] = []
    counts, kept = np.zeros(size, np.int64), np.zeros(size, np.int64)
    for start in range(0, size if words else 0, step):
        stop = min(size, start + step)
        block = _united(rows, include, start, stop)
        if mute.indptr[start] != mute.indptr[stop]:
            block &= ~_united(rows, mute, start, stop)
        if windows is not None and window_of is not None:
            block &= windows[window_of[start:stop]]
        if seen is not None:
            _clear(block, seen, start, stop)
        members, counts[start:stop], kept[start:stop] = _first_bits(block, limit)
        chosen.append(members)
    indptr = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    return Selection(indptr, np.concatenate(chosen) if chosen else np.zeros(0, np.int32), counts)


def _united(rows: Bits, groups: Groups, start: int, stop: int) -> Bits:
    """For each subscription of the block the union of its rows; none give an empty one."""
    firsts, counts = groups.indptr[start:stop], np.diff(groups.indptr[start : stop + 1])
    united = np.zeros((stop - start, rows.shape[1]), np.uint64)
    spare = np.empty_like(united)
    for place in range(int(counts.max(initial=0))):
        having = np.flatnonzero(counts > place)
        members = groups.members[firsts[having] + place]
        # Numbers are in range; without "clip" numpy would copy the whole result once more to be safe.
        np.take(rows, members, axis=0, out=spare[: len(members)], mode="clip")
        if len(having) == len(united):
            np.bitwise_or(united, spare, out=united)
        else:
            united[having] |= spare[: len(members)]
    return united


def _clear(block: Bits, seen: Groups, start: int, stop: int) -> None:
    bounds = seen.indptr[start : stop + 1]
    positions = seen.members[bounds[0] : bounds[-1]].astype(np.int64)
    cells = np.repeat(np.arange(stop - start), np.diff(bounds)) * block.shape[1] + (positions >> 6)
    bits = np.uint64(1) << (positions & 63).astype(np.uint64)
    np.bitwise_and.at(block.reshape(-1), cells, ~bits)


def _first_bits(block: Bits, limit: int | None) -> tuple[NDArray[np.int32], Ints, Ints]:
    """The positions of each row's first ``limit`` set bits, row after row; all its bits; how many were taken."""
    sizes = np.bitwise_count(block).astype(np.int64)
    before = np.cumsum(sizes, axis=1) - sizes
    counts = sizes.sum(axis=1)
    most = int(counts.max(initial=0)) if limit is None else limit
    kept = np.minimum(counts, most)
    targets = (np.cumsum(kept) - kept)[:, None] + before
    cells = np.flatnonzero((block != 0) & (before < most))
    rest, target = block.reshape(-1)[cells], targets.reshape(-1)[cells]
    room = most - before.reshape(-1)[cells]
    base = (cells % block.shape[1]) << 6
    members = np.empty(int(kept.sum()), np.int32)
    while len(rest):
        lowest = rest & (~rest + np.uint64(1))
        members[target] = base + np.bitwise_count(lowest - np.uint64(1))
        rest, target, room = rest ^ lowest, target + 1, room - 1
        going = np.flatnonzero((rest != 0) & (room > 0))
        rest, target, room, base = rest[going], target[going], room[going], base[going]
    return members, counts, kept
