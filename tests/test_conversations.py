"""Messages that answer earlier ones: mails as a mail program reads them, and threads in Slack."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Shell
from tests.servers.slack import SlackServer

MORNING = "2025-12-{}T08:00:00+01:00"


@pytest.fixture
def subscribed(notifier: Shell) -> str:
    return subscribe(notifier, "email")


def subscribe(notifier: Shell, channel: str) -> str:
    at = ("--now", "2025-12-15T05:00:00+01:00")
    notifier("subscriber", "add", "ada@example.org", "--timezone", "Europe/Berlin", *at)
    id = notifier("subscription", "add", "ada@example.org", "--channel", channel, "--every", "daily", *at).id
    notifier("rule", "add", id, "reward", *at)
    notifier("subscription", "follow", id, "version,code", *at)
    return id


def show(notifier: Shell, day: int, number: int, **fields: Any) -> None:
    """A paper comes, and the digest of the next morning goes out."""
    paper = {"id": f"arxiv:2512.{number:05}", "title": f"Reward models, part {number}"} | fields
    Path("papers.jsonl").write_text(json.dumps(paper) + "\n", "utf-8")
    notifier("import", "papers.jsonl", "--now", f"2025-12-{day - 1}T20:00:00+01:00")
    notifier("run", "--once", "--now", MORNING.format(day))


def mails() -> list[EmailMessage]:
    """In the order of their names, which begin with the time."""
    files = sorted(Path("data/outbox").glob("*.eml"))
    found = [message_from_bytes(each.read_bytes(), policy=policy.default) for each in files]
    return [each for each in found if isinstance(each, EmailMessage)]


def answered(mail: EmailMessage) -> tuple[str | None, list[str]]:
    parent = mail["In-Reply-To"]
    return parent and str(parent), str(mail["References"] or "").split()


def test_the_digests_of_a_subscription_are_one_conversation_where_that_is_set(
    notifier: Shell, subscribed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_MAIL_THREADS", "true")
    for day in (16, 17, 18):
        show(notifier, day, day)
    first, second, third = mails()
    root = f"<{subscribed}.digests@localhost>"
    ids = [str(each["Message-ID"]) for each in (first, second)]
    assert answered(first) == (None, [root])
    assert answered(second) == (ids[0], [root, ids[0]])
    assert answered(third) == (ids[1], [root, ids[1]])


def test_else_each_stands_alone_but_follow_ups_answer_the_mail_that_had_their_papers(
    notifier: Shell, subscribed: str
) -> None:
    show(notifier, 16, 1, version=1)
    show(notifier, 17, 2)
    show(notifier, 18, 1, version=2)
    first, second, third = mails()
    assert str(third["Subject"]).startswith("1 follow-up")
    assert [answered(each) for each in (first, second)] == [(None, []), (None, [])]
    assert answered(third) == (str(first["Message-ID"]), [str(first["Message-ID"])])


def test_follow_ups_beside_new_papers_answer_nothing(notifier: Shell, subscribed: str) -> None:
    show(notifier, 16, 1, version=1)
    Path("more.jsonl").write_text(
        '{"id": "arxiv:2512.00001", "title": "Reward models, part 1", "version": 2}\n', "utf-8"
    )
    notifier("import", "more.jsonl", "--now", "2025-12-16T19:00:00+01:00")
    show(notifier, 17, 2)
    assert answered(mails()[1]) == (None, [])


def test_in_slack_follow_ups_go_into_the_thread_of_the_message_that_had_their_papers(
    notifier: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SlackServer() as server:
        server.add_channel("C0LAB", "papers")
        monkeypatch.setenv("NOTIFIER_SLACK_API_URL", server.api_url)
        monkeypatch.setenv("NOTIFIER_SLACK_TOKEN", server.token)
        subscribe(notifier, "slack:C0LAB")
        show(notifier, 16, 1, version=1)
        show(notifier, 17, 2)
        show(notifier, 18, 1, version=2)
        first, second, third = server.posts("C0LAB")
    assert third.arguments["text"].startswith("1 follow-up")
    assert [each.thread_ts for each in (first, second, third)] == [None, None, first.ts]
