"""Slack: acknowledged while everything else goes on, and drained as fast as Slack lets a channel be.

python -m tests.bench.bench_slack [--digests N] [--channels N] [--each N] [--seed S]

First the face answers signed requests from another process over HTTP, in the process that plans and sends so many
digests by mail to smtp-sink. Then a number of digests for each of a number of channels are sent to a server that
answers every twentieth call with 429 and one second to wait. It is compared with an ideal sender: one that loses no
time but to the pace of a message a second (with its burst) and to those pauses, which stop the workspace's posts as
Slack's method limit does. Real time, nothing scaled. Fails where a goal is missed. Needs smtp-sink (Debian's postfix).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import structlog
from pydantic import SecretStr

from notifier.app import App
from notifier.channels.slack import BURST
from notifier.engine import open_engine
from notifier.model import Address, DeliveryState
from notifier.slack.face import SlackFace
from notifier.slack.signature import signature
from notifier.store import SqliteStore
from notifier.web import create, run
from tests.bench.bench_delivery import _DUE, prepare, settings
from tests.bench.bench_matching import goal, show
from tests.builders import NOW, entry, rule, sighted, subscriber, subscription
from tests.servers.slack import TOKEN, Answer, rate_limited
from tests.servers.slack_face import SlackWorkspace
from tests.torture.torture_kills import sink

ACKNOWLEDGED = 0.300
SLOWER = 1.10
_KEY = SecretStr("signing")
_REFUSED = 20
_RATE = 20.0
"""Requests a second, a busy workspace's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    latencies: list[float]
    answered: int

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _knocks(pipe: Connection) -> None:
    """In a process of its own: Slack, and who types commands there until told to stop."""
    with SlackWorkspace() as server:
        server.add_channel("C0PAPERS1", "papers")
        server.add_person("U0ADA", "ada@example.org")
        pipe.send(server.api_url)
        port, began, at = pipe.recv()
        latencies: list[float] = []
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
            while not pipe.poll():
                body = urlencode(server.command_body("U0ADA", "C0PAPERS1", "/papers help")).encode()
                stamp = str(int(at + time.monotonic() - began))
                headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature(body, stamp, _KEY)}
                headers["Content-Type"] = "application/x-www-form-urlencoded"
                start = time.perf_counter()
                answer = client.post("/slack/events", content=body, headers=headers)
                latencies.append(time.perf_counter() - start)
                assert answer.status_code == 200, answer.text
                time.sleep(max(0.0, 1 / _RATE - latencies[-1]))
        deadline = time.monotonic() + 60
        while len(server.said("U0ADA")) < len(latencies) and time.monotonic() < deadline:
            time.sleep(0.05)
        pipe.send(Load(latencies=latencies, answered=len(server.said("U0ADA"))))


@contextmanager
def knocking() -> Iterator[Connection]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_knocks, args=(theirs,))
    process.start()
    try:
        yield ours
    finally:
        process.join(timeout=90)


async def acknowledged(folder: Path, server: tuple[str, int], digests: int, pipe: Connection) -> tuple[Load, float]:
    """What the requests waited for, and how long planning and sending took meanwhile."""
    began = time.monotonic()
    more = {
        "slack_token": SecretStr(TOKEN),
        "slack_signing_secret": _KEY,
        "slack_api_url": pipe.recv(),
    }
    app = App(
        settings=settings(folder, server, **more), clock=lambda: _DUE + timedelta(seconds=time.monotonic() - began)
    )
    face, stop = SlackFace(app), asyncio.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    web = create(app, mounts={"/slack": face.http} if face.http else {})
    beside = [
        asyncio.create_task(face.run(stop)),
        asyncio.create_task(run(web, app.settings, stop, listening=listening)),
    ]
    pipe.send((port, began, _DUE.timestamp()))
    async with open_engine(app) as engine:
        start = time.perf_counter()
        planned = await engine.plan()
        states = await engine.deliver()
        busy = time.perf_counter() - start
    assert (planned.deliveries, states) == (digests, {DeliveryState.SENT: digests}), (planned, states)
    pipe.send("stop")
    load: Load = await asyncio.to_thread(pipe.recv)
    stop.set()
    await asyncio.gather(*beside)
    return load, busy


def prepare_channels(folder: Path, channels: int, each: int) -> None:
    """So many subscriptions for each channel, all due, all of one paper."""
    folder.mkdir(parents=True, exist_ok=True)
    seen = NOW - timedelta(hours=1)
    paper = replace(entry(1), first_seen_at=seen, new_at=seen)
    with closing(SqliteStore(folder / "notifier.db")) as store, store.write():
        store.entries.put([sighted(paper, at=seen)], now=seen)
        person = subscriber()
        store.subscribers.add(person)
        ids = [(f"s_{c}_{n}", f"C0{c:05}") for n in range(each) for c in range(channels)]
        for id, target in ids:
            store.subscriptions.put(subscription(id, person, address=Address(kind="slack", target=target)))
        rules = [rule("*", id=f"r_{id}", subscription_id=id) for id, _ in ids]
        store.rules.put(rules, actor="bench", via="cli", now=NOW)


async def drained(folder: Path, channels: int, each: int) -> tuple[float, int]:
    """Seconds until all are posted, and how many calls were put off with 429."""
    prepare_channels(folder, channels, each)
    began = time.monotonic()
    with SlackWorkspace() as server:
        for number in range(channels):
            server.add_channel(f"C0{number:05}", f"c{number}")
        refusing = _Every(server)
        app = App(
            settings=settings(folder, ("", 25), slack_token=SecretStr(TOKEN), slack_api_url=server.api_url),
            clock=lambda: _DUE + timedelta(seconds=time.monotonic() - began),
        )
        async with open_engine(app) as engine:
            assert (await engine.plan()).deliveries == channels * each
            start, sent = time.perf_counter(), 0
            while sent < channels * each:
                sent += (await engine.deliver())[DeliveryState.SENT]
            return time.perf_counter() - start, refusing.count


class _Every:
    """Answers every twentieth post with 429."""

    def __init__(self, server: SlackWorkspace) -> None:
        self.posts = self.count = 0
        self._usual = server._next
        server._next = self._next  # type: ignore[method-assign]

    def _next(self, method: str) -> Answer | None:
        if method != "chat.postMessage":
            return self._usual(method)
        self.posts += 1
        if self.posts % _REFUSED:
            return None
        self.count += 1
        return rate_limited(retry_after=1)


def ideal(channels: int, each: int) -> float:
    """Seconds that a sender needs who loses time to the pace and the pauses only; calls take none."""
    now, posts, left = 0.0, 0, [each] * channels
    next_at = [0.0] * channels
    while any(left):
        ready = [n for n in range(channels) if left[n] and max(next_at[n], now) - now <= BURST - 1]
        if not ready:
            now = min(next_at[n] for n in range(channels) if left[n]) - (BURST - 1)
            continue
        chosen = ready[0]
        posts += 1
        next_at[chosen] = max(next_at[chosen], now) + 1.0
        if posts % _REFUSED == 0:
            now += 1.0
        else:
            left[chosen] -= 1
    return now


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digests", type=int, default=10_000)
    parser.add_argument("--channels", type=int, default=50)
    parser.add_argument("--each", type=int, default=30, help="digests for each channel")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        return 0 if all(list(_goals(options, Path(folder)))) else 1


def _goals(options: argparse.Namespace, folder: Path) -> Iterator[bool]:
    with knocking() as pipe, sink(folder, keep=False) as (server, _):
        prepare(folder / "busy", options.digests, options.seed)
        load, busy = asyncio.run(acknowledged(folder / "busy", server, options.digests, pipe))
    print(f"{len(load.latencies):,} requests while {options.digests:,} digests were planned and sent in {busy:.0f} s")
    show("acknowledged, the median", load.percentile(0.5))
    show("acknowledged, the slowest", max(load.latencies))
    yield goal("acknowledged, 99 of 100, seconds", load.percentile(0.99), at_most=ACKNOWLEDGED)
    yield goal("answered, of those acknowledged", load.answered / len(load.latencies), at_least=1.0)
    seconds, refused = asyncio.run(drained(folder / "drained", options.channels, options.each))
    best = ideal(options.channels, options.each)
    print(f"{options.each} digests for each of {options.channels} channels, {refused} calls put off with 429")
    show("all posted", seconds)
    show("an ideal sender", best)
    yield goal("of the ideal sender's time", seconds / best, at_most=SLOWER)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
