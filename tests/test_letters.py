"""Letters through the real command and the real tick, into a real SMTP server."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from notifier.app import App
from notifier.model import Letter, LetterKind
from notifier.serve import last_beat, serve
from notifier.settings_file import load
from notifier.store import SqliteStore
from tests.builders import NOW
from tests.conftest import Shell
from tests.servers.smtp import MailServer
from tests.test_serve import wait_for

LINK = "https://papers.example.org/login/a-secret-of-one-person"
AT = NOW.isoformat()


def put(
    to: str = "ada@example.org", id: str = "l_one", *, at: datetime = NOW, kind: LetterKind = LetterKind.LOGIN
) -> None:
    database = load().database
    database.parent.mkdir(exist_ok=True)
    store = SqliteStore(database)
    with store.write():
        values = (("link", LINK),)
        letter = Letter(id=id, to=to, kind=kind, values=values, created_at=at, expires_at=at + timedelta(minutes=15))
        store.letters.put([letter])
    store.close()


def later(minutes: int) -> str:
    return (NOW + timedelta(minutes=minutes)).isoformat()


def test_a_letter_arrives_and_what_it_said_is_nowhere_kept(notifier: Shell, mail_server: MailServer) -> None:
    put()
    assert "letters: 1 sent." in notifier("run", "--once", "--now", AT).out
    (mail,) = mail_server.mails
    shown = message_from_bytes(mail.content, policy=policy.default)
    assert (shown["Subject"], shown["Message-ID"]) == ("Log in to Papers", "<l_one@example.org>")
    assert mail.recipients == ("ada@example.org",)
    assert LINK in str(shown.get_body(("plain",)))
    assert "sent 2025-12-16 07:00 UTC" in notifier("letters").out
    with sqlite3.connect(load().database) as db:
        assert "a-secret" not in str(db.execute("SELECT * FROM letter").fetchall())
    notifier("run", "--once", "--now", later(1))
    assert len(mail_server.mails) == 1


def test_one_that_is_put_off_goes_again_with_the_same_bytes(notifier: Shell, mail_server: MailServer) -> None:
    mail_server.fail("DOT", "451 4.7.1 Greylisted", times=1)
    put()
    notifier("run", "--once", "--now", AT)
    waiting = notifier("letters", "--failed").out
    assert "Greylisted" in waiting and "Next try 2025-12-16 07:05 UTC" in waiting
    assert "a-secret" not in waiting + notifier("letters", "--json").out
    assert mail_server.mails == []
    notifier("run", "--once", "--now", later(5))
    (mail,) = mail_server.mails
    assert b"Date: Tue, 16 Dec 2025 07:00:00 +0000" in mail.content
    assert "Every letter was sent." in notifier("letters", "--failed").out


def test_a_server_that_is_away_costs_no_attempt_and_is_asked_once(
    notifier: Shell, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_SMTP_CONNECTIONS", "1")
    mail_server.fail("CONNECT", "421 4.3.2 Closing")
    for number in range(6):
        put(id=f"l_{number}")
    notifier("run", "--once", "--now", AT)
    assert {each["attempts"] for each in notifier("letters", "--json").json} == {0}
    assert mail_server.commands == ["CONNECT"]
    mail_server.heal()
    notifier("run", "--once", "--now", later(5))
    assert len(mail_server.mails) == 6


def test_one_that_came_too_late_is_dropped(notifier: Shell, mail_server: MailServer) -> None:
    put()
    notifier("run", "--once", "--now", later(15))
    assert mail_server.mails == []
    assert "It was good until 2025-12-16 07:15 UTC only." in notifier("letters", "--failed").out
    assert "has expired" in notifier.tried("letters", "retry", "l_one", "--now", later(16)).err


def test_one_that_failed_is_sent_again_at_a_word(notifier: Shell, mail_server: MailServer) -> None:
    mail_server.fail("RCPT", "554 5.7.1 Not you", times=1)
    put()
    assert notifier.tried("run", "--once", "--now", AT).code == 1
    listed = notifier("letters", "--failed").out
    assert "notifier letters retry l_one" in listed and "Not you" in listed
    notifier("letters", "retry", "l_one", "--now", AT)
    notifier("run", "--once", "--now", later(1))
    assert len(mail_server.mails) == 1
    for id, said in (("l_one", "l_one is sent"), ("l_none", "no letter l_none")):
        refused = notifier.tried("letters", "retry", id, "--now", later(1))
        assert refused.code == 2 and said in refused.err


def test_without_a_mail_server_it_lies_in_the_outbox(notifier: Shell) -> None:
    put(kind=LetterKind.CONFIRM_SUBSCRIPTION)
    notifier("run", "--once", "--now", AT)
    files = sorted(each.name for each in Path("data/outbox").iterdir())
    assert files == [f"20251216T070000Z-l_one-ada-at-example.org.{kind}" for kind in ("eml", "html")]


async def test_serve_sends_it_long_before_its_next_tick(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_TICK", "1h")
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(App(settings=load()), stop=stop))
    await asyncio.to_thread(wait_for, "the first tick", lambda: last_beat(load().data_dir))
    await asyncio.to_thread(put, at=datetime.now(NOW.tzinfo))
    await asyncio.to_thread(mail_server.wait_until, "DOT")
    stop.set()
    await serving
    assert len(mail_server.mails) == 1
