"""Which categories rules ask for, so that sources which have to be asked by category are asked for these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from notifier.errors import RuleError
from notifier.matching import Query, Topics, parse
from notifier.matching.query import And, Label, Or, Topic


def categories_of(queries: Iterable[str], topics: Topics, known: dict[str, frozenset[str]]) -> frozenset[str]:
    """The categories that rules ask for, through topics too; what a rule excludes is not asked for.

    ``known`` remembers each query's, as there may be very many: only those not in it are parsed.
    """
    telling = ("category", *(name for name in topics if _named(f"topic:{name}", topics)))
    found: set[str] = set()
    for text in queries:
        if text not in known:
            folded = text.casefold()
            known[text] = _named(text, topics) if any(word in folded for word in telling) else frozenset()
        found |= known[text]
    return frozenset(found)


def _named(text: str, topics: Topics) -> frozenset[str]:
    try:
        return frozenset(_labels(parse(text, topics)))
    except RuleError:
        return frozenset()


def _labels(query: Query) -> Iterator[str]:
    match query:
        case Label(field="category", value=value, shown=shown):
            yield shown or value
        case Topic(query=inner):
            yield from _labels(inner)
        case And(children=children) | Or(children=children):
            for child in children:
                yield from _labels(child)
