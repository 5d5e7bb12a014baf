"""Mail to us: who unsubscribes by mail leaves that one subscription, and nothing else ends one."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from notifier.bounce import marked
from notifier.bounced import Taken
from notifier.incoming import take, unsubscribing
from notifier.render import Links
from notifier.store import SqliteStore
from notifier.tokens import Keys
from tests.builders import NOW, subscriber, subscription
from tests.conftest import Shell
from tests.servers.imap import PASSWORD, USER, ImapServer
from tests.test_bounces import report

KEYS = Keys(SecretStr("k"))
ID = "s_k3m9x2tq7p"
TO = marked("bounces@example.org", ID, KEYS)


def wish(to: str = TO, **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = ["From: Ada <ada@example.org>", f"To: {to}", "Subject: unsubscribe", *lines]
    return "\r\n".join([*head, "", "Please.", ""]).encode()


@pytest.fixture
def subscribed(store: SqliteStore) -> SqliteStore:
    with store.write():
        store.subscribers.add(subscriber())
        store.subscriptions.put(subscription(ID))
        store.subscriptions.put(subscription("s_other"))
    return store


def test_the_address_in_list_unsubscribe_ends_that_subscription_and_no_other(subscribed: SqliteStore) -> None:
    links = Links(sender="p@example.org", bounce_address="Bounces <bounces@example.org>", keys=KEYS)
    address = unquote(urlsplit(links.unsubscribe_mail(ID)).path)
    assert address == TO
    assert take(subscribed, wish(f"<{address.upper()}>"), keys=KEYS, now=NOW) is Taken.UNSUBSCRIBED
    left = {each.id: (each.paused, each.stopped_reason) for each in subscribed.subscriptions.all()}
    assert left == {ID: (True, "Unsubscribed by mail."), "s_other": (False, None)}
    with subscribed.write():
        subscribed.subscriptions.remove(ID)
    assert take(subscribed, wish(address), keys=KEYS, now=NOW) is Taken.GONE


def test_without_a_bounce_address_it_is_a_mail_to_the_operator() -> None:
    links = Links(sender="p@example.org", contact="ada@example.org", keys=KEYS)
    assert links.unsubscribe_mail(ID) == f"mailto:ada@example.org?subject=unsubscribe%20{ID}"


@pytest.mark.parametrize(
    "raw",
    [
        wish("bounces@example.org"),
        wish(f"bounces+{ID}-aaaaaaaaaa@example.org"),
        wish(marked("bounces@example.org", ID, Keys(SecretStr("other")))),
        wish(marked("bounces@example.org", "d_k3m9x2tq7p", KEYS).replace("d_", "s_")),
        wish(Auto_Submitted="auto-replied"),
        wish(Return_Path="<>"),
        wish(Precedence="bulk"),
        wish(List_Id="<s_one.notifier.example.org>"),
        wish("help@example.org", Subject=f"Fwd: <mailto:{TO}>"),
        b"Subject: Re: papers\r\n\r\nList-Unsubscribe: <mailto:" + TO.encode() + b">\r\n\r\nTo: " + TO.encode(),
        report("5.1.1", "unknown", to=TO),
    ],
    ids=["bare", "forged", "other key", "other purpose", "reply", "bounce", "bulk", "list", "quoted", "body", "report"],
)
def test_what_is_no_wish_of_a_reader_ends_nothing(subscribed: SqliteStore, raw: bytes) -> None:
    assert take(subscribed, raw, keys=KEYS, now=NOW) not in (Taken.UNSUBSCRIBED, Taken.GONE)
    assert not any(each.paused for each in subscribed.subscriptions.all())


@pytest.mark.parametrize("header", ["Delivered-To", "X-Original-To", "Envelope-To", "Cc"])
def test_a_server_that_rewrites_the_recipient_says_where_it_came_in(header: str) -> None:
    raw = wish("list of names <undisclosed>", **{header.replace("-", "_"): TO})
    assert unsubscribing(raw, KEYS) == ID


def test_a_program_that_writes_for_its_reader_may_say_so() -> None:
    assert unsubscribing(wish(Auto_Submitted="auto-generated"), KEYS) == ID
    assert unsubscribing(wish(Auto_Submitted="no"), KEYS) == ID


def test_a_digest_of_ours_that_comes_back_in_ends_nothing(subscribed: SqliteStore) -> None:
    digest = EmailMessage()
    digest["To"], digest["List-Id"], digest["List-Unsubscribe"] = TO, f"<{ID}.example.org>", f"<mailto:{TO}>"
    assert take(subscribed, digest.as_bytes(), keys=KEYS, now=NOW) is Taken.OTHER


@given(st.binary(max_size=2_000))
def test_any_bytes_can_be_taken(raw: bytes) -> None:
    assert unsubscribing(raw, KEYS) is None
    unsubscribing(b"To: " + raw + TO.encode(), KEYS)


@pytest.mark.parametrize(
    "raw",
    [
        b"To: " + b"(" * 200_000 + TO.encode(),
        b"To: x@example.org\r\n" * 100_000,
        b"".join(b"To: =?utf-8?q?=%02X?=\r\n" % (each % 256) for each in range(5_000)),
        b"Content-Type: multipart/mixed; boundary=" + b"x" * 200_000,
    ],
    ids=["comments", "headers", "words", "boundary"],
)
def test_what_is_built_to_break_the_reader_does_not(raw: bytes) -> None:
    unsubscribing(raw, KEYS)


def test_a_reader_unsubscribes_with_the_mailto_of_the_mail_over_imap(
    notifier: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ("--now", NOW.isoformat())
    monkeypatch.setenv("NOTIFIER_BOUNCE_ADDRESS", "bounces@example.org")
    notifier("subscriber", "add", "ada@example.org", *at)
    id = notifier("subscription", "add", "ada@example.org", "--channel", "email", "--every", "daily", "--empty", *at).id
    notifier("rule", "add", id, "reward", *at)
    notifier("run", "--once", "--now", (NOW + timedelta(days=1)).isoformat())
    (mail,) = Path("data/outbox").glob("*.eml")
    sent = message_from_bytes(mail.read_bytes(), policy=policy.default)
    address = unquote(urlsplit(str(sent["List-Unsubscribe"]).strip("<>")).path)
    with ImapServer() as server:
        for name, value in (("HOST", server.host), ("PORT", str(server.port)), ("SECURITY", "none")):
            monkeypatch.setenv(f"NOTIFIER_IMAP_{name}", value)
        monkeypatch.setenv("NOTIFIER_IMAP_USERNAME", USER)
        monkeypatch.setenv("NOTIFIER_IMAP_PASSWORD", PASSWORD)
        assert "has the folder INBOX" in notifier("doctor", *at).out
        server.add(wish(address))
        notifier("run", "--once", "--now", (NOW + timedelta(days=1)).isoformat())
        assert server.flags == [{r"\Seen"}]
        assert "No new mail." in notifier("bounces", "read").out
    (left,) = notifier("subscription", "list", "--json").json
    assert left["id"] == id and left["paused"]
    refused = notifier.tried("bounces", "read")
    assert refused.code == 1 and "cannot be read" in refused.err and PASSWORD not in refused.err
