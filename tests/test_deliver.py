"""Delivery through the real command, into a real SMTP server and a server that speaks Slack's Web API."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.conftest import Shell
from tests.servers.slack import SlackServer, refused
from tests.servers.smtp import MailServer

AT_FIVE = "2025-12-16T05:00:00+00:00"
AT_EIGHT = "2025-12-16T08:00:00+00:00"


def write_papers(count: int = 2) -> Path:
    file = Path("papers.jsonl")
    lines = [
        {"id": f"arxiv:2512.{n:05}", "title": f"Reward models, part {n}", "abstract": "About rewards."}
        for n in range(1, count + 1)
    ]
    file.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return file


def subscribed(notifier: Shell, channel: str = "email", **options: str) -> str:
    notifier("subscriber", "add", "ada@example.org", "--now", AT_FIVE)
    more = [part for name, value in options.items() for part in (f"--{name}", value)]
    id = notifier(
        "subscription", "add", "ada@example.org", "--channel", channel, "--every", "daily", *more, "--now", AT_FIVE
    ).id
    notifier("rule", "add", id, "reward", "--label", "rewards", "--now", AT_FIVE)
    notifier("import", str(write_papers()), "--now", AT_FIVE)
    return id


def test_a_digest_arrives_in_the_mailbox_at_its_hour(notifier: Shell, mail_server: MailServer) -> None:
    subscribed(notifier)
    assert "none due" in notifier("run", "--once", "--now", AT_FIVE).out
    assert "1 sent" in notifier("run", "--once", "--now", AT_EIGHT).out
    (mail,) = mail_server.mails
    parsed = message_from_bytes(mail.content, policy=policy.default)
    assert parsed["To"] == "ada@example.org"
    assert parsed["Subject"].startswith("2 papers")
    assert "because “rewards”" in parsed.get_body(("plain",)).get_content()


def test_a_second_pass_sends_nothing_again(notifier: Shell, mail_server: MailServer) -> None:
    subscribed(notifier)
    notifier("run", "--once", "--now", AT_EIGHT)
    notifier("run", "--once", "--now", AT_EIGHT)
    notifier("run", "--once", "--now", "2025-12-17T08:00:00+00:00")
    assert len(mail_server.mails) == 1


def test_a_greylisted_mail_goes_again_with_the_same_bytes(notifier: Shell, mail_server: MailServer) -> None:
    subscribed(notifier)
    mail_server.fail("RCPT", "450 4.2.0 greylisted")
    assert "1 deferred" in notifier("run", "--once", "--now", AT_EIGHT).out
    (waiting,) = notifier("deliveries", "--failed", "--json", "--now", AT_EIGHT).json
    assert (waiting["state"], waiting["attempts"]) == ("deferred", 1)
    mail_server.heal()
    assert "none due" in notifier("run", "--once", "--now", "2025-12-16T08:04:00+00:00").out
    assert "1 sent" in notifier("run", "--once", "--now", "2025-12-16T08:06:00+00:00").out
    assert len(mail_server.mails) == 1


def test_a_refused_address_fails_at_once_with_its_reason_and_exit_code(
    notifier: Shell, mail_server: MailServer
) -> None:
    subscribed(notifier)
    mail_server.fail("RCPT", "550 5.1.1 no such user")
    ran = notifier.tried("run", "--once", "--now", AT_EIGHT)
    assert ran.code == 1
    (failed,) = notifier("deliveries", "--failed", "--json").json
    assert failed["state"] == "failed"
    assert "no such user" in failed["reason"]


def test_a_server_that_is_away_uses_up_no_attempt(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribed(notifier)
    monkeypatch.setenv("NOTIFIER_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("NOTIFIER_SMTP_PORT", "9")
    notifier("run", "--once", "--now", AT_EIGHT)
    (waiting,) = notifier("deliveries", "--json").json
    assert (waiting["state"], waiting["attempts"]) == ("deferred", 0)


def test_a_lab_channel_gets_its_blocks_within_the_limits(notifier: Shell, slack_server: SlackServer) -> None:
    slack_server.add_channel("C0LAB", "papers")
    subscribed(notifier, "slack:C0LAB")
    assert "1 sent" in notifier("run", "--once", "--now", AT_EIGHT).out
    posts = slack_server.posts("C0LAB")
    assert posts
    assert "2 papers" in posts[0].arguments["text"]


def test_a_revoked_token_stops_the_channel_after_one_call_and_keeps_the_deliveries(
    notifier: Shell, slack_server: SlackServer
) -> None:
    slack_server.add_channel("C0LAB", "papers")
    id = subscribed(notifier, "slack:C0LAB")
    email = ["ada@example.org", "--channel", "slack:C0LAB", "--every", "daily", "--now", AT_FIVE]
    for _ in range(4):
        other = notifier("subscription", "add", *email).id
        notifier("rule", "add", other, "reward")
    slack_server.answer("chat.postMessage", refused("token_revoked"))
    said = notifier("run", "--once", "--now", AT_EIGHT).err
    assert slack_server.calls.count("chat.postMessage") == 1
    assert said.count("token_revoked") == 1, "one alert, however many wait"
    states = {(each["state"], each["attempts"]) for each in notifier("deliveries", "--json").json}
    assert states == {("deferred", 0)}
    assert id


def test_nothing_is_sent_to_who_left_or_paused_after_planning(notifier: Shell, mail_server: MailServer) -> None:
    id = subscribed(notifier)
    mail_server.fail("RCPT", "450 4.2.0 later")
    notifier("run", "--once", "--now", AT_EIGHT)
    mail_server.heal()
    notifier("subscription", "pause", id, "--now", AT_EIGHT)
    assert "none due" in notifier("run", "--once", "--now", "2025-12-16T09:00:00+00:00").out
    notifier("subscription", "remove", id)
    assert "none due" in notifier("run", "--once", "--now", "2025-12-16T10:00:00+00:00").out
    assert mail_server.mails == []


def test_where_nothing_is_configured_the_mail_lies_in_the_outbox(notifier: Shell, tmp_path: Path) -> None:
    subscribed(notifier)
    notifier("run", "--once", "--now", AT_EIGHT)
    names = sorted(file.name for file in (tmp_path / "data" / "outbox").iterdir())
    assert [Path(name).suffix for name in names] == [".eml", ".html"]
    assert all(name.startswith("20251216T080000Z-d_") for name in names)


def test_a_faulty_template_of_the_operator_keeps_the_delivery_and_names_file_and_line(
    notifier: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own" / "email"
    own.mkdir(parents=True)
    (own / "digest.txt").write_text("fine\n{{ nothing.of.the.kind }}\n", "utf-8")
    monkeypatch.setenv("NOTIFIER_TEMPLATES_DIR", str(tmp_path / "own"))
    subscribed(notifier)
    notifier("run", "--once", "--now", AT_EIGHT)
    (waiting,) = notifier("deliveries", "--json").json
    assert (waiting["state"], waiting["attempts"]) == ("deferred", 0)
    assert "digest.txt" in waiting["reason"]
    assert notifier.tried("doctor").code == 1
    (own / "digest.txt").unlink()
    assert "1 sent" in notifier("run", "--once", "--now", "2025-12-16T09:00:00+00:00").out


def test_an_address_that_the_server_does_not_know_gets_nothing_more(
    notifier: Shell, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_BOUNCE_ADDRESS", "bounces@example.org")
    subscribed(notifier)
    mail_server.fail("RCPT", "550 5.1.1 No such user")
    notifier.tried("run", "--once", "--now", AT_EIGHT)
    assert "No such user" in notifier("bounces", "list").out
    mail_server.heal()
    notifier("import", str(write_papers(3)), "--now", "2025-12-16T12:00:00+00:00")
    notifier.tried("run", "--once", "--now", "2025-12-17T08:00:00+00:00")
    assert mail_server.mails == []
    notifier("bounces", "release", "ada@example.org", "--confirmed")
    notifier("import", str(write_papers(4)), "--now", "2025-12-17T12:00:00+00:00")
    notifier("run", "--once", "--now", "2025-12-18T08:00:00+00:00")
    (mail,) = mail_server.mails
    assert mail.sender.startswith("bounces+d_") and mail.sender.endswith("@example.org")
