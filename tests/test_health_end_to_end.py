"""A source that falls silent, one that fails, arXiv at a weekend: what the digests, the lists and the doctor say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.conftest import Shell
from tests.servers.arxiv import ArxivServer, Paper
from tests.servers.web import WebServer

SATURDAY = "2025-12-20T08:00:00+00:00"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setenv("NOTIFIER_ALLOW_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("NOTIFIER_HOST_PAUSE", "0s")
    with WebServer() as server:
        yield server


@pytest.fixture
def arxiv() -> Iterator[ArxivServer]:
    with ArxivServer() as server:
        server.shown = [Paper(id="2512.00001", categories="cs.RO")]
        yield server


def items(count: int) -> bytes:
    lines = ({"id": f"lab:{n}", "title": f"N{n}", "url": f"https://lab.example.org/{n}"} for n in range(count))
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


def live(notifier: Shell, web: WebServer, arxiv: ArxivServer) -> None:
    """Every third day the laboratory writes; from 11 December on it is silent. On 19 December the other one fails."""
    notifier("subscriber", "add", "ada@example.org")
    ours = (
        "ada@example.org",
        "--channel",
        "email",
        "--every",
        "daily",
        "--empty",
        "--now",
        "2025-12-18T12:00:00+00:00",
    )
    id = notifier("subscription", "add", *ours).id
    notifier("rule", "add", id, "walking")
    notifier("source", "add", web.url("/lab.jsonl"), "--name", "lab", "--now", "2025-11-20T09:00:00+00:00")
    for n, day in enumerate(("11-20", "11-23", "11-26", "11-29", "12-02", "12-05", "12-08", "12-11"), start=1):
        web.answer("/lab.jsonl", body=items(n))
        notifier("run", "--once", "--now", f"2025-{day}T09:00:00+00:00")
    web.answer("/other.jsonl", body=items(1))
    notifier("source", "add", web.url("/other.jsonl"), "--name", "other", "--now", "2025-12-18T12:00:00+00:00")
    notifier("run", "--once", "--now", "2025-12-18T12:00:00+00:00")
    web.answer("/other.jsonl", status=500)
    notifier("source", "add", f"arxiv:cs.RO@{arxiv.mirror}", "--now", "2025-12-19T12:00:00+00:00")
    notifier.tried("run", "--once", "--now", "2025-12-19T12:00:00+00:00")
    arxiv.shown = []
    notifier.tried("run", "--once", "--now", SATURDAY)


def latest_mail(tmp_path: Path) -> str:
    mails = [message_from_bytes(each.read_bytes(), policy=policy.default) for each in tmp_path.rglob("*.eml")]
    (mail,) = [each for each in mails if "20 Dec" in each["Subject"]]
    return " ".join(mail.get_body(("plain",)).get_content().split())


def test_each_source_is_told_as_it_is(notifier: Shell, web: WebServer, arxiv: ArxivServer, tmp_path: Path) -> None:
    live(notifier, web, arxiv)

    told = latest_mail(tmp_path)
    assert "0 papers checked from 3 sources" in told
    assert "lab has brought nothing new since 11 December. other has not answered since Friday." in told
    assert "There may be new papers that could not be read." in told
    assert "arXiv announces nothing today." in told

    listed = {each["name"]: each for each in notifier("source", "list", "--json", "--now", SATURDAY).json}
    states = {name: each["state"] for name, each in listed.items()}
    assert states == {"arxiv": "not announced today", "lab": "stale", "other": "failing"}
    assert listed["lab"]["rhythm"]["longest_seconds"] == 3 * 86_400
    assert listed["arxiv"]["next_announcement_at"] == "2025-12-22T01:00:00+00:00"
    assert "usually 3 days at most" in notifier("source", "list", "--now", SATURDAY).out

    found = [each for each in notifier.tried("doctor", "--json", "--now", SATURDAY).json if each["topic"] == "sources"]
    levels = {each["text"].split("'")[1]: each["level"] for each in found}
    assert levels == {"arxiv": "ok", "lab": "wrong", "other": "wrong"}
    assert "notifier source show lab" in found[1]["text"]

    shown = notifier("source", "show", "lab", "--now", SATURDAY).out
    assert "quiet for 3 days at most; stale after 6 days" in shown
    assert "2025-12-11 Thu  1" in shown
    assert "cs.RO" in notifier("source", "show", "arxiv", "--now", SATURDAY).out


def test_a_source_that_nobody_asks_is_the_programs_fault(notifier: Shell, web: WebServer) -> None:
    web.answer("/lab.jsonl", body=items(1))
    notifier("source", "add", web.url("/lab.jsonl"), "--name", "lab", "--now", "2025-12-01T09:00:00+00:00")
    notifier("run", "--once", "--now", "2025-12-01T09:00:00+00:00")
    found = notifier.tried("doctor", "--json", "--now", SATURDAY).json
    (told,) = [each for each in found if each["topic"] == "sources"]
    assert told["level"] == "wrong" and "'notifier serve' has to run" in told["text"]


def test_show_of_a_source_that_is_none_is_said_so(notifier: Shell) -> None:
    assert notifier.tried("source", "show", "none").code == 2
