"""The terms of an entry, as a store keeps them to find it again; the same atoms that the matcher compares.

A column is terms with spaces between. ``|`` parts what does not stand together (keywords, names). Beside the
texts there is a column ``variants`` for what the terms alone do not tell: the inflected forms, which a
beginning such as ``tuni*`` looks at, glued atoms written as one word (``fine-tuning`` as ``finetune``), and
how words with capitals in them are written.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from itertools import chain
from typing import TypeAlias, TypeVar

from notifier.matching.names import name_words
from notifier.matching.normalize import Piece, pieces_of, raw_runs
from notifier.matching.sequence import MOST_JOINED, joined_term, may_join
from notifier.matching.values import labels
from notifier.model import Entry

T = TypeVar("T")

Document: TypeAlias = tuple[str, ...]
"""The text of each of ``conditions.COLUMNS``."""

INFLECTED, JOINED, _CASED = "*+#"
"""What the three kinds of variants begin with, so that none is taken for another, or for a term."""
_PARTED = " | "
_LONGEST_KEPT = 64
_MOST_KEPT = 2**17
_MADE_BY = ("lemma", "names", "normalize", "sequence", "spelling", "terms", "values")


def document(entry: Entry) -> Document:
    """What is kept of ``entry``; sources, announcements and counts change by themselves and are no part of it."""
    title, abstract, organization = map(raw_runs, (entry.title, entry.abstract, entry.organization or ""))
    keywords = list(map(raw_runs, entry.keywords))
    runs = dict.fromkeys(chain(title, abstract, *keywords, organization))
    return (
        _terms(title),
        _terms(abstract),
        _PARTED.join(map(_terms, keywords)),
        _terms(organization),
        _PARTED.join(" ".join(name_words(each)) for each in entry.authors),
        " ".join(dict.fromkeys(category_term(each) for each in labels(entry, "category"))),
        " ".join(dict.fromkeys(chain.from_iterable(map(_variants.__getitem__, runs)))),
    )


def terms_of(text: str) -> tuple[str, ...]:
    """The terms of a piece of text, in order."""
    return tuple(piece.atom.term for run in raw_runs(text) for piece in pieces_of(run))


def category_term(label: str) -> str:
    """One term for a whole category: full-text tokenizers would cut ``cs.cl`` in two."""
    return label.encode("utf-8", "surrogatepass").hex()


@cache
def fingerprint() -> str:
    """Differs when ``document`` may differ: other code, another dictionary, other Unicode tables."""
    made_by = hashlib.sha256(f"{version('simplemma')} {unicodedata.unidata_version}".encode())
    for name in _MADE_BY:
        made_by.update((files("notifier.matching") / f"{name}.py").read_bytes())
    return made_by.hexdigest()[:32]


def cased_term(surface: str) -> str | None:
    """One term for RLHF or LoRA as it is written; None where at most the first letter is a capital."""
    if not any(map(str.isupper, surface[1:])):
        return None
    return _CASED + surface.encode("utf-8", "surrogatepass").hex()


def _terms(runs: Iterable[str]) -> str:
    return " ".join(map(_terms_of_run.__getitem__, runs))


class _Kept(dict[str, T]):
    """What was made of a run before; text without spaces makes long ones that never come again."""

    def __init__(self, make: Callable[[Sequence[Piece]], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, run: str) -> T:
        made = self._make(pieces_of(run))
        if len(run) <= _LONGEST_KEPT and len(self) < _MOST_KEPT:
            self[run] = made
        return made


def _variants_of(pieces: Sequence[Piece]) -> Iterator[str]:
    for at, piece in enumerate(pieces):
        if piece.atom.folded != piece.atom.term:
            yield INFLECTED + piece.atom.folded
        if (cased := cased_term(piece.atom.surface)) is not None:
            yield cased
        for size in range(2, MOST_JOINED + 1):
            joint = pieces[at : at + size]
            if len(joint) == size and all(each.glued for each in joint[1:]):
                atoms = [each.atom for each in joint]
                if may_join(atoms, True, ""):
                    yield JOINED + joined_term(atoms)


_terms_of_run = _Kept(lambda pieces: " ".join(piece.atom.term for piece in pieces))
_variants = _Kept(lambda pieces: tuple(_variants_of(pieces)))
