"""A channel that is gone stops its subscription, and its owner is told by mail, once."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.conftest import Shell
from tests.servers.slack import SlackServer, refused
from tests.servers.smtp import MailServer
from tests.servers.web import WebServer

AT_FIVE = "2025-12-16T05:00:00+00:00"
AT_EIGHT = "2025-12-16T08:00:00+00:00"
NEXT_DAY = "2025-12-17T08:00:00+00:00"


@pytest.fixture(autouse=True)
def lab(mail_server: MailServer, slack_server: SlackServer) -> None:
    slack_server.add_channel("C0LAB", "papers")


def subscribed(notifier: Shell, channel: str, *options: str) -> str:
    notifier("subscriber", "add", "ada@example.org", *options, "--now", AT_FIVE)
    arguments = ("ada@example.org", "--channel", channel, "--every", "daily", "--now", AT_FIVE)
    id = notifier("subscription", "add", *arguments).id
    notifier("rule", "add", id, "reward", "--label", "rewards", "--now", AT_FIVE)
    news(notifier, 1, AT_FIVE)
    return id


def news(notifier: Shell, number: int, now: str) -> None:
    paper = {"id": f"arxiv:2512.{number:05}", "title": f"Reward models, part {number}"}
    Path("papers.jsonl").write_text(json.dumps(paper), "utf-8")
    notifier("import", "papers.jsonl", "--now", now)


def text(content: bytes) -> str:
    body = message_from_bytes(content, policy=policy.default).get_body(("plain",))
    return " ".join(body.get_content().split())


@pytest.mark.parametrize(
    "error",
    ["is_archived", "not_in_channel", "restricted_action"],
)
def test_its_owner_gets_one_letter_with_the_reason_and_the_way_back(
    notifier: Shell, mail_server: MailServer, slack_server: SlackServer, error: str
) -> None:
    id = subscribed(notifier, "slack:C0LAB")
    slack_server.answer("chat.postMessage", refused(error))
    notifier.tried("run", "--once", "--now", AT_EIGHT)
    news(notifier, 2, AT_EIGHT)
    notifier.tried("run", "--once", "--now", NEXT_DAY)
    (letter,) = mail_server.mails
    assert letter.recipients == ("ada@example.org",)
    said = text(letter.content)
    assert "slack:C0LAB" in said and error in said and f"notifier subscription resume {id}" in said
    assert error in notifier("subscription", "list").out
    assert slack_server.calls.count("chat.postMessage") == 1


def test_resumed_it_goes_on_with_its_rules_and_a_second_end_is_told_again(
    notifier: Shell, mail_server: MailServer, slack_server: SlackServer
) -> None:
    id = subscribed(notifier, "slack:C0LAB")
    slack_server.answer("chat.postMessage", refused("is_archived"))
    notifier.tried("run", "--once", "--now", AT_EIGHT)
    slack_server.heal()
    notifier("subscription", "resume", id, "--now", AT_EIGHT)
    news(notifier, 2, AT_EIGHT)
    notifier("run", "--once", "--now", NEXT_DAY)
    assert "part 2" in str(slack_server.posts("C0LAB")[0].arguments)
    slack_server.answer("chat.postMessage", refused("is_archived"))
    news(notifier, 3, NEXT_DAY)
    notifier.tried("run", "--once", "--now", "2025-12-18T08:00:00+00:00")
    assert len(mail_server.mails) == 2


def test_several_subscriptions_to_it_are_each_told_of_once_in_their_owners_language(
    notifier: Shell, mail_server: MailServer, slack_server: SlackServer
) -> None:
    subscribed(notifier, "slack:C0LAB", "--language", "de")
    arguments = ("ada@example.org", "--channel", "slack:C0LAB", "--every", "daily", "--now", AT_FIVE)
    other = notifier("subscription", "add", *arguments).id
    notifier("rule", "add", other, "models", "--now", AT_FIVE)
    slack_server.answer("chat.postMessage", refused("channel_not_found"))
    notifier.tried("run", "--once", "--now", AT_EIGHT)
    subjects = [message_from_bytes(mail.content, policy=policy.default)["Subject"] for mail in mail_server.mails]
    assert subjects == ["Keine Post mehr an slack:C0LAB"] * 2


def test_a_person_who_is_gone_stops_it_too(notifier: Shell, mail_server: MailServer, slack_server: SlackServer) -> None:
    slack_server.add_person("U0ADA", "ada@example.org")
    subscribed(notifier, "slack:U0ADA")
    slack_server.answer("conversations.open", refused("user_disabled"))
    notifier.tried("run", "--once", "--now", AT_EIGHT)
    assert len(mail_server.mails) == 1 and "user_disabled" in notifier("subscription", "list").out


def test_a_webhook_that_is_gone_is_told_of_without_its_key(
    notifier: Shell, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_ALLOW_NETWORKS", "127.0.0.0/8")
    with WebServer() as server:
        server.answer("/hook/secret-path", status=410)
        subscribed(notifier, f"webhook:{server.url('/hook/secret-path')}")
        notifier.tried("run", "--once", "--now", AT_EIGHT)
    (letter,) = mail_server.mails
    assert "410" in text(letter.content) and b"secret-path" not in letter.content


def test_with_pages_the_letter_leads_to_the_subscriptions(
    notifier: Shell, mail_server: MailServer, slack_server: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_BASE_URL", "https://papers.example.org")
    id = subscribed(notifier, "slack:C0LAB")
    slack_server.answer("chat.postMessage", refused("is_archived"))
    notifier.tried("run", "--once", "--now", AT_EIGHT)
    assert f"https://papers.example.org/s/{id}" in text(mail_server.mails[0].content)
