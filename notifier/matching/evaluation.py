"""All rules against all entries: bitsets over the window, a block of rules at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from notifier.matching.compiled import Compiled, Group, compile_rules
from notifier.matching.index import SEARCHED, Index, Row
from notifier.matching.query import And, Leaf, Not, Or, Query, Topic, leaves
from notifier.matching.sequence import compounds, find, joined_term, may_follow, may_join, may_precede, siblings

_BLOCK = 8_192
"""Rules worked on at once: with a thousand entries a block is 1 MB and stays in the processor's cache."""


def evaluate(index: Index, queries: Sequence[Query]) -> NDArray[np.uint64]:
    """One bitset row over ``index.entries`` for each query: shape (len(queries), index.words)."""
    compiled = compile_rules(queries)
    return match(index, compiled)[compiled.of]


def positions(row: Row) -> list[int]:
    """The places of the entries that one row holds."""
    bits = np.unpackbits(np.ascontiguousarray(row, "<u8").view(np.uint8), bitorder="little")
    found: list[int] = np.flatnonzero(bits).tolist()
    return found


def match(index: Index, compiled: Compiled) -> NDArray[np.uint64]:
    """A bitset row for everything in ``compiled``, shape (compiled.rows, index.words); ``compiled.of`` names those
    of the queries."""
    return _Evaluation(index, compiled).rows


class _Evaluation:
    def __init__(self, index: Index, compiled: Compiled) -> None:
        self.index, self.compiled = index, compiled
        self.rows = np.zeros((compiled.rows, index.words), np.uint64)
        self.full = index.bits(range(len(index.entries)))
        if index.words:
            self._fill_leaves()
            self._fill_complements()
            self._fill_groups()
            self._fill_odd()

    def _fill_leaves(self) -> None:
        for number, leaf in self.compiled.singular:
            self.rows[number] = self.index.row(leaf)
        if self.compiled.words.levels:
            self._add_words()
            self._add_joined()
            self._add_merged()

    def _fill_complements(self) -> None:
        first = self.compiled.leaves
        self.rows[first : first + len(self.compiled.complements)] = ~self.rows[self.compiled.complements] & self.full

    def _fill_groups(self) -> None:
        literals = self.rows[: self.compiled.leaves + len(self.compiled.complements)]
        spare = np.empty((2, _BLOCK, self.index.words), np.uint64)
        for group in self.compiled.groups:
            for start in range(0, len(group.literals), _BLOCK):
                numbers = group.literals[start : start + _BLOCK]
                out = self.rows[group.first + start : group.first + start + len(numbers)]
                _conjoin(literals, group, numbers, out, spare[:, : len(numbers)])
                if group.flipped:
                    np.bitwise_not(out, out=out)
                    out &= self.full

    def _fill_odd(self) -> None:
        """Those without a shape, and those with two words in one AND that this window has as one."""
        compiled = self.compiled
        joined = {place for _, place in compiled.paired.hits(self.index.term_hashes)}
        places = sorted({*compiled.odd.tolist(), *joined})
        if places:
            trees = _Trees(self.index, [compiled.queries[place] for place in places], self.full)
            for place, query in zip(places, trees.queries, strict=True):
                self.rows[compiled.of[place]] = trees.row(query)

    def _add_words(self) -> None:
        """The rows of all words and phrases, by walking down the tree of phrases at all positions at once."""
        index, words = self.index, self.compiled.words
        terms = np.concatenate([index.numbered(words.terms), np.zeros(len(words.levels), np.int64)])
        positions = np.flatnonzero(terms)
        nodes = np.zeros(len(positions), np.int64)
        for depth, level in enumerate(words.levels):
            wanted = nodes << 32 | terms[positions + depth]
            if depth:
                # No term is numbered 0, and most phrases end before the text does.
                going = np.flatnonzero(terms[positions + depth])
                positions, wanted = positions[going], wanted[going]
            found, places = level.table.find(wanted)
            positions, nodes = positions[found], places.astype(np.int64)
            for search, ends in level.ends.items():
                self._set(ends[nodes], positions, search)
            going = np.flatnonzero(level.goes_on[nodes])
            positions, nodes = positions[going], nodes[going]
        self.rows[words.same[:, 1]] = self.rows[words.same[:, 0]]

    def _set(self, leaves: NDArray[np.int32], positions: NDArray[np.int64], search: int) -> None:
        wanted = np.flatnonzero((leaves >= 0) & self.index.within(search)[positions])
        entries = self.index.entry_of[positions[wanted]]
        cells = leaves[wanted].astype(np.int64) * self.index.words + (entries >> 6)
        np.bitwise_or.at(self.rows.reshape(-1), cells, _BITS[entries & 63])

    def _mark(self, leaf: int, entry: int) -> None:
        self.rows[leaf, entry >> 6] |= _BITS[entry & 63]

    def _is_marked(self, leaf: int, entry: int) -> bool:
        return bool(int(self.rows[leaf, entry >> 6]) >> (entry & 63) & 1)

    def _add_joined(self) -> None:
        """Leaves with a word that the window has in two or three atoms: finetuning in "fine-tuning"."""
        words = self.compiled.words
        names = list(words.terms)
        for size, positions, hashes in self.index.joined:
            for place, term in words.solid.hits(hashes):
                position = int(positions[place])
                atoms, glued = self.index.piece(position, position + size)
                if joined_term(atoms) == names[term - 1] and may_join(atoms, all(glued[1:]), ""):
                    self._look_at(position, size, names[term - 1], words.leaves_with(term))

    def _add_merged(self) -> None:
        """Leaves with two or three parts that the window has as one word: "fine tuning" in "finetuning"."""
        asking: dict[int, list[int]] = defaultdict(list)
        for place, leaf in self.compiled.words.merged.hits(self.index.term_hashes):
            asking[int(self.index.used[place])].append(leaf)
        asked = np.zeros(self.index.surfaces.max(initial=0) + 1, bool)
        asked[list(asking)] = True
        for position in np.flatnonzero(asked[self.index.surfaces]).tolist():
            surface = int(self.index.surfaces[position])
            self._look_at(position, 1, self.index.term(surface), asking[surface])

    def _look_at(self, position: int, size: int, term: str, leaves: Sequence[int]) -> None:
        """Mark the entry for those of ``leaves`` that stand there, where ``size`` atoms are taken for ``term``."""
        index, words = self.index, self.compiled.words
        entry, code = int(index.entry_of[position]), int(index.field_of[position])
        before, after = index.atom_at(position - 1), index.atom_at(position + size)
        for leaf in leaves:
            if not any(may_precede(a, before) and may_follow(b, after) for a, b in words.contexts_of(leaf, term)):
                continue
            text = words.text_of(leaf)
            if code not in SEARCHED[text.field] or self._is_marked(leaf, entry):
                continue
            if find(text, *index.around(position, 3 * len(text.parts))):
                self._mark(leaf, entry)


_BITS = np.uint64(1) << np.arange(64, dtype=np.uint64)


class _Trees:
    """The few queries that are evaluated one by one, AND for AND."""

    def __init__(self, index: Index, queries: Sequence[Query], full: Row) -> None:
        self.queries = queries
        self._index, self._full = index, full
        distinct = list(dict.fromkeys(leaf for query in queries for leaf in leaves(query)))
        self._rows: dict[Leaf, Row] = dict(zip(distinct, evaluate(index, distinct), strict=True))

    def row(self, query: Query) -> Row:
        match query:
            case Topic(query=inner):
                return self.row(inner)
            case Not(query=inner):
                return ~self.row(inner) & self._full
            case And(children=children):
                rows = {child: self.row(child) for child in children}
                self._widen(rows)
                return _reduced(np.bitwise_and, rows.values())
            case Or(children=children):
                return _reduced(np.bitwise_or, map(self.row, children))
            case leaf:
                return self._rows[leaf]

    def _widen(self, rows: dict[Query, Row]) -> None:
        """``fine tuning`` as two words of one AND also holds where they stand as one."""
        for left, right, term, pair in compounds(siblings(list(rows))):
            numbers = [n for n in self._index.surfaces_of(term) if may_join(pair, False, self._index.folded(n))]
            if numbers:
                row = self._index.bits(self._index.entries_at(numbers, left.field))
                rows[left] = rows[left] | row
                rows[right] = rows[right] | row


def _conjoin(literals: Row, group: Group, numbers: NDArray[np.int32], out: Row, spare: Row) -> None:
    """Write the rows of one block of a group, flipped or not, into ``out``."""
    column = 0
    for width in group.widths:
        clause = spare[0] if column else out
        # Numbers are in range; without "clip" numpy would copy the whole result once more to be safe.
        np.take(literals, numbers[:, column], axis=0, out=clause, mode="clip")
        for other in range(column + 1, column + width):
            np.take(literals, numbers[:, other], axis=0, out=spare[1], mode="clip")
            np.bitwise_or(clause, spare[1], out=clause)
        if column:
            np.bitwise_and(out, clause, out=out)
        column += width


def _reduced(operation: Callable[..., Row], rows: Iterable[Row]) -> Row:
    first, *others = rows
    for row in others:
        first = operation(first, row)
    return first
