"""What a store finds for the bounds of a query, against the obvious evaluator: on the real tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.conditions import Condition
from notifier.errors import RuleError
from notifier.matching import Query, format_query, narrow, parse, vocabulary
from notifier.model import Entry
from notifier.store import SqliteStore
from tests.builders import sighted
from tests.matching import oracle
from tests.matching.strategies import NOW, TOPICS, entries, rules


class _RollBack(Exception):
    pass


@pytest.fixture(scope="module")
def narrowing_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path_factory.mktemp("narrowing") / "narrowing.db")
    yield store
    store.close()


def put(store: SqliteStore, papers: Sequence[Entry]) -> None:
    """With a sighting for each of their sources, so that they come back as they are."""
    seen = [replace(each, first_seen_at=NOW) for each in papers]
    store.entries.put([sighted(each, *(each.sources or ("nowhere",)), at=NOW) for each in seen], now=NOW)


def found(store: SqliteStore, condition: Condition) -> set[str]:
    pages = store.entries.search(condition, since=None, until=NOW, first=2)
    ids = [entry.id for page in pages for entry in page]
    assert len(ids) == store.entries.count_of(condition, since=None, until=NOW)
    return set(ids)


def demand_bounds(store: SqliteStore, query: Query, papers: Sequence[Entry]) -> None:
    bounds = narrow(query, store.entries.known_terms(vocabulary(query, now=NOW)), now=NOW)
    matching = {each.id for each in papers if oracle.matches(query, each, NOW)}
    told = (format_query(query), bounds)
    necessary, sufficient = found(store, bounds.necessary), found(store, bounds.sufficient)
    assert sufficient <= matching <= necessary, told
    assert found(store, bounds.between) == necessary - sufficient, told


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rules, min_size=1, max_size=6), st.lists(entries, min_size=1, max_size=4))
def test_what_matches_lies_between_the_bounds(
    narrowing_store: SqliteStore, texts: list[str], papers: list[Entry]
) -> None:
    store = narrowing_store
    # Sources are told in the order they showed it, each once; an announcement needs a source.
    papers = [
        replace(
            each, id=f"x:{i}", sources=each.sources or ("nowhere",), keywords=tuple(filter(str.strip, each.keywords))
        )
        for i, each in enumerate(papers)
    ]
    with suppress(_RollBack), store.write():
        put(store, papers)
        for text in texts:
            with suppress(RuleError):
                demand_bounds(store, parse(text, TOPICS), papers)
        raise _RollBack
