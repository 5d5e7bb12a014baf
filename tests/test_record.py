"""The record comes before the send: what cannot be written down is not sent, and what was begun is known."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from notifier import account
from notifier.channels.email import EmailChannel
from notifier.channels.slack import SlackChannel
from notifier.channels.smtp import Server
from notifier.collect import absorb
from notifier.errors import StoreError
from notifier.matching import RuleSet
from notifier.model import Address, DeliveryState
from notifier.plan import plan
from notifier.settings import Security
from notifier.store import SqliteStore
from tests.builders import NOW, rule, sighting, subscriber, subscription
from tests.sending import HOUR, LEASE, Sender, planned_for
from tests.servers.slack import SlackServer, drop, hang, rate_limited, refused
from tests.servers.smtp import MailServer

SECOND = timedelta(seconds=1)


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def slack_server() -> Iterator[SlackServer]:
    with SlackServer() as server:
        server.add_channel("C0LAB", "papers")
        yield server


@pytest.fixture
async def mail(mail_server: MailServer) -> AsyncIterator[EmailChannel]:
    host, port = mail_server.host, mail_server.port
    relay = Server(host=host, port=port, security=Security.NONE, timeout=5 * SECOND, last_reply=5 * SECOND)
    channel = EmailChannel([relay], "papers@example.org")
    yield channel
    await channel.close()


@pytest.fixture
async def slack(slack_server: SlackServer) -> AsyncIterator[SlackChannel]:
    channel = SlackChannel(
        SecretStr(slack_server.token), SecretStr(""), slack_server.api_url, timeout=5 * SECOND, each=0 * SECOND
    )
    yield channel
    await channel.close()


@pytest.fixture
def by_mail(tmp_path: Path, mail: EmailChannel) -> Sender:
    file = tmp_path / "store.db"
    planned_for(file, Address(kind="email", target="ada@example.org"))
    return Sender(file, "email", mail)


@pytest.fixture
def by_slack(tmp_path: Path, slack: SlackChannel) -> Sender:
    file = tmp_path / "store.db"
    planned_for(file, Address(kind="slack", target="C0LAB"), papers=60)
    return Sender(file, "slack", slack)


def full(store: SqliteStore) -> None:
    """A disk that has no room for one more page."""
    conn = store._db.conn
    pages = conn.execute("PRAGMA page_count").fetchone()[0] - conn.execute("PRAGMA freelist_count").fetchone()[0]
    conn.execute(f"PRAGMA max_page_count = {pages}")


async def test_on_a_full_disk_nothing_is_sent_and_later_it_goes_out_once(
    by_mail: Sender, mail_server: MailServer
) -> None:
    by_mail.spoil = full
    with pytest.raises(StoreError, match="is full"):
        await by_mail.run()
    assert "MAIL" not in mail_server.commands
    by_mail.spoil = lambda store: None
    by_mail.now += LEASE
    assert await by_mail.run() == {DeliveryState.SENT: 1}
    assert len(mail_server.mails) == 1
    assert by_mail.row().unknowns == 0


async def test_while_another_program_holds_the_database_nothing_is_sent(
    by_mail: Sender, mail_server: MailServer
) -> None:
    with closing(sqlite3.connect(by_mail.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="Another program holds"):
            await by_mail.run()
        assert mail_server.commands == []
        other.execute("ROLLBACK")
    assert by_mail.row().attempts == 0
    assert await by_mail.run() == {DeliveryState.SENT: 1}


async def test_an_acceptance_that_could_not_be_written_is_an_unknown_end_and_goes_again_with_the_same_bytes(
    by_mail: Sender, mail_server: MailServer
) -> None:
    mail_server.hang("DOT", accept=True, times=1)
    await by_mail.killed_when(lambda: mail_server.mails)
    assert await by_mail.run() == {}
    by_mail.now += LEASE
    assert await by_mail.run() == {DeliveryState.SENT: 1}
    first, second = mail_server.mails
    assert first.content == second.content
    assert by_mail.row().unknowns == 1


async def test_where_unknown_ends_are_held_a_killed_send_waits_for_a_person(
    by_mail: Sender, mail_server: MailServer, mail: EmailChannel
) -> None:
    mail_server.hang("DOT", accept=True, times=1)
    await by_mail.killed_when(lambda: mail_server.mails)
    holding = Sender(by_mail.file, "email", mail, hold_unknown=True)
    holding.now += LEASE
    assert await holding.run() == {DeliveryState.HELD: 1}
    assert len(mail_server.mails) == 1
    assert "may have gone out" in (holding.row().reason or "")


async def test_the_attempt_is_counted_and_written_before_the_first_byte_goes_out(
    by_mail: Sender, mail_server: MailServer
) -> None:
    mail_server.hang("MAIL", times=1)
    await by_mail.killed_when(lambda: "MAIL" in mail_server.commands)
    with closing(SqliteStore(by_mail.file)) as store:
        (row,) = store.deliveries.all()
        assert (row.state, row.attempts) == (DeliveryState.CLAIMED, 1)
        assert [each.state for each in store.deliveries.attempts(row.id)] == [None]
        assert store.deliveries.message(row.id) is not None


async def test_a_long_slack_digest_that_was_killed_between_its_parts_goes_on_at_the_next_one(
    by_slack: Sender, slack_server: SlackServer
) -> None:
    slack_server.answer("chat.postMessage", hang(), skip=2)
    await by_slack.killed_when(lambda: slack_server.calls.count("chat.postMessage") == 3)
    assert len(by_slack.row().accepted) == 2
    slack_server.heal()
    by_slack.now += LEASE
    assert await by_slack.run() == {DeliveryState.SENT: 1}
    keys = [post.arguments["metadata"]["event_payload"]["part"] for post in slack_server.posts("C0LAB")]
    assert keys == list(range(len(keys)))
    assert len(keys) > 3
    assert len({post.thread_ts for post in slack_server.posts("C0LAB")[1:]}) == 1


def parts_in(server: SlackServer) -> list[int]:
    return [post.arguments["metadata"]["event_payload"]["part"] for post in server.posts("C0LAB")]


async def test_a_part_whose_answer_was_lost_is_found_and_posted_once(
    by_slack: Sender, slack_server: SlackServer
) -> None:
    slack_server.answer("chat.postMessage", drop(after_taking=True), skip=1, times=1)
    assert await by_slack.run() == {DeliveryState.SENT: 1}
    assert parts_in(slack_server) == list(range(len(parts_in(slack_server))))


async def test_a_part_whose_answer_was_lost_and_that_cannot_be_looked_up_goes_again_alone(
    by_slack: Sender, slack_server: SlackServer
) -> None:
    slack_server.answer("chat.postMessage", drop(after_taking=True), skip=1, times=1)
    slack_server.answer("conversations.replies", refused("missing_scope"))
    assert await by_slack.run() == {DeliveryState.DEFERRED: 1}
    by_slack.now += HOUR
    assert await by_slack.run() == {DeliveryState.SENT: 1}
    keys = parts_in(slack_server)
    assert sorted(keys) == sorted([*range(len(set(keys))), 1])
    assert by_slack.row().unknowns == 1


async def test_a_part_that_was_posted_when_the_program_died_is_not_posted_again(
    by_slack: Sender, slack_server: SlackServer
) -> None:
    slack_server.answer("chat.postMessage", hang(after_taking=True), skip=1)
    await by_slack.killed_when(lambda: len(slack_server.posts("C0LAB")) == 2)
    slack_server.heal()
    by_slack.now += LEASE
    assert await by_slack.run() == {DeliveryState.SENT: 1}
    assert parts_in(slack_server) == list(range(len(parts_in(slack_server))))


async def test_a_channel_that_is_gone_stops_its_subscription_and_keeps_the_rules(
    by_slack: Sender, slack_server: SlackServer
) -> None:
    slack_server.answer("chat.postMessage", refused("is_archived"))
    assert await by_slack.run() == {DeliveryState.FAILED: 1}
    with closing(SqliteStore(by_slack.file)) as store:
        (stopped,) = store.subscriptions.all()
        assert stopped.paused and "is_archived" in (stopped.stopped_reason or "")
        assert len(store.rules.of([stopped.id])[stopped.id]) == 1
        resumed = account.resume(store, stopped.id, now=by_slack.now)
        assert not resumed.paused and resumed.stopped_reason is None


async def test_five_hundred_deliveries_with_a_revoked_token_make_one_call(
    tmp_path: Path, slack: SlackChannel, slack_server: SlackServer
) -> None:
    file = tmp_path / "store.db"
    with closing(SqliteStore(file)) as store:
        with store.write():
            store.subscribers.add(subscriber())
            address = Address(kind="slack", target="C0LAB")
            for number in range(500):
                store.subscriptions.put(subscription(f"s_{number}", address=address))
            rules = [rule(id=f"r_{n}", subscription_id=f"s_{n}") for n in range(500)]
            store.rules.put(rules, actor="t", via="cli", now=NOW - HOUR)
        absorb(store, [sighting(1)], source="feed", baseline=False, now=NOW - HOUR)
        plan(store, RuleSet(), look_back=timedelta(days=7), now=NOW + HOUR)
    slack_server.answer("chat.postMessage", refused("token_revoked"))
    assert await Sender(file, "slack", slack).run() == {DeliveryState.DEFERRED: 500}
    assert slack_server.calls == ["chat.postMessage"]
    with closing(SqliteStore(file)) as store:
        assert {each.attempts for each in store.deliveries.all(limit=500)} == {0}


async def test_a_short_pause_that_slack_asks_for_is_kept_within_one_run(
    by_slack: Sender, slack_server: SlackServer
) -> None:
    slack_server.answer("chat.postMessage", rate_limited(1), skip=1, times=1)
    begun = datetime.now(UTC)
    running = NOW + HOUR
    sender = by_slack
    sender.clock = lambda: running + (datetime.now(UTC) - begun)
    assert await sender.run() == {DeliveryState.DEFERRED: 1, DeliveryState.SENT: 1}
    assert slack_server.calls.count("chat.postMessage") == len(parts_in(slack_server)) + 1


async def test_a_rule_that_was_removed_after_planning_ends_its_digest_before_anything_is_sent(
    by_mail: Sender, mail_server: MailServer
) -> None:
    with closing(SqliteStore(by_mail.file)) as store, store.write():
        store.rules.remove("r_one", actor="ada", via="cli", now=NOW)
    assert await by_mail.run() == {DeliveryState.CANCELLED: 1}
    assert mail_server.commands == []


async def test_slack_parts_in_the_outbox_lie_side_by_side(tmp_path: Path) -> None:
    from notifier.channels.outbox import Outbox

    file = tmp_path / "store.db"
    planned_for(file, Address(kind="slack", target="C0LAB"), papers=60)
    assert await Sender(file, "slack", Outbox(tmp_path / "outbox")).run() == {DeliveryState.SENT: 1}
    found = [json.loads(each.read_text("utf-8"))["messages"] for each in (tmp_path / "outbox").iterdir()]
    keys = [part["metadata"]["event_payload"]["part"] for parts in found for part in parts]
    assert sorted(keys) == list(range(len(keys)))
    assert len(keys) > 1
