"""A clock that was ahead and is set back: what it put off comes at its hour, and nothing comes twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifier.errors import TryLater
from notifier.model import Cadence, Every
from notifier.store import SqliteStore
from tests.builders import MORNING, NOW, source
from tests.test_handing_on import DAY, HOUR, World

AHEAD = 30 * DAY


def set_back(store: SqliteStore) -> int:
    with store.write():
        return store.clock_set_back(NOW + HOUR)


@pytest.mark.parametrize("cadence", [MORNING, Cadence(every=Every.HOURLY), Cadence(every=Every.INSTANT)])
def test_after_a_month_ahead_the_next_digest_comes_at_its_hour_with_what_is_new(
    store: SqliteStore, cadence: Cadence
) -> None:
    world = World(store, cadence)
    world.news(1, at=NOW - HOUR)
    world.plan(NOW + AHEAD)
    world.deliver(None, NOW + AHEAD)
    world.news(2, at=NOW + HOUR / 2)
    assert set_back(store) > 0
    world.plan(NOW + HOUR)
    world.plan(NOW + DAY)
    world.deliver(None, NOW + DAY)
    assert world.arrived() == {"1": 1, "2": 1}


def test_what_was_put_off_by_a_clock_that_was_ahead_is_tried_now(store: SqliteStore) -> None:
    world = World(store)
    world.news(1, at=NOW - HOUR)
    world.plan(NOW + HOUR)
    world.deliver(TryLater("Later."), NOW + AHEAD)
    set_back(store)
    world.deliver(None, NOW + HOUR)
    assert world.arrived() == {"1": 1}


def test_a_source_that_was_read_in_the_future_is_read_now(store: SqliteStore) -> None:
    with store.write():
        store.sources.put(source(next_fetch_at=NOW + AHEAD + HOUR, last_success_at=NOW + AHEAD))
    set_back(store)
    assert [each.name for each in store.sources.due(NOW + HOUR)] == ["feed"]


def test_a_clock_that_is_right_changes_nothing(store: SqliteStore) -> None:
    world = World(store)
    world.news(1, at=NOW - HOUR)
    world.plan(NOW + HOUR)
    world.deliver(TryLater("Later."), NOW + HOUR)
    with store.write():
        store.sources.put(source(next_fetch_at=NOW + 3 * HOUR, last_success_at=NOW + HOUR))
        assert store.clock_set_back(NOW + HOUR + timedelta(seconds=1)) == 0
