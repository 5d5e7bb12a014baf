"""Queries made ready for any number of windows: arrays of leaf numbers, grouped by shape; equal ones are kept once.

A query becomes a conjunction of clauses, each a disjunction of leaves or their complements; where that is
not so but is for its negation, the group is turned round at the end. Queries of one shape (the widths of their
clauses) share one array. What has no such form is odd and evaluated by itself.

Every query has a row in the matrix of ``evaluation``: first come the leaves, then complements of leaves, then the
groups, then the odd ones. A query that is one leaf is that leaf's row.
"""

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
from notifier.matching.parser import plain_alternatives, plain_leaf
from notifier.matching.query import And, Kind, Leaf, Not, Or, Query, Text, Topic
from notifier.matching.sequence import MOST_JOINED, joined_term, parts_of, siblings

Clauses: TypeAlias = list[tuple[int, ...]]
Context: TypeAlias = tuple[Atom | None, Atom | None]
Ints = NDArray[np.int32]

_SEARCHES = tuple(SEARCHED)
_JOINT = "\x1f"


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
    """The plain leaves: words and phrases, found by walking down a tree at all positions of a window at once."""

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
        self._tree = _Tree()
        self._pairs: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._handles)

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
                yield f"{left.field}:{one.folded} {two.folded}", _joined_hash((one, two))


def _joined_hash(atoms: Sequence[Atom]) -> int:
    """``text_hash(joined_term(atoms))``, from the hashes of the atoms."""
    found = 0
    for each in atoms[:-1]:
        found = (found * _power(each.hashes[1]) + each.hashes[0]) % PRIME
    last = atoms[-1].hashes
    return (found * _power(last[3]) + last[2]) % PRIME


@cache
def _power(width: int) -> int:
    return pow(256, width, PRIME)


class _Tree:
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
                self._merged.append((_joined_hash(atoms[start : start + size]), number))
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
