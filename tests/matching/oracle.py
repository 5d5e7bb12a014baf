"""The slow, obvious evaluator: one entry, one parsed rule. Shares only the cutting of text into atoms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise, permutations

from notifier.matching.lemma import is_known
from notifier.matching.normalize import Atom, atom, is_character, tokens
from notifier.matching.query import And, Kind, Not, Or, Query, Regex, Text, Topic
from notifier.matching.values import holds
from notifier.model import Entry

Glued = tuple[Atom, bool]


def matches(query: Query, entry: Entry, now: datetime) -> bool:
    match query:
        case Topic(query=inner):
            return matches(inner, entry, now)
        case Not(query=inner):
            return not matches(inner, entry, now)
        case Or(children=children):
            return any(matches(child, entry, now) for child in children)
        case And(children=children):
            return all(matches(child, entry, now) or _half(child, children, entry) for child in children)
        case Text():
            return any(_stands(query, _atoms(text)) for text in _texts(entry, query.field))
        case Regex():
            # re and RE2 agree on the plain patterns of the tests.
            return any(re.search(query.pattern, text, re.IGNORECASE) for text in _texts(entry, query.field))
        case leaf:
            return holds(leaf, entry, now)


def _texts(entry: Entry, field: str) -> list[str]:
    every = {"title": [entry.title], "abstract": [entry.abstract], "keywords": list(entry.keywords)}
    if field == "organization":
        return [entry.organization or ""]
    return every[field] if field else [text for texts in every.values() for text in texts]


def _atoms(text: str) -> list[Glued]:
    read = tokens(text)
    return list(zip(read.atoms, read.glued, strict=True))


def _wanted(text: Text) -> list[Glued]:
    return [(atom(part.removeprefix("-")), part.startswith("-")) for part in text.parts]


def _stands(text: Text, have: Sequence[Glued]) -> bool:
    wanted = _wanted(text)
    if text.slop is not None:
        terms, width = sorted(each.term for each, _ in wanted), len(wanted) + text.slop
        windows = (have[at : at + width] for at in range(len(have)))
        return any(not _lacking(terms, [each.term for each, _ in window]) for window in windows)
    return any(_follow(text.kind, wanted, have[at:]) for at in range(len(have)))


def _lacking(wanted: Sequence[str], have: list[str]) -> list[str]:
    rest = list(have)
    return [term for term in wanted if term not in rest or rest.remove(term)]  # type: ignore[func-returns-value]


def _follow(kind: Kind, wanted: Sequence[Glued], have: Sequence[Glued]) -> bool:
    if not wanted:
        return True
    return any(
        _fit(kind, wanted[:few], have[:many], len(wanted) == 1) and _follow(kind, wanted[few:], have[many:])
        for few, many in ((1, 1), (1, 2), (1, 3), (2, 1), (3, 1))
        if few <= len(wanted) and many <= len(have) and not (kind is Kind.PREFIX and few > 1 and few == len(wanted))
    )


def _fit(kind: Kind, wanted: Sequence[Glued], have: Sequence[Glued], last: bool) -> bool:
    if len(wanted) == len(have) == 1:
        mine, other = wanted[0][0], have[0][0]
        if kind is Kind.EXACT:
            return mine.surface == other.surface
        if kind is Kind.PREFIX and last:
            return other.folded.startswith(mine.folded)
        return mine.term == other.term
    if kind is Kind.EXACT or (kind is Kind.PREFIX and last):
        return False
    one, several = (wanted[0][0], have) if len(wanted) == 1 else (have[0][0], wanted)
    return _is_compound([each for each, _ in several], all(glued for _, glued in several[1:]), one)


def _is_compound(several: Sequence[Atom], glued: bool, one: Atom) -> bool:
    words = [each.folded for each in several]
    if "".join(words[:-1]) + several[-1].term != one.term or any(map(is_character, words)):
        return False
    if len(one.folded) > 64 or sum(map(len, words)) > 64:
        return False
    if any(left[-1].isdigit() and right[0].isdigit() for left, right in pairwise(words)):
        return False
    long_enough = all(len(word) >= 3 or re.search(r"\d", word) for word in words)
    return glued or bool(long_enough and (not is_known(one.folded) or (len(words) == 2 and len(words[0]) >= 4)))


def _half(child: Query, children: Sequence[Query], entry: Entry) -> bool:
    """Whether a plain word stands in a compound with another plain word of the same AND."""
    words = [each for each in children if isinstance(each, Text) and _plain(each)]
    return len(words) <= 8 and any(
        left.field == right.field and _is_compound([left_atom, right_atom], False, other)
        for left, right in permutations(words, 2)
        if child in (left, right)
        for (left_atom, _), (right_atom, _) in [(_wanted(left)[0], _wanted(right)[0])]
        for other in _every_atom(entry, left.field)
    )


def _plain(text: Text) -> bool:
    return text.kind is Kind.WORD and text.slop is None and len(text.parts) == 1


def _every_atom(entry: Entry, field: str) -> Iterator[Atom]:
    return (each for text in _texts(entry, field) for each, _ in _atoms(text))
