"""The only way AND, OR and NOT are made, so that every query is in normal form."""

from __future__ import annotations

from collections.abc import Iterable

from notifier.matching.formatting import format_query
from notifier.matching.query import And, Not, Or, Query


def conjunction(children: Iterable[Query]) -> Query:
    return _joined(And, children)


def disjunction(children: Iterable[Query]) -> Query:
    return _joined(Or, children)


def negation(query: Query) -> Query:
    return query.query if isinstance(query, Not) else Not(query=query)


def _joined(kind: type[And] | type[Or], children: Iterable[Query]) -> Query:
    flat: dict[Query, str] = {}
    for child in children:
        for each in child.children if isinstance(child, kind) else (child,):
            if each not in flat:
                flat[each] = format_query(each)
    ordered = sorted(flat, key=flat.__getitem__)
    return ordered[0] if len(ordered) == 1 else kind(children=tuple(ordered))
