"""SIGKILL while mails go out into a real smtp-sink: nothing is lost, and twice comes only what theory allows.

``python -m tests.torture.torture_kills [--kills N] [--mails N] [--seed N] [--connections N] [--minutes N] [--hold]``
plans N mails, starts a process that delivers them, kills it at a named point or a random moment, starts the next, and
so on; the last may finish. Then each mail has to be in the sink, all copies of one equal to the byte; with ``--hold``
(a doubtful one waits for a person) none has a copy, and what is not there is held. Needs smtp-sink (postfix).
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from socket import create_connection, socket

from notifier.app import App
from notifier.matching import RuleSet
from notifier.model import Address, DeliveryState
from notifier.plan import plan
from notifier.settings import Security, Settings
from notifier.store import SqliteStore
from tests.builders import NOW, entry, rule, sighted, subscriber, subscription
from tests.servers.tapped import POINTS as ON_THE_LINE
from tests.servers.tapped import Tap, tapped
from tests.tools import tool
from tests.torture.mortal import AT_RANDOM, IN_STORE, delivered, is_left

POINTS = (*IN_STORE, *ON_THE_LINE, AT_RANDOM)
MOST_TWICE = 0.35
"""Copies too many for each kill, over one connection: two of the points lie in the window of RFC 1047."""
MOST_EACH = 2
"""Over several connections, on each: the mail on the line, and one whose outcome waits for its commit."""
LEASE = timedelta(minutes=15)
DUE = NOW + timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``kills`` by point; ``twice`` are copies beyond the first, ``differing`` mails whose copies are not equal."""

    mails: int
    connections: int
    hold: bool
    kills: Counter[str]
    lost: int
    twice: int
    differing: int
    states: Counter[DeliveryState]

    @property
    def most_twice(self) -> float:
        """For each kill."""
        if self.hold:
            return 0.0
        return MOST_TWICE if self.connections == 1 else float(MOST_EACH * self.connections)

    @property
    def is_good(self) -> bool:
        held = self.states[DeliveryState.HELD]
        ended = self.states[DeliveryState.SENT] + held == self.mails and (self.hold or not held)
        return ended and self.lost <= held and not self.differing and self.twice <= self.most_twice * self.kills.total()


def torture(
    *,
    kills: int,
    mails: int,
    seed: int,
    folder: Path,
    connections: int = 1,
    hold: bool = False,
    minutes: float | None = None,
) -> Report:
    rng = random.Random(seed)
    data = folder / "data"
    _prepare(data, mails)
    begun = time.monotonic()
    done: Counter[str] = Counter()
    clock = DUE
    # So few a kill that some are left for the last process.
    most = max(1, mails // kills)
    more = {"smtp_connections": connections, "after_unknown": "hold" if hold else "resend"}
    with sink(folder) as (server, box), tapped(server) as tap:
        for number in range(kills):
            if minutes and time.monotonic() - begun > 60 * minutes:
                break
            point = POINTS[number % len(POINTS)]
            turn = {"claimed": 1, AT_RANDOM: rng.randint(20, 150)}.get(point) or rng.randint(1, most)
            done[point] += _deliver(data, tap, clock, point, turn, more)
            # What the killed process held is free again when its lease has run out.
            clock += LEASE + timedelta(seconds=1)
        while is_left(data):
            _deliver(data, tap, clock, "", 0, more)
            clock += timedelta(hours=2)
        return replace(_reported(data, box, mails, done), connections=connections, hold=hold)


def _prepare(data: Path, mails: int) -> None:
    """One digest for each of so many people, planned and due."""
    data.mkdir(parents=True)
    store = SqliteStore(data / "notifier.db")
    seen = NOW - timedelta(hours=1)
    papers = [replace(entry(n, abstract="Rewards are hard. " * 8), first_seen_at=seen, new_at=seen) for n in range(3)]
    with store.write():
        for number in range(mails):
            person = subscriber(f"person{number}@example.org", id=f"p_{number}")
            store.subscribers.add(person)
            store.subscriptions.put(subscription(f"s_{number}", person, address=Address(kind="email")))
        rules = [rule("reward", id=f"r_{n}", subscription_id=f"s_{n}") for n in range(mails)]
        store.rules.put(rules, actor="torture", via="cli", now=NOW)
        store.entries.put([sighted(each, at=seen) for each in papers], now=seen)
    plan(store, RuleSet(), look_back=timedelta(days=7), now=DUE)
    store.close()


def _app(data: Path, port: int, now: datetime, more: Mapping[str, object]) -> App:
    settings = Settings(
        data_dir=data,
        mail_from="Papers <papers@example.org>",
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_security=Security.NONE,
        lease=LEASE,
        **more,  # type: ignore[arg-type]
    )
    begun = time.monotonic()
    return App(settings=settings, clock=lambda: now + timedelta(seconds=time.monotonic() - begun))


def _deliver(data: Path, tap: Tap, now: datetime, point: str, turn: int, more: Mapping[str, object]) -> bool:
    return delivered(lambda: _app(data, tap.port, now, more), lambda pid: tap.aim(pid, point, turn), point, turn)


@contextmanager
def sink(folder: Path, *, keep: bool = True) -> Iterator[tuple[tuple[str, int], Path]]:
    """A running smtp-sink, and the folder where it puts each mail that it has accepted, one file each, or none."""
    box = folder / "sink"
    box.mkdir()
    # It does not run as root.
    box.chmod(0o777)
    folder.chmod(0o755)
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    program = tool("smtp-sink") or sys.exit("smtp-sink is missing: install Debian's package postfix.")
    command = [program, *user, *(["-d", f"{box}/"] if keep else []), f"127.0.0.1:{port}", "100"]
    process = subprocess.Popen(command, cwd="/")
    try:
        _wait_for(port)
        yield ("127.0.0.1", port), box
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("smtp-sink does not answer")


def _reported(data: Path, box: Path, mails: int, kills: Counter[str]) -> Report:
    copies: dict[bytes, list[bytes]] = defaultdict(list)
    for file in box.iterdir():
        message_id, content = read_mail(file)
        copies[message_id].append(content)
    store = SqliteStore(data / "notifier.db")
    states = Counter(each.state for each in store.deliveries.all(limit=mails + 1))
    store.close()
    return Report(
        mails=mails,
        connections=1,
        hold=False,
        kills=kills,
        lost=mails - len(copies),
        twice=sum(len(each) - 1 for each in copies.values()),
        differing=sum(len(set(each)) > 1 for each in copies.values()),
        states=states,
    )


def read_mail(file: Path) -> tuple[bytes, bytes]:
    """Message-ID and bytes as they were sent, without the trace that the sink puts in front."""
    lines = file.read_bytes().split(b"\n")
    received = next(n for n, line in enumerate(lines) if line.startswith(b"Received:"))
    first = next(n for n, line in enumerate(lines[received + 1 :], received + 1) if not line.startswith(b"\t"))
    message_id = next(line for line in lines[first:] if line.lower().startswith(b"message-id:"))
    return message_id, b"\n".join(lines[first:])


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=2_000)
    parser.add_argument("--mails", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=None, help="kill no longer than that, however many are left")
    parser.add_argument("--hold", action="store_true", help="as with unknown_outcome = hold")
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = torture(**vars(options), folder=Path(folder))
    minutes = (time.monotonic() - begun) / 60
    kills = report.kills.total()
    print(f"{report.mails:,} mails by {report.connections}, {kills:,} kills (seed {options.seed}), {minutes:.1f} min")
    print("  " + ", ".join(f"{count} {point}" for point, count in report.kills.items()))
    rate = report.twice / max(kills, 1)
    print(f"  lost {report.lost}, twice {report.twice} ({rate:.2f} a kill, at most {report.most_twice:g})")
    print(f"  mails whose copies differ: {report.differing}")
    print("  states: " + ", ".join(f"{state.value} {count:,}" for state, count in report.states.items()))
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
