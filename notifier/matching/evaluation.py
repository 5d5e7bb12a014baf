"""All rules against all entries: bitsets over the window, a block of rules at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from notifier.matching.compiled import Compiled, Group, Hashes, compile_rules
from notifier.matching.index import SEARCHED, Index, Row
from notifier.matching.query import And, Not, Or, Query, Text, Topic
from notifier.matching.sequence import compounds, find, joined_term, may_join, siblings

_BLOCK = 8_192
"""Rules worked on at once: with a thousand entries a block is 1 MB and stays in the processor's cache."""
_FILTER_BITS = 20


def evaluate(index: Index, queries: Sequence[Query]) -> NDArray[np.uint64]:
    """One bitset row over ``index.entries`` for each query: shape (len(queries), index.words)."""
    compiled = compile_rules(queries)
    return match(index, compiled)[compiled.of]


def match(index: Index, compiled: Compiled) -> NDArray[np.uint64]:
    """One bitset row for each distinct query of ``compiled``: shape (len(compiled.queries), index.words)."""
    return _Evaluation(index, compiled).rows()


class _Evaluation:
    def __init__(self, index: Index, compiled: Compiled) -> None:
        self.index, self.compiled = index, compiled
        self.leaves = np.zeros((len(compiled.leaf_list), index.words), np.uint64)

    def rows(self) -> NDArray[np.uint64]:
        result = np.zeros((len(self.compiled.queries), self.index.words), np.uint64)
        if not self.index.words:
            return result
        self._fill_leaves()
        full = self.index.bits(range(len(self.index.entries)))
        literals = np.concatenate([self.leaves, ~self.leaves & full])
        for group in self.compiled.groups:
            for start in range(0, len(group.queries), _BLOCK):
                block = slice(start, start + _BLOCK)
                found = _conjunction(literals, group, block)
                result[group.queries[block]] = ~found & full if group.flipped else found
        for number in {*self.compiled.odd, *self._with_compounds()}:
            result[number] = self._tree(self.compiled.queries[number], full)
        return result

    def _fill_leaves(self) -> None:
        index, compiled = self.index, self.compiled
        for number in compiled.singular:
            self.leaves[number] = index.row(compiled.leaf_list[number])
        if len(compiled.plain):
            self.leaves[compiled.plain] = self._paths()[compiled.path_of]
            self._add_joined()
            self._add_merged()

    def _paths(self) -> NDArray[np.uint64]:
        """The rows of all words and phrases, by walking down the tree of phrases at all positions at once."""
        index, compiled = self.index, self.compiled
        rows = np.zeros((compiled.path_count, index.words), np.uint64)
        numbers = np.array([compiled.terms.get(term, 0) for term in index.term_numbers], np.int64)
        terms = np.concatenate([numbers[index.terms], np.zeros(len(compiled.levels), np.int64)])
        positions = np.flatnonzero(terms)
        nodes = np.zeros(len(positions), np.int64)
        for depth, level in enumerate(compiled.levels):
            found, nodes = _children(level.keys, nodes, terms[positions + depth])
            positions = positions[found]
            for search, paths in zip(SEARCHED.values(), level.paths, strict=True):
                self._set(rows, paths[nodes], positions, search)
        return rows

    def _set(self, rows: Row, paths: NDArray[np.int32], positions: NDArray[np.int64], search: tuple[int, ...]) -> None:
        in_field = np.zeros(len(SEARCHED), bool)
        in_field[list(search)] = True
        wanted = np.flatnonzero((paths >= 0) & in_field[self.index.field_of[positions]])
        entries = self.index.entry_of[positions[wanted]].astype(np.int64)
        cells = paths[wanted].astype(np.int64) * self.index.words + (entries >> 6)
        np.bitwise_or.at(rows.reshape(-1), cells, np.uint64(1) << (entries & 63).astype(np.uint64))

    def _mark(self, leaf: int, entry: int) -> None:
        self.leaves[leaf, entry >> 6] |= np.uint64(1 << (entry & 63))

    def _is_marked(self, leaf: int, entry: int) -> bool:
        return bool(int(self.leaves[leaf, entry >> 6]) >> (entry & 63) & 1)

    def _add_joined(self) -> None:
        """Leaves with a word that the window has in two or three atoms: finetuning in "fine-tuning"."""
        names = {number: term for term, number in self.compiled.terms.items()}
        for size, hashes in enumerate(self.index.joined_hashes, 2):
            for position, term in _hits(hashes, self.compiled.solid):
                atoms, glued = self.index.piece(position, position + size)
                if joined_term(atoms) == names[term] and may_join(atoms, all(glued[1:]), ""):
                    for leaf in self.compiled.leaves_of_term[term]:
                        self._look_at(leaf, position)

    def _add_merged(self) -> None:
        """Leaves with two or three parts that the window has as one word: "fine tuning" in "finetuning"."""
        asking: dict[int, list[int]] = defaultdict(list)
        for surface, leaf in _hits(self.index.term_hashes, self.compiled.merged):
            asking[surface].append(leaf)
        asked = np.zeros(len(self.index.atoms), bool)
        asked[list(asking)] = True
        for position in np.flatnonzero(asked[self.index.surfaces]).tolist():
            for leaf in asking[int(self.index.surfaces[position])]:
                self._look_at(leaf, position)

    def _look_at(self, leaf: int, position: int) -> None:
        """Mark the entry at ``position`` if the leaf's words stand there, joined in whatever way."""
        text = self.compiled.leaf_list[leaf]
        entry = int(self.index.entry_of[position])
        assert isinstance(text, Text)  # noqa: S101 - only texts are in the tree of phrases
        if self.index.field_of[position] not in SEARCHED[text.field] or self._is_marked(leaf, entry):
            return
        if find(text, *self.index.around(position, 3 * len(text.parts))):
            self._mark(leaf, entry)

    def _with_compounds(self) -> set[int]:
        """Queries with two words in one AND that this window has as one."""
        return {query for _, query in _hits(self.index.term_hashes, self.compiled.paired)}

    def _tree(self, query: Query, full: Row) -> Row:
        match query:
            case Topic(query=inner):
                return self._tree(inner, full)
            case Not(query=inner):
                return ~self._tree(inner, full) & full
            case And(children=children):
                rows = {child: self._tree(child, full) for child in children}
                self._widen(rows)
                return _reduced(np.bitwise_and, list(rows.values()))
            case Or(children=children):
                return _reduced(np.bitwise_or, [self._tree(child, full) for child in children])
            case leaf:
                row: Row = self.leaves[self.compiled.leaves[leaf]]
                return row

    def _widen(self, rows: dict[Query, Row]) -> None:
        """``fine tuning`` as two words of one AND also holds where they stand as one."""
        for left, right, term, pair in compounds(siblings(list(rows))):
            numbers = [n for n in self.index.surfaces_of(term) if may_join(pair, False, self.index.atoms[n].folded)]
            if numbers:
                row = self.index.bits(self.index.entries_at(numbers, left.field))
                rows[left] = rows[left] | row
                rows[right] = rows[right] | row


def _conjunction(literals: Row, group: Group, block: slice) -> Row:
    numbers = group.literals[block]
    result: Row | None = None
    column = 0
    for width in group.widths:
        clause = literals[numbers[:, column]]
        for other in range(column + 1, column + width):
            clause |= literals[numbers[:, other]]
        column += width
        result = clause if result is None else np.bitwise_and(result, clause, out=result)
    assert result is not None  # noqa: S101 - a query has at least one clause
    return result


def _reduced(operation: Callable[..., Row], rows: Sequence[Row]) -> Row:
    result = rows[0]
    for row in rows[1:]:
        result = operation(result, row)
    return result


def _children(
    keys: NDArray[np.int64], nodes: NDArray[np.int64], terms: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which of the nodes have a child by their term, and the number of that child."""
    wanted = nodes << 32 | terms
    maybe = np.flatnonzero(_filter(keys)[_slot(wanted)] & (terms > 0))
    wanted = wanted[maybe]
    child = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    real = keys[child] == wanted
    return maybe[real], child[real]


def _slot(keys: NDArray[np.int64]) -> NDArray[np.uint64]:
    # Multiplying by an odd constant near 2^64 / golden ratio spreads the keys over the upper bits.
    return (keys.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - _FILTER_BITS)


def _filter(keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """A bitmap that says no for nearly every key that is not there, cheaper than a search."""
    flags = np.zeros(1 << _FILTER_BITS, bool)
    flags[_slot(keys)] = True
    return flags


def _hits(hashes: NDArray[np.uint64], wanted: Hashes) -> Iterator[tuple[int, int]]:
    """Pairs of a place in ``hashes`` and an owner that asks for what is there."""
    if not len(wanted.hashes) or not len(hashes):
        return
    maybe = np.flatnonzero(_filter(wanted.hashes.view(np.int64))[_slot(hashes.view(np.int64))])
    first = np.searchsorted(wanted.hashes, hashes[maybe], "left").tolist()
    last = np.searchsorted(wanted.hashes, hashes[maybe], "right").tolist()
    for place, start, stop in zip(maybe.tolist(), first, last, strict=True):
        for owner in wanted.owners[start:stop].tolist():
            yield place, owner
