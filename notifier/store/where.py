"""Conditions as SQL over ``entry AS e``, what is about terms as FTS5 expressions; every one is 1 or 0, never NULL."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from notifier.conditions import (
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
)
from notifier.matching.clauses import compile_regex, searchable
from notifier.store import rows

_HAS = {
    "abstract": "e.abstract <> ''",
    "code": "coalesce(e.code_url, '') <> ''",
    "keywords": "e.keywords <> '[]'",
    "org": "coalesce(e.organization, '') <> ''",
    "pdf": "coalesce(e.pdf_url, '') <> ''",
    "project": "coalesce(e.project_url, '') <> ''",
}
_NUMBERS = {
    **{field: f"e.{field}" for field in ("upvotes", "comments", "stars", "version")},
    "authors": "coalesce(e.num_authors, nullif(json_array_length(e.authors), 0))",
}
_OPERATORS = frozenset({"=", "<", "<=", ">", ">="})
_FOUND = "e.pk IN (SELECT rowid FROM entry_terms WHERE entry_terms MATCH ?)"


@dataclass(frozen=True, slots=True)
class Where:
    """A WHERE clause with its values; or else ``match``, an FTS5 expression that every row meets, with the ``rest``."""

    sql: str
    values: tuple[object, ...]
    match: str | None
    rest: Where | None


def where(condition: Condition) -> Where:
    match, rest = _parted(condition.conditions if isinstance(condition, AllOf) else (condition,))
    whole = _where(condition)
    return whole if match is None else replace(whole, match=searchable(match), rest=_where(all_of(rest)))


def _where(condition: Condition) -> Where:
    values: list[object] = []
    sql = _sql(condition, values)
    # No entry has half a character, and SQLite takes none.
    clean = tuple(searchable(value) if isinstance(value, str) else value for value in values)
    return Where(sql, clean, None, None)


def add_functions(conn: sqlite3.Connection) -> None:
    conn.create_function("folded", 1, lambda text: " ".join(text.casefold().split()), deterministic=True)
    conn.create_function("fits", 2, _fits, deterministic=True)


def _fits(pattern: str, text: str) -> bool:
    return compile_regex(pattern).search(searchable(text)) is not None


def _match(condition: Condition) -> str | None:
    """The FTS5 expression of a condition that is about terms alone; None for any other."""
    match condition:
        case Phrase(columns=columns, terms=terms, prefix=prefix):
            return f"{_in(columns)} : {_quoted(' '.join(terms))}{' *' if prefix else ''}"
        case Near(columns=columns, terms=terms, between=between):
            return f"{_in(columns)} : NEAR({' '.join(map(_quoted, terms))}, {between})"
        case AnyOf(conditions=conditions) if conditions:
            parts = [_match(each) for each in conditions]
            return None if None in parts else _operated(" OR ", [part for part in parts if part])
        case AllOf(conditions=conditions):
            match, rest = _parted(conditions)
            return None if rest else match
        case _:
            return None


def _parted(conditions: Sequence[Condition]) -> tuple[str | None, list[Condition]]:
    """What of an AND is one FTS5 expression, and the others. FTS5 knows no NOT without something before it."""
    found = {each: text for each in conditions if (text := _match(each))}
    if not found:
        return None, list(conditions)
    unwanted = {
        each: text for each in conditions if isinstance(each, Without) and (text := _match(each.condition)) is not None
    }
    match = _operated(" AND ", list(found.values()))
    if unwanted:
        match = f"({match} NOT {_operated(' OR ', list(unwanted.values()))})"
    return match, [each for each in conditions if each not in found and each not in unwanted]


def _operated(operator: str, parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({operator.join(parts)})"


def _in(columns: Sequence[str]) -> str:
    return f"{{{' '.join(columns)}}}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _sql(condition: Condition, values: list[object]) -> str:
    if match := _match(condition):
        values.append(match)
        return _FOUND
    match condition:
        case AllOf(conditions=conditions):
            return _conjunction(conditions, values)
        case AnyOf(conditions=conditions):
            return _disjunction(conditions, values)
        case Without(condition=inner):
            return f"NOT {_sql(inner, values)}"
        case Number(field=field, op=op, value=value):
            return _compared(_NUMBERS[field], op, value, values)
        case PublishedAt(op=op, at=at):
            return _compared("e.published_at", op, rows.stamp(at), values)
        case Has(what=what):
            return f"({_HAS[what]})"
        case ShownBy(source=source):
            values.append(source)
            return "EXISTS (SELECT 1 FROM sighting AS s WHERE s.entry = e.pk AND folded(s.source) = ?)"
        case Announced(announce=announce):
            values.append(announce)
            return (
                "(coalesce((SELECT announce FROM sighting WHERE entry = e.pk AND announce IS NOT NULL"
                " ORDER BY first_at DESC LIMIT 1), '') = ?)"
            )
        case Fits(fields=fields, pattern=pattern):
            return _fitting(fields, pattern, values)
        case _:
            raise ValueError(f"no such condition: {condition}")


def _conjunction(conditions: Sequence[Condition], values: list[object]) -> str:
    match, rest = _parted(conditions)
    if match:
        values.append(match)
    # First the terms: they are read from one place, the others entry by entry.
    parts = [*([_FOUND] if match else []), *(_sql(each, values) for each in rest)]
    return f"({' AND '.join(parts)})" if parts else "1"


def _disjunction(conditions: Sequence[Condition], values: list[object]) -> str:
    about_terms = {each: _match(each) is not None for each in conditions}
    terms = any_of(each for each, is_term in about_terms.items() if is_term)
    others = [each for each, is_term in about_terms.items() if not is_term]
    parts = [_sql(each, values) for each in ([] if terms == NONE else [terms]) + others]
    return f"({' OR '.join(parts)})" if parts else "0"


def _compared(value: str, op: str, bound: object, values: list[object]) -> str:
    if op not in _OPERATORS:
        raise ValueError(f"no such comparison: {op}")
    values.append(bound)
    return f"coalesce({value} {op} ?, 0)"


def _fitting(fields: Sequence[str], pattern: str, values: list[object]) -> str:
    parts = []
    for field in fields:
        values.append(pattern)
        if field == "keywords":
            parts.append("EXISTS (SELECT 1 FROM json_each(e.keywords) AS k WHERE fits(?, k.value))")
        else:
            parts.append(f"fits(?, coalesce(e.{field}, ''))")
    return f"({' OR '.join(parts)})"
