"""What may be done about a rule that brought the wrong paper: mute a word of it, look in titles only. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from notifier.errors import RuleError
from notifier.matching import Query, format_query, parse
from notifier.matching.normal import conjunction, disjunction
from notifier.matching.query import And, Not, Or, Text
from notifier.model import Evidence

MOST_WORDS = 4
_PREFIXES = {"authors": "author:", "categories": "category:", "keywords": "keyword:", "organization": "org:"}
_MARKS = str.maketrans(dict.fromkeys('"“”„', " "))


def mutes_of(evidence: Iterable[Evidence]) -> list[str]:
    """Queries that would mute what was found, the first few: words as they stand, names under their field."""
    found = dict.fromkeys(query for each in evidence if (query := _muting(each)))
    return list(found)[:MOST_WORDS]


def _muting(evidence: Evidence) -> str | None:
    if not evidence.field or not (words := " ".join(evidence.text.translate(_MARKS).split())):
        return None
    try:
        return format_query(parse(f'{_PREFIXES.get(evidence.field, "")}"{words}"'))
    except RuleError:
        return None


def narrowed(query: Query) -> str | None:
    """The same rule, its words looked for in titles only; None where it has no word that stands anywhere.

    A topic stays as it is: what is inside it is its librarian's business.
    """
    narrow = _narrow(query)
    return None if narrow == query else format_query(narrow)


def _narrow(query: Query) -> Query:
    match query:
        case Text(field=""):
            return replace(query, field="title")
        case And(children=children):
            return conjunction(map(_narrow, children))
        case Or(children=children):
            return disjunction(map(_narrow, children))
        case Not():
            # What a rule excludes it goes on excluding wherever that stands.
            return query
        case _:
            return query
