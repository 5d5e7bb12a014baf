"""Where mail to us comes in: the same is promised of a Maildir and of a folder on an IMAP server."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from notifier.errors import MailboxError
from notifier.mailboxes import ImapAccount, ImapFolder, Maildir
from notifier.ports import LONGEST_MAIL, Mailbox
from notifier.settings import Security
from tests.servers.imap import PASSWORD, USER, Fault, ImapServer
from tests.servers.smtp import make_certificate

HELLO = b"Subject: hello\r\n\r\nhello\r\n"
REPORT = b"Subject: it came back\r\n\r\nno such user\r\n"


@dataclass(frozen=True, slots=True)
class Place:
    mailbox: Mailbox
    add: Callable[[bytes], None]
    seen: Callable[[], list[bool]]


def folder_at(server: ImapServer, **fields: object) -> ImapFolder:
    given = {"host": server.host, "port": server.port, "security": Security.NONE, "username": USER}
    account = ImapAccount(**({**given, "password": SecretStr(PASSWORD)} | fields))  # type: ignore[arg-type]
    return ImapFolder(account, reply_seconds=5, visit_seconds=5)


@contextmanager
def imap(_: Path) -> Iterator[Place]:
    with ImapServer() as server:
        yield Place(folder_at(server), server.add, lambda: [r"\Seen" in flags for flags in server.flags])


@contextmanager
def maildir(folder: Path) -> Iterator[Place]:
    (folder / "new").mkdir()

    def add(content: bytes) -> None:
        count = len([*folder.rglob("*.host*")])
        (folder / "new" / f"{count}.a.host").write_bytes(content)

    def seen() -> list[bool]:
        return [each.name.endswith("S") for each in sorted(folder.rglob("*.host*"), key=lambda each: each.name)]

    yield Place(Maildir(folder), add, seen)


PLACES: dict[str, Callable[[Path], AbstractContextManager[Place]]] = {"imap": imap, "maildir": maildir}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with PLACES[request.param](tmp_path) as found:
        yield found


def test_each_new_mail_is_handed_out_once_and_seen_where_it_was_for_us(place: Place) -> None:
    place.add(HELLO)
    place.add(REPORT)
    handed: list[bytes] = []

    def take(raw: bytes) -> bool:
        handed.append(raw)
        return raw == REPORT

    place.mailbox.each(take)
    place.mailbox.each(take)
    assert handed == [HELLO, REPORT] and place.seen() == [False, True]
    place.add(HELLO)
    place.mailbox.each(take)
    assert handed == [HELLO, REPORT, HELLO]


def test_what_could_not_be_recorded_is_handed_out_again(place: Place) -> None:
    place.add(REPORT)

    def fail(_: bytes) -> bool:
        raise ValueError("the disk is full")

    with pytest.raises(ValueError, match="disk"):
        place.mailbox.each(fail)
    handed: list[bytes] = []
    place.mailbox.each(lambda raw: bool(handed.append(raw)))
    assert handed == [REPORT]


def test_of_a_huge_mail_only_its_beginning_is_read(place: Place) -> None:
    place.add(b"Subject: big\r\n\r\n" + b"x" * 50_000_000)
    sizes: list[int] = []
    place.mailbox.each(lambda raw: bool(sizes.append(len(raw))))
    assert sizes == [LONGEST_MAIL]


def test_looking_whether_it_is_there_marks_nothing(place: Place) -> None:
    place.add(HELLO)
    assert place.mailbox.check().endswith(".")
    handed: list[bytes] = []
    place.mailbox.each(lambda raw: bool(handed.append(raw)))
    assert handed == [HELLO]


def test_where_no_keyword_is_taken_all_mail_that_was_read_is_seen() -> None:
    with ImapServer(keywords=False) as server:
        server.add(HELLO)
        folder = folder_at(server)
        for _ in range(2):
            folder.each(lambda _: False)
        assert server.flags == [{r"\Seen"}]
        assert sum(each.startswith("FETCH") for each in server.commands) == 1


@pytest.mark.parametrize("implicit", [True, False], ids=["tls", "starttls"])
def test_its_certificate_is_verified(tmp_path: Path, implicit: bool) -> None:
    certificate = make_certificate(tmp_path)
    security = Security.TLS if implicit else Security.STARTTLS
    with ImapServer(certificate=certificate, implicit=implicit) as server:
        server.add(HELLO)
        with pytest.raises(MailboxError, match=r"(?i)certificate"):
            folder_at(server, security=security).check()
        assert not {"LOGIN", "AUTHENTICATE"} & set(server.commands)
        folder_at(server, security=security, tls_context=certificate.client_context()).each(lambda _: True)
        assert server.flags == [{r"\Seen"}]


def test_a_login_that_does_not_work_is_told_without_the_password() -> None:
    with ImapServer() as server:
        with pytest.raises(MailboxError, match="imap_password") as told:
            folder_at(server, password=SecretStr("wrong-secret")).check()
        assert "wrong-secret" not in str(told.value)


def test_a_server_without_plain_gets_a_login_and_one_with_tokens_a_token() -> None:
    with ImapServer(plain=False) as server:
        assert folder_at(server, password=SecretStr("secret")).check()
    command = shlex.join([sys.executable, "-c", "print('a-token')"])
    with ImapServer() as server:
        assert folder_at(server, token_command=command).check()
        with pytest.raises(MailboxError, match="imap_token_command"):
            folder_at(server, token_command=shlex.join([sys.executable, "-c", "exit('expired')"])).check()


def test_a_folder_that_is_not_there_is_named() -> None:
    with ImapServer() as server, pytest.raises(MailboxError, match="no folder Bounces"):
        folder_at(server, folder="Bounces").check()


@pytest.mark.parametrize("place", ["GREETING", "AUTHENTICATE", "SELECT", "SEARCH", "FETCH", "STORE"])
@pytest.mark.parametrize(
    "fault",
    [
        {"drop": True},
        {"answer": b"\x00\xff garbage\r\n* BYE\r\n"},
        {"answer": b"* 1 FETCH (BODY[]<0> {99999999999}\r\n"},
        {"answer": b"* SEARCH " + b"9" * 2_000_000 + b"\r\n"},
    ],
    ids=["drop", "garbage", "huge", "long line"],
)
def test_a_server_that_fails_anywhere_is_tried_again_later(place: str, fault: dict[str, object]) -> None:
    with ImapServer() as server:
        server.add(HELLO)
        server.fault = Fault(place=place, **fault)  # type: ignore[arg-type]
        with pytest.raises(MailboxError, match=r"tried again later|imap_username"):
            folder_at(server).each(lambda _: True)
        server.fault = None
        folder_at(server).each(lambda _: True)
        assert server.flags == [{r"\Seen"}]


@pytest.mark.parametrize("place", ["GREETING", "SELECT", "FETCH"])
def test_a_server_that_drips_is_hung_up_on(place: str) -> None:
    with ImapServer() as server:
        server.add(HELLO)
        server.fault = Fault(place=place, drip=True)
        folder = folder_at(server)
        folder._visit_seconds = 0.4
        with pytest.raises(MailboxError, match="tried again later"):
            folder.each(lambda _: True)


def test_a_maildir_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(MailboxError, match="no folder 'new'"):
        Maildir(tmp_path).check()
