from __future__ import annotations

from datetime import timedelta

from notifier.collect import absorb
from notifier.model import DeliveryState
from notifier.ports import DayCount, Store
from tests.builders import NOW, planned, sighting, subscription

DAY = timedelta(days=1)
LEASE = timedelta(minutes=5)


def test_deliveries_are_counted_by_channel_and_state(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned("d_one"), planned("d_two", "s_one", "2025-12-17")])
        peopled.deliveries.cancel("d_two", at=NOW)
    assert peopled.figures.deliveries() == {
        ("outbox", DeliveryState.PLANNED): 1,
        ("outbox", DeliveryState.CANCELLED): 1,
    }


def test_the_oldest_that_may_be_sent_is_told_unless_its_subscription_is_paused(peopled: Store) -> None:
    assert peopled.figures.oldest_due(NOW) is None
    with peopled.write():
        peopled.deliveries.record([planned("d_one")])
    assert peopled.figures.oldest_due(NOW - LEASE) is None
    assert peopled.figures.oldest_due(NOW) == NOW
    with peopled.write():
        peopled.subscriptions.put(subscription(paused=True))
    assert peopled.figures.oldest_due(NOW) is None


def test_slots_that_nobody_planned_are_late(peopled: Store) -> None:
    assert peopled.figures.late_slots(NOW) == 0
    assert peopled.figures.late_slots(NOW + LEASE) == 1
    with peopled.write():
        peopled.subscriptions.put(subscription(paused=True))
    assert peopled.figures.late_slots(NOW + LEASE) == 0


def test_each_day_has_its_counts_also_one_on_which_nothing_was(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned("d_one"), planned("d_two", "s_one", "2025-12-17")])
        peopled.deliveries.cancel("d_two", at=NOW)
    absorb(peopled, [sighting(9)], source="feed", baseline=False, now=NOW)
    today = NOW.date()
    assert peopled.figures.days(today - 2 * DAY, today) == [
        DayCount(day=today - 2 * DAY),
        DayCount(day=today - DAY, entries=3),
        DayCount(day=today, waiting=1, entries=1),
    ]
