from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

from notifier import cli
from notifier.store import SqliteStore
from tests import compliance
from tests.servers.slack import SlackServer
from tests.servers.smtp import MailServer

# How long an example takes says more of the machine than of the code.
settings.register_profile("no_clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no_clock")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine that runs the tests is theirs."""
    for name in [name for name in os.environ if name.startswith("NOTIFIER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NOTIFIER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    # A command that another test ran has said which log lines are shown.
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _mails_as_they_have_to_be(tmp_path: Path) -> Iterator[None]:
    """Of what lies in an outbox when the test ends; the test server looks at what it gets."""
    yield
    compliance.demand_in(tmp_path)


@pytest.fixture
def mail_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """One that the settings name."""
    with MailServer() as server:
        monkeypatch.setenv("NOTIFIER_SMTP_HOST", server.host)
        monkeypatch.setenv("NOTIFIER_SMTP_PORT", str(server.port))
        monkeypatch.setenv("NOTIFIER_SMTP_SECURITY", "none")
        monkeypatch.setenv("NOTIFIER_MAIL_FROM", "Papers <papers@example.org>")
        yield server


@pytest.fixture
def slack_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackServer]:
    """One that the settings name."""
    with SlackServer() as server:
        monkeypatch.setenv("NOTIFIER_SLACK_API_URL", server.api_url)
        monkeypatch.setenv("NOTIFIER_SLACK_TOKEN", server.token)
        yield server


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["mails"] = compliance.checked["mails"]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    compliance.checked["mails"] += getattr(node, "workeroutput", {}).get("mails", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if mails := compliance.checked["mails"]:
        terminalreporter.write_line(f"{mails:,} mails were looked at, and each is as mails have to be")


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def id(self) -> str:
        return self.out.split()[0]


class Shell:
    """The ``notifier`` command, run in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ran:
        """Run and demand success."""
        ran = self.tried(*arguments)
        assert ran.code == 0, ran
        return ran

    def tried(self, *arguments: str) -> Ran:
        self._capsys.readouterr()
        code = cli.run(list(arguments))
        captured = self._capsys.readouterr()
        return Ran(code=code, out=captured.out, err=captured.err)


@pytest.fixture
def notifier(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "store.db")
    yield store
    store.close()
