from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.collect import absorb
from notifier.ports import Store
from notifier.store import SqliteStore
from tests.builders import NOW, rule, sighting, subscriber, subscription

STORES: dict[str, Callable[[Path], Store]] = {"sqlite": lambda folder: SqliteStore(folder / "contract.db")}
DAY = timedelta(days=1)


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    return lambda: STORES[request.param](tmp_path)


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Iterator[Store]:
    store = open_store()
    yield store
    store.close()


@pytest.fixture
def peopled(store: Store) -> Store:
    """One subscriber with one subscription and one rule, and three entries that are news."""
    with store.write():
        store.subscribers.add(subscriber())
        store.subscriptions.put(subscription())
        store.rules.put([rule()], actor="ada", via="cli", now=NOW - DAY)
    absorb(store, [sighting(n) for n in (1, 2, 3)], source="feed", baseline=False, now=NOW - DAY)
    return store
