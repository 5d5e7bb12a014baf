"""One entry, one query: why it matches, to the character, or which clause failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from notifier.matching.clauses import compile_regex, searchable
from notifier.matching.formatting import AT_LEAST, duration, meaning, number
from notifier.matching.index import FIELDS, SEARCHED, texts
from notifier.matching.normalize import Tokens, tokens
from notifier.matching.query import (
    Age,
    All,
    And,
    Author,
    Compare,
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
from notifier.matching.sequence import Places, compounds, find, may_join, siblings
from notifier.matching.values import age, count, fitting_authors, holds, labels, with_parents
from notifier.model import Entry, Evidence

Found = tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``failed`` says in words, with values, which clauses did not hold; empty where the query matches."""

    matched: bool
    failed: tuple[str, ...] = ()
    evidence: Found = ()


def explain(query: Query, entry: Entry, *, now: datetime) -> Found | None:
    """The evidence that ``query`` holds for ``entry``; None where it does not. Agrees with ``evaluate``."""
    return _Reading(entry, now).evidence(query)


def verdict(query: Query, entry: Entry, *, now: datetime) -> Verdict:
    reading = _Reading(entry, now)
    evidence = reading.evidence(query)
    if evidence is not None:
        return Verdict(matched=True, evidence=evidence)
    return Verdict(matched=False, failed=tuple(dict.fromkeys(reading.failures(query))))


@lru_cache(maxsize=2_048)
def _pieces(entry: Entry) -> tuple[tuple[int, str, Tokens], ...]:
    return tuple((code, text, tokens(text)) for code, text in texts(entry))


@lru_cache(maxsize=8_192)
def _places(text: str) -> Places:
    return Places(tokens(text).atoms)


class _Reading:
    def __init__(self, entry: Entry, now: datetime) -> None:
        self.entry, self.now = entry, now

    def evidence(self, query: Query) -> Found | None:
        match query:
            case Topic(query=inner):
                return self.evidence(inner)
            case Not(query=inner):
                return (Evidence(field="", text=f"not {_short(inner)}"),) if self.evidence(inner) is None else None
            case And(children=children):
                parts = list(self._conjunction(children).values())
                return _merged(part for part in parts if part) if None not in parts else None
            case Or(children=children):
                found = [part for child in children if (part := self.evidence(child)) is not None]
                return _merged(found) if found else None
            case leaf:
                return self._leaf(leaf)

    def _conjunction(self, children: Sequence[Query]) -> dict[Query, Found | None]:
        found: dict[Query, Found | None] = {child: self.evidence(child) for child in children}
        for left, right, term, pair in compounds(siblings(children)):
            if found[left] is None or found[right] is None:
                spans = {
                    (code, text): [
                        span
                        for each, span in zip(read.atoms, read.spans, strict=True)
                        if each.term == term and may_join(pair, False, each.folded)
                    ]
                    for code, text, read in self._searched(left.field)
                }
                if together := _spanned(spans):
                    found[left], found[right] = found[left] or together, found[right] or together
        return found

    def _searched(self, field: str) -> Iterator[tuple[int, str, Tokens]]:
        return ((code, text, read) for code, text, read in _pieces(self.entry) if code in SEARCHED[field])

    def _leaf(self, leaf: Leaf) -> Found | None:
        match leaf:
            case Text():
                return _spanned(
                    {(code, text): _spans(leaf, text, read) for code, text, read in self._searched(leaf.field)}
                )
            case Regex(field=field, pattern=pattern):
                program = compile_regex(pattern)
                return _spanned(
                    {
                        (code, text): [hit.span() for hit in program.finditer(searchable(text)) if hit.group()]
                        for code, text, _ in self._searched(field)
                    }
                )
            case Author():
                names = fitting_authors(leaf, self.entry)
                return tuple(Evidence(field="authors", text=name) for name in names) or None
            case Label(field="category", value=value):
                fitting = [name for name in self.entry.categories if value in with_parents(name)]
                return tuple(Evidence(field="categories", text=name) for name in fitting) or None
            case _:
                return (self._value(leaf),) if holds(leaf, self.entry, self.now) else None

    def _value(self, leaf: All | Label | Compare | Age | Published) -> Evidence:
        match leaf:
            case All():
                return Evidence(field="", text="every entry")
            case Label(field=field):
                return Evidence(field=field, text=meaning(leaf))
            case Compare(field=field, op=op, value=value):
                return Evidence(
                    field=field, text=f"{field} {count(self.entry, field)} ({AT_LEAST[op]} {number(value)})"
                )
            case Age():
                return Evidence(field="published_at", text=meaning(leaf))
            case Published():
                return Evidence(field="published_at", text=meaning(leaf))

    def failures(self, query: Query) -> Iterator[str]:
        """What keeps ``query``, which does not hold, from holding."""
        match query:
            case Topic(name=name, query=inner):
                yield from (f"topic {name}: {each}" for each in self.failures(inner))
            case Not(query=inner):
                yield f"{_short(inner)} is there, which the rule excludes"
            case And(children=children):
                for child, found in self._conjunction(children).items():
                    if found is None:
                        yield from self.failures(child)
            case Or(children=children):
                yield "; ".join(each for child in children for each in self.failures(child))
            case leaf:
                yield self._missing(leaf)

    def _missing(self, leaf: Leaf) -> str:
        entry = self.entry
        match leaf:
            case Compare(field=field, op=op, value=value):
                have = count(entry, field)
                if have is None:
                    return f"{field} unknown"
                wanted = number(value)
                return f"{field} {have} of {wanted}" if op == ">=" else f"{field} {have}, not {AT_LEAST[op]} {wanted}"
            case Age():
                old = age(entry, self.now)
                known = f"published {duration(int(old) // 3600 * 3600)} ago" if old is not None else "age unknown"
                return f"{known}, not {meaning(leaf)}"
            case Published():
                at = entry.published_at
                return (
                    f"published {at:%Y-%m-%d}, not {meaning(leaf).removeprefix('published ')}" if at else "date unknown"
                )
            case Label(field="category", shown=shown):
                return f"category is {', '.join(entry.categories) or 'unknown'}, not {shown}"
            case Label(field="has", shown=shown):
                return f"has no {shown}"
            case Label(field=field, shown=shown):
                have_labels = entry.sources if field == "source" else labels(entry, field)
                return f"{field} is {', '.join(have_labels) or 'unknown'}, not {shown}"
            case Author(shown=shown):
                return f"no author {shown}"
            case Regex(pattern=pattern):
                return f"nothing fits /{pattern}/"
            case _:
                return f"no {_short(leaf)}"


def _spans(leaf: Text, text: str, read: Tokens) -> list[tuple[int, int]]:
    found = find(leaf, read.atoms, read.glued, _places(text))
    return [(read.spans[start][0], read.spans[end - 1][1]) for start, end in found]


def _spanned(spans: dict[tuple[int, str], list[tuple[int, int]]]) -> Found | None:
    """Evidence for each piece of text with spans. A keyword is named whole: it has no place in one text."""
    found = [
        Evidence(field=FIELDS[code], text=text)
        if FIELDS[code] == "keywords"
        else Evidence(field=FIELDS[code], spans=tuple(ranges), text=text[slice(*ranges[0])])
        for (code, text), ranges in spans.items()
        if ranges
    ]
    return tuple(found) or None


def _merged(parts: Iterator[Found] | Sequence[Found]) -> Found:
    return tuple(dict.fromkeys(each for part in parts for each in part))


def _short(query: Query) -> str:
    if isinstance(query, Text):
        shown = query.shown or meaning(query)
        return f"{query.field}: {shown}" if query.field else shown
    return meaning(query)
