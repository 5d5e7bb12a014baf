"""What every store does. A second one is put under this suite by a line in ``conftest.STORES``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from notifier.collect import absorb
from notifier.conditions import EVERY, NONE, Phrase, without
from notifier.model import (
    Announce,
    DeliveryState,
    FollowUp,
    FollowUpKind,
    FollowUps,
    Message,
    Mode,
    Moving,
    News,
    Outcome,
    Point,
    Saying,
    SourceState,
    Start,
)
from notifier.ports import SightedEntry, Store, StoredSighting, Titled
from tests.builders import NOW, entry, planned, rule, sighting, source, subscriber, subscription

LEASE = timedelta(minutes=5)
DAY = timedelta(days=1)


def message(delivery_id: str = "d_one") -> Message:
    return Message(
        delivery_id=delivery_id,
        format="email",
        subject="1 paper",
        target="ada@example.org",
        parts=(b"bytes \x00\xff", b"second"),
        created_at=NOW,
    )


def outcome(state: DeliveryState, fence: int = 1, **fields: object) -> Outcome:
    return Outcome(delivery_id="d_one", fence=fence, state=state, at=NOW, **fields)  # type: ignore[arg-type]


def test_subscriptions_come_in_pages_by_id(store: Store) -> None:
    person = subscriber()
    with store.write():
        store.subscribers.add(person)
        for name in ("s_c", "s_a", "s_b"):
            store.subscriptions.put(subscription(name, person))
    assert [each.id for each in store.subscriptions.page(limit=2)] == ["s_a", "s_b"]
    assert [each.id for each in store.subscriptions.page(after="s_b", limit=2)] == ["s_c"]
    assert store.subscriptions.page(after="s_c", limit=2) == []


def test_what_was_written_is_there_when_opened_again(open_store: Callable[[], Store]) -> None:
    first = open_store()
    with first.write():
        first.subscribers.add(subscriber())
    first.close()
    second = open_store()
    assert second.subscribers.get("ada@example.org") == subscriber()
    second.close()


def test_a_write_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write():
        store.subscribers.add(subscriber())
        raise RuntimeError
    assert store.subscribers.all() == []


def test_an_inner_write_goes_with_the_outer_one(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write():
        with store.write():
            store.subscribers.add(subscriber())
        raise RuntimeError
    assert store.subscribers.all() == []


def test_an_entry_comes_back_as_it_was_stored(store: Store) -> None:
    full = entry(
        1,
        abstract="Über α.",
        authors=("A", "B"),
        num_authors=9,
        organization="Org",
        categories=("cs.LG",),
        keywords=("k",),
        published_at=NOW,
        url="https://a/",
        pdf_url="https://b/",
        code_url="https://c/",
        project_url="https://d/",
        thumbnail="https://e/",
        upvotes=0,
        comments=2,
        stars=3,
        version=4,
        extra='{"x":1}',
        sources=("feed",),
        first_seen_at=NOW,
        new_at=NOW,
    )
    with store.write():
        seen = StoredSighting(source="feed", first_at=NOW, last_at=NOW)
        sighted = SightedEntry(entry=full, keys=(full.id, "doi:10.1/x"), sightings=(seen,))
        store.entries.put([sighted], now=NOW)
    assert store.entries.get([full.id]) == {full.id: full}
    assert store.entries.by_keys(["doi:10.1/x", "unknown"]) == {"doi:10.1/x": full}


def test_the_window_holds_what_became_news_in_it_most_votes_first(store: Store) -> None:
    absorb(store, [sighting(1)], source="feed", baseline=False, now=NOW - 3 * DAY)
    absorb(store, [sighting(2, upvotes=1), sighting(3, upvotes=7)], source="feed", baseline=False, now=NOW)
    absorb(store, [sighting(4)], source="feed", baseline=False, now=NOW + DAY)
    assert [e.id[-1] for e in store.entries.window(NOW - DAY, NOW)] == ["3", "2"]


def test_a_baseline_is_stored_and_searchable_but_no_news(store: Store) -> None:
    absorb(store, [sighting(1)], source="feed", baseline=True, now=NOW)
    assert store.entries.window(NOW - DAY, NOW) == []
    assert [e.id for e in store.entries.search_title("reward models")] == ["arxiv:2512.00001"]
    assert len(store.entries.seen(NOW - DAY, NOW)) == 1


def test_a_search_comes_in_pages_newest_first_and_is_counted(store: Store) -> None:
    for day in range(5):
        absorb(store, [sighting(day)], source="feed", baseline=False, now=NOW - day * DAY)
    reward = Phrase(columns=("title",), terms=("reward",))
    asked = {"since": NOW - 4 * DAY, "until": NOW}
    pages = [[entry.id[-1] for entry in page] for page in store.entries.search(reward, first=1, **asked)]
    assert pages == [["0"], ["1", "2"], ["3"]]
    assert store.entries.count_of(reward, **asked) == 4
    assert store.entries.count_of(EVERY, since=None, until=NOW) == 5
    assert store.entries.count_of(NONE, since=None, until=NOW) == 0
    assert list(store.entries.search(without(reward), first=1, **asked)) == []


def test_terms_are_known_once_an_entry_has_them(store: Store) -> None:
    asked = ("reward", "nobody", "\ud800")
    assert store.entries.known_terms(asked) == frozenset()
    absorb(store, [sighting(1)], source="feed", baseline=False, now=NOW)
    assert store.entries.known_terms(asked) == {"reward"}


def test_a_title_is_found_by_its_words_in_any_form_the_whole_one_first(store: Store) -> None:
    titles = ("Reward models for all", "Reward models", "Rewarding a model well", "Models")
    absorb(store, [sighting(n, title=title) for n, title in enumerate(titles)], source="feed", baseline=False, now=NOW)
    assert [e.title for e in store.entries.search_title("reward models")] == [titles[1], titles[0], titles[2]]
    assert [e.title for e in store.entries.search_title("models", limit=1)] == ["Models"]
    assert store.entries.search_title("…") == []


def test_the_same_again_is_unchanged_and_moves_no_clock(store: Store) -> None:
    absorb(store, [sighting(1)], source="feed", baseline=False, now=NOW)
    again = absorb(store, [sighting(1)], source="feed", baseline=False, now=NOW + DAY)
    assert (again.new, again.updated, again.unchanged) == (0, 0, 1)
    assert store.entries.last_change() == NOW


def test_sightings_of_two_sources_are_both_told(store: Store) -> None:
    absorb(store, [sighting(1, announce=Announce.NEW)], source="arxiv", baseline=False, now=NOW)
    absorb(store, [sighting(1)], source="huggingface", baseline=False, now=NOW + DAY)
    told = store.entries.sightings(["arxiv:2512.00001", "unknown"])["arxiv:2512.00001"]
    assert [(s.source, s.announce, s.first_at) for s in told] == [
        ("arxiv", "new", NOW),
        ("huggingface", None, NOW + DAY),
    ]


def test_two_entries_that_turn_out_to_be_one_are_joined_with_their_ledger(peopled: Store) -> None:
    absorb(peopled, [sighting(id="feed:x", keys=("feed:x",), title="Loose")], source="feed", baseline=False, now=NOW)
    with peopled.write():
        peopled.deliveries.record([planned("d_one", "s_one", "k", "feed:x")])
    both = sighting(9, keys=("arxiv:2512.00009", "feed:x"), title="Loose")
    absorb(peopled, [both], source="arxiv", baseline=False, now=NOW)
    assert "feed:x" not in peopled.entries.get(["feed:x"])
    assert peopled.entries.by_keys(["feed:x"])["feed:x"].id == "arxiv:2512.00009"
    assert peopled.deliveries.ledger(["s_one"], since=NOW - 9 * DAY) == {"s_one": frozenset({"arxiv:2512.00009"})}


def test_what_a_source_said_comes_back_as_it_was_said(store: Store) -> None:
    full = sighting(1, abstract="Über α.", authors=("A", "B"), published_at=NOW, upvotes=0, version=2, extra='{"x":1}')
    absorb(store, [full], source="feed", baseline=True, now=NOW)
    (seen,) = store.entries.sightings([full.entry.id])[full.entry.id]
    assert (seen.is_news, seen.said) == (False, (Saying(at=NOW, entry=replace(full.entry, id="")),))


def test_an_entry_keeps_every_title_with_its_days(store: Store) -> None:
    for day, title in ((0, "Walking"), (1, "Walking"), (2, "Walking Well")):
        absorb(store, [sighting(1, title=title, version=day + 1)], source="feed", baseline=False, now=NOW + day * DAY)
    assert store.entries.titles("arxiv:2512.00001") == [
        Titled(title="Walking", first_at=NOW, last_at=NOW + DAY),
        Titled(title="Walking Well", first_at=NOW + 2 * DAY, last_at=NOW + 2 * DAY),
    ]


def test_titles_that_change_with_every_answer_are_bounded(store: Store) -> None:
    for hour in range(30):
        absorb(store, [sighting(1, title=f"Now {hour}")], source="feed", baseline=False, now=NOW + hour * LEASE)
    titles = [each.title for each in store.entries.titles("arxiv:2512.00001")]
    assert titles == [f"Now {hour}" for hour in range(10, 30)]


def test_an_entry_is_found_by_a_title_it_once_had_and_not_by_the_present_one(store: Store) -> None:
    for day, title in enumerate(("Crawling: first steps", "Walking")):
        absorb(store, [sighting(1, title=title)], source="feed", baseline=False, now=NOW + day * DAY)
    assert [e.title for e in store.entries.by_former_title("first CRAWLING")] == ["Walking"]
    assert store.entries.by_former_title("walking") == store.entries.by_former_title(" ") == []


def test_growth_has_a_point_a_day_and_only_where_something_moved(store: Store) -> None:
    told = [(0, 3), (4, 5), (24, 5), (48, 9)]
    for hour, votes in told:
        at = NOW + timedelta(hours=hour)
        absorb(store, [sighting(1, upvotes=votes, abstract=f"{hour}")], source="feed", baseline=False, now=at)
    assert store.entries.growth(["arxiv:2512.00001", "unknown"]) == {
        "arxiv:2512.00001": [
            Point(at=NOW + timedelta(hours=4), upvotes=5),
            Point(at=NOW + timedelta(hours=48), upvotes=9),
        ]
    }


def test_growth_is_bounded_in_points_and_in_days(store: Store) -> None:
    for day in range(100):
        absorb(store, [sighting(1, upvotes=day)], source="feed", baseline=False, now=NOW + day * DAY)
    points = store.entries.growth(["arxiv:2512.00001"])["arxiv:2512.00001"]
    assert [point.upvotes for point in points] == list(range(40, 100))
    absorb(store, [sighting(1, upvotes=500)], source="feed", baseline=False, now=NOW + 180 * DAY)
    points = store.entries.growth(["arxiv:2512.00001"])["arxiv:2512.00001"]
    assert [point.upvotes for point in points] == [*range(90, 100), 500]


def test_two_entries_that_turn_out_to_be_one_join_titles_growth_and_what_is_followed(peopled: Store) -> None:
    loose = sighting(id="feed:x", keys=("feed:x",), title="Loose", upvotes=1)
    absorb(peopled, [loose], source="feed", baseline=False, now=NOW)
    with peopled.write():
        peopled.subscriptions.put(subscription(follow_ups=FollowUps(votes=9)))
        peopled.deliveries.record([replace(planned("d_one", "s_one", "k", "feed:x"), follows=True)])
    both = sighting(9, keys=("arxiv:2512.00009", "feed:x"), title="Firm", upvotes=20)
    absorb(peopled, [both], source="arxiv", baseline=False, now=NOW + DAY)
    joined = "arxiv:2512.00009"
    assert [each.title for each in peopled.entries.titles(joined)] == ["Loose", "Firm"]
    assert [point.upvotes for point in peopled.entries.growth([joined])[joined]] == [1, 20]
    followed = peopled.deliveries.followed({"s_one": FollowUps(votes=9)}, since=NOW - DAY, changed_after=NOW)
    assert [(each.entry_id, each.upvotes, each.now_upvotes) for each in followed["s_one"]] == [(joined, 1, 20)]


def test_titles_are_found_by_words_whatever_signs_a_person_types(store: Store) -> None:
    absorb(store, [sighting(1, title="Scaling: laws (again)")], source="feed", baseline=False, now=NOW)
    assert [e.title for e in store.entries.search_title('laws "scaling')] == ["Scaling: laws (again)"]
    assert store.entries.search_title("NEAR( OR * ^") == []


def test_a_source_keeps_its_state_and_is_due_by_its_time(store: Store) -> None:
    record = source(state=SourceState(etag='"e"', cursor="c"), failing_since=NOW, failures=2, last_error="x")
    with store.write():
        store.sources.put(record)
        store.sources.put(source("later", next_fetch_at=NOW + DAY))
    assert store.sources.get("feed") == record
    assert [r.name for r in store.sources.due(NOW)] == ["feed"]
    with store.write():
        assert store.sources.remove("feed")
        assert not store.sources.remove("feed")


def test_a_source_keeps_its_upkeep_and_is_not_due_while_paused(store: Store) -> None:
    upkeep: dict[str, Any] = {"missing_since": NOW - DAY, "paused_at": NOW, "paused_reason": "Gone."}
    upkeep |= {"moving": Moving(to="https://example.org/new", since=NOW - DAY, times=2), "moved_from": "http://old/"}
    for record in (source(**upkeep), source(paused_at=NOW), source(moving=None)):
        with store.write():
            store.sources.put(record)
        assert store.sources.get("feed") == record
        assert [r.name for r in store.sources.due(NOW)] == ([] if record.paused_at else ["feed"])


def test_subscriptions_are_due_by_time_unless_paused(peopled: Store) -> None:
    assert [s.id for s in peopled.subscriptions.due(NOW, limit=9)] == ["s_one"]
    assert peopled.subscriptions.due(NOW - DAY, limit=9) == []
    for until, due in ((None, []), (NOW + DAY, []), (NOW, ["s_one"])):
        with peopled.write():
            peopled.subscriptions.put(subscription(paused=True, paused_until=until))
        assert [s.id for s in peopled.subscriptions.due(NOW, limit=9)] == due


def test_changing_a_subscription_keeps_what_planning_wrote(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
        peopled.subscriptions.put(replace(peopled.subscriptions.get(["s_one"])["s_one"], max_entries=3))
    kept = peopled.subscriptions.get(["s_one"])["s_one"]
    assert (kept.max_entries, kept.planned_until, kept.last_checked) == (3, NOW, 9)


def test_rules_keep_their_history_with_who_and_through_what(peopled: Store) -> None:
    with peopled.write():
        peopled.rules.put([rule("DPO", mode=Mode.MUTE)], actor="bob", via="web", now=NOW)
        assert peopled.rules.remove("r_one", actor="eve", via="slack", now=NOW)
    changes = peopled.rules.history("s_one")
    assert [(c.actor, c.via, c.before is None, c.after is None) for c in changes] == [
        ("ada", "cli", True, False),
        ("bob", "web", False, False),
        ("eve", "slack", False, True),
    ]
    assert peopled.rules.of(["s_one"]) == {}


def test_removing_a_person_removes_everything_of_theirs(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned("d_one", "s_one", "k", "arxiv:2512.00001")])
        assert peopled.subscribers.remove("ada@example.org")
    facts = peopled.facts()
    assert (facts["subscription"], facts["rule"], facts["delivery"], facts["delivery_item"]) == (0, 0, 0, 0)
    assert facts["entry"] == 3


def test_a_slot_has_one_delivery_whoever_plans_it_again(peopled: Store) -> None:
    with peopled.write():
        assert peopled.deliveries.record([planned("d_one")]) == ["d_one"]
        assert peopled.deliveries.record([planned("d_two")]) == []
    assert [d.id for d in peopled.deliveries.all()] == ["d_one"]


def test_an_entry_goes_to_a_subscription_once(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned("d_one", "s_one", "k1", "arxiv:2512.00001")])
        peopled.deliveries.record([planned("d_two", "s_one", "k2", "arxiv:2512.00001", "arxiv:2512.00002")])
    assert [item.entry_id for item in peopled.deliveries.items("d_two")] == ["arxiv:2512.00002"]
    found = peopled.deliveries.of_entry("s_one", "arxiv:2512.00001")
    assert found is not None
    assert found[0].id == "d_one"


def test_a_follow_up_goes_to_a_subscription_once(peopled: Store) -> None:
    told = FollowUp(entry_id="arxiv:2512.00001", kind=FollowUpKind.VERSION, value="2", since=NOW, before=1, after=2)
    with peopled.write():
        peopled.deliveries.record([replace(planned("d_one", "s_one", "k1"), follow_ups=(told,))])
        peopled.deliveries.record([replace(planned("d_two", "s_one", "k2"), follow_ups=(told,))])
    assert peopled.deliveries.follow_ups("d_one") == [told]
    assert peopled.deliveries.follow_ups("d_two") == []


def test_papers_are_followed_from_as_they_are_when_it_is_asked_for(peopled: Store) -> None:
    wanted = FollowUps(version=True, code=True, votes=10)
    with peopled.write():
        peopled.deliveries.record([planned("d_one", "s_one", "k1", "arxiv:2512.00001")])
    absorb(peopled, [sighting(1, version=2, upvotes=20)], source="feed", baseline=False, now=NOW)
    with peopled.write():
        peopled.subscriptions.put(subscription(follow_ups=wanted))
        peopled.deliveries.follow(["s_one"], since=NOW - DAY, now=NOW)
    since = {"since": NOW - DAY, "changed_after": NOW - DAY}
    assert peopled.deliveries.followed({"s_one": wanted}, **since) == {}
    revised = sighting(1, version=3, upvotes=30, code_url="https://c/")
    absorb(peopled, [revised], source="feed", baseline=False, now=NOW + DAY)
    (paper,) = peopled.deliveries.followed({"s_one": wanted}, **since)["s_one"]
    assert (paper.version, paper.now_version, paper.had_code, paper.now_code_url) == (2, 3, False, "https://c/")
    with peopled.write():
        peopled.subscriptions.put(subscription())
        peopled.deliveries.follow(["s_one"], since=NOW - DAY, now=NOW)
    assert peopled.deliveries.followed({"s_one": wanted}, **since) == {}


def test_a_claim_counts_the_attempt_and_holds_until_the_lease_ends(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
        first = peopled.deliveries.claim(NOW, lease=LEASE, limit=9)
        assert [(d.attempts, d.state, d.fence) for d in first] == [(1, DeliveryState.CLAIMED, 1)]
        assert peopled.deliveries.claim(NOW + LEASE / 2, lease=LEASE, limit=9) == []
        assert [d.attempts for d in peopled.deliveries.claim(NOW + LEASE, lease=LEASE, limit=9)] == [2]


def test_only_the_latest_claim_may_record_an_outcome(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
        peopled.deliveries.claim(NOW, lease=LEASE, limit=9)
        peopled.deliveries.claim(NOW + LEASE, lease=LEASE, limit=9)
        assert peopled.deliveries.finish([outcome(DeliveryState.SENT, fence=1)]) == []
        assert peopled.deliveries.finish([outcome(DeliveryState.SENT, fence=2)]) == ["d_one"]
        assert peopled.deliveries.finish([outcome(DeliveryState.SENT, fence=2)]) == []


def test_a_finished_delivery_is_never_claimed_again(peopled: Store) -> None:
    for state in (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.HELD):
        with peopled.write():
            peopled.deliveries.record([planned("d_one", "s_one", state.value)])
            (claimed,) = peopled.deliveries.claim(NOW, lease=LEASE, limit=9)
            done = Outcome(delivery_id=claimed.id, fence=claimed.fence, state=state, at=NOW)
            peopled.deliveries.finish([done])
            assert peopled.deliveries.claim(NOW + 9 * DAY, lease=LEASE, limit=9) == []
            peopled.subscriptions.remove("s_one")
            peopled.subscriptions.put(subscription())


def test_a_deferred_delivery_comes_back_at_its_time_with_its_parts(peopled: Store) -> None:
    later = outcome(DeliveryState.DEFERRED, next_attempt_at=NOW + DAY, accepted=("1.1",), reason="greylisted")
    with peopled.write():
        peopled.deliveries.record([planned()])
        peopled.deliveries.claim(NOW, lease=LEASE, limit=9)
        peopled.deliveries.finish([later])
        assert peopled.deliveries.claim(NOW + DAY / 2, lease=LEASE, limit=9) == []
        (again,) = peopled.deliveries.claim(NOW + DAY, lease=LEASE, limit=9)
    assert (again.attempts, again.accepted) == (2, ("1.1",))


def test_an_attempt_that_was_given_back_does_not_count(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
        peopled.deliveries.claim(NOW, lease=LEASE, limit=9)
        peopled.deliveries.finish([outcome(DeliveryState.DEFERRED, next_attempt_at=NOW, give_back_attempt=True)])
        (again,) = peopled.deliveries.claim(NOW, lease=LEASE, limit=9)
    assert again.attempts == 1


def test_nothing_is_claimed_after_a_subscription_was_removed_or_paused(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
        peopled.subscriptions.put(subscription(paused=True))
        assert peopled.deliveries.claim(NOW, lease=LEASE, limit=9) == []
        peopled.subscriptions.remove("s_one")
        assert peopled.deliveries.claim(NOW, lease=LEASE, limit=9) == []


def start(fence: int) -> Start:
    return Start(delivery_id="d_one", fence=fence, at=NOW, lease_until=NOW + LEASE, message=message())


def test_a_frozen_message_comes_back_byte_for_byte_until_it_was_accepted(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
        (claimed,) = peopled.deliveries.claim(NOW, lease=LEASE, limit=9)
        assert peopled.deliveries.begin([start(claimed.fence)]) == ["d_one"]
        assert peopled.deliveries.message("d_one") == message()
        peopled.deliveries.finish([outcome(DeliveryState.SENT)])
    assert peopled.deliveries.message("d_one") is None


def test_a_lost_claim_freezes_nothing(peopled: Store) -> None:
    with peopled.write():
        peopled.deliveries.record([planned()])
        peopled.deliveries.claim(NOW, lease=LEASE, limit=9)
        assert peopled.deliveries.begin([start(7)]) == []
    assert peopled.deliveries.message("d_one") is None


def test_an_instant_subscription_is_due_only_after_something_changed(peopled: Store) -> None:
    from notifier.model import Cadence, Every

    with peopled.write():
        peopled.subscriptions.put(subscription(cadence=Cadence(every=Every.INSTANT), next_due_at=NOW))
        peopled.deliveries.record([replace(planned(), next_due_at=NOW)])
    assert peopled.subscriptions.due(NOW + LEASE, limit=9) == []
    absorb(peopled, [sighting(8)], source="feed", baseline=False, now=NOW + LEASE)
    assert [s.id for s in peopled.subscriptions.due(NOW + LEASE, limit=9)] == ["s_one"]


def test_news_of_one_hour_is_kept_as_one(store: Store) -> None:
    with store.write():
        store.sources.put(source("lab"))
        for minutes, brought in ((0, 2), (59, 3), (60, 4)):
            store.sources.note_news("lab", News(at=NOW + timedelta(minutes=minutes), brought=brought))
    assert store.sources.news() == {
        "lab": (News(at=NOW + timedelta(minutes=59), brought=5), News(at=NOW + timedelta(hours=1), brought=4))
    }


def test_the_history_of_news_is_bounded_but_for_sources_that_speak_rarely(store: Store) -> None:
    with store.write():
        for name, every in (("busy", timedelta(hours=1)), ("rare", timedelta(days=30))):
            store.sources.put(source(name))
            for n in range(1500 if name == "busy" else 50):
                store.sources.note_news(name, News(at=NOW + n * every, brought=1))
    news = store.sources.news()
    assert (len(news["busy"]), len(news["rare"])) == (8 * 7 * 24 + 1, 40)
    assert news["rare"][-1].at == NOW + 49 * timedelta(days=30)


def test_the_history_of_news_goes_with_its_source(store: Store) -> None:
    with store.write():
        store.sources.put(source("lab"))
        store.sources.note_news("lab", News(at=NOW, brought=1))
        store.sources.remove("lab")
    assert store.sources.news() == {}
