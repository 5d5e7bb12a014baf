"""How one word may stand in a text as two or three that white space parts: the other side of ``sequence.may_join``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from notifier.matching.lemma import is_known, lemma
from notifier.matching.normalize import is_character
from notifier.matching.sequence import LONGEST_JOINED

_LONGEST_IN_THREE = 16
"""Letters of a word whose divisions into three are listed one by one; a longer one has too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Divisions:
    """Terms that may stand for one word: each of ``listed`` in a row, or else one of ``heads`` and one of ``tails``."""

    listed: tuple[tuple[str, ...], ...] = ()
    heads: tuple[str, ...] = ()
    tails: tuple[str, ...] = ()


@lru_cache(maxsize=2**12)
def divisions_of(term: str, folded: str) -> Divisions:
    """What joined gives ``term``, as far as ``may_join`` allows where white space parts it.

    All but the last piece are folded words, the last is a term already, of whose word nothing is known.
    """
    size = len(term)
    if len(folded) > LONGEST_JOINED or is_character(folded):
        return Divisions()
    if is_known(folded):
        return Divisions(listed=tuple((lemma(term[:cut]), term[cut:]) for cut in range(4, size)))
    heads = [cut for cut in range(1, size) if _may_be_parted(term[:cut])]
    two = [(lemma(term[:cut]), term[cut:]) for cut in heads]
    if size > _LONGEST_IN_THREE:
        return Divisions(
            listed=tuple(two),
            heads=tuple(dict.fromkeys(head for head, _ in two)),
            tails=tuple(term[cut:] for cut in range(2, size)),
        )
    three = [
        (lemma(term[:first]), lemma(term[first:second]), term[second:])
        for first in heads
        for second in range(first + 1, size)
        if _may_be_parted(term[first:second])
    ]
    return Divisions(listed=(*two, *three))


def _may_be_parted(word: str) -> bool:
    return len(word) >= 3 or any(map(str.isdigit, word))
