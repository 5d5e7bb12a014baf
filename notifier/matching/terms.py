"""The terms of an entry, as a store keeps them to find it again; the same atoms that the matcher compares.

A column is terms with spaces between. ``|`` parts what does not stand together (keywords, names). Beside the
texts there is a column ``variants`` for what the terms alone do not tell: the inflected forms, which a
beginning such as ``tuni*`` looks at, and glued atoms written as one word (``fine-tuning`` as ``finetune``).
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import TypeAlias

from notifier.matching.names import name_words
from notifier.matching.normalize import Piece, pieces_of, raw_runs
from notifier.matching.sequence import MOST_JOINED, joined_term, may_join
from notifier.matching.values import labels
from notifier.model import Entry

Document: TypeAlias = tuple[str, ...]
"""The text of each of ``conditions.COLUMNS``."""

_PARTED = " | "
_MADE_BY = ("lemma", "names", "normalize", "sequence", "spelling", "terms", "values")


def document(entry: Entry) -> Document:
    """What is kept of ``entry``; sources, announcements and counts change by themselves and are no part of it."""
    title, abstract, organization = (_pieces(each) for each in (entry.title, entry.abstract, entry.organization or ""))
    keywords = [_pieces(each) for each in entry.keywords]
    texts = (title, abstract, *keywords, organization)
    return (
        _terms(title),
        _terms(abstract),
        _PARTED.join(map(_terms, keywords)),
        _terms(organization),
        _PARTED.join(" ".join(name_words(each)) for each in entry.authors),
        " ".join(dict.fromkeys(category_term(each) for each in labels(entry, "category"))),
        " ".join(dict.fromkeys(each for text in texts for each in _variants(text))),
    )


def terms_of(text: str) -> tuple[str, ...]:
    """The terms of a piece of text, in order."""
    return tuple(piece.atom.term for piece in _pieces(text))


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


def _pieces(text: str) -> list[Piece]:
    return [piece for run in raw_runs(text) for piece in pieces_of(run)]


def _terms(pieces: Iterable[Piece]) -> str:
    return " ".join(piece.atom.term for piece in pieces)


def _variants(pieces: Sequence[Piece]) -> Iterator[str]:
    for at, piece in enumerate(pieces):
        if piece.atom.folded != piece.atom.term:
            yield piece.atom.folded
        for size in range(2, MOST_JOINED + 1):
            joint = pieces[at : at + size]
            if len(joint) == size and all(each.glued for each in joint[1:]):
                atoms = [each.atom for each in joint]
                if may_join(atoms, True, ""):
                    yield joined_term(atoms)
