"""The terms of an entry, as a store keeps them to find it again; the same atoms that the matcher compares.

A column is terms with spaces between. ``|`` parts what does not stand together (keywords, names). Beside the
texts there is a column ``variants`` for what the terms alone do not tell: the inflected forms, which a
beginning such as ``tuni*`` looks at, glued atoms written as one word (``fine-tuning`` as ``finetune``), and
how words with capitals in them are written.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from importlib.metadata import version
from importlib.resources import files
from itertools import chain
from typing import TypeAlias

from notifier.matching.names import name_words
from notifier.matching.normalize import Piece, pieces_of, raw_runs
from notifier.matching.sequence import MOST_JOINED, joined_term, may_join
from notifier.matching.values import labels
from notifier.model import Entry

Document: TypeAlias = tuple[str, ...]
"""The text of each of ``conditions.COLUMNS``."""

INFLECTED, JOINED, _CASED = "*+#"
"""What the three kinds of variants begin with, so that none is taken for another, or for a term."""
_PARTED = " | "
_LONGEST_KEPT = 64
_MADE_BY = ("lemma", "names", "normalize", "sequence", "spelling", "terms", "values")


def document(entry: Entry) -> Document:
    """What is kept of ``entry``; sources, announcements and counts change by themselves and are no part of it."""
    title, abstract, organization = (_read(each) for each in (entry.title, entry.abstract, entry.organization or ""))
    keywords = [_read(each) for each in entry.keywords]
    return (
        _terms(title),
        _terms(abstract),
        _PARTED.join(map(_terms, keywords)),
        _terms(organization),
        _PARTED.join(" ".join(name_words(each)) for each in entry.authors),
        " ".join(dict.fromkeys(category_term(each) for each in labels(entry, "category"))),
        " ".join(
            dict.fromkeys(variants for _, variants in chain(title, abstract, *keywords, organization) if variants)
        ),
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


def _read(text: str) -> list[tuple[str, str]]:
    # Text without spaces makes long runs that never come again.
    return [_read_cached(run) if len(run) <= _LONGEST_KEPT else _read_run(run) for run in raw_runs(text)]


def _terms(read: Iterable[tuple[str, str]]) -> str:
    return " ".join(terms for terms, _ in read if terms)


def _read_run(run: str) -> tuple[str, str]:
    """The terms of a run, and its variants."""
    pieces = pieces_of(run)
    return " ".join(piece.atom.term for piece in pieces), " ".join(_variants(pieces))


_read_cached = lru_cache(maxsize=2**17)(_read_run)


def _variants(pieces: Sequence[Piece]) -> Iterator[str]:
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
