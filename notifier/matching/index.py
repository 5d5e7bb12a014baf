"""Entries made ready for any number of rules: cut into atoms once, numbered, with arrays of where each stands."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from notifier.matching.clauses import compile_regex, searchable
from notifier.matching.names import name_fits, name_words
from notifier.matching.normalize import PRIME, Atom, Piece, pieces_of, raw_runs
from notifier.matching.query import Author, Kind, Label, Leaf, Regex, Text
from notifier.matching.sequence import find, parts_of
from notifier.matching.values import ValueLeaf, holds, labels
from notifier.model import Entry

Row = NDArray[np.uint64]

FIELDS = ("title", "abstract", "keywords", "organization")
SEARCHED = {"": (0, 1, 2), **{name: (code,) for code, name in enumerate(FIELDS)}}
"""The codes of the fields a text clause looks into."""

_POWERS = np.array([pow(256, n, PRIME) for n in range(256)], np.uint64)
_SEPARATOR = Atom(surface="", folded="", term="")


def texts(entry: Entry) -> Iterator[tuple[int, str]]:
    """Each piece of searched text with the code of its field."""
    yield 0, entry.title
    yield 1, entry.abstract
    for keyword in entry.keywords:
        yield 2, keyword
    if entry.organization:
        yield 3, entry.organization


class _Numbered(dict[str, int]):
    """Runs to running numbers; 0 is the separator behind each piece of text."""

    def __missing__(self, key: str) -> int:
        number = self[key] = len(self)
        return number


class Index:
    """The window of entries rules are matched against; bit i of every row is ``entries[i]``.

    The order is the caller's: best first, so that the best k of a row are its first k set bits.
    """

    def __init__(self, entries: Sequence[Entry], *, now: datetime) -> None:
        self.entries = tuple(entries)
        self.now = now
        self.words = -(-len(self.entries) // 64)
        self._rows: dict[Leaf, Row] = {}
        self._tokenise()

    def _tokenise(self) -> None:
        numbers = _Numbered({"": 0})
        stream: list[int] = []
        segments: list[tuple[int, int, int]] = []
        look_up = numbers.__getitem__
        for position, entry in enumerate(self.entries):
            for code, text in texts(entry):
                found = raw_runs(text)
                stream.extend(map(look_up, found))
                stream.append(0)
                segments.append((position, code, len(found) + 1))
        pieces = [(Piece(_SEPARATOR, False, 0, 0),), *map(pieces_of, list(numbers)[1:])]
        self._number_atoms(pieces)
        self._lay_out(np.array(stream, np.int32), np.array(segments, np.int32).reshape(-1, 3), pieces)

    def _number_atoms(self, pieces: Sequence[tuple[Piece, ...]]) -> None:
        """Surfaces and terms get numbers, 0 is the separator's."""
        self.atoms = list(dict.fromkeys(piece.atom for run in pieces for piece in run))
        self.term_numbers = {term: i for i, term in enumerate(dict.fromkeys(each.term for each in self.atoms))}
        self.term_of = np.array([self.term_numbers[each.term] for each in self.atoms], np.int32)

    def _lay_out(self, runs: NDArray[np.int32], segments: NDArray[np.int32], pieces: Sequence[Sequence[Piece]]) -> None:
        """One array element an atom: its surface, term, entry, field, and whether it is glued to the one before."""
        numbers = {each: i for i, each in enumerate(self.atoms)}
        flat = np.array([(numbers[piece.atom], piece.glued) for run in pieces for piece in run], np.int32)
        sizes = np.array([len(run) for run in pieces], np.int64)
        counts = sizes[runs]
        inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        places = np.repeat((np.cumsum(sizes) - sizes)[runs], counts) + inside
        self.surfaces = flat[places, 0]
        self.terms = self.term_of[self.surfaces]
        self.glued = flat[places, 1].astype(bool)
        self.entry_of = np.repeat(np.repeat(segments[:, 0], segments[:, 2]), counts)
        self.field_of = np.repeat(np.repeat(segments[:, 1], segments[:, 2]), counts).astype(np.int8)

    def row(self, leaf: Leaf) -> Row:
        """The entries for which one leaf holds, computed leaf by leaf; plain words and phrases have a faster way."""
        if leaf not in self._rows:
            self._rows[leaf] = self.bits(self._entries_with(leaf))
        return self._rows[leaf]

    def bits(self, positions: Iterable[int]) -> Row:
        flags = np.zeros(self.words * 64, np.uint8)
        flags[np.fromiter(positions, np.int64)] = 1
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
                return self._labels[field, value]
            case _:
                return self._holding(leaf)

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
        return order, np.concatenate([[0], np.cumsum(np.bincount(self.surfaces, minlength=len(self.atoms)))])

    @cached_property
    def _by_term(self) -> dict[str, list[int]]:
        return self._grouped(lambda each: each.term)

    @cached_property
    def _by_surface(self) -> dict[str, list[int]]:
        return self._grouped(lambda each: each.surface)

    def _grouped(self, key: Callable[[Atom], str]) -> dict[str, list[int]]:
        groups: dict[str, list[int]] = defaultdict(list)
        for number, each in enumerate(self.atoms[1:], 1):
            groups[key(each)].append(number)
        return groups

    @cached_property
    def _alphabetical(self) -> list[tuple[str, int]]:
        return sorted((each.folded, number) for number, each in enumerate(self.atoms) if number)

    def _beginning_with(self, prefix: str) -> list[int]:
        found = []
        for at in range(bisect_left(self._alphabetical, (prefix, 0)), len(self._alphabetical)):
            folded, number = self._alphabetical[at]
            if not folded.startswith(prefix):
                break
            found.append(number)
        return found

    def stands_in(self, leaf: Text, entry: int) -> bool:
        start, stop = np.searchsorted(self.entry_of, [entry, entry + 1]).tolist()
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
        return [self.atoms[i] for i in self.surfaces[start:stop].tolist()], self.glued[start:stop].tolist()

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

    @cached_property
    def _labels(self) -> dict[tuple[str, str], list[int]]:
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for position, entry in enumerate(self.entries):
            for field in ("category", "source", "announce", "has"):
                for label in set(labels(entry, field)):
                    found[field, label].append(position)
        return found

    @cached_property
    def term_hashes(self) -> NDArray[np.uint64]:
        """The hash of each surface's term."""
        return self._hashes[:, 2]

    @cached_property
    def _hashes(self) -> NDArray[np.uint64]:
        flat = np.fromiter(chain.from_iterable(each.hashes for each in self.atoms), np.uint64, 4 * len(self.atoms))
        return flat.reshape(-1, 4)

    @cached_property
    def joined_hashes(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """For each position the hash of its atom joined with the next one, and with the next two; 0 where none.

        Equal hashes are only a hint; who uses them compares the strings.
        """
        folded, width, last, last_width = self._hashes[self.surfaces].T
        power = _POWERS[np.minimum(width, 255).astype(np.int64)]
        last_power = _POWERS[np.minimum(last_width, 255).astype(np.int64)]
        two = (folded[:-1] * last_power[1:] + last[1:]) % PRIME
        front = (folded[:-1] * power[1:] + folded[1:]) % PRIME
        three = (front[:-1] * last_power[2:] + last[2:]) % PRIME
        wall = self.surfaces == 0
        two[wall[:-1] | wall[1:]] = 0
        three[wall[:-2] | wall[1:-1] | wall[2:]] = 0
        return two, three
