"""A subscription that is to go elsewhere: what waits goes there, too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Shell
from tests.servers.slack import SlackServer, drop, refused

AT_FIVE = "2025-12-16T05:00:00+00:00"
AT_EIGHT = "2025-12-16T08:00:00+00:00"
LATER = "2025-12-16T08:10:00+00:00"


def waiting(notifier: Shell, server: SlackServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A subscription to a Slack channel whose digest did not get through."""
    monkeypatch.setenv("NOTIFIER_SLACK_API_URL", server.api_url)
    monkeypatch.setenv("NOTIFIER_SLACK_TOKEN", server.token)
    server.add_channel("C0LAB", "papers")
    notifier("subscriber", "add", "ada@example.org", "--now", AT_FIVE)
    arguments = ("ada@example.org", "--channel", "slack:C0LAB", "--every", "daily", "--now", AT_FIVE)
    id = notifier("subscription", "add", *arguments).id
    notifier("rule", "add", id, "reward", "--now", AT_FIVE)
    Path("papers.jsonl").write_text(json.dumps({"id": "arxiv:2512.00001", "title": "On reward"}), "utf-8")
    notifier("import", "papers.jsonl", "--now", AT_FIVE)
    notifier("run", "--once", "--now", AT_EIGHT)
    return id


def test_what_waits_is_made_anew_for_the_new_channel(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with SlackServer() as server:
        server.answer("chat.postMessage", refused("service_unavailable"))
        id = waiting(notifier, server, monkeypatch)
        said = notifier("subscription", "set", id, "--channel", "outbox", "--now", AT_EIGHT)
        assert "to outbox" in said.out
        notifier("run", "--once", "--now", LATER)
    assert len(list(Path("data/outbox").glob("*.eml"))) == 1


def test_what_may_have_arrived_is_not_sent_to_another_channel(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with SlackServer() as server:
        server.answer("chat.postMessage", drop())
        server.answer("conversations.history", refused("missing_scope"))
        id = waiting(notifier, server, monkeypatch)
        notifier("subscription", "set", id, "--channel", "outbox", "--now", AT_EIGHT)
        notifier.tried("run", "--once", "--now", LATER)
    assert not list(Path("data").glob("outbox/*"))
    assert "had before" in notifier("deliveries", "--failed").out


def test_a_secret_comes_with_the_change_to_a_webhook(notifier: Shell) -> None:
    notifier("subscriber", "add", "ada@example.org")
    id = notifier("subscription", "add", "ada@example.org", "--channel", "outbox", "--every", "daily").id
    said = notifier("subscription", "set", id, "--channel", "webhook:https://example.org/hook")
    assert "whsec_" in said.err and "whsec_" not in said.out
    assert "whsec_" not in notifier("subscription", "set", id, "--max", "5").err
