"""Two ``serve`` beside each other under a clock that jumps (libfaketime): one slot, one mail, nothing lost.

With each jump, forward or back, a paper comes. When the clock has gone on for some days at last, each paper has been
in one digest of each subscription, whatever its cadence.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

from notifier.cadence import next_slot
from notifier.collect import absorb
from notifier.model import Address, Cadence, DeliveryState, Every
from notifier.store import SqliteStore
from tests.builders import rule, sighting, subscriber, subscription
from tests.servers.smtp import Mail, MailServer

START = datetime(2026, 3, 26, 12, 0, tzinfo=UTC)
"""Some days before Europe's clocks change."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
JUMPS = (HOUR, 5 * HOUR, DAY, 3 * DAY, timedelta(minutes=10), -HOUR, -6 * HOUR, -DAY, -3 * DAY)
TICK = 0.5
_SEEN = 1
"""Seconds after which a jump is seen; to look at each call of the clock would cost more than all the rest."""
_WAIT = _SEEN + 4 * TICK
_CADENCES = {each.value: Cadence(every=each) for each in (Every.DAILY, Every.HOURLY, Every.INSTANT)}
_TITLE = re.compile(r"Reward paper (\d+)")


@dataclass(slots=True)
class Report:
    """``skipped`` is why there is no clock that jumps."""

    skipped: str = ""
    jumps: int = 0
    papers: int = 0
    mails: int = 0
    faults: list[str] = field(default_factory=list)


def library() -> Path | None:
    return next(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"), None)


class Clock:
    """Now for those who read ``file``: so far from the real one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._off = timedelta(0)
        self.jump(START - datetime.now(UTC))

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self._off

    def jump(self, by: timedelta) -> None:
        self._off += by
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{self._off.total_seconds():+.0f}\n", "ascii")
        fresh.replace(self._file)


def torture(*, count: int, seed: int, folder: Path, chosen: Sequence[timedelta] = ()) -> Report:
    """``count`` jumps at random, or those that are ``chosen``."""
    preloaded = library()
    if preloaded is None:
        return Report(skipped="libfaketime, which makes clocks jump, is not installed (Debian's package faketime)")
    rng, clock = random.Random(seed), Clock(folder / "clock")
    latest = clock.now
    jumps = list(chosen) or [rng.choice(JUMPS) for _ in range(count)]
    data = folder / "data"
    _prepare(data, clock.now)
    with MailServer() as server, _serving(data, server, preloaded, folder / "clock") as processes:
        for number, jump in enumerate(jumps):
            _paper(data, number, clock)
            time.sleep(_WAIT)
            clock.jump(jump)
            latest = max(latest, clock.now)
        # On, a day at a time, until a day after the latest that any of them has seen, so that every slot comes.
        while clock.now < latest + DAY:
            clock.jump(DAY)
            time.sleep(_WAIT)
        _settle(data, server, len(jumps), clock)
        report = Report(jumps=len(jumps), papers=len(jumps), mails=len(server.mails))
        report.faults += [f"serve ended with {each.poll()}" for each in processes if each.poll() is not None]
    report.faults += _wrong(data, server.mails, len(jumps))
    return report


def _settle(data: Path, server: MailServer, papers: int, clock: Clock) -> None:
    """Some more hours, as long as something is on its way and the machine is slow."""
    for _ in range(30):
        if not any(_wrong(data, server.mails, papers)):
            return
        clock.jump(HOUR)
        time.sleep(_WAIT)


def _prepare(data: Path, now: datetime) -> None:
    data.mkdir(parents=True)
    with closing(SqliteStore(data / "notifier.db")) as store, store.write():
        for name, cadence in _CADENCES.items():
            person = subscriber(f"{name}@example.org", id=f"p_{name}", timezone="Europe/Berlin", created_at=now)
            made = subscription(f"s_{name}", person, address=Address(kind="email"), cadence=cadence, created_at=now)
            due = next_slot(cadence, person.timezone, after=now).due_at
            store.subscribers.add(person)
            store.subscriptions.put(replace(made, next_due_at=due))
            store.rules.put([rule(id=f"r_{name}", subscription_id=made.id)], actor="torture", via="cli", now=now)


@contextmanager
def _serving(data: Path, server: MailServer, preloaded: Path, clock: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two of them; what they say goes into a file beside the data."""
    given = {
        "DATA_DIR": str(data), "MAIL_FROM": "Papers <papers@example.org>", "SMTP_HOST": server.host,
        "SMTP_PORT": str(server.port), "SMTP_SECURITY": "none", "TICK": f"PT{TICK}S",
    }  # fmt: skip
    env = {name: value for name, value in os.environ.items() if not name.startswith("NOTIFIER_")}
    env |= {f"NOTIFIER_{name}": value for name, value in given.items()}
    env |= {"LD_PRELOAD": str(preloaded), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_CACHE_DURATION": str(_SEEN)}
    # What sleeps goes by the other clock, which no jump moves.
    env |= {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
    with (data.parent / "serve.log").open("wb") as log:
        command = [Path(sys.executable).with_name("notifier"), "serve", "--no-web"]
        processes = [subprocess.Popen(command, env=env, cwd=data, stdout=log, stderr=log) for _ in range(2)]
        try:
            _wait_for(data.parent / "serve.log", processes)
            yield processes
        finally:
            for each in processes:
                each.terminate()
            for each in processes:
                each.wait(timeout=40)


def _wait_for(log: Path, processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for _ in range(600):
        if log.read_bytes().count(b"serving") >= len(processes):
            return
        if any(each.poll() is not None for each in processes):
            break
        time.sleep(0.1)
    raise TimeoutError(f"serve does not begin: {log.read_text('utf-8', 'replace')[-2_000:]}")


def _paper(data: Path, number: int, clock: Clock) -> None:
    paper = sighting(number, title=f"Reward paper {number}")
    # Its time is read under the lock, so that no plan lies between that and the commit.
    with closing(SqliteStore(data / "notifier.db")) as store, store.write():
        absorb(store, [paper], source="feed", baseline=False, now=clock.now)


def _wrong(data: Path, mails: Sequence[Mail], papers: int) -> Iterator[str]:
    told: dict[str, Counter[int]] = defaultdict(Counter)
    by_id: dict[str, set[bytes]] = defaultdict(set)
    for mail in mails:
        message = message_from_bytes(mail.content, policy=policy.default)
        if not by_id[str(message["Message-ID"])]:
            text = message.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
            told[mail.recipients[0]].update({int(each) for each in _TITLE.findall(text)})
        by_id[str(message["Message-ID"])].add(mail.content)
    for name in _CADENCES:
        numbers = told[f"{name}@example.org"]
        if missing := [number for number in range(papers) if not numbers[number]]:
            yield f"{name} did not get the papers {missing}"
        if again := [number for number, times in numbers.items() if times > 1]:
            yield f"{name} got the papers {again} in more than one digest"
    yield from (f"{id} came in {len(each)} forms" for id, each in by_id.items() if len(each) > 1)
    with closing(SqliteStore(data / "notifier.db")) as store:
        rows = store.deliveries.all(limit=10_000)
    open_ones = Counter(str(each.state) for each in rows if each.state is not DeliveryState.SENT)
    if open_ones:
        yield f"there are deliveries that are {dict(open_ones)}"
    unknowns = sum(each.unknowns for each in rows)
    if len(mails) - len(by_id) > unknowns:
        yield f"{len(mails) - len(by_id)} mails came twice, {unknowns} had an end that nobody knew"
