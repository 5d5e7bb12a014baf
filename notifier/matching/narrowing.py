"""What a query says of an entry's terms: a condition every match meets, and one that only matches meet.

A store answers both from its tables (see ``conditions``); ``evaluate`` decides on what lies between. Where a
query is too deep or too large to be asked like that, the first grows to every entry and the second shrinks to
none: slower, never wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from notifier.conditions import (
    EVERY,
    NONE,
    AllOf,
    Announced,
    AnyOf,
    Condition,
    Fits,
    Has,
    Near,
    Number,
    Phrase,
    PublishedAt,
    ShownBy,
    Without,
    all_of,
    any_of,
    without,
)
from notifier.matching.divisions import divisions_of
from notifier.matching.index import FIELDS, SEARCHED
from notifier.matching.normalize import Atom, is_character
from notifier.matching.query import (
    Age,
    All,
    And,
    Author,
    Compare,
    Kind,
    Label,
    Leaf,
    Not,
    Or,
    Published,
    Query,
    Regex,
    Text,
    Topic,
)
from notifier.matching.sequence import (
    MOST_JOINED,
    Part,
    compounds,
    joined_term,
    may_join,
    parts_of,
    siblings,
)
from notifier.matching.terms import INFLECTED, JOINED, cased_term, category_term

DEEPEST = 8
"""Levels of AND, OR and NOT that are asked of a store; the parsers of SQL and FTS5 stop at a depth of their own."""
MOST_PHRASES = 1_000
"""Each costs a store memory and time for every entry it finds."""
_BEGINNING = 50
"""A beginning costs as much as so many phrases: a store has to merge all that begins so."""

_VARIANTS = ("variants",)
_AUTHORS = ("authors",)
_TURNED = {">=": "<=", "<=": ">=", ">": "<", "<": ">", "=": "="}
_FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Every match meets ``necessary``; whatever meets ``sufficient`` is a match."""

    necessary: Condition
    sufficient: Condition

    @property
    def between(self) -> Condition:
        """What may match, but has to be looked at."""
        return NONE if self.necessary == self.sufficient else all_of((self.necessary, without(self.sufficient)))


def narrow(query: Query, known: Collection[str], *, now: datetime) -> Bounds:
    """``known`` are those of ``vocabulary(query)`` that occur in the store at all."""
    return _Narrowing(known.__contains__, MOST_PHRASES, now).bounds(query, 0)


def vocabulary(query: Query, *, now: datetime) -> frozenset[str]:
    """Every term that ``narrow`` might ask for, but for beginnings."""
    bounds = _Narrowing(lambda _: True, None, now).bounds(query, 0)
    return frozenset(term for side in _sides(bounds) for each in _phrases(side) for term in _whole(each))


def _sides(bounds: Bounds) -> tuple[Condition, Condition]:
    return bounds.necessary, bounds.sufficient


def _phrases(condition: Condition) -> Iterator[Phrase | Near]:
    match condition:
        case Phrase() | Near():
            yield condition
        case AllOf(conditions=inner) | AnyOf(conditions=inner):
            for each in inner:
                yield from _phrases(each)
        case Without(condition=each):
            yield from _phrases(each)


def _cost(phrase: Phrase | Near) -> int:
    return _BEGINNING if isinstance(phrase, Phrase) and phrase.prefix else 1


def _whole(phrase: Phrase | Near) -> tuple[str, ...]:
    return phrase.terms[:-1] if isinstance(phrase, Phrase) and phrase.prefix else phrase.terms


class _Narrowing:
    def __init__(self, occurs: Callable[[str], bool], room: int | None, now: datetime) -> None:
        self._occurs, self._room, self._now = occurs, room, now

    def bounds(self, query: Query, depth: int) -> Bounds:
        if depth > DEEPEST:
            return Bounds(necessary=EVERY, sufficient=NONE)
        match query:
            case Topic(query=inner):
                return self.bounds(inner, depth)
            case Not(query=inner):
                found = self.bounds(inner, depth + 1)
                return Bounds(necessary=without(found.sufficient), sufficient=without(found.necessary))
            case Or(children=children):
                parts = [self.bounds(child, depth + 1) for child in children]
                return Bounds(
                    necessary=any_of(each.necessary for each in parts),
                    sufficient=any_of(each.sufficient for each in parts),
                )
            case And(children=children):
                return self._conjunction(children, depth)
            case leaf:
                return self._affordable(self._leaf(leaf))

    def _conjunction(self, children: Sequence[Query], depth: int) -> Bounds:
        parts = {child: self.bounds(child, depth + 1) for child in children}
        necessary = {child: [part.necessary] for child, part in parts.items()}
        for left, right, term, pair in compounds(siblings(children)):
            if may_join(pair, False, ""):
                together = self._phrase(_columns(left.field), term)
                necessary[left].append(together)
                necessary[right].append(together)
        return Bounds(
            necessary=all_of(map(any_of, necessary.values())),
            sufficient=all_of(part.sufficient for part in parts.values()),
        )

    def _affordable(self, bounds: Bounds) -> Bounds:
        if self._room is None:
            return bounds
        cost = sum(map(_cost, (each for side in _sides(bounds) for each in _phrases(side))))
        if cost > self._room:
            return Bounds(necessary=EVERY, sufficient=NONE)
        self._room -= cost
        return bounds

    def _leaf(self, leaf: Leaf) -> Bounds:
        match leaf:
            case Text():
                return self._text(leaf)
            case Author():
                return self._author(leaf)
            case _:
                exact = self._value(leaf)
                return Bounds(necessary=exact, sufficient=exact)

    def _value(self, leaf: All | Label | Compare | Age | Published | Regex) -> Condition:
        match leaf:
            case All():
                return EVERY
            case Label(field=field, value=value):
                return self._label(field, value)
            case Compare(field=field, op=op, value=bound):
                return Number(field=field, op=op, value=bound)
            case Age(op=op, seconds=seconds):
                return _age(op, seconds, self._now)
            case Published():
                return _published(leaf)
            case Regex(field=field, pattern=pattern):
                return Fits(fields=_columns(field), pattern=pattern)

    def _label(self, field: str, value: str) -> Condition:
        match field:
            case "category":
                return self._phrase(("categories",), category_term(value))
            case "source":
                return ShownBy(source=value)
            case "announce":
                return Announced(announce=value)
            case _:
                return Has(what=value)

    def _phrase(self, columns: tuple[str, ...], *terms: str, prefix: bool = False) -> Condition:
        phrase = Phrase(columns=columns, terms=terms, prefix=prefix)
        return phrase if all(map(self._occurs, _whole(phrase))) else NONE

    def _text(self, leaf: Text) -> Bounds:
        columns, parts = _columns(leaf.field), parts_of(leaf)
        terms = [part.atom.term for part in parts]
        if leaf.slop is not None:
            return self._near(columns, terms, leaf.slop)
        if leaf.kind is Kind.EXACT:
            cased = [term for part in parts if (term := cased_term(part.atom.surface)) is not None]
            written = (self._phrase(_VARIANTS, term) for term in cased)
            # Other terms do not tell upper from lower case.
            return Bounds(necessary=all_of((self._phrase(columns, *terms), *written)), sufficient=NONE)
        if leaf.kind is Kind.PREFIX:
            base = self._phrase(columns, *terms[:-1], parts[-1].atom.folded, prefix=True)
            return Bounds(necessary=self._in_any_form(columns, parts, base, beginning=True), sufficient=NONE)
        base = self._phrase(columns, *terms)
        return Bounds(necessary=self._in_any_form(columns, parts, base, beginning=False), sufficient=base)

    def _in_any_form(
        self, columns: tuple[str, ...], parts: Sequence[Part], base: Condition, *, beginning: bool
    ) -> Condition:
        """``base`` has one term for each part. Or else each part is there in some form, one of them in another."""
        words = parts[:-1] if beginning else parts
        usual = [self._phrase(columns, part.atom.term) for part in words]
        other = [any_of(self._other_forms(columns, words, i)) for i in range(len(words))]
        if beginning:
            last = parts[-1].atom.folded
            usual.append(self._phrase(columns, last, prefix=True))
            other.append(self._phrase(_VARIANTS, INFLECTED + last, prefix=True))
        if len(parts) == 1:
            return any_of((base, other[0]))
        each = [any_of(forms) for forms in zip(usual, other, strict=True)]
        return any_of((base, all_of((any_of(other), *each))))

    def _other_forms(self, columns: tuple[str, ...], parts: Sequence[Part], i: int) -> Iterator[Condition]:
        """How a text may have part ``i`` if not as one term: joined, divided, or merged with its neighbours."""
        yield self._phrase(_VARIANTS, JOINED + parts[i].atom.term)
        yield from self._divided(columns, parts[i].atom)
        for size in range(2, MOST_JOINED + 1):
            for start in range(max(0, i - size + 1), min(i, len(parts) - size) + 1):
                merged = parts[start : start + size]
                atoms = [each.atom for each in merged]
                if may_join(atoms, all(each.glued for each in merged[1:]), ""):
                    yield self._phrase(columns, joined_term(atoms))

    def _divided(self, columns: tuple[str, ...], word: Atom) -> Iterator[Condition]:
        """The word as two or three that white space parts; glued ones stand among the variants."""
        divisions = divisions_of(word.term, word.folded)
        for terms in divisions.listed:
            yield self._phrase(columns, *terms)
        if divisions.heads:
            yield all_of(
                any_of(self._phrase(columns, term) for term in side) for side in (divisions.heads, divisions.tails)
            )

    def _near(self, columns: tuple[str, ...], terms: Sequence[str], slop: int) -> Bounds:
        different = tuple(dict.fromkeys(terms))
        if len(different) == 1:
            return Bounds(necessary=self._phrase(columns, *different), sufficient=NONE)
        if not all(map(self._occurs, different)):
            return Bounds(necessary=NONE, sufficient=NONE)
        between = len(terms) + slop - 2
        # A store might reach from one keyword into the next.
        strict = tuple(column for column in columns if column != "keywords")
        sure = bool(strict) and len(different) == len(terms)
        return Bounds(
            necessary=Near(columns=columns, terms=different, between=between),
            sufficient=Near(columns=strict, terms=different, between=between) if sure else NONE,
        )

    def _author(self, leaf: Author) -> Bounds:
        whole = self._phrase(_AUTHORS, *leaf.words, prefix=leaf.prefix)
        if any(map(is_character, leaf.words)):
            whole = self._phrase(_AUTHORS, *leaf.words)
            return Bounds(necessary=whole, sufficient=whole)
        if len(leaf.words) == 1:
            return Bounds(necessary=whole, sufficient=whole)
        readings = [self._named(leaf.words, prefix=leaf.prefix)]
        if len(leaf.words[-1]) == 1:
            readings.append(self._named((*leaf.words[1:], leaf.words[0]), prefix=False))
        return Bounds(necessary=any_of(readings), sufficient=whole)

    def _named(self, words: Sequence[str], *, prefix: bool) -> Condition:
        *given, last = words
        return all_of((self._phrase(_AUTHORS, last, prefix=prefix), *map(self._given, given)))

    def _given(self, word: str) -> Condition:
        if len(word) == 1:
            return self._phrase(_AUTHORS, word, prefix=True)
        return any_of((self._phrase(_AUTHORS, word), self._phrase(_AUTHORS, word[0])))


def _columns(field: str) -> tuple[str, ...]:
    return tuple(FIELDS[code] for code in SEARCHED[field])


def _age(op: str, seconds: int, now: datetime) -> Condition:
    try:
        return PublishedAt(op=_TURNED[op], at=now - timedelta(seconds=seconds))
    except OverflowError:
        return PublishedAt(op=">=", at=_FIRST_INSTANT) if op in ("<", "<=") else NONE


def _published(leaf: Published) -> Condition:
    match leaf.op:
        case ">=":
            return PublishedAt(op=">=", at=leaf.start)
        case ">":
            return PublishedAt(op=">=", at=leaf.end)
        case "<":
            return PublishedAt(op="<", at=leaf.start)
        case "<=":
            return PublishedAt(op="<", at=leaf.end)
        case _:
            return all_of((PublishedAt(op=">=", at=leaf.start), PublishedAt(op="<", at=leaf.end)))
