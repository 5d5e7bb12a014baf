"""Queries made ready for any number of windows: distinct ones only, over numbered leaves, grouped by shape.

A query becomes a conjunction of clauses, each a disjunction of leaves or their complements; where that is
not so but is for its negation, the group is turned round at the end. Queries of one shape (the widths of their
clauses) share one array of leaf numbers. What has no such form is evaluated by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from notifier.matching.index import SEARCHED
from notifier.matching.normalize import text_hash
from notifier.matching.query import And, Kind, Leaf, Not, Or, Query, Text, Topic
from notifier.matching.sequence import MOST_JOINED, compounds, joined_term, parts_of, siblings

Clauses: TypeAlias = list[tuple[int, ...]]
_SEARCHES = tuple(SEARCHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Queries of one shape: ``literals`` has a row each, clause after clause of the given ``widths``.

    A literal is a leaf's number, or its complement's (number + count of leaves).
    """

    widths: tuple[int, ...]
    flipped: bool
    queries: NDArray[np.int32]
    literals: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of the tree of phrases: from a node above and a term to a node here.

    ``keys`` (sorted) are ``node above << 32 | term``; ``paths[search][node]`` is the path that ends here for
    one way of searching (see ``SEARCHED``), or -1.
    """

    keys: NDArray[np.int64]
    paths: tuple[NDArray[np.int32], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashes:
    """Sorted hashes of joined words, each with what asks for it (a leaf, a query, a term)."""

    hashes: NDArray[np.uint64]
    owners: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """``of[i]`` is the place among ``queries`` (distinct) of the i-th query given."""

    queries: tuple[Query, ...]
    of: NDArray[np.int32]
    leaves: dict[Leaf, int]
    leaf_list: tuple[Leaf, ...]
    groups: tuple[Group, ...]
    odd: tuple[int, ...]
    """Queries that have no shape."""
    singular: tuple[int, ...]
    """Leaves that are evaluated one by one."""
    plain: NDArray[np.int32]
    """Leaves that are plain words and phrases; ``path_of`` says along which path of the tree each is found."""
    path_of: NDArray[np.int32]
    path_count: int
    terms: dict[str, int]
    levels: tuple[Level, ...]
    solid: Hashes
    """Terms that a window's atoms may join to."""
    merged: Hashes
    """Leaves with two or three parts that a window may have as one word."""
    paired: Hashes
    """Queries with two words in one AND that a window may have as one."""
    leaves_of_term: dict[int, list[int]] = field(repr=False)


def is_plain(leaf: Leaf) -> bool:
    return isinstance(leaf, Text) and leaf.kind is Kind.WORD and leaf.slop is None


def compile_rules(queries: Sequence[Query]) -> Compiled:
    """Equal queries are compiled once; the result serves any Index."""
    return _Compiler(queries).compiled()


class _Compiler:
    def __init__(self, queries: Sequence[Query]) -> None:
        by_identity: dict[int, int] = {}
        places: dict[Query, int] = {}
        of = np.empty(len(queries), np.int32)
        for i, query in enumerate(queries):
            place = by_identity.get(id(query))
            if place is None:
                place = by_identity[id(query)] = places.setdefault(query, len(places))
            of[i] = place
        self.of = of
        self.queries = tuple(places)
        self.leaves: dict[Leaf, int] = {}
        self.shapes: dict[tuple[bool, tuple[int, ...]], tuple[list[int], list[list[int]]]] = {}
        self.odd: list[int] = []
        self.pairs: list[tuple[int, int]] = []

    def compiled(self) -> Compiled:
        for number, query in enumerate(self.queries):
            self._add(number, query)
        leaf_list = tuple(self.leaves)
        plain = [number for number, leaf in enumerate(leaf_list) if is_plain(leaf)]
        tree = _Tree()
        path_of = [tree.add(leaf_list[number], number) for number in plain]  # type: ignore[arg-type]
        return Compiled(
            queries=self.queries,
            of=self.of,
            leaves=self.leaves,
            leaf_list=leaf_list,
            groups=tuple(self._groups(len(leaf_list))),
            odd=tuple(self.odd),
            singular=tuple(number for number, leaf in enumerate(leaf_list) if not is_plain(leaf)),
            plain=np.array(plain, np.int32),
            path_of=np.array(path_of, np.int32),
            path_count=len(tree.paths),
            terms=tree.terms,
            levels=tuple(tree.levels()),
            solid=_hashes([(text_hash(term), number) for term, number in tree.terms.items()]),
            merged=_hashes(tree.merged),
            paired=_hashes(self.pairs),
            leaves_of_term=tree.leaves_of_term,
        )

    def _add(self, number: int, query: Query) -> None:
        self._add_pairs(number, query)
        for flipped in (False, True):
            if (clauses := self._clauses(query, flipped)) is not None:
                clauses.sort(key=len)
                shape = (flipped, tuple(map(len, clauses)))
                members, literals = self.shapes.setdefault(shape, ([], []))
                members.append(number)
                literals.append([literal for clause in clauses for literal in clause])
                return
        self.odd.append(number)
        self._number_leaves(query)

    def _clauses(self, query: Query, negated: bool) -> Clauses | None:
        """``query`` (or its negation) as clauses; literals of complements are ``~number``."""
        match query:
            case Topic(query=inner):
                return self._clauses(inner, negated)
            case Not(query=inner):
                return self._clauses(inner, not negated)
            case And(children=children) | Or(children=children):
                parts = [self._clauses(child, negated) for child in children]
                known = [part for part in parts if part is not None]
                if len(known) < len(parts):
                    return None
                if isinstance(query, And) is not negated:
                    return [clause for part in known for clause in part]
                if any(len(part) != 1 for part in known):
                    return None
                return [tuple(literal for part in known for literal in part[0])]
            case leaf:
                number = self.leaves.setdefault(leaf, len(self.leaves))
                return [(~number if negated else number,)]

    def _number_leaves(self, query: Query) -> None:
        match query:
            case Topic(query=inner) | Not(query=inner):
                self._number_leaves(inner)
            case And(children=children) | Or(children=children):
                for child in children:
                    self._number_leaves(child)
            case leaf:
                self.leaves.setdefault(leaf, len(self.leaves))

    def _add_pairs(self, number: int, query: Query) -> None:
        match query:
            case Topic(query=inner) | Not(query=inner):
                self._add_pairs(number, inner)
            case And(children=children) | Or(children=children):
                if isinstance(query, And):
                    self.pairs.extend((text_hash(term), number) for *_, term, _ in compounds(siblings(children)))
                for child in children:
                    self._add_pairs(number, child)

    def _groups(self, leaf_count: int) -> Iterator[Group]:
        for (flipped, widths), (members, rows) in self.shapes.items():
            literals = np.array(rows, np.int32)
            literals = np.where(literals < 0, leaf_count + ~literals, literals).astype(np.int32)
            yield Group(widths=widths, flipped=flipped, queries=np.array(members, np.int32), literals=literals)


class _Tree:
    """Phrases by their terms; phrases with the same beginning share nodes, equal ones a path."""

    def __init__(self) -> None:
        self.terms: dict[str, int] = {}
        self.nodes: list[dict[int, int]] = []
        self.ends: list[list[tuple[int, int, int]]] = []
        self.paths: dict[tuple[int, int, int], int] = {}
        self.merged: list[tuple[int, int]] = []
        self.leaves_of_term: dict[int, list[int]] = defaultdict(list)

    def add(self, leaf: Text, number: int) -> int:
        """The path along which ``leaf`` is found."""
        atoms = [part.atom for part in parts_of(leaf)]
        node = 0
        for depth, each in enumerate(atoms):
            term = self.terms.setdefault(each.term, len(self.terms) + 1)
            self.leaves_of_term[term].append(number)
            if depth == len(self.nodes):
                self.nodes.append({})
                self.ends.append([])
            level = self.nodes[depth]
            node = level.setdefault(node << 32 | term, len(level))
        for size in range(2, MOST_JOINED + 1):
            for start in range(len(atoms) - size + 1):
                self.merged.append((text_hash(joined_term(atoms[start : start + size])), number))
        search = _SEARCHES.index(leaf.field)
        key = (len(atoms), search, node)
        if key not in self.paths:
            self.paths[key] = len(self.paths)
            self.ends[len(atoms) - 1].append((search, node, self.paths[key]))
        return self.paths[key]

    def levels(self) -> Iterator[Level]:
        renumbered = np.zeros(1, np.int64)
        for nodes, ends in zip(self.nodes, self.ends, strict=True):
            keys = np.fromiter(nodes, np.int64, len(nodes))
            keys = renumbered[keys >> 32] << 32 | (keys & 0xFFFFFFFF)
            order = np.argsort(keys)
            renumbered = np.empty(len(order), np.int64)
            renumbered[order] = np.arange(len(order))
            paths = np.full((len(_SEARCHES), len(order)), -1, np.int32)
            for search, node, path in ends:
                paths[search, renumbered[node]] = path
            yield Level(keys=keys[order], paths=tuple(paths))


def _hashes(pairs: Sequence[tuple[int, int]]) -> Hashes:
    array = np.array(pairs, np.int64).reshape(-1, 2)
    array = array[np.argsort(array[:, 0], kind="stable")]
    return Hashes(hashes=array[:, 0].astype(np.uint64), owners=array[:, 1].astype(np.int32))
