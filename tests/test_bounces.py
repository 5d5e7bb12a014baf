"""Mail that comes back, in the shapes of the servers that send it back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from notifier.bounce import COUNTED, kind_of, marked, signed_delivery, verdict
from notifier.bounced import Taken, read, take
from notifier.collect import absorb
from notifier.matching import RuleSet
from notifier.model import Address, Bounce, BounceKind, Delivery, DeliveryState
from notifier.plan import plan
from notifier.render import Links
from notifier.store import SqliteStore
from notifier.tokens import Keys
from tests.builders import NOW, rule, sighting, subscriber, subscription
from tests.conftest import Shell

KEYS = Keys(SecretStr("k"))
HARD, SOFT, COMPLAINT = BounceKind.HARD, BounceKind.SOFT, BounceKind.COMPLAINT
DAY = timedelta(days=1)
ADA = "ada@example.org"


def report(status: str, said: str, *, action: str = "failed", to: str = "bounces@example.org") -> bytes:
    """As Postfix, Exchange and Amazon's service write it (RFC 3464)."""
    return f"""From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="cut"

--cut
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Arrival-Date: Tue, 16 Dec 2025 08:00:00 +0100 (CET)

Final-Recipient: rfc822; ada@example.org
Original-Recipient: rfc822;ada@example.org
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; {said}

--cut
Content-Type: text/rfc822-headers

Subject: 3 papers
Message-ID: <d_abc.2025-12-16@example.org>

--cut--
""".replace("\n", "\r\n").encode()


def exim(to: str = "bounces@example.org", *, said: str = "Unrouteable address") -> bytes:
    return f"""From: Mail Delivery System <Mailer-Daemon@mx.example.net>
To: {to}
Subject: Mail delivery failed: returning message to sender
X-Failed-Recipients: ada@example.org

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ada@example.org
    {said}
""".encode()


def qmail(to: str = "bounces@example.org") -> bytes:
    return f"""From: MAILER-DAEMON@mx.example.net
To: {to}
Subject: failure notice

Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ada@example.org>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Subject: 3 papers
""".encode()


def complaint(to: str = "bounces@example.org") -> bytes:
    return f"""From: fbl@mx.example.net
To: {to}
Subject: FW: 3 papers
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="cut"

--cut
Content-Type: text/plain

This is an email abuse report.

--cut
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1

--cut
Content-Type: message/rfc822

Subject: 3 papers

papers
--cut--
""".encode()


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (report("5.1.1", "550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown"), HARD),
        (
            report("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP lookup"),
            HARD,
        ),
        (report("5.0.0", "550 No such user here"), HARD),
        (report("5.2.1", "550 5.2.1 The email account that you tried to reach is disabled."), HARD),
        (report("5.2.2", "552 5.2.2 The email account that you tried to reach is over quota."), SOFT),
        (report("4.4.7", "delivery temporarily suspended: connect: Connection timed out"), SOFT),
        (report("4.2.0", "451 Greylisted, try again later", action="delayed"), SOFT),
        (report("5.7.1", "550 5.7.1 Our system has detected that this message is likely unsolicited mail"), None),
        (report("5.7.26", "550-5.7.26 This mail is unauthenticated: SPF and DKIM did not pass"), None),
        (report("5.0.0", "554 Message rejected: blocked by our blocklist"), None),
        (report("5.1.8", "553 5.1.8 Sender address has null MX"), None),
        (exim(), HARD),
        (exim(said="552 5.2.3 Message size exceeds fixed maximum message size"), SOFT),
        (exim(said="550 5.7.1 Message rejected as spam"), None),
        (exim(said="retry timeout exceeded"), SOFT),
        (qmail(), HARD),
        (complaint(), COMPLAINT),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value),
)
def test_each_shape_is_read_for_what_it_says(raw: bytes, kind: BounceKind | None) -> None:
    found = read(raw)
    assert found is not None and found.kind == kind


def test_of_a_report_in_prose_the_line_is_kept_that_tells() -> None:
    assert [getattr(read(raw), "reason", None) for raw in (exim(), qmail())] == [
        "Unrouteable address",
        "Sorry, no mailbox here by that name. (#5.1.1)",
    ]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: Re: 3 papers\r\n\r\nThank you, but I am out of office until Monday.",
        report("2.0.0", "250 OK", action="delivered"),
        report("2.0.0", "250 OK", action="relayed"),
    ],
)
def test_what_is_no_bounce_is_left_alone(raw: bytes) -> None:
    assert read(raw) is None


def nested(depth: int) -> bytes:
    head = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    return head + report("5.1.1", "unknown")


@pytest.mark.parametrize(
    "raw",
    [
        nested(1_000),
        b"Content-Type: multipart/report; boundary=" + b"x" * 100_000,
        b"Content-Type: text/plain; charset=no-such\n\n\xff\xfe" * 10,
        b"\x00" * 10_000,
        b"A: b\n" * 100_000,
        report("5.1.1 \x00\xff", "5" * 100_000),
        b"Content-Type: multipart/report" + b"; a=b" * 400_000,
        b"Content-Type: multipart/report; boundary=b\n\n"
        + b"--b\nContent-Type: message/delivery-status\n\nA: b\n" * 40_000,
    ],
    ids=["nested", "boundary", "charset", "nul", "headers", "long", "parameters", "reports"],
)
def test_what_is_built_to_break_the_reader_or_to_keep_it_busy_does_not(raw: bytes) -> None:
    read(raw)


def test_of_many_marks_in_a_mail_the_first_are_looked_at() -> None:
    good = marked("bounces@example.org", "d_k3m9x2tq7p", KEYS)
    forged = "bounces+d_k3m9x2tq7p-aaaaaaaaaa@example.org "
    assert signed_delivery(forged * 9 + good, KEYS) == "d_k3m9x2tq7p"
    assert signed_delivery(forged * 60_000 + good, KEYS) is None


@given(st.binary(max_size=2_000))
def test_any_bytes_can_be_read(raw: bytes) -> None:
    read(raw)
    read(report("5.1.1", "x")[:400] + raw)


def test_a_return_path_names_its_delivery_and_cannot_be_guessed() -> None:
    path = marked("bounces@example.org", "d_k3m9x2tq7p", KEYS)
    local, _, domain = path.partition("@")
    assert domain == "example.org" and local.startswith("bounces+d_k3m9x2tq7p-") and len(local) <= 64
    assert signed_delivery(f"To: <{path}>", KEYS) == "d_k3m9x2tq7p"
    assert signed_delivery(f"to: <{path.upper()}>", KEYS) == "d_k3m9x2tq7p"
    assert signed_delivery(f"To: <{path}>", Keys(SecretStr("other"))) is None
    assert signed_delivery("To: <bounces+d_k3m9x2tq7p-aaaaaaaaaa@example.org>", KEYS) is None


def test_without_a_bounce_address_mail_comes_back_to_its_sender() -> None:
    links = Links(sender="Papers <p@example.org>", keys=KEYS)
    assert links.return_path("d_1") == "p@example.org"
    assert Links(sender="p@example.org", bounce_address="b@example.org").return_path("d_1") == "p@example.org"


def bounce(kind: BounceKind, ago: timedelta) -> Bounce:
    return Bounce(address=ADA, kind=kind, at=NOW - ago, status="4.2.2", reason="full")


kinds = st.sampled_from([HARD, SOFT, COMPLAINT])
agos = st.timedeltas(timedelta(0), 30 * DAY)


@given(st.lists(st.builds(bounce, kinds, agos), max_size=12))
def test_an_address_is_suppressed_for_one_hard_bounce_or_soft_ones_on_four_days(bounces: list[Bounce]) -> None:
    counted = [each for each in bounces if NOW - each.at < COUNTED]
    hard = any(each.kind is not SOFT for each in counted)
    soft_days = len({each.at.date() for each in counted})
    assert (verdict(bounces, now=NOW) is not None) == (hard or soft_days >= 4)


@given(st.lists(st.builds(bounce, kinds, agos), max_size=8), st.builds(bounce, kinds, agos))
def test_one_more_bounce_never_lifts_a_suppression(bounces: list[Bounce], one: Bounce) -> None:
    if verdict(bounces, now=NOW):
        assert verdict([*bounces, one], now=NOW)


@given(st.from_regex(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True), st.text(max_size=60), st.booleans())
def test_a_code_about_us_never_counts_against_an_address(status: str, said: str, permanent: bool) -> None:
    kind = kind_of(status, said, permanent=permanent)
    assert (kind is None) >= (status.split(".")[1] == "7")
    assert kind is not COMPLAINT


@pytest.fixture
def sent(store: SqliteStore) -> Delivery:
    with store.write():
        store.subscribers.add(subscriber(ADA))
        store.subscriptions.put(subscription(address=Address(kind="email")))
        store.rules.put([rule()], actor="t", via="cli", now=NOW - DAY)
    return planned(store, 1, NOW + timedelta(hours=1))


def planned(store: SqliteStore, number: int, now: object) -> Delivery:
    absorb(store, [sighting(number)], source="feed", baseline=False, now=now - timedelta(hours=2))  # type: ignore[operator]
    plan(store, RuleSet(), look_back=timedelta(days=7), now=now)  # type: ignore[arg-type]
    return store.deliveries.all()[0]


def address_of(delivery: Delivery) -> str:
    return marked("bounces@example.org", delivery.id, KEYS)


def test_after_a_hard_bounce_the_next_digest_is_cancelled_with_the_reason(store: SqliteStore, sent: Delivery) -> None:
    raw = report("5.1.1", "550 5.1.1 User unknown", to=address_of(sent))
    assert take(store, raw, keys=KEYS, now=NOW + DAY / 2) is Taken.HARD
    later = NOW + DAY + timedelta(hours=1)
    next_one = planned(store, 2, later)
    with store.write():
        touched = store.deliveries.claim(later, lease=DAY, limit=10)
    assert {each.state for each in touched} == {DeliveryState.CANCELLED}
    assert "User unknown" in (store.deliveries.get(next_one.id) or next_one).reason  # type: ignore[operator]
    with store.write():
        assert store.bounces.release("ADA@example.org")
    again = planned(store, 3, later + DAY)
    with store.write():
        (claimed,) = store.deliveries.claim(later + DAY, lease=DAY, limit=10)
    assert (claimed.id, claimed.state) == (again.id, DeliveryState.CLAIMED)
    assert {item.entry_id[-1] for item in store.deliveries.items(again.id)} == {"1", "2", "3"}


def test_a_bounce_without_our_signature_suppresses_nobody(store: SqliteStore, sent: Delivery) -> None:
    forged = f"bounces+{sent.id}-aaaaaaaaaa@example.org"
    for to in ("bounces@example.org", forged, marked("bounces@example.org", "d_gone", KEYS)):
        assert take(store, report("5.1.1", "unknown", to=to), keys=KEYS, now=NOW) is Taken.UNSIGNED
    assert store.bounces.suppressed() == [] and store.bounces.newest() == []


def test_the_same_bounce_counts_once_however_often_it_comes(store: SqliteStore, sent: Delivery) -> None:
    raw = report("4.2.2", "over quota", to=address_of(sent))
    for day in range(10):
        assert take(store, raw, keys=KEYS, now=NOW + day * DAY) is Taken.SOFT
    assert len(store.bounces.newest()) == 1
    assert store.bounces.suppressed() == []


def test_what_is_about_us_is_noted_against_nobody(store: SqliteStore, sent: Delivery) -> None:
    raw = report("5.7.1", "550 5.7.1 blocked", to=address_of(sent))
    assert take(store, raw, keys=KEYS, now=NOW) is Taken.OURS
    assert store.bounces.newest() == []


def test_an_address_can_be_suppressed_and_released_by_hand(notifier: Shell) -> None:
    notifier("bounces", "suppress", "Ada@Example.org", "--reason", "She asked by telephone.")
    shown = notifier("bounces", "list")
    assert "ada@example.org" in shown.out.lower() and "She asked by telephone." in shown.out
    notifier("bounces", "release", "ada@example.org", "--confirmed")
    assert notifier("bounces", "list", "--json").json == {"suppressed": [], "bounces": []}
    refused = notifier.tried("bounces", "release", "ada@example.org")
    assert refused.code == 2 and "is not suppressed" in refused.err


def test_reading_says_what_it_was(notifier: Shell, tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_bytes(report("5.1.1", "unknown"))
    assert "1 not signed by us" in notifier("bounces", "read", str(tmp_path / "mail.eml")).out
    for place, said in (((), "set bounce_maildir"), ((str(tmp_path / "none"),), "cannot be read")):
        refused = notifier.tried("bounces", "read", *place)
        assert refused.code == 2 and said in refused.err
