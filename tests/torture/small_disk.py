"""A disk that fills up while digests go out: what cannot be written is not sent, and all of it goes out later, once.

``within`` runs ``python -m tests.torture.small_disk`` on a tmpfs of 1 MiB, made in a mount namespace of its own,
against a mail server outside of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog

from notifier.errors import StoreError
from notifier.model import DeliveryState
from notifier.store import SqliteStore
from tests.sending import LEASE, Sender
from tests.servers.smtp import Mail, MailServer
from tests.torture.torture_smtp import channel_to, prepare

PEOPLE = 12
_ROOT = Path(__file__).parents[2]
_CHUNK = 4_096


@dataclass(slots=True)
class Report:
    """``skipped`` is why no small disk can be made here; ``full`` how often the disk had no room for what came."""

    skipped: str = ""
    rounds: int = 0
    full: int = 0
    mails: int = 0
    twice: int = 0
    faults: list[str] = field(default_factory=list)


def within(folder: Path, *, rounds: int, seed: int) -> Report:
    if shutil.which("unshare") is None:
        return Report(skipped="unshare, which makes a small disk, is not installed")
    disk, planned = folder / "disk", prepare(folder / "planned.db", [f"p{number}" for number in range(PEOPLE)])
    disk.mkdir()
    with MailServer(login=("papers", "right")) as server:
        mount = f'mount -t tmpfs -o size=1m small "{disk}" && exec "$0" -m tests.torture.small_disk "$@"'
        given = [str(planned), str(disk), str(server.port), str(rounds), str(seed)]
        command = ["unshare", "-rm", "sh", "-c", mount, sys.executable, *given]
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=600)
        if any(each in done.stderr for each in ("mount:", "unshare:")):
            return Report(skipped=f"no small disk can be made here: {done.stderr.strip()}")
        if done.returncode:
            return Report(faults=[done.stderr[-2_000:]])
        return _judged(json.loads(done.stdout), server.mails, rounds)


def _judged(told: dict[str, dict[str, int]], mails: list[Mail], rounds: int) -> Report:
    report = Report(rounds=rounds, full=told["ends"].get("full", 0), mails=len(mails))
    copies: dict[str, set[bytes]] = {}
    for each in mails:
        copies.setdefault(each.recipients[0], set()).add(each.content)
    arrived = Counter(each.recipients[0] for each in mails)
    for address, begun in told["begun"].items():
        # An attempt that ended unknown may have been taken; every other one that was taken was the last.
        if not 1 <= arrived[address] <= 1 + told["unknown"][address] or arrived[address] > begun:
            report.faults.append(f"{address} got {arrived[address]} mails of {begun} attempts")
        report.faults += [f"{address} got mails that differ"] if len(copies.get(address, ())) > 1 else []
    report.twice = len(mails) - len(arrived)
    if report.twice > report.full:
        # One connection: of one mail each time it may be that its acceptance could not be written any more.
        report.faults.append(f"{report.twice} copies too many, the disk was full {report.full} times")
    report.faults += [f"it ended with {end}" for end in told["ends"] if end not in ("full", "done")]
    return report


class Port:
    """What ``channel_to`` asks of a server that runs elsewhere."""

    host = "127.0.0.1"

    def __init__(self, port: int) -> None:
        self.port = port


def main(planned: str, disk: str, port: str, rounds: str, seed: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    file = Path(disk, "store.db")
    shutil.copy(planned, file)
    ends = asyncio.run(_rounds(file, int(port), int(rounds), random.Random(seed)))
    with closing(SqliteStore(file)) as store:
        rows = store.deliveries.all(limit=PEOPLE)
        begun = {each.id: len(store.deliveries.attempts(each.id)) for each in rows}
    if any(each.state is not DeliveryState.SENT for each in rows):
        ends["not all was sent"] += 1
    told = {f"{each.subscription_id.removeprefix('s_')}@example.org": each for each in rows}
    found = {
        "ends": ends,
        "begun": {address: begun[each.id] for address, each in told.items()},
        "unknown": {address: each.unknowns for address, each in told.items()},
    }
    print(json.dumps(found))


async def _rounds(file: Path, port: int, rounds: int, rng: random.Random) -> Counter[str]:
    """Less and less room is left and then more again; the last run has all of it."""
    ends: Counter[str] = Counter()
    channel = channel_to(Port(port), None)
    sender = Sender(file, "email", channel)
    for number in range(rounds + 1):
        with _filled(file.parent, rng.randrange(0, 60) * _CHUNK if number < rounds else None):
            try:
                await sender.run()
                ends["done"] += 1
            except StoreError as error:
                ends["full" if "is full" in str(error) else str(error)] += 1
            except Exception as error:
                ends[f"{type(error).__name__}: {error}"] += 1
        sender.now += LEASE + timedelta(seconds=1)
    await channel.close()
    return ends


@contextmanager
def _filled(folder: Path, left: int | None) -> Iterator[None]:
    """A file leaves so many bytes of the disk; with None there is none."""
    filler, disk = folder / "filler", os.statvfs(folder)
    size = 0 if left is None else max(0, disk.f_bavail * disk.f_frsize - left)
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        for _ in range(size // _CHUNK):
            file.write(bytes(_CHUNK))
    yield
    filler.unlink()


if __name__ == "__main__":
    main(*sys.argv[1:])
