from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from notifier.lint.absent import unseen
from notifier.lint.ages import never
from notifier.lint.categories import misnamed
from notifier.lint.findings import (
    FEWEST_HITS,
    FEWEST_PAPERS,
    Advice,
    Finding,
    Flags,
    Term,
    hits_of,
    name_of,
    terms_of,
    written_of,
)
from notifier.lint.inside import inside
from notifier.lint.readings import ambiguous
from notifier.matching import Index, Query
from notifier.matching.query import Author, Label, Regex, Text, Topic
from notifier.model import Cadence, Mode, Rule
from notifier.taxonomy import Taxonomy

COMMON_SHARE = 0.2


def lint(
    query: Query,
    *,
    mode: Mode,
    others: Sequence[tuple[Rule, Query]],
    index: Index,
    cadence: Cadence,
    zone: str,
    taxonomy: Taxonomy,
) -> tuple[Finding, ...]:
    """What to think over about a rule, weightiest first. ``others`` are the subscription's rules beside it."""
    terms = list(dict.fromkeys(terms_of(query)))
    hits = hits_of(index, [query, *(term.query for term in terms), *(other for _, other in others)])
    found = [
        *_covered(query, mode, others, hits),
        *_emptied(query, mode, others, hits),
        *never(query, terms, index, cadence, zone),
        *misnamed(terms, hits, index, taxonomy),
    ]
    if len(index.entries) >= FEWEST_PAPERS:
        found += unseen(
            terms, hits, index, taxonomy, but={each.term for each in found if each.advice is Advice.MISNAMED}
        )
        found += inside(terms, hits, index)
        found += ambiguous(terms, hits, index)
        found += _common(terms, mode, hits)
    return tuple(found)


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


def _common(terms: Sequence[Term], mode: Mode, hits: Mapping[Query, Flags]) -> Iterator[Finding]:
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
        text = f"{name_of(term.query)} matches {flags.mean():.0%} of {len(flags)} papers: {effect}."
        yield Finding(advice=Advice.COMMON, term=written_of(term.query), text=text)
