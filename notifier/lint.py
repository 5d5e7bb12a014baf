"""Advice on a rule, from what it does to the papers at hand: never a reason to refuse it. Pure.

COMMON      a term that more than a fifth of the papers have
UNSEEN      a term that none has, with the nearest one that some have
EMPTIED     a mute that leaves nothing of what another rule includes
COVERED     a rule that brings nothing another does not bring
NEVER       a condition on age that cannot hold, or hardly can between two digests
AMBIGUOUS   an acronym that papers explain in several ways
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from notifier.cadence import next_slot
from notifier.matching import Index, Query, evaluate, format_query
from notifier.matching.formatting import duration
from notifier.matching.names import name_words
from notifier.matching.normalize import atom, is_character, tokens
from notifier.matching.query import Age, And, Author, Kind, Label, Leaf, Not, Or, Regex, Text, Topic
from notifier.model import Cadence, Entry, Every, Mode, Rule

Flags = NDArray[np.bool_]

COMMON_SHARE = 0.2
FEWEST_PAPERS = 20
"""With fewer papers at hand, that a term is common or was never seen says nothing."""
FEWEST_HITS = 3
"""With fewer matches, that one rule covers or empties another may be chance."""
_CLOSE = 0.8
_LONGEST_FORM = 120
"""How many characters before its brackets an acronym's long form may begin."""
_SENTENCE_END = re.compile(r"[.;:()!?]")
_CLOCK_CHANGE = timedelta(hours=2)
_JOINTS = frozenset(("and", "as", "based", "by", "for", "from", "in", "of", "on", "the", "to", "via", "with"))


class Advice(StrEnum):
    COVERED = "covered"
    EMPTIED = "emptied"
    NEVER = "never"
    UNSEEN = "unseen"
    AMBIGUOUS = "ambiguous"
    COMMON = "common"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One sentence of advice; ``term`` is the part of the rule it is about, ``instead`` what may be meant."""

    advice: Advice
    text: str
    term: str = ""
    instead: str | None = None
    rule_id: str | None = None
    """The other rule, where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Term:
    """A leaf or topic of the rule; ``joined`` where others narrow it down, ``negated`` behind a NOT."""

    query: Leaf | Topic
    joined: bool
    negated: bool


def hits_of(index: Index, queries: Iterable[Query]) -> dict[Query, Flags]:
    """For each distinct query, which of ``index.entries`` it matches."""
    distinct = list(dict.fromkeys(queries))
    rows = np.ascontiguousarray(evaluate(index, distinct)).astype("<u8")
    flags = np.zeros((len(distinct), len(index.entries)), bool)
    if flags.size:
        flags[:] = np.unpackbits(rows.view(np.uint8), axis=1, count=len(index.entries), bitorder="little")
    return dict(zip(distinct, flags, strict=True))


def lint(
    query: Query,
    *,
    mode: Mode,
    others: Sequence[tuple[Rule, Query]],
    index: Index,
    cadence: Cadence,
    zone: str,
) -> tuple[Finding, ...]:
    """What to think over about a rule, weightiest first. ``others`` are the subscription's rules beside it."""
    terms = list(dict.fromkeys(_terms(query)))
    hits = hits_of(index, [query, *(term.query for term in terms), *(other for _, other in others)])
    found = [
        *_covered(query, mode, others, hits),
        *_emptied(query, mode, others, hits),
        *_never(query, terms, index, cadence, zone),
    ]
    if len(index.entries) >= FEWEST_PAPERS:
        found += _unseen(terms, hits, index)
        found += _ambiguous(terms, hits, index)
        found += _common(terms, mode, hits)
    return tuple(found)


def _terms(query: Query, *, joined: bool = False, negated: bool = False) -> Iterator[_Term]:
    """The terms a person wrote; what is inside a topic is its librarian's business."""
    match query:
        case And(children=children) | Or(children=children):
            for child in children:
                yield from _terms(child, joined=joined or isinstance(query, And), negated=negated)
        case Not(query=inner):
            yield from _terms(inner, negated=not negated)
        case leaf:
            yield _Term(query=leaf, joined=joined, negated=negated)


def _covered(
    query: Query, mode: Mode, others: Sequence[tuple[Rule, Query]], hits: Mapping[Query, Flags]
) -> Iterator[Finding]:
    own = hits[query]
    for rule, other in others:
        if rule.mode is not mode:
            continue
        theirs = hits[other]
        if other == query:
            text = f"The rule “{rule.name}” says the same."
        elif own.sum() >= FEWEST_HITS and not (own & ~theirs).any():
            text = f"All {own.sum()} papers that it matches, the rule “{rule.name}” matches, too."
        elif theirs.sum() >= FEWEST_HITS and not (theirs & ~own).any():
            text = (
                f"It matches all {theirs.sum()} papers of the rule “{rule.name}”, which then brings nothing of its own."
            )
        else:
            continue
        yield Finding(advice=Advice.COVERED, text=text, rule_id=rule.id)


def _emptied(
    query: Query, mode: Mode, others: Sequence[tuple[Rule, Query]], hits: Mapping[Query, Flags]
) -> Iterator[Finding]:
    own = hits[query]
    for rule, other in others:
        if rule.mode is mode:
            continue
        included, muted = (hits[other], own) if mode is Mode.MUTE else (own, hits[other])
        if included.sum() < FEWEST_HITS or (included & ~muted).any():
            continue
        number = included.sum()
        text = (
            f"This mute leaves out all {number} papers that the rule “{rule.name}” matches."
            if mode is Mode.MUTE
            else f"The mute “{rule.name}” leaves out all {number} papers that it matches."
        )
        yield Finding(advice=Advice.EMPTIED, text=text, rule_id=rule.id)


def _never(query: Query, terms: Sequence[_Term], index: Index, cadence: Cadence, zone: str) -> Iterator[Finding]:
    ages = [term.query for term in terms if isinstance(term.query, Age) and not term.negated]
    upper = [age for age in ages if age.op in ("<", "<=")]
    if isinstance(query, And):
        lower = [age for age in query.children if isinstance(age, Age) and age.op in (">", ">=")]
        for low, high in ((low, high) for low in lower for high in upper if high in query.children):
            if low.seconds >= high.seconds:
                both = f"{format_query(low)} {format_query(high)}"
                yield Finding(advice=Advice.NEVER, term=both, text=f"No paper can have both: {both}.")
    for age in upper:
        if text := _too_young(age, index.entries) or _between_digests(age, cadence, zone, index.now):
            yield Finding(advice=Advice.NEVER, term=format_query(age), text=text)


def _too_young(age: Age, entries: Sequence[Entry]) -> str | None:
    """Sources show papers hours or days after they are published: arXiv announces after up to four days."""
    seen = [e.first_seen_at - e.published_at for e in entries if e.first_seen_at and e.published_at]
    if age.seconds == 0:
        return f"{format_query(age)} never holds: no paper is younger than that."
    if len(seen) < FEWEST_PAPERS or min(seen) <= timedelta(seconds=age.seconds):
        return None
    youngest = duration(int(min(seen).total_seconds()) // 3600 * 3600)
    return f"{format_query(age)} never held: the youngest of {len(seen)} papers was {youngest} old when it was seen."


def _between_digests(age: Age, cadence: Cadence, zone: str, now: datetime) -> str | None:
    gap = longest_gap(cadence, zone, now=now)
    if timedelta(seconds=age.seconds) + _CLOCK_CHANGE >= gap:
        return None
    apart = f"{gap.days} days" if gap >= timedelta(days=2) else f"{round(gap / timedelta(hours=1))} hours"
    return (
        f"{format_query(age)} finds only what was published just before a digest, but up to {apart} lie between two: "
        "papers of the other days never come."
    )


def longest_gap(cadence: Cadence, zone: str, *, now: datetime) -> timedelta:
    """The longest time between two digests in the next two weeks, or between the next three."""
    if cadence.every is Every.INSTANT:
        return timedelta(0)
    if cadence.every is Every.HOURLY and not cadence.days:
        return timedelta(hours=1)
    due = [next_slot(cadence, zone, after=now).due_at]
    while len(due) < 3 or due[-1] - due[0] < timedelta(days=14):
        due.append(next_slot(cadence, zone, after=due[-1]).due_at)
    return max(later - earlier for earlier, later in pairwise(due))


def _common(terms: Sequence[_Term], mode: Mode, hits: Mapping[Query, Flags]) -> Iterator[Finding]:
    for term in terms:
        searched = (Text, Regex, Topic) if term.joined else (Text, Regex, Topic, Label, Author)
        flags = hits[term.query]
        if not isinstance(term.query, searched) or flags.mean() <= COMMON_SHARE:
            continue
        if term.negated and mode is Mode.MUTE:
            continue
        if term.joined:
            effect = "it narrows the rule little"
        else:
            effect = f"it {'leaves out' if term.negated or mode is Mode.MUTE else 'brings'} that many"
        text = f"{_name(term.query)} matches {flags.mean():.0%} of {len(flags)} papers: {effect}."
        yield Finding(advice=Advice.COMMON, term=_written(term.query), text=text)


def _unseen(terms: Sequence[_Term], hits: Mapping[Query, Flags], index: Index) -> Iterator[Finding]:
    for term in terms:
        if not hits[term.query].any() and (found := _absent(term.query, index)):
            reason, instead = found
            hint = f": did you mean {instead}?" if instead else "."
            text = f"{reason} in {len(index.entries)} papers{hint}"
            yield Finding(advice=Advice.UNSEEN, term=_written(term.query), text=text, instead=instead)


def _absent(leaf: Leaf | Topic, index: Index) -> tuple[str, str | None] | None:
    match leaf:
        case Text():
            return _absent_text(leaf, index)
        case Author(words=words):
            names = {" ".join(name_words(name)[-len(words) :]) for entry in index.entries for name in entry.authors}
            return f"{_name(leaf)} was never seen", _nearest(" ".join(words), names)
        case Label(field="category" | "source" as field, value=value):
            known = {
                each for entry in index.entries for each in (entry.categories if field == "category" else entry.sources)
            }
            near = difflib.get_close_matches(value, [each.casefold() for each in known], n=1, cutoff=0.7)
            written = next((each for each in known if near and each.casefold() == near[0]), None)
            return f"{_name(leaf)} was never seen", f"{field}:{written}" if written else None
        case Regex() | Topic():
            return f"{_name(leaf)} matched nothing", None
        case _:
            return None


def _absent_text(leaf: Text, index: Index) -> tuple[str, str | None]:
    atoms = [atom(part.removeprefix("-")) for part in leaf.parts]
    missing = [each for each in atoms if each.term not in index.term_numbers]
    if not missing or leaf.kind is Kind.PREFIX or any(is_character(each.folded) for each in atoms):
        apart = ", though each of its words was," if len(atoms) > 1 and not missing else ""
        return f"{_name(leaf)} was never seen{apart}", None
    word = missing[0].folded
    name = _name(leaf) if len(atoms) == 1 else f"“{word}” of {_name(leaf)}"
    return f"{name} was never seen", _nearest(word, {each.folded for each in index.atoms})


def _nearest(word: str, known: Iterable[str]) -> str | None:
    """Mistakes in the first letter are rare, and comparing with all words of an archive takes seconds."""
    if len(word) < 4:
        return None
    alike = sorted(each for each in known if each[:1] == word[0] and abs(len(each) - len(word)) <= 2)
    found = difflib.get_close_matches(word, alike, n=1, cutoff=_CLOSE)
    return found[0] if found else None


def _ambiguous(terms: Sequence[_Term], hits: Mapping[Query, Flags], index: Index) -> Iterator[Finding]:
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
            text = f"{_name(leaf)} has several readings: {listed}. A phrase beside it says which is meant."
            yield Finding(advice=Advice.AMBIGUOUS, term=_written(leaf), text=text, instead=f'"{forms[0][0]}"')


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


def _written(query: Leaf | Topic) -> str:
    match query:
        case Text(field="", shown=shown) if shown:
            return shown
        case Label(field=field, shown=shown) if shown:
            return f"{field}:{shown}"
        case _:
            return format_query(query)


def _name(query: Leaf | Topic) -> str:
    written = _written(query)
    return f"“{written.strip(chr(34)) if written.startswith(chr(34)) else written}”"
