"""Entries made ready for any number of rules: cut into atoms once, numbered, with arrays of where each stands."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from notifier.matching.clauses import compile_regex, searchable
from notifier.matching.lexicon import Lexicon, lexicon
from notifier.matching.names import name_fits, name_words
from notifier.matching.normalize import PRIME, Atom, separated_runs
from notifier.matching.query import Author, Compare, Kind, Label, Leaf, Regex, Text
from notifier.matching.sequence import Joins, find, parts_of
from notifier.matching.values import OPERATORS, ValueLeaf, count, holds, labels
from notifier.model import Entry

Row = NDArray[np.uint64]
Made = TypeVar("Made")

FIELDS = ("title", "abstract", "keywords", "organization")
SEARCHED = {"": (0, 1, 2), **{name: (code,) for code, name in enumerate(FIELDS)}}
"""The codes of the fields a text clause looks into."""
_FEW_TERMS = 1_000
"""Fewer are looked up among those of the window; more the other way round."""
_SEARCHED = tuple(SEARCHED.values())

# By the bytes of a word; only words of at most 64 characters join.
_POWERS = np.array([pow(256, n, PRIME) for n in range(512)], np.uint64)
_TEXTS = 16
"""Cut in one go: few enough that their runs stay in the processor's cache until they are numbered."""


def texts(entry: Entry) -> Iterator[tuple[int, str]]:
    """Each piece of searched text with the code of its field."""
    yield 0, entry.title
    yield 1, entry.abstract
    for keyword in entry.keywords:
        yield 2, keyword
    if entry.organization:
        yield 3, entry.organization


def _numbers(some: Sequence[str], vocabulary: Lexicon) -> NDArray[np.int32]:
    runs = separated_runs(some)
    return np.fromiter(map(vocabulary.numbers.__getitem__, runs), np.int32, len(runs))


class Index:
    """The window of entries rules are matched against; bit i of every row is ``entries[i]``.

    The order is the caller's: best first, so that the best k of a row are its first k set bits.
    """

    def __init__(self, entries: Sequence[Entry], *, now: datetime) -> None:
        self.entries = tuple(entries)
        self.now = now
        self.words = -(-len(self.entries) // 64)
        self._rows: dict[Leaf, Row] = {}
        self._labelled: dict[str, dict[str, list[int]]] = {}
        self._counts: dict[str, NDArray[np.float64]] = {}
        self._within: dict[int, NDArray[np.bool_]] = {}
        self._tokenise()

    def _tokenise(self) -> None:
        """One array element an atom: its surface, term, entry, field, and whether it is glued to the one before."""
        found = [(position, code, text) for position, entry in enumerate(self.entries) for code, text in texts(entry)]
        vocabulary = lexicon()
        with vocabulary.lock:
            blocks = [
                _numbers([text for *_, text in found[i : i + _TEXTS]], vocabulary) for i in range(0, len(found), _TEXTS)
            ]
            self._tables = tables = vocabulary.tables()
        self._atoms, self._terms = vocabulary.atoms, vocabulary.terms
        runs = np.concatenate(blocks) if blocks else np.zeros(0, np.int32)
        counts = tables.sizes[runs]
        ends = np.cumsum(counts, dtype=np.int64)
        places = np.arange(ends[-1] if len(ends) else 0) + np.repeat(tables.starts[runs] - ends + counts, counts)
        self.surfaces = tables.pieces[places]
        self.terms = tables.term_of[self.surfaces]
        self.glued = tables.glued[places]
        walls = np.flatnonzero(self.surfaces == 0)
        lengths = np.diff(walls, prepend=-1)
        self.entry_of = np.repeat(np.array([position for position, *_ in found], np.int32), lengths)
        self.field_of = np.repeat(np.array([code for _, code, _ in found], np.int8), lengths)

    def noted(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What ``make`` makes of the entries; an index that is kept makes it once for each ``key``."""
        return make()

    def row(self, leaf: Leaf) -> Row:
        """The entries for which one leaf holds, computed leaf by leaf; plain words and phrases have a faster way."""
        if leaf not in self._rows:
            self._rows[leaf] = self.bits(self._entries_with(leaf))
        return self._rows[leaf]

    def bits(self, positions: Iterable[int]) -> Row:
        flags = np.zeros(self.words * 64, np.uint8)
        flags[positions if isinstance(positions, np.ndarray) else np.fromiter(positions, np.int64)] = 1
        return np.packbits(flags, bitorder="little").view(np.uint64)

    def _entries_with(self, leaf: Leaf) -> Iterable[int]:
        match leaf:
            case Text():
                near = self._narrowed(leaf)
                return near if len(leaf.parts) == 1 else (each for each in near if self.stands_in(leaf, each))
            case Regex():
                return self._fitting(leaf)
            case Author():
                return self._authored(leaf)
            case Label(field=field, value=value):
                return self._labels(field).get(value, ())
            case Compare(field=field, op=op, value=bound):
                return np.flatnonzero(OPERATORS[op](self._numbers(field), bound))
            case _:
                return self._holding(leaf)

    def _numbers(self, field: str) -> NDArray[np.float64]:
        """What a count is compared with; not a number, which no comparison holds for, where it is absent."""
        if field not in self._counts:
            found = (count(entry, field) for entry in self.entries)
            self._counts[field] = np.array([np.nan if each is None else each for each in found], np.float64)
        return self._counts[field]

    def _holding(self, leaf: ValueLeaf) -> Iterable[int]:
        return (i for i, entry in enumerate(self.entries) if holds(leaf, entry, self.now))

    def _narrowed(self, leaf: Text) -> Iterable[int]:
        """For one atom the very entries, for several those that hold what can be looked up."""
        atoms = [part.atom for part in parts_of(leaf)]
        if leaf.kind is Kind.PREFIX:
            return self.entries_at(self._beginning_with(atoms[-1].folded), leaf.field)
        by = self._by_surface if leaf.kind is Kind.EXACT else self._by_term
        names = [each.surface if leaf.kind is Kind.EXACT else each.term for each in atoms]
        return sorted(set.intersection(*(set(self.entries_at(by[name], leaf.field)) for name in names)))

    def entries_at(self, surfaces: Sequence[int], field: str) -> list[int]:
        positions = self.positions(surfaces)
        positions = positions[np.isin(self.field_of[positions], SEARCHED[field])]
        entries: list[int] = np.unique(self.entry_of[positions]).tolist()
        return entries

    def positions(self, surfaces: Sequence[int]) -> NDArray[np.int64]:
        """Where the given surfaces stand."""
        order, starts = self._postings
        found = [order[starts[number] : starts[number + 1]] for number in surfaces]
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    def surfaces_of(self, term: str) -> list[int]:
        return self._by_term[term]

    @cached_property
    def _postings(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        order = np.argsort(self.surfaces, kind="stable")
        return order, np.concatenate([[0], np.cumsum(np.bincount(self.surfaces, minlength=len(self._tables.term_of)))])

    def numbered(self, terms: Mapping[str, int]) -> NDArray[np.int64]:
        """For each position what ``terms`` numbers its term, or 0."""
        numbers = np.zeros(len(self._tables.term_of), np.int64)
        if len(terms) < _FEW_TERMS:
            both = [(self.term_numbers[term], number) for term, number in terms.items() if term in self.term_numbers]
            for here, number in both:
                numbers[here] = number
        else:
            occurring = np.flatnonzero(np.bincount(self.terms))
            numbers[occurring] = [terms.get(self._terms[here], 0) for here in occurring.tolist()]
        found: NDArray[np.int64] = numbers[self.terms]
        return found

    def within(self, search: int) -> NDArray[np.bool_]:
        """For each position whether a clause of the given way of searching (a place in SEARCHED) looks there."""
        if search not in self._within:
            codes = np.zeros(len(FIELDS), bool)
            codes[list(_SEARCHED[search])] = True
            self._within[search] = codes[self.field_of]
        return self._within[search]

    @cached_property
    def used(self) -> NDArray[np.int64]:
        """The surfaces that occur, the separator's left out."""
        counts = np.bincount(self.surfaces, minlength=1)
        counts[0] = 0
        return np.flatnonzero(counts)

    @cached_property
    def atoms(self) -> list[Atom]:
        """Each different atom that occurs."""
        return [self._atoms[number] for number in self.used.tolist()]

    @cached_property
    def term_numbers(self) -> dict[str, int]:
        """The terms that occur."""
        numbers: list[int] = np.unique(self._tables.term_of[self.used]).tolist()
        return {self._terms[number]: number for number in numbers}

    @cached_property
    def _by_term(self) -> dict[str, list[int]]:
        return self._grouped(lambda each: each.term)

    @cached_property
    def _by_surface(self) -> dict[str, list[int]]:
        return self._grouped(lambda each: each.surface)

    def _grouped(self, key: Callable[[Atom], str]) -> dict[str, list[int]]:
        groups: dict[str, list[int]] = defaultdict(list)
        for number, each in zip(self.used.tolist(), self.atoms, strict=True):
            groups[key(each)].append(number)
        return groups

    @cached_property
    def _alphabetical(self) -> list[tuple[str, int]]:
        return sorted((each.folded, number) for number, each in zip(self.used.tolist(), self.atoms, strict=True))

    def _beginning_with(self, prefix: str) -> list[int]:
        found = []
        for at in range(bisect_left(self._alphabetical, (prefix, 0)), len(self._alphabetical)):
            folded, number = self._alphabetical[at]
            if not folded.startswith(prefix):
                break
            found.append(number)
        return found

    def stands_in(self, leaf: Text, entry: int) -> bool:
        # Of one type: numpy would copy the whole array otherwise, for every entry anew.
        start, stop = np.searchsorted(self.entry_of, np.array([entry, entry + 1], self.entry_of.dtype)).tolist()
        return any(
            find(leaf, *self.piece(first, last))
            for first, last in self._pieces(start, stop)
            if self.field_of[first] in SEARCHED[leaf.field]
        )

    def _pieces(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """The ranges between the separators in ``start:stop``."""
        for end in (np.flatnonzero(self.surfaces[start:stop] == 0) + start).tolist():
            yield start, end
            start = end + 1

    def piece(self, start: int, stop: int) -> tuple[list[Atom], list[bool]]:
        return [self._atoms[i] for i in self.surfaces[start:stop].tolist()], self.glued[start:stop].tolist()

    def atom_at(self, position: int) -> Atom | None:
        """None where there is only a separator."""
        number = int(self.surfaces[position]) if 0 <= position < len(self.surfaces) else 0
        return self._atoms[number] if number else None

    def around(self, position: int, reach: int) -> tuple[list[Atom], list[bool]]:
        """The atoms up to ``reach`` to either side, within the same piece of text."""
        start, stop = max(0, position - reach), position + reach + 1
        walls = (np.flatnonzero(self.surfaces[start:stop] == 0) + start).tolist()
        start = max((wall + 1 for wall in walls if wall < position), default=start)
        return self.piece(start, min((wall for wall in walls if wall > position), default=stop))

    def _fitting(self, leaf: Regex) -> Iterator[int]:
        program, fields = compile_regex(leaf.pattern), SEARCHED[leaf.field]
        for position, entry in enumerate(self.entries):
            if any(code in fields and program.search(searchable(text)) for code, text in texts(entry)):
                yield position

    def _authored(self, leaf: Author) -> set[int]:
        if leaf.prefix:
            named = chain.from_iterable(names for word, names in self._names.items() if word.startswith(leaf.words[-1]))
        else:
            named = chain.from_iterable(self._names.get(word, ()) for word in {leaf.words[0], leaf.words[-1]})
        return {position for position, name in named if name_fits(leaf.words, leaf.prefix, name)}

    @cached_property
    def _names(self) -> dict[str, list[tuple[int, tuple[str, ...]]]]:
        names: dict[str, list[tuple[int, tuple[str, ...]]]] = defaultdict(list)
        for position, entry in enumerate(self.entries):
            for name in map(name_words, entry.authors):
                for word in set(name):
                    names[word].append((position, name))
        return names

    def _labels(self, field: str) -> dict[str, list[int]]:
        if field not in self._labelled:
            found = defaultdict(list)
            for position, entry in enumerate(self.entries):
                for label in set(labels(entry, field)):
                    found[label].append(position)
            self._labelled[field] = found
        return self._labelled[field]

    @cached_property
    def term_hashes(self) -> NDArray[np.uint64]:
        """The hash of the term of each of ``used``."""
        hashes: NDArray[np.uint64] = self._tables.hashes[self.used, 2]
        return hashes

    def folded(self, surface: int) -> str:
        return self._atoms[surface].folded

    def term(self, surface: int) -> str:
        return self._atoms[surface].term

    @cached_property
    def joined(self) -> tuple[tuple[int, NDArray[np.int64], NDArray[np.uint64]], ...]:
        """The hashes of two, then of three neighbours joined to one word, with the positions of the first of them.

        Only where ``may_join`` could agree. Equal hashes are only a hint; who uses them compares the strings.
        """
        tables = self._tables
        joins = tables.joins[self.surfaces]
        linked = np.where(self.glued[1:], joins[1:] > 0, joins[1:] == Joins.ANYHOW)
        linked &= np.where(self.glued[1:], joins[:-1] > 0, joins[:-1] == Joins.ANYHOW)
        folded, width, last, last_width = tables.hashes.T
        firsts = np.flatnonzero(linked)
        one, two = self.surfaces[firsts], self.surfaces[firsts + 1]
        twos = 2, firsts, (folded[one] * _POWERS[last_width[two]] + last[two]) % PRIME
        again = linked[1:][np.minimum(firsts, len(linked) - 2)] & (firsts < len(linked) - 1)
        firsts, one, two = firsts[again], one[again], two[again]
        three = self.surfaces[firsts + 2]
        front = (folded[one] * _POWERS[width[two]] + folded[two]) % PRIME
        return twos, (3, firsts, (front * _POWERS[last_width[three]] + last[three]) % PRIME)
