"""What the store keeps of Slack: an inbox that gives each piece of work to one, and members' papers."""

from __future__ import annotations

from datetime import timedelta

from notifier.collect import absorb
from notifier.model import Code, Keeping, Kept, Workspace
from notifier.ports import Store
from tests.builders import NOW, sighting, subscriber

LEASE = timedelta(minutes=2)


def test_a_key_is_taken_once_also_after_it_was_done(store: Store) -> None:
    with store.write():
        assert [store.slack_inbox.take("event_id:1", "{}", now=NOW) for _ in range(2)] == [True, False]
        (work,) = store.slack_inbox.claim(NOW, lease=LEASE, limit=9)
        store.slack_inbox.done(work.id, work.fence, "said", now=NOW)
        assert not store.slack_inbox.take("event_id:1", "{}", now=NOW)
        assert store.slack_inbox.claim(NOW + LEASE, lease=LEASE, limit=9) == []
        store.slack_inbox.forget(NOW + LEASE)
        assert store.slack_inbox.take("event_id:1", "{}", now=NOW)


def test_work_is_one_claims_until_its_lease_ends_and_then_anothers_alone(store: Store) -> None:
    with store.write():
        store.slack_inbox.take("one", "{}", now=NOW)
        (first,) = store.slack_inbox.claim(NOW, lease=LEASE, limit=9)
        assert store.slack_inbox.claim(NOW, lease=LEASE, limit=9) == []
        (second,) = store.slack_inbox.claim(NOW + LEASE, lease=LEASE, limit=9)
        assert (second.id, second.attempts) == (first.id, 2)
        assert not store.slack_inbox.answered(first.id, first.fence, "[]")
        assert store.slack_inbox.answered(second.id, second.fence, "[1]")
        store.slack_inbox.done(first.id, first.fence, "late", now=NOW)
        store.slack_inbox.put_off(second.id, second.fence, NOW + 3 * LEASE)
        assert store.slack_inbox.due(NOW + 2 * LEASE) == 0
        (third,) = store.slack_inbox.claim(NOW + 3 * LEASE, lease=LEASE, limit=9)
    assert third.calls == "[1]"


def test_a_workspace_that_is_gone_has_no_token_and_comes_back(store: Store) -> None:
    lab = Workspace(team="T1", name="Lab", token_name="t1", bot_user="U1", token="closed", installed_at=NOW)
    with store.write():
        store.slack.put(lab)
        assert [store.slack.gone("T1", "removed", now=NOW) for _ in range(2)] == [True, False]
        (gone,) = store.slack.workspaces()
        assert (gone.token, gone.gone_reason) == (None, "removed")
        store.slack.put(lab)
    assert store.slack.workspaces() == [lab]


def test_members_codes_and_what_is_told_once(store: Store) -> None:
    with store.write():
        store.subscribers.add(subscriber())
        store.slack.link("T1", "U1", "p_ada@example.org", now=NOW)
        store.slack.put_code("T1", "U1", Code(email="a@example.org", digest="x", expires_at=NOW))
        assert store.slack.told("week", now=NOW) and not store.slack.told("week", now=NOW)
    found = store.slack.subscriber("T1", "U1")
    assert found is not None and found.email == "ada@example.org"
    assert store.slack.subscriber("T2", "U1") is None
    assert store.slack.code("T1", "U1") == Code(email="a@example.org", digest="x", expires_at=NOW)
    with store.write():
        store.slack.drop_code("T1", "U1")
        store.subscribers.remove("ada@example.org")
    assert (store.slack.code("T1", "U1"), store.slack.subscriber("T1", "U1")) == (None, None)


def test_what_was_saved_stays_with_the_paper_that_two_turn_out_to_be(store: Store) -> None:
    def kept(id: str) -> Kept:
        return Kept(team="T1", user="U1", entry_id=id, what=Keeping.SAVED, channel="C1", at=NOW)

    absorb(store, [sighting(1, keys=("arxiv:2512.00001",))], source="a", baseline=False, now=NOW)
    absorb(store, [sighting(2, keys=("doi:10.1/x",), id="doi:10.1/x")], source="b", baseline=False, now=NOW)
    with store.write():
        assert store.slack.keep(kept("doi:10.1/x")) and not store.slack.keep(kept("doi:10.1/x"))
    absorb(store, [sighting(1, keys=("arxiv:2512.00001", "doi:10.1/x"))], source="a", baseline=False, now=NOW)
    (found,) = store.slack.kept("T1", user="U1", since=NOW - LEASE)
    assert list(store.entries.get([found.entry_id])) == [found.entry_id] and store.entries.count() == 1


def test_what_a_person_saved_goes_with_the_person(store: Store) -> None:
    absorb(store, [sighting(1)], source="a", baseline=False, now=NOW)
    with store.write():
        store.subscribers.add(subscriber())
        store.slack.link("T1", "U1", "p_ada@example.org", now=NOW)
        for user in ("U1", "U2"):
            id = "arxiv:2512.00001"
            store.slack.keep(Kept(team="T1", user=user, entry_id=id, what=Keeping.SAVED, channel="C1", at=NOW))
        store.subscribers.remove("ada@example.org")
    assert [each.user for each in store.slack.kept("T1", since=NOW - LEASE)] == ["U2"]
