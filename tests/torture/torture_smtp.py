"""Every place of an SMTP conversation × everything that can go wrong there, through the deliver step and a real store.

``python -m tests.torture.torture_smtp [--step N] [--first N]`` plays each fault against a real server, with PIPELINING
and without, cuts the line at every ``step``-th byte of a digest, greylists, hangs up on kept connections, and sends
replies of 10 MB. What has to come of it stands in a table written from RFC 5321 and RFC 1047, not from the code: the
state, what counts as an attempt, when it may be tried again, and, once the server is well, that each mail is there
once, and twice only where the server took it and could not say so.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import groupby
from pathlib import Path

import structlog
from pydantic import SecretStr

from notifier.channels.email import EmailChannel
from notifier.channels.smtp import Server
from notifier.channels.smtp.login import with_password
from notifier.collect import absorb
from notifier.errors import Cause
from notifier.matching import RuleSet
from notifier.model import Address, Delivery, DeliveryState
from notifier.plan import plan
from notifier.settings import Security
from notifier.store import SqliteStore
from tests.builders import NOW, rule, sighting, subscriber, subscription
from tests.sending import HOUR, Sender
from tests.servers.smtp import Certificate, MailServer, make_certificate

TABLE = """
          drop     421    4xx    5xx      hang     garbage
CONNECT   away     away   away   away     away     away
EHLO      away     away   away   away     away     away
STARTTLS  away     away   away   away     away     away
AUTH      away     away   away   login    away     away
MAIL      broken   away   later  refused  broken   later
RCPT      broken   away   later  refused  broken   later
DATA      broken   away   later  refused  broken   later
BODY      doubt    doubt  later  refused  doubt    doubt
DOT       unknown  away   later  refused  unknown  unknown
RSET      next     next   next   next     next     next
QUIT      sent     sent   sent   sent     sent     sent
"""
"""away     the server is not there, or closes (421; RFC 5321, 3.8): no fault of any mail, so no attempt is used and the
         others are not even tried
broken   the line broke in the middle of a mail, which may be to blame: that one waits as after a transient reply, the
         next one is tried, and when it fares no better the others are left alone
login    it does not let us in (RFC 4954, 6): the same, and only a person can mend it
later    a transient reply (RFC 5321, 4.2.1), or one that means nothing, to this mail
refused  a permanent reply to this mail
unknown  the dot is out and the reply is not in (RFC 1047)
doubt    the line broke in the middle of a mail so small that its dot may have been on its way: one of these four
next     the first mail is refused, and the server then fails at RSET: the second one goes all the same
sent     the fault comes when all is done"""

FIRST_RETRY = timedelta(minutes=5)
_TIMEOUT = 20.0
_HANG = 0.7
_AT_ONCE = 12
_WHO = ("ada", "bob", "eve")
_AFTER = 300
"""Bytes of a mail, of some thousands, after which a fault at BODY comes."""
_LOGIN = ("papers", "right")

_4XX = {"AUTH": "454 4.7.0 Temporary authentication failure", "STARTTLS": "454 4.7.0 TLS is not available"}
_5XX = {
    "STARTTLS": "502 5.5.1 Not implemented",
    "AUTH": "535 5.7.8 Authentication credentials invalid",
    "MAIL": "550 5.1.0 Sender address rejected",
    "RCPT": "550 5.1.1 No such user",
    "BODY": "552 5.3.4 Message too big",
}
GARBAGE = (
    b"\x00\xff\xfe\x80", b"", b"25", b"999 odd", b"HTTP/1.1 400 Bad Request", b"+OK ready", b"25O fine",
    b"250-" + b"x" * 10**7,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """``accept``: the server keeps the mail although it cannot say so; ``hold``: doubtful mails wait for a person."""

    place: str
    fault: str
    garbage: bytes = GARBAGE[0]
    pipelining: bool = True
    accept: bool = False
    hold: bool = False

    def __str__(self) -> str:
        more = [name for name in ("pipelining", "accept", "hold") if getattr(self, name)]
        said = repr(self.garbage[:12]) if self.fault == "garbage" else ""
        return " ".join([self.place, self.fault, said, *more]).replace("  ", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What became of a delivery's first attempt."""

    state: DeliveryState
    attempts: int
    unknowns: int = 0
    cause: Cause | None = None

    def __str__(self) -> str:
        return f"{self.state} ({self.cause}, {self.attempts} attempts, {self.unknowns} unknown)"


_D = DeliveryState
_AWAY = End(state=_D.DEFERRED, attempts=0, cause=Cause.AWAY)
_BROKEN = replace(_AWAY, attempts=1)
_LATER = End(state=_D.DEFERRED, attempts=1, cause=Cause.PUT_OFF)
_UNKNOWN = End(state=_D.DEFERRED, attempts=1, unknowns=1, cause=Cause.UNKNOWN)
_SENT = End(state=_D.SENT, attempts=1)
_REFUSED = {
    "MAIL": Cause.SENDER,
    "RCPT": Cause.ADDRESS,
    "RSET": Cause.ADDRESS,
    "DATA": Cause.SENDER,
    "BODY": Cause.SIZE,
    "DOT": Cause.SENDER,
}


@dataclass(slots=True)
class Report:
    cases: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def take(self, kind: str, what: object, faults: Iterable[str]) -> None:
        self.cases[kind] += 1
        self.wrong += [f"{what}: {fault}" for fault in faults]


def expected() -> dict[tuple[str, str], str]:
    faults, *rows = (line.split() for line in TABLE.strip().splitlines())
    return {(place, fault): verdict for place, *row in rows for fault, verdict in zip(faults, row, strict=True)}


EXPECTED = expected()


def cases(*, pipelining: Sequence[bool] = (True, False), garbage: Sequence[bytes] = GARBAGE) -> Iterator[Case]:
    for place, fault in EXPECTED:
        for offered in pipelining:
            for said in garbage if fault == "garbage" else GARBAGE[:1]:
                case = Case(place=place, fault=fault, garbage=said, pipelining=offered)
                yield case
                if EXPECTED[place, fault] in ("unknown", "doubt"):
                    yield replace(case, hold=True)
                if EXPECTED[place, fault] == "unknown":
                    yield replace(case, accept=True)
                    yield replace(case, accept=True, hold=True)


def one_of_each() -> Iterator[Case]:
    """Of each place and fault one case, the kinds in turn."""
    cells = groupby(cases(garbage=GARBAGE[:1]), key=lambda case: (case.place, case.fault))
    for number, (_, some) in enumerate(cells):
        found = list(some)
        yield found[number % len(found)]


def allowed(case: Case, who: str) -> tuple[End, ...]:
    unknown = replace(_UNKNOWN, state=_D.HELD) if case.hold else _UNKNOWN
    refused = End(state=_D.FAILED, attempts=1, cause=_REFUSED.get(case.place))
    return {
        "away": (_AWAY,),
        "broken": (_AWAY if who == _WHO[-1] else _BROKEN,),
        "login": (replace(_AWAY, cause=Cause.LOGIN),),
        "later": (_LATER,),
        "refused": (refused,),
        "unknown": (unknown,),
        "doubt": (_AWAY, _BROKEN, _LATER, unknown),
        "next": (refused if who == "ada" else _SENT,),
        "sent": (_SENT,),
    }[EXPECTED[case.place, case.fault]]


def prepare(file: Path, who: Sequence[str] = _WHO) -> Path:
    """A database in which a digest of each of them is planned and due, in that order."""
    with closing(SqliteStore(file)) as store:
        with store.write():
            for name in who:
                person = subscriber(f"{name}@example.org", id=f"p_{name}")
                store.subscribers.add(person)
                store.subscriptions.put(subscription(f"s_{name}", person, address=Address(kind="email")))
            rules = [rule(id=f"r_{name}", subscription_id=f"s_{name}") for name in who]
            store.rules.put(rules, actor="torture", via="cli", now=NOW - HOUR)
        absorb(store, [sighting(1, abstract="On rewards. ")], source="feed", baseline=False, now=NOW - HOUR)
        plan(store, RuleSet(), look_back=timedelta(days=7), now=NOW + HOUR)
    return file


def channel_to(server: MailServer, certificate: Certificate | None, *, hang: bool = False) -> EmailChannel:
    """With a login; a server that hangs is waited for only shortly."""
    seconds = timedelta(seconds=_HANG if hang else _TIMEOUT)
    relay = Server(
        host=server.host,
        port=server.port,
        security=Security.STARTTLS if certificate else Security.NONE,
        timeout=seconds,
        last_reply=seconds,
        username=_LOGIN[0],
        login=with_password(_LOGIN[0], SecretStr(_LOGIN[1])),
        tls_context=certificate.client_context() if certificate else None,
    )
    return EmailChannel([relay], "papers@example.org")


@asynccontextmanager
async def scene(
    file: Path, server: MailServer, certificate: Certificate | None, *, hang: bool = False, hold: bool = False
) -> AsyncIterator[Sender]:
    channel = channel_to(server, certificate, hang=hang)
    yield Sender(file, "email", channel, hold_unknown=hold)
    await channel.close()


def inflict(server: MailServer, case: Case) -> None:
    place, after = case.place, _AFTER if case.place == "BODY" else 0
    if place == "RSET":
        server.fail("RCPT", _5XX["RCPT"], only="ada@")
    match case.fault:
        case "drop":
            server.drop(place, after=after, accept=case.accept)
        case "hang":
            server.hang(place, after=after, accept=case.accept)
        case "garbage":
            server.fail(place, case.garbage, after=after, accept=case.accept)
        case "421":
            server.fail(place, "421 4.3.2 Service shutting down", after=after)
        case "4xx":
            server.fail(place, _4XX.get(place, "451 4.3.0 Try again later"), after=after)
        case _:
            server.fail(place, _5XX.get(place, "554 5.7.1 Not from you"), after=after)


async def play(case: Case, file: Path, certificate: Certificate) -> list[str]:
    """What is not as it should be."""
    secured = certificate if case.place == "STARTTLS" else None
    with MailServer(certificate=secured, login=_LOGIN, pipelining=case.pipelining) as server:
        inflict(server, case)
        async with scene(file, server, secured, hang=case.fault == "hang", hold=case.hold) as sender:
            await sender.run()
        first = rows_of(file)
        faults = [*judged(case, first, sender, server), *suppressed_wrongly(case, file)]
        sender.now += FIRST_RETRY - timedelta(seconds=1)
        asked = server.connections
        async with scene(file, server, secured, hold=case.hold) as again:
            again.now = sender.now
            await again.run()
            faults += ["it was tried again within five minutes"] if server.connections > asked else []
            server.heal()
            again.now += 2 * HOUR
            await again.run()
        return [*faults, *settled(case, first, rows_of(file), server)]


def rows_of(file: Path) -> dict[str, Delivery]:
    with closing(SqliteStore(file)) as store:
        return {each.subscription_id.removeprefix("s_"): each for each in store.deliveries.all()}


def judged(case: Case, rows: dict[str, Delivery], sender: Sender, server: MailServer) -> Iterator[str]:
    """After the first run."""
    for who, row in rows.items():
        end = End(state=row.state, attempts=row.attempts, unknowns=row.unknowns, cause=row.cause)
        if end not in allowed(case, who):
            meant = " or ".join(map(str, allowed(case, who)))
            yield f"{who} is {end}, not {meant}: {row.reason}"
        if row.state is _D.DEFERRED and row.next_attempt_at - sender.now < FIRST_RETRY:
            yield f"{who} is tried again after {row.next_attempt_at - sender.now}"
        if row.state not in (_D.SENT, _D.DEFERRED, _D.FAILED, _D.HELD):
            yield f"{who} is {row.state}"
    most = {"away": 1, "login": 1, "broken": 2}.get(EXPECTED[case.place, case.fault])
    if most and server.connections > most:
        yield f"the server was asked {server.connections} times"


def suppressed_wrongly(case: Case, file: Path) -> Iterator[str]:
    """Only what a server says of the recipient tells that an address is not there."""
    with closing(SqliteStore(file)) as store:
        found = sorted(each.address for each in store.bounces.suppressed())
    meant = ["ada"] if case.place == "RSET" else list(_WHO) if (case.place, case.fault) == ("RCPT", "5xx") else []
    if found != [f"{who}@example.org" for who in meant]:
        yield f"suppressed are {found}, not {meant}"


def settled(case: Case, first: dict[str, Delivery], rows: dict[str, Delivery], server: MailServer) -> Iterator[str]:
    """Once the server has been well: what was put off is there, and what is there twice is there for a reason."""
    copies = {who: [each for each in server.mails if each.recipients == (f"{who}@example.org",)] for who in rows}
    for who, row in rows.items():
        put_off = first[who].state is _D.DEFERRED
        if row.state is not (_D.SENT if put_off else first[who].state):
            yield f"{who} ended as {row.state}: {row.reason}"
        taken = case.accept and first[who].unknowns
        if len(copies[who]) != (row.state is _D.SENT) + bool(taken):
            yield f"{who} got {len(copies[who])} copies"
        if len({each.content for each in copies[who]}) > 1:
            yield f"{who} got copies that differ"


async def all_cases(chosen: Iterable[Case], folder: Path, report: Report) -> None:
    """Side by side, because those that hang do nothing but wait."""
    certificate, planned = make_certificate(folder), prepare(folder / "planned.db")
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int, case: Case) -> None:
        async with room:
            file = folder / f"{number}.db"
            shutil.copy(planned, file)
            report.take("faults", case, await play(case, file, certificate))
            file.unlink()

    await asyncio.gather(*(one(number, case) for number, case in enumerate(chosen)))


async def cuts(folder: Path, report: Report, *, step: int, pipelining: bool, hold: bool = False, first: int = 0) -> int:
    """The line is cut at every ``step``-th byte of a digest; how many bytes that has, its dot included."""
    planned = prepare(folder / f"cut {pipelining}.db", _WHO[:1])
    file = folder / "one.db"
    with MailServer(login=_LOGIN, pipelining=pipelining) as server:
        size = await _whole(shutil.copy(planned, file), server)
        for at in range(first, size, step):
            shutil.copy(planned, file)
            server.drop("BODY", after=at)
            report.take("cuts", f"cut at byte {at}", await _cut(file, server, hold))
            server.heal()
    return size


async def _whole(file: Path, server: MailServer) -> int:
    async with scene(file, server, None) as sender:
        await sender.run()
    return len(server.mails[0].content) + len(".\r\n")


async def _cut(file: Path, server: MailServer, hold: bool) -> list[str]:
    before = len(server.mails)
    async with scene(file, server, None, hold=hold) as sender:
        await sender.run()
        row = rows_of(file)["ada"]
        end = End(state=row.state, attempts=row.attempts, unknowns=row.unknowns, cause=row.cause)
        faults = [] if end in allowed(Case(place="BODY", fault="drop", hold=hold), "ada") else [f"it is {end}"]
        server.heal()
        sender.now += 2 * HOUR
        await sender.run()
    copies, held = len(server.mails) - before, row.state is _D.HELD
    return [*faults, *([] if copies == (not held) else [f"{copies} copies arrived of what is {row.state}"])]


async def greylisted(folder: Path, report: Report) -> None:
    """Each is put off once: nobody comes back within five minutes, and then each arrives."""
    file = prepare(folder / "grey.db")
    with MailServer(login=_LOGIN) as server:
        for who in _WHO:
            server.fail("RCPT", "450 4.7.1 Greylisted, come back in five minutes", only=f"{who}@", times=1)
        async with scene(file, server, None) as sender:
            await sender.run()
            sender.now += FIRST_RETRY - timedelta(seconds=1)
            early = await sender.run()
            sender.now += timedelta(seconds=1)
            later = await sender.run()
        good = (early, later, len(server.mails)) == ({}, {_D.SENT: len(_WHO)}, len(_WHO))
        report.take("scenes", "greylisting", [] if good else [f"{early}, then {later}"])


async def hung_up_on(folder: Path, report: Report) -> None:
    """A server closes the kept connection between two mails: that costs neither an attempt."""
    for way in ("closed", "421"):
        file = prepare(folder / f"kept {way}.db")
        with MailServer(login=_LOGIN) as server:
            async with scene(file, server, None) as sender:
                server.fail("RCPT", "450 4.2.0 Later", only="bob@", times=1)
                await sender.run()
                if way == "closed":
                    server.hang_up()
                else:
                    server.fail("MAIL", "421 4.4.2 Idle for too long", times=1)
                sender.now += FIRST_RETRY
                ended = await sender.run()
            good = ended == {_D.SENT: 1} and rows_of(file)["bob"].attempts == 2 and len(server.mails) == len(_WHO)
            report.take("scenes", f"kept connection {way}", [] if good else [f"{ended}"])


async def poisoned(folder: Path, report: Report) -> None:
    """One mail makes the server drop the line, every time: the others arrive, and it is not forgotten."""
    who = ("poison", *(f"p{number}" for number in range(5)))
    for place in ("RCPT", "DOT"):
        file = prepare(folder / f"poison {place}.db", who)
        with MailServer(login=_LOGIN) as server:
            server.drop(place, only="poison@")
            async with scene(file, server, None) as sender:
                for _ in range(12):
                    await sender.run()
                    sender.now += FIRST_RETRY
            arrived = {each.recipients[0].partition("@")[0] for each in server.mails}
            state = rows_of(file)["poison"].state
            good = arrived == set(who[1:]) and state in (_D.DEFERRED, _D.HELD)
            told = f"arrived have {sorted(arrived)} within an hour, and the poison is {state}"
            report.take("scenes", f"poison at {place}", [] if good else [told])


async def torture(
    *, folder: Path, chosen: Iterable[Case], step: int, pipelining: Sequence[bool], first: int = 0
) -> Report:
    report = Report()
    await all_cases(chosen, folder, report)
    for offered in pipelining:
        await cuts(folder, report, step=step, pipelining=offered, hold=not offered, first=first)
    for each in (greylisted, hung_up_on, poisoned):
        await each(folder, report)
    return report


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step", type=int, default=1, help="bytes between two cuts")
    parser.add_argument("--first", type=int, default=0, help="byte of the first cut")
    options = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        run = torture(
            folder=Path(folder), chosen=cases(), step=options.step, pipelining=(True, False), first=options.first
        )
        report = asyncio.run(run)
    minutes = (time.monotonic() - begun) / 60
    print("  " + ", ".join(f"{count:,} {kind}" for kind, count in report.cases.items()) + f", {minutes:.1f} min")
    print(f"  classified wrong: {len(report.wrong)}")
    for each in report.wrong[:40]:
        print(f"    {each}")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
