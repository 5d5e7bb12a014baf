"""Logins, mailed links and shared subscriptions, over every store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifier.model import Session, Ticket, TicketKind
from notifier.ports import Store
from tests.builders import NOW, subscriber, subscription

HOUR = timedelta(hours=1)


@pytest.fixture
def people(store: Store) -> Store:
    with store.write():
        for email in ("ada@example.org", "bob@example.org"):
            store.subscribers.add(subscriber(email))
        store.subscriptions.put(subscription("s_one"))
    return store


def session(id: str, email: str = "ada@example.org") -> Session:
    person = subscriber(email)
    return Session(id=id, subscriber=person, browser="Firefox on Linux", created_at=NOW, expires_at=NOW + HOUR)


def ticket(**fields: object) -> Ticket:
    given = {"kind": TicketKind.LOGIN, "email": "ada@example.org", "created_at": NOW, "expires_at": NOW + HOUR}
    return Ticket(**(given | fields))  # type: ignore[arg-type]


def test_a_session_is_known_by_its_hash_until_it_expires(people: Store) -> None:
    with people.write():
        people.sessions.add(session("b_one"), "hash")
    assert people.sessions.get("hash", now=NOW) == session("b_one")
    assert people.sessions.get("other", now=NOW) is None
    assert people.sessions.get("hash", now=NOW + HOUR) is None


def test_ending_sessions_leaves_those_of_others(people: Store) -> None:
    with people.write():
        for id, email in (("b_one", "ada@example.org"), ("b_two", "ada@example.org"), ("b_three", "bob@example.org")):
            people.sessions.add(session(id, email), id)
        assert people.sessions.end("bob@example.org", ids=["b_one"]) == 0
        assert people.sessions.end("ada@example.org", ids=["b_one"]) == 1
    assert [each.id for each in people.sessions.of("ada@example.org", now=NOW)] == ["b_two"]
    with people.write():
        assert people.sessions.end("ada@example.org") == 1
    assert people.sessions.get("b_three", now=NOW) is not None


def test_a_ticket_is_used_once_for_its_own_kind_and_in_time(people: Store) -> None:
    made = ticket(values=(("next", "/account"),))
    with people.write():
        people.tickets.add(made, "hash")
        assert people.tickets.use("hash", TicketKind.SUBSCRIBE, now=NOW) is None
        assert people.tickets.use("hash", TicketKind.LOGIN, now=NOW + HOUR) is None
        assert people.tickets.waiting("ada@example.org", TicketKind.LOGIN, now=NOW) == 1
        assert people.tickets.use("hash", TicketKind.LOGIN, now=NOW) == made
        assert people.tickets.use("hash", TicketKind.LOGIN, now=NOW) is None


def test_members_own_what_is_shared_with_them_and_its_maker_is_none_of_them(people: Store) -> None:
    with people.write():
        people.members.add("s_one", "bob@example.org", now=NOW)
        people.members.add("s_one", "ada@example.org", now=NOW)
        people.members.share_ledger("s_one", "ada@example.org", shares=True, now=NOW)
    assert [each.email for each in people.members.of("s_one")] == ["bob@example.org"]
    assert [each.id for each in people.members.subscriptions("bob@example.org")] == ["s_one"]
    assert people.members.subscriptions("ada@example.org") == []
    assert people.members.shares_ledger("s_one", "ada@example.org")
    with people.write():
        assert people.members.remove("s_one", "bob@example.org")
    assert people.members.of("s_one") == []


def test_who_owns_no_part_of_it_shares_no_ledger(people: Store) -> None:
    with people.write():
        people.members.share_ledger("s_one", "bob@example.org", shares=True, now=NOW)
    assert not people.members.shares_ledger("s_one", "bob@example.org")


def test_removing_a_person_takes_their_logins_and_links_along(people: Store) -> None:
    with people.write():
        people.sessions.add(session("b_one"), "hash")
        people.tickets.add(ticket(), "hash")
        people.subscribers.remove("ada@example.org")
    assert people.sessions.get("hash", now=NOW) is None
    assert people.tickets.get("hash", TicketKind.LOGIN, now=NOW) is None
