"""Terms for a rule, drawn from one paper: words and pairs of its title, its keywords, its categories. Pure.

Each with how many papers of a time have it, so that people see what they would be asking for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from notifier.errors import RuleError
from notifier.lint import hits_of
from notifier.matching import Index, Query, Topics, parse
from notifier.model import Entry

MOST = 10
_WORD = re.compile(r"[^\W_][\w'-]*[^\W_]|[^\W_]")
_COMMON = frozenset(
    {"a", "an", "the", "of", "on", "in", "at", "to", "by", "for", "from", "with", "without", "and", "or", "not", "via"}
    | {
        "using",
        "use",
        "based",
        "new",
        "is",
        "are",
        "be",
        "do",
        "does",
        "can",
        "we",
        "our",
        "as",
        "into",
        "over",
        "under",
    }
    | {"its", "it", "this", "that", "these", "those", "how", "what", "when", "why", "towards", "through", "between"}
)
_LONGEST = 60
_TOO_COMMON = 0.2
"""A term that more than this share of the papers have says little; the same bound as the advice on rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    term: str
    count: int


def proposals(entry: Entry, entries: Sequence[Entry], topics: Topics, *, now: datetime) -> list[Proposal]:
    """At most ten, the most telling first; ``entries`` are those among which they are counted."""
    index = Index(entries, now=now)
    drawn = list(_parsed(_drawn(entry), topics))
    hits = hits_of(index, [query for _, query in drawn])
    counts = {term: int(hits[query].sum()) for term, query in drawn}
    bound = max(3, _TOO_COMMON * len(entries))
    # What is rare tells most, and two words tell more than one; one alone may be this paper only.
    ranked = sorted(
        (term for term, _ in drawn if counts[term] <= bound),
        key=lambda term: (counts[term] < 2, " " not in term and ":" not in term, counts[term]),
    )
    chosen = list(dict.fromkeys([*ranked, *(term for term, _ in drawn)]))
    return [Proposal(term=term, count=counts[term]) for term in chosen[:MOST]]


def quoted(words: str) -> str:
    """As a term of the rule language: several words are a phrase."""
    bare = " ".join(words.replace('"', " ").split())
    return f'"{bare}"' if not bare.isalnum() else bare


def _parsed(terms: Iterable[str], topics: Topics) -> Iterator[tuple[str, Query]]:
    for term in dict.fromkeys(terms):
        if not 2 < len(term) <= _LONGEST:
            continue
        try:
            yield term, parse(term, topics)
        except RuleError:
            continue


def _drawn(entry: Entry) -> Iterator[str]:
    words = _WORD.findall(entry.title[:400])
    telling = [word.lower() not in _COMMON for word in words]
    for at in range(len(words) - 1):
        if telling[at] and telling[at + 1]:
            yield quoted(f"{words[at]} {words[at + 1]}".lower())
    for keyword in entry.keywords[:10]:
        yield quoted(keyword.lower())
    for word, tells in zip(words, telling, strict=True):
        if tells and len(word) > 3:
            yield quoted(word.lower())
    for category in entry.categories[:4]:
        yield f"category:{category}"
