from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import datetime, time, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from notifier import account
from notifier.collect import absorb
from notifier.digest import LONGEST_CATCH_UP
from notifier.matching import RuleSet
from notifier.model import Cadence, Delivery, Every, Mode, Quiet
from notifier.plan import Plans, plan
from notifier.store import SqliteStore
from tests.builders import NOW, entry, rule, sighting, subscriber, subscription

EMAIL = "ada@example.org"
DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def people(store: SqliteStore, *rules: object, **fields: object) -> None:
    with store.write():
        store.subscribers.add(subscriber())
        store.subscriptions.put(subscription(**fields))
        store.rules.put(list(rules) or [rule()], actor="t", via="cli", now=NOW - WEEK)  # type: ignore[arg-type]


def news(store: SqliteStore, *numbers: int, at: datetime = NOW - timedelta(hours=1), **fields: object) -> None:
    absorb(store, [sighting(n, **fields) for n in numbers], source="feed", baseline=False, now=at)


def planned(store: SqliteStore, at: datetime = NOW + timedelta(hours=1)) -> Plans:
    return plan(store, RuleSet(), look_back=WEEK, now=at)


def sent(store: SqliteStore) -> dict[str, list[str]]:
    return {d.slot.key: [i.entry_id[-1] for i in store.deliveries.items(d.id)] for d in store.deliveries.all()}


def newest(store: SqliteStore) -> Delivery:
    return store.deliveries.all()[0]


def test_what_matches_goes_into_one_delivery_with_its_reasons(store: SqliteStore) -> None:
    people(store, rule("reward", label="rewards"))
    news(store, 1)
    assert planned(store) == Plans(looked_at=1, deliveries=1, entries=1)
    (item,) = store.deliveries.items(newest(store).id)
    assert [(reason.rule_id, reason.label, reason.query) for reason in item.reasons] == [("r_one", "rewards", "reward")]


def test_planning_again_changes_nothing(store: SqliteStore) -> None:
    people(store)
    news(store, 1)
    planned(store)
    assert planned(store) == Plans()
    assert len(store.deliveries.all()) == 1


def test_an_entry_goes_to_a_subscription_once_over_all_days(store: SqliteStore) -> None:
    people(store)
    for day in range(4):
        news(store, day + 1, at=NOW + day * DAY - timedelta(hours=1))
        planned(store, NOW + day * DAY + timedelta(hours=1))
    entries = [entry for each in sent(store).values() for entry in each]
    assert sorted(entries) == ["1", "2", "3", "4"]


def test_nothing_is_planned_before_its_hour(store: SqliteStore) -> None:
    people(store, next_due_at=NOW + timedelta(hours=2))
    news(store, 1)
    assert planned(store) == Plans()


def test_a_first_digest_reaches_back_over_the_look_back_and_no_further(store: SqliteStore) -> None:
    people(store)
    news(store, 1, at=NOW - timedelta(days=6))
    news(store, 2, at=NOW - timedelta(days=8))
    planned(store)
    assert sent(store) == {"2025-12-16": ["1"]}


def test_a_paper_that_crosses_the_bar_on_day_three_comes_then_and_once(store: SqliteStore) -> None:
    people(store, rule("upvotes>=20"))
    news(store, 1, upvotes=3)
    for day, votes in ((0, 5), (1, 12), (2, 25), (3, 60)):
        news(store, 1, upvotes=votes, at=NOW + day * DAY)
        planned(store, NOW + day * DAY + timedelta(hours=1))
    assert sent(store) == {"2025-12-18": ["1"]}


def test_a_weekly_digest_holds_the_whole_week_and_a_monthly_the_whole_month(store: SqliteStore) -> None:
    people(store, cadence=Cadence(every=Every.MONTHLY, at=time(8)), next_due_at=NOW)
    planned(store, NOW)
    news(store, 1, at=NOW + DAY)
    news(store, 2, at=NOW + 15 * DAY)
    planned(store, datetime.fromisoformat("2026-01-01T08:00:00+00:00"))
    assert sorted(sent(store)["2026-01-01"]) == ["1", "2"]


def test_a_mute_wins_over_every_include(store: SqliteStore) -> None:
    people(store, rule("reward"), rule("models", id="r_two"), rule("paper", id="r_three", mode=Mode.MUTE))
    news(store, 1)
    assert planned(store).deliveries == 0


def test_a_mute_that_has_ended_mutes_no_more(store: SqliteStore) -> None:
    people(store, rule("reward"), rule("paper", id="r_two", mode=Mode.MUTE, until=NOW))
    news(store, 1)
    assert planned(store).deliveries == 1


def test_without_an_include_rule_nothing_comes_even_where_empty_digests_are_wanted(store: SqliteStore) -> None:
    people(store, rule("survey", mode=Mode.MUTE), send_empty=True)
    news(store, 1)
    assert planned(store) == Plans(looked_at=1)


def test_an_empty_digest_is_sent_only_where_it_is_wanted(store: SqliteStore) -> None:
    people(store, rule("nothing-like-it"), send_empty=True)
    news(store, 1)
    assert planned(store) == Plans(looked_at=1, deliveries=1)
    assert newest(store).checked == 1


def test_an_empty_slot_is_remembered_with_what_was_checked(store: SqliteStore) -> None:
    people(store, rule("nothing-like-it"))
    news(store, 1, 2)
    planned(store)
    after = store.subscriptions.get(["s_one"])["s_one"]
    assert (after.last_slot, after.last_checked) == ("2025-12-16T08:00 UTC", 2)


def test_after_three_days_down_there_is_one_digest_marked_late(store: SqliteStore) -> None:
    people(store)
    news(store, 1)
    planned(store)
    news(store, 2, at=NOW + DAY)
    news(store, 3, at=NOW + 2 * DAY)
    planned(store, NOW + 3 * DAY + timedelta(hours=3))
    assert sent(store) == {"2025-12-16": ["1"], "2025-12-19": ["3", "2"]}
    assert newest(store).late


def test_entries_behind_the_cap_are_in_the_ledger_but_not_shown(store: SqliteStore) -> None:
    people(store, max_entries=2)
    news(store, 1, 2, 3)
    planned(store)
    assert [i.shown for i in store.deliveries.items(newest(store).id)] == [True, True, False]


def test_an_instant_subscription_gets_each_arrival_at_the_next_tick(store: SqliteStore) -> None:
    people(store, cadence=Cadence(every=Every.INSTANT), next_due_at=NOW)
    ticks = [NOW + timedelta(seconds=20 * n) for n in range(1, 7)]
    news(store, 1, at=ticks[0])
    planned(store, ticks[0])
    planned(store, ticks[1])
    news(store, 2, at=ticks[2])
    for tick in ticks[2:]:
        planned(store, tick)
    assert list(sent(store).values()) == [["2"], ["1"]]


def test_a_new_rule_of_an_instant_subscription_is_looked_at_without_new_entries(store: SqliteStore) -> None:
    people(store, rule("nothing-like-it"), cadence=Cadence(every=Every.INSTANT), next_due_at=NOW)
    news(store, 1, at=NOW)
    planned(store, NOW + timedelta(minutes=1))
    with store.write():
        store.rules.put([rule("reward", id="r_two")], actor="t", via="cli", now=NOW + timedelta(minutes=2))
    assert planned(store, NOW + timedelta(minutes=3)).deliveries == 1


def lab(store: SqliteStore) -> None:
    """Ada has a private subscription, and a later one that she shares with Bob, due at the same hour."""
    people(store)
    with store.write():
        store.subscribers.add(subscriber("bob@example.org"))
        store.subscriptions.put(subscription("s_lab"))
        store.rules.put([rule(id="r_lab", subscription_id="s_lab")], actor="t", via="cli", now=NOW - WEEK)
        store.members.add("s_lab", "bob@example.org", now=NOW - WEEK)
        store.members.share_ledger("s_lab", "ada@example.org", shares=True, now=NOW - WEEK)


def owners(store: SqliteStore) -> list[str]:
    return [each.subscription_id for each in store.deliveries.all() if store.deliveries.items(each.id)]


def test_what_a_shared_subscription_shows_at_the_same_hour_is_left_out_of_the_private_one(store: SqliteStore) -> None:
    lab(store)
    news(store, 1)
    assert planned(store).looked_at == 2
    assert owners(store) == ["s_lab"]


def test_what_never_arrived_where_it_is_shared_comes_in_the_private_one(store: SqliteStore) -> None:
    lab(store)
    news(store, 1)
    planned(store)
    with store.write():
        store.deliveries.cancel(newest(store).id, at=NOW + timedelta(hours=2))
    planned(store, NOW + DAY + timedelta(hours=1))
    assert owners(store) == ["s_one", "s_lab"]


def test_a_rule_that_no_longer_parses_disables_itself_alone_and_comes_back_when_it_does(store: SqliteStore) -> None:
    people(store, rule("reward"), rule("topic:gone", id="r_two"))
    news(store, 1)
    assert planned(store).deliveries == 1
    broken = store.rules.get("r_two")
    assert broken is not None
    assert "topic" in (broken.broken or "")
    plan(store, RuleSet({"gone": "anything"}), look_back=WEEK, now=NOW + DAY + timedelta(hours=1))
    mended = store.rules.get("r_two")
    assert mended is not None
    assert mended.broken is None


def test_many_batches_plan_each_subscription_once(store: SqliteStore) -> None:
    people(store)
    with store.write():
        for n in range(25):
            store.subscriptions.put(subscription(f"s_{n}"))
            store.rules.put([rule(id=f"r_{n}", subscription_id=f"s_{n}")], actor="t", via="cli", now=NOW - WEEK)
    news(store, 1)
    done = plan(store, RuleSet(), look_back=WEEK, now=NOW + timedelta(hours=1), batch=10)
    assert done == Plans(looked_at=26, deliveries=26, entries=26)


def test_slots_of_a_daily_subscription_follow_each_other_over_the_change_of_clocks(store: SqliteStore) -> None:
    berlin = subscriber(timezone="Europe/Berlin")
    with store.write():
        store.subscribers.add(berlin)
        store.subscriptions.put(
            subscription(
                person=berlin, send_empty=True, next_due_at=datetime.fromisoformat("2026-03-27T07:00:00+00:00")
            )
        )
        store.rules.put([rule()], actor="t", via="cli", now=NOW)
    start = datetime.fromisoformat("2026-03-27T00:00:00+00:00")
    for hour in range(24 * 4):
        planned(store, start + timedelta(hours=hour))
    slots = sorted(d.slot.due_at for d in store.deliveries.all())
    assert [f"{b - a}" for a, b in pairwise(slots)] == ["1 day, 0:00:00", "23:00:00", "1 day, 0:00:00"]


def test_a_paper_that_more_rules_want_stands_above_one_with_more_votes(store: SqliteStore) -> None:
    people(store, rule("reward", id="r_one"), rule("title:dragon", id="r_two"))
    news(store, 1, upvotes=200)
    news(store, 2, upvotes=3)
    news(store, 3, title="Reward dragons", upvotes=1)
    planned(store)
    assert sent(store) == {"2025-12-16": ["3", "1", "2"]}


def test_papers_of_a_quiet_night_come_in_one_digest_when_it_is_over(store: SqliteStore) -> None:
    night = Quiet(start=time(20), end=time(6))
    people(store, cadence=Cadence(every=Every.INSTANT, quiet=night), next_due_at=NOW - DAY)
    evening = NOW.replace(hour=21)
    for hour in range(3):
        news(store, hour + 1, at=evening + timedelta(hours=hour))
        assert planned(store, evening + timedelta(hours=hour, minutes=1)).deliveries == 0
    assert planned(store, evening.replace(hour=5) + DAY).deliveries == 0
    assert planned(store, evening.replace(hour=6, minute=1) + DAY).deliveries == 1
    assert sorted(*sent(store).values()) == ["1", "2", "3"]


def test_after_a_pause_one_digest_at_its_usual_time_stands_for_all_of_it(store: SqliteStore) -> None:
    people(store)
    news(store, 1)
    planned(store)
    account.pause(store, "s_one", until=NOW + 6 * DAY, now=NOW + timedelta(hours=2))
    for day in range(1, 6):
        news(store, day + 1, at=NOW + day * DAY)
        assert planned(store, NOW + day * DAY + timedelta(hours=1)).deliveries == 0
    (subscription,) = store.subscriptions.all()
    assert subscription.next_due_at > NOW + 6 * DAY
    assert planned(store, subscription.next_due_at).deliveries == 1
    assert newest(store).late
    assert sorted(item.entry_id[-1] for item in store.deliveries.items(newest(store).id)) == ["2", "3", "4", "5", "6"]


def test_after_a_pause_of_a_year_the_digest_reaches_back_a_month(store: SqliteStore) -> None:
    people(store)
    news(store, 1)
    planned(store)
    account.pause(store, "s_one", now=NOW + timedelta(hours=2))
    later = NOW + timedelta(days=365)
    news(store, 2, at=later - timedelta(days=40))
    news(store, 3, at=later - timedelta(days=20))
    account.resume(store, "s_one", now=later)
    (subscription,) = store.subscriptions.all()
    planned(store, subscription.next_due_at)
    assert [item.entry_id[-1] for item in store.deliveries.items(newest(store).id)] == ["3"]
    assert newest(store).period_start == subscription.next_due_at - LONGEST_CATCH_UP


steps = st.one_of(
    st.tuples(st.just("zone"), st.sampled_from(["Pacific/Kiritimati", "Europe/Berlin", "America/Adak"])),
    st.tuples(st.just("at"), st.builds(time, st.integers(0, 23))),
    st.tuples(st.just("every"), st.sampled_from([Every.INSTANT, Every.HOURLY, Every.DAILY])),
    st.tuples(st.just("quiet"), st.sampled_from([None, Quiet(start=time(22), end=time(7))])),
    st.tuples(st.just("weekends"), st.booleans()),
    st.tuples(st.just("wait"), st.timedeltas(timedelta(minutes=1), timedelta(hours=40))),
)


@settings(max_examples=20)
@given(changes=st.lists(steps, max_size=12))
def test_however_zone_and_cadence_change_each_paper_comes_once(changes: list[tuple[str, Any]]) -> None:
    with TemporaryDirectory() as folder, closing(SqliteStore(Path(folder) / "n.db")) as store:
        people(store)
        now, number = NOW, 0
        for what, value in changes:
            if what == "wait":
                now, number = lived(store, now, value, number)
            elif what == "zone":
                account.change_subscriber(store, EMAIL, name=None, timezone=value, language=None, now=now)
            else:
                account.change(store, "s_one", cadence=partial(replace, **{what: value}), now=now)
        # Whatever was set last, in four days its slot has come.
        lived(store, now, 4 * DAY, number)
        ids = [each.id for each in store.deliveries.all(limit=1_000)]
        brought = [item.entry_id for id in ids for item in store.deliveries.items(id)]
        assert len(brought) == len(set(brought))
        assert {entry(n).id for n in range(1, number + 1)} <= set(brought)


def lived(store: SqliteStore, now: datetime, time_passed: timedelta, number: int) -> tuple[datetime, int]:
    """A paper and a look at what is due every two hours."""
    end = now + time_passed
    while now < end:
        number += 1
        news(store, number, at=now)
        now += timedelta(hours=2)
        planned(store, now)
    return now, number
