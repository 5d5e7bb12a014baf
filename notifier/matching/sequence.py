"""Where the atoms of a text clause stand in a run of atoms: the one definition of "these words, side by side".

An atom fits another with the same term. Joints do not matter: ``finetuning``, ``fine-tuning`` and
``fine tuning`` fit one another, so two or three atoms may stand for one, on either side. Where white space
parts them, this is held back so that ``inform`` does not find "in form" (``may_join``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise

from notifier.matching.lemma import is_known
from notifier.matching.normalize import Atom, atom, is_character
from notifier.matching.query import Kind, Text

MOST_JOINED = 3
LONGEST_JOINED = 64
"""Characters; longer runs are never taken for a joined word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One atom of a clause; ``glued`` to the one before it."""

    atom: Atom
    glued: bool


@lru_cache(maxsize=2**16)
def parts_of(text: Text) -> tuple[Part, ...]:
    return tuple(Part(atom=atom(part.removeprefix("-")), glued=part.startswith("-")) for part in text.parts)


def joined_term(atoms: Sequence[Atom]) -> str:
    """What ``atoms`` written as one word would be compared as: the last of them carries the ending."""
    return "".join(each.folded for each in atoms[:-1]) + atoms[-1].term


def may_join(atoms: Sequence[Atom], glued: bool, solid: str) -> bool:
    """Whether ``atoms`` may stand for the one word ``solid`` (folded), ``glued`` if no white space parts them."""
    words = [each.folded for each in atoms]
    if len(solid) > LONGEST_JOINED or sum(map(len, words)) > LONGEST_JOINED or any(map(is_character, words)):
        return False
    if any(left[-1].isdigit() and right[0].isdigit() for left, right in pairwise(words)):
        return False
    if glued:
        return True
    if not all(len(word) >= 3 or any(map(str.isdigit, word)) for word in words):
        return False
    return not is_known(solid) or (len(words) == 2 and len(words[0]) >= 4)


def may_precede(before: Atom | None, atom: Atom | None) -> bool:
    """Whether ``atom`` of a text can be the end of what stands for the part ``before``, joined in whatever way."""
    if before is None or atom is None:
        return before is None
    return before.term.endswith(atom.term) or atom.term.endswith(before.term)


def may_follow(after: Atom | None, atom: Atom | None) -> bool:
    """Whether ``atom`` of a text can be the beginning of what stands for the part ``after``."""
    if after is None or atom is None:
        return after is None
    return atom.term == after.term or after.term.startswith(atom.folded) or atom.term.startswith(after.folded)


class Joins(IntEnum):
    """Whether a word may be part of a compound; what ``may_join`` says of one word alone."""

    NEVER = 0
    GLUED = 1
    """Only where no white space parts it from the others."""
    ANYHOW = 2


def joins(folded: str) -> Joins:
    if not folded or len(folded) > LONGEST_JOINED or is_character(folded):
        return Joins.NEVER
    return Joins.ANYHOW if len(folded) >= 3 or any(map(str.isdigit, folded)) else Joins.GLUED


class Places:
    """Where a clause can begin in a run of atoms: looked up, so that a long topic need not try every atom."""

    def __init__(self, atoms: Sequence[Atom]) -> None:
        self._all = range(len(atoms))
        self._by_term: dict[str, list[int]] = {}
        self._by_folded: dict[str, list[int]] = {}
        for place, each in enumerate(atoms):
            self._by_term.setdefault(each.term, []).append(place)
            self._by_folded.setdefault(each.folded, []).append(place)

    def of(self, text: Text) -> Sequence[int]:
        if (openings := _openings(text)) is None:
            return self._all
        terms, beginnings = openings
        places = [place for term in terms if term in self._by_term for place in self._by_term[term]]
        for folded in beginnings:
            if folded in self._by_folded:
                places += self._by_folded[folded]
        return sorted(set(places)) if len(places) > 1 else places


@lru_cache(maxsize=2**16)
def _openings(text: Text) -> tuple[frozenset[str], tuple[str, ...]] | None:
    """The terms and the folded atoms that a clause can begin with; None where any atom might do."""
    parts = parts_of(text)
    if text.kind is Kind.EXACT or (text.kind is Kind.PREFIX and len(parts) == 1):
        return None
    first = parts[0].atom.term
    whole = [each.atom for each in (parts if text.kind is Kind.WORD else parts[:-1])]
    terms = {first, *(joined_term(whole[:size]) for size in range(2, MOST_JOINED + 1) if len(whole) >= size)}
    # Several atoms that stand for the first part begin with a beginning of it.
    return frozenset(terms), tuple(first[:end] for end in range(1, len(first) + 1))


def _beginnings(text: Text, atoms: Sequence[Atom]) -> Sequence[int]:
    """What ``Places`` would say, for atoms that are looked at only once."""
    if (openings := _openings(text)) is None:
        return range(len(atoms))
    terms, folded = openings
    return [place for place, each in enumerate(atoms) if each.term in terms or each.folded in folded]


def find(
    text: Text, atoms: Sequence[Atom], glued: Sequence[bool], places: Places | None = None
) -> list[tuple[int, int]]:
    """The half-open ranges of ``atoms`` that ``text`` stands at, without overlaps, in order."""
    if text.slop is not None:
        return list(_near(text, atoms))
    found: list[tuple[int, int]] = []
    for start in places.of(text) if places else _beginnings(text, atoms):
        if found and start < found[-1][1]:
            continue
        if (end := _end(text.kind, parts_of(text), 0, atoms, glued, start)) is not None:
            found.append((start, end))
    return found


def _end(kind: Kind, parts: Sequence[Part], i: int, atoms: Sequence[Atom], glued: Sequence[bool], j: int) -> int | None:
    """Where ``parts[i:]`` end if they begin at ``atoms[j]``."""
    if i == len(parts):
        return j
    for di, dj in _steps(kind, parts, i, atoms, glued, j):
        if (end := _end(kind, parts, i + di, atoms, glued, j + dj)) is not None:
            return end
    return None


def _steps(
    kind: Kind, parts: Sequence[Part], i: int, atoms: Sequence[Atom], glued: Sequence[bool], j: int
) -> Iterator[tuple[int, int]]:
    """How many parts and atoms can be taken for one another at this point."""
    if j >= len(atoms):
        return
    part, here = parts[i].atom, atoms[j]
    last = i == len(parts) - 1
    if kind is Kind.EXACT:
        if part.surface == here.surface:
            yield 1, 1
        return
    if kind is Kind.PREFIX and last:
        if here.folded.startswith(part.folded):
            yield 1, 1
        return
    if part.term == here.term:
        yield 1, 1
    # The last part of a prefix clause is no whole word and takes no part in a compound.
    whole = parts if kind is Kind.WORD else parts[:-1]
    for size in range(2, MOST_JOINED + 1):
        if j + size <= len(atoms) and _stand_for(atoms[j : j + size], all(glued[j + 1 : j + size]), part):
            yield 1, size
        merged = whole[i : i + size]
        if len(merged) == size and _stand_for([m.atom for m in merged], all(m.glued for m in merged[1:]), here):
            yield size, 1


def _stand_for(several: Sequence[Atom], glued: bool, one: Atom) -> bool:
    return joined_term(several) == one.term and may_join(several, glued, one.folded)


def _near(text: Text, atoms: Sequence[Atom]) -> Iterator[tuple[int, int]]:
    """Ranges in which all parts occur, in any order, with at most ``slop`` other atoms among them."""
    terms = [each.atom.term for each in parts_of(text)]
    width = len(terms) + (text.slop or 0)
    after = 0
    for start, here in enumerate(atoms):
        if start < after or here.term not in terms:
            continue
        rest = list(terms)
        for end, other in enumerate(atoms[start : start + width], start + 1):
            if other.term in rest:
                rest.remove(other.term)
                if not rest:
                    yield start, end
                    after = end
                    break


def siblings(children: Sequence[object]) -> list[Text]:
    """The plain words of an AND that may also stand joined: ``fine tuning`` finds "finetuning"."""
    words = [each for each in children if isinstance(each, Text) and _is_plain_word(each)]
    return words if 2 <= len(words) <= MOST_SIBLINGS else []


MOST_SIBLINGS = 8
"""With more words in one AND, no two of them are taken for the halves of a compound."""


def _is_plain_word(text: Text) -> bool:
    return len(text.parts) == 1 and text.kind is Kind.WORD and text.slop is None


def compounds(words: Sequence[Text]) -> Iterator[tuple[Text, Text, str, list[Atom]]]:
    """Each ordered pair of ``words`` of one field, the term of their compound, and its two atoms."""
    for left in words:
        for right in words:
            if left is not right and left.field == right.field:
                pair = [parts_of(left)[0].atom, parts_of(right)[0].atom]
                yield left, right, joined_term(pair), pair
