"""Processes beside each other on one database, and what can happen to its disk and its clock.

``python -m tests.torture.torture_processes [--seed N] [--rounds N] [--only NAME…]`` plays four things:
``stopped``: two to eight processes plan and deliver the same digests while they are stopped (SIGSTOP) for longer than
a lease and go on, at random: each slot has one delivery and each delivery one attempt that ended as sent, nothing is
lost, copies are equal and no more than theory allows. ``disk``: a disk of 1 MiB that fills up. ``damage``: databases
that are damaged in eight ways. ``clock``: ``serve`` under a clock that jumps (libfaketime).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from notifier.app import App
from notifier.delivery import Limits
from notifier.engine import open_engine
from notifier.model import Address, DeliveryState
from notifier.settings import Security, Settings
from notifier.store import SqliteStore
from tests.builders import NOW, entry, rule, sighted, subscriber, subscription
from tests.servers.delayed import delayed
from tests.torture import damage, jumps, small_disk
from tests.torture.torture_kills import read_mail, sink

LEASE = timedelta(seconds=3)
_BATCH = 8
"""So few at once that all processes have some."""
_DELAY = 0.02
"""Seconds that each reply of the mail server takes, so that many a stop hits a mail on the line."""
MOST_TWICE = 2
"""Copies too many for each stop, over one connection: a mail on the line, and one whose outcome waits."""
_DUE = NOW + timedelta(hours=1)


class _Small(App):
    @property
    def limits(self) -> Limits:
        return replace(super().limits, batch=_BATCH)


@dataclass(slots=True)
class Report:
    processes: int
    stops: int = 0
    mails: int = 0
    twice: int = 0
    states: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def stopped(*, processes: int, people: int, stops: int, seed: int, folder: Path) -> Report:
    rng, report = random.Random(f"{seed}:{processes}"), Report(processes)
    data = folder / "data"
    _prepare(data, people)
    with sink(folder) as (server, box), delayed(server, _DELAY) as slow:
        pids = [_started(data, slow[1]) for _ in range(processes)]
        report.stops = _stop_and_go(pids, stops, rng)
        for pid in pids:
            _, status = os.waitpid(pid, 0)
            if os.waitstatus_to_exitcode(status):
                report.faults.append(f"a process ended with {os.waitstatus_to_exitcode(status)}")
        _judge(data, box, people, report)
    return report


def _prepare(data: Path, people: int) -> None:
    """Digests that are due, but not planned."""
    data.mkdir(parents=True)
    seen = NOW - timedelta(hours=1)
    with closing(SqliteStore(data / "notifier.db")) as store, store.write():
        for number in range(people):
            person = subscriber(f"person{number}@example.org", id=f"p_{number}")
            store.subscribers.add(person)
            store.subscriptions.put(subscription(f"s_{number}", person, address=Address(kind="email")))
        rules = [rule(id=f"r_{number}", subscription_id=f"s_{number}") for number in range(people)]
        store.rules.put(rules, actor="torture", via="cli", now=seen)
        store.entries.put([sighted(replace(entry(1), first_seen_at=seen, new_at=seen), at=seen)], now=seen)


def _started(data: Path, port: int) -> int:
    if pid := os.fork():
        return pid
    code = 1
    with suppress(BaseException):
        asyncio.run(_work(data, port))
        code = 0
    os._exit(code)


async def _work(data: Path, port: int) -> None:
    """Plan and deliver as ``serve`` does, until nothing is left."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    settings = Settings(
        data_dir=data,
        mail_from="Papers <papers@example.org>",
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_security=Security.NONE,
        smtp_connections=1,
        lease=LEASE,
    )
    begun = datetime.now(UTC)
    app = _Small(settings=settings, clock=lambda: _DUE + (datetime.now(UTC) - begun))
    async with open_engine(app) as engine:
        await engine.plan()
        while await engine.stores["deliver"](lambda store: store.deliveries.all(states=_OPEN, limit=1)):
            await engine.deliver()
            await asyncio.sleep(0.1)


_OPEN = (DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.DEFERRED)


def _stop_and_go(pids: Sequence[int], stops: int, rng: random.Random) -> int:
    """One process after the other is stopped past its lease, up to all but one at a time; how often."""
    waking: dict[int, float] = {}
    done, span = 0, LEASE.total_seconds()
    while (done < stops or waking) and _alive(pids):
        now = time.monotonic()
        for pid in [pid for pid, at in waking.items() if at <= now]:
            os.kill(pid, signal.SIGCONT)
            del waking[pid]
        awake = [pid for pid in _alive(pids) if pid not in waking]
        if done < stops and len(awake) > 1:
            pid = rng.choice(awake)
            os.kill(pid, signal.SIGSTOP)
            waking[pid] = now + span * rng.uniform(1.05, 1.6)
            done += 1
        time.sleep(rng.uniform(0.02, 0.15))
    return done


def _alive(pids: Sequence[int]) -> list[int]:
    """Those that are no zombies; one that is stopped lives."""
    return [pid for pid in pids if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None]


def _judge(data: Path, box: Path, people: int, report: Report) -> None:
    copies: dict[bytes, list[bytes]] = defaultdict(list)
    for file in box.iterdir():
        message_id, content = read_mail(file)
        copies[message_id].append(content)
    report.mails = sum(map(len, copies.values()))
    report.twice = report.mails - len(copies)
    with closing(SqliteStore(data / "notifier.db")) as store:
        rows = store.deliveries.all(limit=2 * people)
    report.states = Counter(str(each.state) for each in rows)
    faults = report.faults
    if report.states != {"sent": people} or len({each.subscription_id for each in rows}) != people:
        faults.append(f"of {people} slots there are {dict(report.states)}")
    if len(copies) != people:
        faults.append(f"{people - len(copies)} mails are lost")
    if differing := sum(len(set(each)) > 1 for each in copies.values()):
        faults.append(f"{differing} mails have copies that differ")
    if report.twice > MOST_TWICE * report.stops:
        faults.append(f"{report.twice} copies too many by {report.stops} stops")
    begun = {each.id: 1 + each.unknowns for each in rows}
    told = {id.split(b"<")[1].split(b".")[0].decode(): len(each) for id, each in copies.items()}
    if wrong := {id: number for id, number in told.items() if number > begun[id]}:
        faults.append(f"more copies than attempts of which nobody knew the end: {wrong}")
    faults += _writers(data, people)


def _writers(data: Path, people: int) -> list[str]:
    """By the record itself: no delivery was told to be sent by two."""
    with closing(sqlite3.connect(data / "notifier.db")) as conn:
        rows = conn.execute("SELECT count(*) FROM delivery_attempt WHERE state = 'sent' GROUP BY delivery").fetchall()
    wrong = Counter(number for (number,) in rows if number != 1)
    return [f"sent attempts a delivery: {dict(wrong)} of {len(rows)}"] if wrong or len(rows) != people else []


def _all_stopped(seed: int, rounds: int, folder: Path) -> list[str]:
    faults = []
    for processes in (2, 3, 4, 6, 8) if rounds else (3,):
        place = folder / f"stopped {processes}"
        place.mkdir()
        people, stops = (200 * rounds, 6 * rounds) if rounds else (40, 2)
        report = stopped(processes=processes, people=people, stops=stops, seed=seed, folder=place)
        told = f"{report.stops} stops, {report.mails:,} mails, {report.twice} twice"
        print(f"   {processes} processes, {told}", flush=True)
        faults += report.faults
    return faults


def _disk(seed: int, rounds: int, folder: Path) -> list[str]:
    report = small_disk.within(folder, rounds=10 * rounds or 3, seed=seed)
    told = f"{report.rounds} rounds, full {report.full} times, {report.mails} mails, {report.twice} twice"
    print(f"   a disk of 1 MiB: {report.skipped or told}", flush=True)
    return report.faults


def _damage(seed: int, rounds: int, folder: Path) -> list[str]:
    report = damage.torture(files=10 * rounds or 1, seed=seed, folder=folder)
    told = ", ".join(f"{what} {count}" for what, count in sorted(report.seen.items()))
    print(f"   {report.files} damaged files: {told}", flush=True)
    return report.faults


def _clock(seed: int, rounds: int, folder: Path) -> list[str]:
    report = jumps.torture(count=4 * rounds, seed=seed, folder=folder, chosen=() if rounds else (-jumps.DAY,))
    told = f"{report.jumps} jumps, {report.papers} papers, {report.mails} mails"
    print(f"   a clock that jumps: {report.skipped or told}", flush=True)
    return report.faults


PARTS: dict[str, Callable[[int, int, Path], list[str]]] = {
    "stopped": _all_stopped,
    "disk": _disk,
    "damage": _damage,
    "clock": _clock,
}


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5, help="how much of each; 0 for the least")
    parser.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS))
    options = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    begun, faults = time.monotonic(), []
    for name in options.only:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            faults += [f"{name}: {each}" for each in PARTS[name](options.seed, options.rounds, Path(folder))]
    print(f"  seed {options.seed}, {(time.monotonic() - begun) / 60:.1f} min, faults: {len(faults)}")
    for each in faults[:20]:
        print(f"    {each[:1_000]}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
