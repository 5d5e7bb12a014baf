"""``source …``: what people see of sources that are read, paused, given up and moved."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from notifier.model import Gap, GapReason
from notifier.store import SqliteStore
from tests.builders import NOW, source
from tests.conftest import Shell
from tests.servers.web import WebServer
from tests.sources.samples import rss

FEED = rss("<item><title>A</title><guid>https://lab.example.org/a</guid></item>")


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setenv("NOTIFIER_ALLOW_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("NOTIFIER_HOST_PAUSE", "0s")
    with WebServer() as server:
        yield server


def state(notifier: Shell) -> str:
    return " ".join(notifier("source", "list").out.split())


def finding(notifier: Shell) -> dict[str, str]:
    found = notifier.tried("doctor", "--json").json
    return next(each for each in found if each["topic"] == "sources")


def test_a_paused_source_is_read_only_where_it_is_named(notifier: Shell, web: WebServer) -> None:
    web.answer("/feed", body=FEED)
    notifier("source", "add", web.url("/feed"), "--name", "lab")
    assert "resume lab" in notifier("source", "pause", "lab").out
    assert "paused since" in state(notifier)
    assert notifier("source", "fetch", "--json").json == []
    assert notifier("source", "fetch", "lab", "--json").json[0]["new"] == 1
    assert finding(notifier)["level"] == "hint"
    notifier("source", "resume", "lab")
    assert len(notifier("source", "fetch", "--json").json) == 1
    assert "paused" not in state(notifier)


def test_a_source_that_is_gone_is_told_with_what_to_do(notifier: Shell, web: WebServer) -> None:
    web.answer("/feed", status=410)
    notifier("source", "add", web.url("/feed"), "--name", "lab")
    assert notifier.tried("source", "fetch").code == 1
    assert "paused since" in state(notifier)
    assert "gone for good (410)" in state(notifier)
    told = finding(notifier)
    assert told["level"] == "wrong"
    assert "notifier source resume lab" in told["text"]


def test_a_source_that_moved_is_told_with_both_addresses(notifier: Shell, tmp_path: Path) -> None:
    notifier("init")
    store = SqliteStore(tmp_path / "data" / "notifier.db")
    with store.write():
        store.sources.put(source("lab", url="https://new.example.org/", moved_from="https://old.example.org/"))
    store.close()
    assert "moved from https://old.example.org/ to https://new.example.org/" in finding(notifier)["text"]
    assert notifier("source", "list", "--json").json[0]["moved_from"] == "https://old.example.org/"


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_a_source_that_is_none_is_said_so(notifier: Shell, verb: str) -> None:
    assert notifier.tried("source", verb, "none").code == 2


def test_no_parser_outlives_the_command(notifier: Shell, web: WebServer) -> None:
    web.answer("/feed", body=FEED)
    notifier("source", "add", web.url("/feed"), "--name", "lab")
    notifier("source", "fetch")
    running = subprocess.run(["ps", "-A", "-o", "ppid,args"], capture_output=True, text=True, check=True).stdout
    mine = [line for line in running.splitlines() if line.split()[0] == str(os.getpid())]
    assert [line for line in mine if "notifier.sources" in line] == []


def test_what_is_still_to_come_is_told_with_how_far_it_is(notifier: Shell, tmp_path: Path) -> None:
    notifier("init")
    store = SqliteStore(tmp_path / "data" / "notifier.db")
    missed = (date(2025, 12, 11), date(2025, 12, 14))
    with store.write():
        store.sources.put(source("arxiv", kind="arxiv", url="arxiv:cs.CL", last_success_at=NOW))
        gap = Gap(id="g_1", source="arxiv", first=missed[0], last=missed[1], reason=GapReason.MISSED, found_at=NOW)
        store.gaps.note([replace(gap, last_error="arXiv asks to be left alone (429).")])
    store.close()
    at = ("--now", NOW.isoformat())
    assert "missed on 2025-12-11 to 2025-12-14 is still to come" in notifier("source", "list", *at).out
    assert "arXiv asks to be left alone (429)." in notifier("source", "show", "arxiv", *at).out
    assert notifier("source", "show", "arxiv", "--json", *at).json["gaps"][0]["reason"] == "missed"
    told = [each for each in notifier.tried("doctor", "--json", *at).json if each["topic"] == "sources"]
    assert any("from 2025-12-11 on is not complete yet" in each["text"] and each["level"] == "hint" for each in told)
