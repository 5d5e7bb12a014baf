"""Feeds as files, through the real command."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.conftest import Shell

AT_FIVE = "2025-12-16T05:00:00+00:00"
AT_EIGHT = "2025-12-16T08:00:00+00:00"


def subscribed(notifier: Shell, *titles: str) -> str:
    notifier("subscriber", "add", "ada@example.org", "--now", AT_FIVE)
    arguments = ("ada@example.org", "--channel", "outbox", "--every", "daily", "--empty", "--now", AT_FIVE)
    id = notifier("subscription", "add", *arguments).id
    notifier("rule", "add", id, "reward", "--now", AT_FIVE)
    lines = [json.dumps({"id": f"arxiv:2512.{n:05}", "title": title}) for n, title in enumerate(titles, 1)]
    Path("papers.jsonl").write_text("\n".join(lines), "utf-8")
    notifier("import", "papers.jsonl", "--now", AT_FIVE)
    return id


def items(file: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(file.read_text("utf-8"))["items"]
    return found


def test_the_command_writes_what_was_sent(notifier: Shell) -> None:
    id = subscribed(notifier, "On reward", "More reward")
    assert notifier("subscription", "feed", id, "--out", "feeds").out.split() == [
        f"feeds/{id}.atom",
        f"feeds/{id}.json",
    ]
    assert items(Path(f"feeds/{id}.json")) == []
    notifier("run", "--once", "--now", AT_EIGHT)
    notifier("run", "--once", "--now", "2025-12-17T08:00:00+00:00")
    notifier("subscription", "feed", id, "--out", "feeds")
    silent, (told) = items(Path(f"feeds/{id}.json"))
    assert "More reward" in told["content_html"] and "because" in told["content_html"]
    assert silent["date_published"] > told["date_published"]


def test_with_the_setting_each_digest_is_in_the_feed_once_it_was_sent(
    notifier: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_FEEDS_DIR", "feeds")
    id = subscribed(notifier, "On reward")
    notifier("run", "--once", "--now", AT_FIVE)
    assert not Path("feeds").exists()
    notifier("run", "--once", "--now", AT_EIGHT)
    file = Path(f"feeds/{id}.json")
    assert len(items(file)) == 1
    os.utime(file, (1, 1))
    notifier("run", "--once", "--now", AT_EIGHT)
    assert file.stat().st_mtime == 1, "what has not changed is not written"
    file.unlink()
    notifier("run", "--once", "--now", AT_EIGHT)
    assert len(items(file)) == 1, "what a process that was killed had left is written by the next"


def test_who_left_has_no_feed_any_more(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFIER_FEEDS_DIR", "feeds")
    id = subscribed(notifier, "On reward")
    notifier("run", "--once", "--now", AT_EIGHT)
    Path("feeds/notes.json").write_text("of somebody else", "utf-8")
    assert Path(f"feeds/{id}.json").is_file()
    notifier("subscriber", "remove", "ada@example.org")
    notifier("run", "--once", "--now", AT_EIGHT)
    assert [file.name for file in Path("feeds").iterdir()] == ["notes.json"]


def test_a_folder_that_cannot_be_written_keeps_no_digest_back(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("feeds").write_text("a file", "utf-8")
    monkeypatch.setenv("NOTIFIER_FEEDS_DIR", "feeds")
    id = subscribed(notifier, "On reward")
    assert "1 sent" in notifier("run", "--once", "--now", AT_EIGHT).out
    ran = notifier.tried("subscription", "feed", id)
    assert ran.code == 1 and "cannot be written" in ran.err


def test_a_subscription_that_is_none_is_said(notifier: Shell) -> None:
    assert notifier.tried("subscription", "feed", "s_nobody").code == 2
