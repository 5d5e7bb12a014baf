"""The pages as an operator starts and stops them: processes of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

PATIENCE = 30.0


def start(command: str, port: int) -> subprocess.Popen[str]:
    code = f"import sys; from notifier.cli import run; sys.exit(run({command.split()!r}))"
    settings = {"NOTIFIER_WEB_PORT": str(port), "NOTIFIER_TICK": "1s", "NOTIFIER_LOG_JSON": "true"}
    return subprocess.Popen([sys.executable, "-c", code], env=os.environ | settings, stderr=subprocess.PIPE, text=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def answer(port: int) -> httpx2.Response:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return httpx2.get(f"http://127.0.0.1:{port}/login", verify=False, trust_env=False)
        except httpx2.TransportError:
            assert time.monotonic() < deadline, "the pages do not answer"
            time.sleep(0.05)


@pytest.mark.parametrize("command", ["serve", "web"])
def test_pages_answer_until_the_program_is_told_to_stop(command: str, tmp_path: Path) -> None:
    port = free_port()
    process = start(command, port)
    assert "Send the link" in answer(port).text
    # Only one of them plans and sends.
    heartbeat = tmp_path / "data" / "heartbeat"
    patience = time.monotonic() + PATIENCE
    while command == "serve" and not heartbeat.exists():
        assert time.monotonic() < patience, "it does not tick"
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, log
    assert heartbeat.exists() == (command == "serve")


def test_a_port_that_is_taken_is_said_before_anything_begins(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("serve", taken.getsockname()[1])
        _, log = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2 and "set another web_host or web_port" in log
    assert not (tmp_path / "data" / "heartbeat").exists()
