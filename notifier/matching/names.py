"""Names of people as they are compared: Y. Bengio, Yoshua Bengio and "Bengio, Yoshua" are one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from notifier.matching.normalize import is_character, pieces_of, raw_runs


@lru_cache(maxsize=2**16)
def name_words(name: str) -> tuple[str, ...]:
    """The folded words of a name, given names first."""
    family, comma, given = name.partition(",")
    text = f"{given} {family}" if comma else name
    return tuple(piece.atom.folded for run in raw_runs(text) for piece in pieces_of(run))


def name_fits(wanted: Sequence[str], prefix: bool, name: Sequence[str]) -> bool:
    """Whether the ``wanted`` words (see ``Author``) name the person whose words are ``name``.

    One word fits any word of the name. Of several, the last has to stand there and those before it in
    front of it, in order, where an initial fits a name; ``Bengio Y`` is read both ways round.
    """
    if any(is_character(word) for word in wanted):
        return _contains(name, wanted)
    if _in_order(wanted, prefix, name):
        return True
    return len(wanted) > 1 and len(wanted[-1]) == 1 and _in_order((*wanted[1:], wanted[0]), False, name)


def _contains(name: Sequence[str], wanted: Sequence[str]) -> bool:
    size = len(wanted)
    return any(tuple(name[at : at + size]) == tuple(wanted) for at in range(len(name) - size + 1))


def _in_order(wanted: Sequence[str], prefix: bool, name: Sequence[str]) -> bool:
    *given, last = wanted
    return any(
        (word.startswith(last) if prefix else word == last) and _subsequence(given, name[:at])
        for at, word in enumerate(name)
    )


def _subsequence(given: Sequence[str], name: Sequence[str]) -> bool:
    rest = iter(name)
    return all(any(_same_given(word, other) for other in rest) for word in given)


def _same_given(word: str, other: str) -> bool:
    return word == other or (word[0] == other[0] and 1 in (len(word), len(other)))
