"""Numbers for runs, surfaces and terms, given once: a word is cut and led to its lemma the first time it is seen only.

A run is what stands between white space and punctuation; its pieces are surfaces (see ``normalize.Atom``), several of
which may share a term. Number 0 is the separator behind each piece of text. Windows made from one lexicon share its
numbers; it is replaced when it has grown large, and those made before keep the old one.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from notifier.matching.normalize import SEPARATOR, Atom, Piece, pieces_in
from notifier.matching.sequence import joins

_SEPARATOR = Piece(Atom(surface="", folded="", term=""), False, 0, 0)
_LARGEST = 1 << 19
"""Pieces of runs; about 200 MB with all that hangs on them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What is known of all runs and surfaces so far, as arrays by their numbers.

    The pieces of run r are ``pieces[starts[r]:starts[r] + sizes[r]]`` (surfaces), ``glued`` beside them. Of each
    surface: its term; hash and width in bytes of its folded form, then of its term (4 columns); a member of Joins.
    """

    starts: NDArray[np.int32]
    sizes: NDArray[np.int32]
    pieces: NDArray[np.int32]
    glued: NDArray[np.bool_]
    term_of: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    joins: NDArray[np.int8]


class Lexicon:
    """``numbers[run]`` numbers a run; hold ``lock`` while numbering and reading."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.numbers = _Runs(self)
        self.atoms: list[Atom] = []
        self.terms: list[str] = []
        self._starts, self._sizes, self._pieces, self._glued = array("i"), array("i"), array("i"), array("b")
        self._surfaces: dict[str, int] = {}
        self._term_numbers: dict[str, int] = {}
        self._term_of, self._hashes, self._joins = array("i"), array("Q"), array("b")
        self.numbers[SEPARATOR] = self._add((_SEPARATOR,))

    @property
    def is_full(self) -> bool:
        return len(self._pieces) > _LARGEST

    def tables(self) -> Tables:
        return Tables(
            starts=np.array(self._starts, np.int32),
            sizes=np.array(self._sizes, np.int32),
            pieces=np.array(self._pieces, np.int32),
            glued=np.array(self._glued, bool),
            term_of=np.array(self._term_of, np.int32),
            hashes=np.array(self._hashes, np.uint64).reshape(-1, 4),
            joins=np.array(self._joins, np.int8),
        )

    def _add(self, pieces: Sequence[Piece]) -> int:
        self._starts.append(len(self._pieces))
        self._sizes.append(len(pieces))
        for piece in pieces:
            self._pieces.append(self._surface(piece.atom))
            self._glued.append(piece.glued)
        return len(self._starts) - 1

    def _surface(self, atom: Atom) -> int:
        number = self._surfaces.get(atom.surface)
        if number is None:
            number = self._surfaces[atom.surface] = len(self.atoms)
            self.atoms.append(atom)
            self._term_of.append(self._term(atom.term))
            self._hashes.extend(atom.hashes)
            self._joins.append(joins(atom.folded))
        return number

    def _term(self, term: str) -> int:
        number = self._term_numbers.setdefault(term, len(self.terms))
        if number == len(self.terms):
            self.terms.append(term)
        return number


class _Runs(dict[str, int]):
    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def __missing__(self, run: str) -> int:
        number = self[run] = self._lexicon._add(pieces_in(run))
        return number


_current = Lexicon()
_choosing = Lock()


def lexicon() -> Lexicon:
    """The one for a new window."""
    global _current
    with _choosing:
        if _current.is_full:
            _current = Lexicon()
        return _current
