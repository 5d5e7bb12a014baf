"""The program as an operator starts and stops it: a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from notifier.app import App
from notifier.engine import open_engine
from notifier.settings_file import load
from tests.conftest import Shell
from tests.servers.slack import SlackServer, rate_limited
from tests.servers.smtp import MailServer

PATIENCE = 30.0


def start(**environment: str) -> subprocess.Popen[str]:
    code = "import sys; from notifier.cli import run; sys.exit(run(['serve', '--no-web']))"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"NOTIFIER_TICK": "1s", "NOTIFIER_LOG_JSON": "true"} | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(what: object, happens: object) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happens():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.05)


def subscribe(notifier: Shell) -> None:
    notifier("subscriber", "add", "ada@example.org")
    id = notifier("subscription", "add", "ada@example.org", "--channel", "email", "--every", "instant").id
    notifier("rule", "add", id, "*")


def test_serve_sends_what_comes_in_and_goes_at_sigterm_with_nothing_claimed(notifier: Shell, tmp_path: Path) -> None:
    subscribe(notifier)
    with MailServer() as server:
        process = start(
            NOTIFIER_SMTP_HOST=server.host, NOTIFIER_SMTP_PORT=str(server.port), NOTIFIER_SMTP_SECURITY="none"
        )
        wait_for("the first tick", (tmp_path / "data" / "heartbeat").exists)
        Path("papers.jsonl").write_text('{"id": "arxiv:2512.00001", "title": "New"}\n', "utf-8")
        notifier("import", "papers.jsonl")
        wait_for("the mail", lambda: server.mails)
        assert notifier("health").code == 0
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, log
    assert [each["state"] for each in notifier("deliveries", "--json").json] == ["sent"]
    assert '"event": "stopped"' in log


async def planned() -> None:
    async with open_engine(App(settings=load())) as engine:
        await engine.plan()


def test_what_a_receiver_puts_off_is_tried_again_when_it_said_and_not_at_the_next_tick(notifier: Shell) -> None:
    notifier("subscriber", "add", "ada@example.org")
    id = notifier("subscription", "add", "ada@example.org", "--channel", "slack:C0LAB", "--every", "instant").id
    notifier("rule", "add", id, "*")
    Path("papers.jsonl").write_text('{"id": "arxiv:2512.00001", "title": "New"}\n', "utf-8")
    notifier("import", "papers.jsonl")
    asyncio.run(planned())
    with SlackServer() as server:
        server.add_channel("C0LAB", "papers")
        # More than the few seconds that delivering itself waits for.
        server.answer("chat.postMessage", rate_limited(7), times=1)
        process = start(NOTIFIER_SLACK_API_URL=server.api_url, NOTIFIER_SLACK_TOKEN=server.token, NOTIFIER_TICK="10m")
        wait_for("the message", lambda: server.taken)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert server.calls.count("chat.postMessage") == 2


def test_two_schedulers_on_one_database_send_each_digest_once(notifier: Shell, tmp_path: Path) -> None:
    subscribe(notifier)
    with MailServer() as server:
        settings = {
            "NOTIFIER_SMTP_HOST": server.host,
            "NOTIFIER_SMTP_PORT": str(server.port),
            "NOTIFIER_SMTP_SECURITY": "none",
        }
        both = [start(**settings), start(**settings)]
        wait_for("the first tick", (tmp_path / "data" / "heartbeat").exists)
        for number in range(1, 4):
            Path("papers.jsonl").write_text(f'{{"id": "arxiv:2512.{number:05}", "title": "New"}}\n', "utf-8")
            notifier("import", "papers.jsonl")
            wait_for("the mail", lambda number=number: len(server.mails) >= number)
        for process in both:
            process.send_signal(signal.SIGTERM)
        for process in both:
            process.communicate(timeout=PATIENCE)
        assert len(server.mails) == 3
