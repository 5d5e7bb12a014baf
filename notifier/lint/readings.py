"""What an acronym stands for in the papers at hand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from notifier.lint.findings import Advice, Finding, Flags, Term, name_of, written_of
from notifier.matching import Index, Query
from notifier.matching.normalize import tokens
from notifier.matching.query import Kind, Text
from notifier.model import Entry

_LONGEST_FORM = 120
"""How many characters before its brackets an acronym's long form may begin."""
_SENTENCE_END = re.compile(r"[.;:()!?]")
_JOINTS = frozenset(("and", "as", "based", "by", "for", "from", "in", "of", "on", "the", "to", "via", "with"))


def ambiguous(terms: Sequence[Term], hits: Mapping[Query, Flags], index: Index) -> Iterator[Finding]:
    for term in terms:
        leaf = term.query
        if not isinstance(leaf, Text) or len(leaf.parts) != 1 or leaf.kind is Kind.PREFIX or term.joined:
            continue
        acronym = leaf.parts[0]
        if not (2 <= len(acronym) <= 6 and acronym.isalnum()):
            continue
        entries = [index.entries[place] for place in np.flatnonzero(hits[leaf]).tolist()]
        forms = readings(acronym, entries)
        if len(forms) > 1:
            listed = ", ".join(f"“{form}” ({number})" for form, number in forms[:4])
            text = f"{name_of(leaf)} has several readings: {listed}. A phrase beside it says which is meant."
            yield Finding(advice=Advice.AMBIGUOUS, term=written_of(leaf), text=text, instead=f'"{forms[0][0]}"')


def readings(acronym: str, entries: Iterable[Entry]) -> list[tuple[str, int]]:
    """What entries write before ``(ACRONYM)``, one for each meaning, with the number of entries; most first."""
    brackets = re.compile(rf"\s\({re.escape(acronym)}s?\)", re.IGNORECASE)
    shown: dict[tuple[str, ...], str] = {}
    counts: Counter[tuple[str, ...]] = Counter()
    for entry in entries:
        text = entry.abstract
        before = (text[max(0, found.start() - _LONGEST_FORM) : found.start()] for found in brackets.finditer(text))
        forms = {form for each in before if (form := _long_form(acronym, each))}
        for form in sorted(forms):
            shown.setdefault(_sense(form), form)
        counts.update({_sense(form) for form in forms})
    return [(shown[sense], number) for sense, number in counts.most_common()]


def _long_form(acronym: str, before: str) -> str | None:
    """The shortest end of ``before`` that has the acronym's letters in order, the first one beginning a word.

    After Schwartz and Hearst, A simple algorithm for identifying abbreviation definitions, 2003.
    """
    text = _SENTENCE_END.split(before)[-1].rstrip()
    at = len(text)
    for place in range(len(acronym) - 1, -1, -1):
        letter = acronym[place].casefold()
        at -= 1
        while at >= 0 and (text[at].casefold() != letter or (place == 0 and at > 0 and text[at - 1].isalnum())):
            at -= 1
        if at < 0:
            return None
    form = text[at:]
    return form if len(acronym) < len(form) and len(form.split()) <= 2 * len(acronym) else None


def _sense(form: str) -> tuple[str, ...]:
    return tuple(each.term for each in tokens(form).atoms if each.folded not in _JOINTS)
