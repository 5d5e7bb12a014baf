"""The pages under load: 100,000 papers, 20,000 subscribers, 100,000 rules in SQLite, ``notifier serve`` with its ticks.

python -m tests.bench.bench_pages [--entries N] [--subscribers N] [--seconds S]

Prints of each kind of page the 50th and 95th percentile in ms, asked for one after the other; what the server computed
for one, which neighbours on the machine change little; and its size as sent. Then how many requests for the first page
one process answers in a second over eight connections. Fails where a goal is missed; the server is another process on
the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from notifier.model import Session
from notifier.ports import Store
from notifier.store import SqliteStore
from notifier.tokens import fresh, hashed
from tests.bench.bench_search import archive, fill, questions
from tests.bench.workload import workload
from tests.builders import rule, subscriber, subscription

RULES_EACH = 5
IN_WINDOW = 10_000
"""Papers of the last 30 days, at 100,000 in all: so many seconds apart."""
_APART = timedelta(days=30) / IN_WINDOW
GOALS = {"first page": 50, "a subscriber's page": 50, "preview": 100, "search": 100}
"""Milliseconds at the 95th percentile."""
RATE_GOAL = 200
LARGEST = 100_000
_PEOPLE = 20
_CONNECTIONS = 1
_WARM_UP = 8


@dataclass(frozen=True, slots=True)
class Ask:
    path: str
    cookie: str = ""


def build(store: Store, entries: int, subscribers: int, now: datetime) -> list[tuple[str, str]]:
    """Fill the archive; the ids of some subscriptions with the cookies of their owners."""
    papers = archive(entries, 7)
    at = [now - timedelta(minutes=1) - _APART * number for number in range(entries)]
    dated = [replace(e, published_at=t, first_seen_at=t, new_at=t) for e, t in zip(papers, at, strict=True)]
    fill(store, dated)  # type: ignore[arg-type]
    queries = iter(workload(1_000, subscribers * RULES_EACH, 7).rules)
    people = []
    with store.write():
        for number in range(subscribers):
            person = subscriber(f"p{number}@example.org")
            store.subscribers.add(person)
            due = now + timedelta(seconds=86_400 * number / subscribers)
            store.subscriptions.put(subscription(f"s_{number}", person, next_due_at=due, planned_until=now))
            rules = [rule(next(queries), f"r_{number}_{n}", f"s_{number}") for n in range(RULES_EACH)]
            store.rules.put(rules, actor="bench", via="web", now=now)
            if number < _PEOPLE:
                word = fresh()
                ends = now + timedelta(days=1)
                session = Session(id=f"l_{number}", subscriber=person, browser="bench", created_at=now, expires_at=ends)
                store.sessions.add(session, hashed(word))
                people.append((f"s_{number}", word))
    return people


@dataclass(frozen=True, slots=True)
class Served:
    port: int
    pid: int

    def cpu(self) -> float:
        """Seconds that the server has computed so far: neighbours on the machine do not change them."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """``notifier serve`` on the data folder, on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"NOTIFIER_WEB_PORT": str(port), "NOTIFIER_DATA_DIR": str(folder), "NOTIFIER_LOG_LEVEL": "error"}
    command = [sys.executable, "-c", "from notifier.cli import main; main()", "serve"]
    server = subprocess.Popen(command, env={**os.environ, **settings})
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield Served(port, server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(40)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, what: Ask) -> tuple[float, int]:
    """Seconds until the whole answer is here, and its bytes as sent."""
    cookie = f"Cookie: session={what.cookie}\r\n" if what.cookie else ""
    began = time.perf_counter()
    writer.write(f"GET {what.path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n{cookie}\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"{what.path}: {head.splitlines()[0].decode()}")
    size = await _body(reader, head.lower())
    return time.perf_counter() - began, size


async def _body(reader: asyncio.StreamReader, head: bytes) -> int:
    if b"content-length:" in head:
        size = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(size)
        return size
    size = 0
    while length := int(await reader.readuntil(b"\r\n"), 16):
        await reader.readexactly(length + 2)
        size += length
    await reader.readexactly(2)
    return size


async def asked(port: int, several: Sequence[Ask], connections: int = _CONNECTIONS) -> list[tuple[float, int]]:
    """All of them, over some connections side by side."""
    left, took = iter(several), list[tuple[float, int]]()

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
        for each in left:
            took.append(await ask(reader, writer, each))
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return took


async def rate(port: int, seconds: float) -> float:
    """Answers a second to requests for the first page."""
    began, count = time.perf_counter(), 0

    async def one() -> None:
        nonlocal count
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
        while time.perf_counter() - began < seconds:
            await ask(reader, writer, Ask("/"))
            count += 1
        writer.close()

    await asyncio.gather(*(one() for _ in range(8)))
    return count / (time.perf_counter() - began)


def typed(texts: Sequence[str], count: int, rng: random.Random) -> list[str]:
    """Drafts as they are sent while somebody types: each text in pieces."""
    drafts = [text[: len(text) * part // 3] for text in texts for part in (1, 2, 3) if text]
    whole = [each for each in drafts if each.strip() and each.count('"') % 2 == 0]
    return rng.sample(whole, min(count, len(whole)))


def requests(people: Sequence[tuple[str, str]], words: Sequence[str], rules: Sequence[str]) -> dict[str, list[Ask]]:
    rng = random.Random(3)
    some = [rng.choice(people) for _ in range(150)]
    drafts = zip(some, typed(rules, 150, rng), strict=False)
    return {
        "first page": [Ask("/")] * 300,
        "a subscriber's page": [Ask(f"/s/{id}", word) for id, word in some],
        "preview": [Ask(f"/s/{id}/preview?{urlencode({'query': draft})}", word) for (id, word), draft in drafts],
        "search": [Ask(f"/search?{urlencode({'q': rng.choice(words)})}") for _ in range(100)],
    }


async def measured(server: Served, kinds: dict[str, list[Ask]], seconds: float) -> bool:
    # The index of the last 30 days, and topics in it, are made once after the start.
    await asked(server.port, kinds["preview"][:1])
    await asyncio.sleep(_WARM_UP)
    fine = [await _measured(server, kind, several) for kind, several in kinds.items()]
    before = server.cpu()
    found = await rate(server.port, seconds)
    computed = (server.cpu() - before) / (found * seconds)
    met = found > RATE_GOAL
    print(
        f"{'first page':20} {found:.0f} requests a second (goal {RATE_GOAL}), "
        f"{computed * 1_000:.1f} ms of computing each{'' if met else '   MISSED'}"
    )
    return all(fine) and met


async def _measured(server: Served, kind: str, several: Sequence[Ask]) -> bool:
    before = server.cpu()
    took = await asked(server.port, several)
    computed = (server.cpu() - before) / len(took)
    times = sorted(seconds * 1_000 for seconds, _ in took)
    half, most = times[len(times) // 2], times[len(times) * 95 // 100]
    size = max(size for _, size in took)
    met = most < GOALS[kind] and size < LARGEST
    print(
        f"{kind:20} p50 {half:6.1f} ms   p95 {most:6.1f} ms (goal {GOALS[kind]})   "
        f"computing {computed * 1_000:5.1f} ms   {size / 1_000:5.1f} KB{'' if met else '   MISSED'}",
        flush=True,
    )
    return met


def main(argv: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--subscribers", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args(list(argv))
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "notifier.db")
        people = build(store, given.entries, given.subscribers, now)
        entries = store.entries.seen(now - timedelta(days=3), now)
        store.close()
        print(f"{given.entries:,} papers, {given.subscribers:,} subscribers, {given.subscribers * RULES_EACH:,} rules")
        words = [each.query for each in questions(entries) if each.common]
        kinds = requests(people, words, workload(1_000, 200, 9).rules)
        with serving(Path(folder)) as server:
            return 0 if asyncio.run(measured(server, kinds, given.seconds)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
