"""Queries made ready for any number of windows: arrays of leaf numbers, grouped by shape; equal ones are kept once.

A query becomes a conjunction of clauses, each a disjunction of leaves or their complements; where that is
not so but is for its negation, the group is turned round at the end. Queries of one shape (the widths of their
clauses) share one array. What has no such form is odd and evaluated by itself.

Every query has a row in the matrix of ``evaluation``: first come the leaves, then complements of leaves, then the
groups, then the odd ones. A query that is one leaf is that leaf's row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from notifier.matching.hashing import Hashes, hashes_of
from notifier.matching.parser import plain_alternatives, plain_leaf
from notifier.matching.phrases import Ints, PhraseTree, Words, joined_hash
from notifier.matching.query import And, Kind, Leaf, Not, Or, Query, Text, Topic
from notifier.matching.sequence import parts_of, siblings

Clauses: TypeAlias = list[tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Queries of one shape: ``literals`` (n, sum of widths) has a row each, clause after clause of ``widths``.

    A literal is the row of a leaf or of its complement. The queries have the rows from ``first`` on.
    """

    widths: tuple[int, ...]
    flipped: bool
    first: int
    literals: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """``of[i]`` is the row of the i-th query given."""

    queries: Sequence[Query]
    of: Ints
    rows: int
    leaves: int
    """How many; their rows come first."""
    complements: Ints
    """The leaves whose complements have rows, in order."""
    groups: tuple[Group, ...]
    odd: Ints
    """Places among ``queries`` of those that have no shape."""
    singular: tuple[tuple[int, Leaf], ...]
    """Leaves that are evaluated one by one."""
    words: Words
    paired: Hashes
    """Places of queries with two words in one AND that a window may have as one."""


def compile_rules(queries: Sequence[Query]) -> Compiled:
    """Equal queries are compiled once; the result serves any Index."""
    compiler = Compiler()
    by_identity: dict[int, int] = {}
    for place, query in enumerate(queries):
        # Hashing a large query costs more than all else here, and the parser hands out the same ones again.
        before = by_identity.setdefault(id(query), place)
        if before == place:
            compiler.add(query)
        else:
            compiler.repeat(before)
    return compiler.compiled(queries)


class Compiler:
    """Takes queries one by one, as parsed or as text; ``compiled`` makes the arrays."""

    def __init__(self) -> None:
        self._handles: list[tuple[int, int]] = []
        self._leaves: dict[object, int] = {}
        self._pieces: dict[str, int] = {}
        self._complements: dict[int, int] = {}
        self._shapes: dict[tuple[bool, tuple[int, ...]], int] = {}
        self._members: list[dict[tuple[object, ...], int]] = []
        self._odd: list[int] = []
        self._singular: list[tuple[int, Leaf]] = []
        self._tree = PhraseTree()
        self._pairs: list[tuple[int, int]] = []

    def repeat(self, place: int) -> None:
        self._handles.append(self._handles[place])

    def add(self, query: Query) -> None:
        pairs = list(_pairs(query))
        for flipped in (False, True):
            if (clauses := self._clauses(query, flipped)) is not None:
                self._put(flipped, clauses, pairs)
                return
        self._handles.append((_ODD, len(self._odd)))
        self._odd.append(len(self._handles) - 1)

    def add_text(self, text: str) -> bool:
        """Add what the short path of the parser can read, without making a Query; False for everything else."""
        if (number := self._pieces.get(text)) is not None:
            self._handles.append((_LEAVES, number))
            return True
        if (alternatives := plain_alternatives(text)) is None:
            return False
        if len(alternatives) == 1:
            pieces = alternatives[0]
            literals = dict.fromkeys(map(self._literal, pieces))
            self._put(False, [(literal,) for literal in literals], self._word_pairs(pieces))
        elif all(len(pieces) == 1 for pieces in alternatives):
            self._put(False, [tuple(dict.fromkeys(self._literal(pieces[0]) for pieces in alternatives))], [])
        else:
            clauses = [tuple(dict.fromkeys(~self._literal(piece) for piece in pieces)) for pieces in alternatives]
            pairs = [pair for pieces in alternatives for pair in self._word_pairs(pieces)]
            self._put(True, list(dict.fromkeys(clauses)), pairs)
        return True

    def _literal(self, piece: str) -> int:
        if piece[0] == "-":
            return ~self._literal(piece[1:])
        if (number := self._pieces.get(piece)) is None:
            number = self._pieces[piece] = self._leaf(plain_leaf(piece))
        return number

    def _word_pairs(self, pieces: Sequence[str]) -> list[tuple[str, int]]:
        if len(pieces) < 2:
            return []
        return list(_pairs(And(children=tuple(dict.fromkeys(plain_leaf(each) for each in pieces if each[0] != "-")))))

    def _put(self, flipped: bool, clauses: Clauses, pairs: Sequence[tuple[str, int]]) -> None:
        """``pairs`` take part in equality: ``fine tuning`` and ``topic:x tuning`` may have the same clauses."""
        place = len(self._handles)
        self._pairs.extend((pair, place) for _, pair in pairs)
        if len(clauses) == 1 and len(clauses[0]) == 1 and not pairs:
            literal = ~clauses[0][0] if flipped else clauses[0][0]
            if literal >= 0:
                self._handles.append((_LEAVES, literal))
            else:
                self._handles.append((_COMPLEMENTS, self._complement(~literal)))
            return
        ordered = sorted((tuple(sorted(clause)) for clause in clauses), key=lambda clause: (len(clause), clause))
        literals = [literal for clause in ordered for literal in clause]
        for literal in literals:
            if literal < 0:
                self._complement(~literal)
        shape = (flipped, tuple(map(len, ordered)))
        number = self._shapes.setdefault(shape, len(self._shapes))
        if number == len(self._members):
            self._members.append({})
        members = self._members[number]
        key = (*literals, *sorted(name for name, _ in pairs))
        self._handles.append((_GROUPS + number, members.setdefault(key, len(members))))

    def _complement(self, leaf: int) -> int:
        return self._complements.setdefault(leaf, len(self._complements))

    def _leaf(self, leaf: Leaf) -> int:
        words = leaf if isinstance(leaf, Text) and leaf.kind is Kind.WORD and leaf.slop is None else None
        key = (words.field, words.parts) if words else leaf
        if (number := self._leaves.get(key)) is None:
            number = self._leaves[key] = len(self._leaves)
            if words:
                self._tree.add(words, number)
            else:
                self._singular.append((number, leaf))
        return number

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
                    return list(dict.fromkeys(clause for part in known for clause in part))
                if any(len(part) != 1 for part in known):
                    return None
                return [tuple(dict.fromkeys(literal for part in known for literal in part[0]))]
            case leaf:
                number = self._leaf(leaf)
                return [(~number if negated else number,)]

    def compiled(self, queries: Sequence[Query]) -> Compiled:
        leaves, complements = len(self._leaves), len(self._complements)
        place_of = np.zeros(leaves, np.int32)
        place_of[np.fromiter(self._complements, np.int32, complements)] = np.arange(complements)
        first = leaves + complements
        groups: list[Group] = []
        for (flipped, widths), members in zip(self._shapes, self._members, strict=True):
            size = sum(widths)
            rows = np.array([key[:size] for key in members], np.int32).reshape(len(members), size)
            literals = np.where(rows < 0, leaves + place_of[~rows], rows).astype(np.int32)
            groups.append(Group(widths=widths, flipped=flipped, first=first, literals=literals))
            first += len(members)
        bases = np.array([0, leaves, first, *(group.first for group in groups)], np.int64)
        handles = np.array(self._handles, np.int64).reshape(-1, 2)
        return Compiled(
            queries=queries,
            of=(bases[handles[:, 0]] + handles[:, 1]).astype(np.int32),
            rows=first + len(self._odd),
            leaves=leaves,
            complements=np.fromiter(self._complements, np.int32, complements),
            groups=tuple(groups),
            odd=np.array(self._odd, np.int32),
            singular=tuple(self._singular),
            words=self._tree.words(leaves),
            paired=hashes_of(self._pairs),
        )


# What a handle's first number says: where its row is counted from.
_LEAVES, _COMPLEMENTS, _ODD, _GROUPS = range(4)


def _pairs(query: Query) -> Iterator[tuple[str, int]]:
    """For each AND with words that may stand as one: what tells it from others, and the hash of each compound."""
    match query:
        case Topic(query=inner) | Not(query=inner):
            yield from _pairs(inner)
        case And(children=children) | Or(children=children):
            if isinstance(query, And):
                yield from _pairs_of(siblings(children))
            for child in children:
                if not isinstance(child, Text):
                    yield from _pairs(child)
        case _:
            return


def _pairs_of(words: Sequence[Text]) -> Iterator[tuple[str, int]]:
    for left in words:
        for right in words:
            if left is not right and left.field == right.field:
                one, two = parts_of(left)[0].atom, parts_of(right)[0].atom
                yield f"{left.field}:{one.folded} {two.folded}", joined_hash((one, two))
