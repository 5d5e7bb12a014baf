"""What every store does for the pages: versions of the papers, the order of rules, addresses of feeds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from notifier.collect import absorb
from notifier.ports import Store
from tests.builders import NOW, rule, sighting, subscriber, subscription


@pytest.fixture
def peopled(store: Store) -> Store:
    with store.write():
        store.subscribers.add(subscriber())
        for id in ("s_one", "s_two"):
            store.subscriptions.put(subscription(id))
    return store


def arranged(store: Store) -> list[str]:
    return [each.id for each in store.rules.of(["s_one"]).get("s_one", [])]


def test_the_version_grows_with_what_is_new_or_changed_and_with_nothing_else(store: Store) -> None:
    versions = [store.entries.version()]
    for votes in (1, 1, 2):
        absorb(store, [sighting(1, upvotes=votes)], source="feed", baseline=False, now=NOW)
        versions.append(store.entries.version())
    first, new, same, grown = versions
    assert first < new == same < grown


def test_rules_stand_in_the_order_they_were_given_and_a_later_one_comes_last(peopled: Store) -> None:
    with peopled.write():
        peopled.rules.put([rule(id=id) for id in ("r_a", "r_b", "r_c")], actor="ada", via="web", now=NOW)
        peopled.rules.arrange(["r_c", "r_a", "r_b"])
        peopled.rules.put([rule(id="r_d")], actor="ada", via="web", now=NOW)
        peopled.rules.put([replace(rule(id="r_c"), query="other")], actor="ada", via="web", now=NOW)
    assert arranged(peopled) == ["r_c", "r_a", "r_b", "r_d"]


def test_an_order_is_no_change_of_a_rule(peopled: Store) -> None:
    with peopled.write():
        peopled.rules.put([rule(id=id) for id in ("r_a", "r_b")], actor="ada", via="web", now=NOW)
        peopled.rules.arrange(["r_b", "r_a"])
    assert len(peopled.rules.history("s_one")) == 2


def test_a_feed_is_found_by_its_secret_until_it_gets_another(peopled: Store) -> None:
    with peopled.write():
        peopled.feeds.put("s_one", "first", now=NOW)
        peopled.feeds.put("s_two", "other", now=NOW)
        peopled.feeds.put("s_one", "second", now=NOW)
    assert (peopled.feeds.secret("s_one"), peopled.feeds.subscription("second")) == ("second", "s_one")
    assert peopled.feeds.subscription("first") is None


def test_a_feed_ends_with_its_subscription_or_before(peopled: Store) -> None:
    with peopled.write():
        peopled.feeds.put("s_one", "first", now=NOW)
        peopled.feeds.put("s_two", "other", now=NOW)
        assert peopled.feeds.remove("s_one")
        peopled.subscriptions.remove("s_two")
    assert [peopled.feeds.subscription(each) for each in ("first", "other")] == [None, None]
    assert peopled.feeds.secret("s_one") is None
