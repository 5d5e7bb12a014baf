"""Collecting: from the bytes of feeds to stored entries, against the time that feedparser alone takes for them.

python -m tests.bench.bench_collect [--feeds N] [--items N] [--sources N] [--seed S]

Prints times and, as all of them swing with the machine, the ratios within this run that count; then what a fetch costs
that brings nothing new, a hundred slow hosts at once, and the memory that the largest permitted body takes. Fails where
a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import io
import json
import logging
import random
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

import feedparser
import structlog

from notifier.collect import absorb, collect
from notifier.model import Sighting, SourceRecord
from notifier.ports import Source, Store
from notifier.sources import Http, Turns, open_source
from notifier.sources.feed_items import MAX_ITEMS
from notifier.sources.feed_worker import Job, parse
from notifier.store import SqliteStore, StoreThread
from tests.bench.bench_matching import best_of, goal, memory, show
from tests.bench.feeds import feeds
from tests.builders import NOW, source
from tests.servers.web import Answer, Request, WebServer

OVER_PARSER = 2.5
AT_ONCE = 10
ANSWER_AFTER = 0.3
LARGEST = 15 * 1024 * 1024
_RSS = "application/rss+xml"
_LATER = timedelta(hours=2)
_ROUNDS = 30
_ESTABLISHED = "01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """Seconds for all feeds together: ``parser`` is feedparser alone, ``whole`` is collecting them from a server."""

    items: int
    parser: float
    parsed: float
    stored: float
    whole: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """A fetch that brings nothing new: seconds beyond a bare request, rows written, and those of its own record."""

    beyond: float
    written: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    seconds: float
    answered: int
    requests: int
    """At a time, at most; so with ``connections``."""
    connections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """MB at most, of the process that collects and of the one apart that parses for it."""

    own: float
    apart: float
    items: int


def stages(bodies: Sequence[bytes], folder: Path) -> Stages:
    megabytes = sum(map(len, bodies)) / 1e6
    store = SqliteStore(folder / "stages.db")
    parser = parsed = stored = 0.0
    # One feed after the other, as in a pass: all of them at once in memory would be the garbage collector's work.
    for number, body in enumerate(bodies):
        parser += best_of(1, lambda: _feedparser(body))[1]  # noqa: B023 - called at once
        told, seconds = best_of(1, lambda: _parsed(body, number))  # noqa: B023
        parsed += seconds
        stored += best_of(1, lambda: _absorb(store, told, number))[1]  # noqa: B023
    found = store.entries.count()
    store.close()
    print(f"{len(bodies)} feeds with {found:,} items, {megabytes:.0f} MB")
    show("feedparser alone", parser)
    show("parsed, cleaned and identified", parsed, f"{parsed / parser:.2f} x feedparser")
    show("folded and stored", stored, f"{stored / parser:.2f} x feedparser")
    whole = asyncio.run(_collected(bodies, folder / "whole.db"))
    show("collected from a server, parsed apart, two at work side by side", whole, f"{whole / parser:.2f} x feedparser")
    return Stages(items=found, parser=parser, parsed=parsed, stored=stored, whole=whole)


def _feedparser(body: bytes) -> None:
    """As we call it: without its own cleaning it is quicker than as most call it."""
    feedparser.parse(
        io.BytesIO(body), response_headers={"content-type": _RSS}, sanitize_html=False, resolve_relative_uris=False
    )


def _parsed(body: bytes, number: int) -> Sequence[Sighting]:
    job = Job(content_type=_RSS, url=f"https://lab{number}.example.org/feed", source=f"feed{number}", now=NOW)
    return parse(job, body).sightings


def _absorb(store: Store, sightings: Sequence[Sighting], number: int) -> None:
    counts = absorb(store, sightings, source=f"feed{number}", baseline=False, now=NOW)
    assert counts.new == len(sightings), counts


async def _collected(bodies: Sequence[bytes], file: Path) -> float:
    with WebServer() as web:
        for number, body in enumerate(bodies):
            web.answer(f"/{number}", body=body, headers={"Content-Type": _RSS})
        records = [source(f"feed{n}", url=web.url(f"/{n}", host=f"h{n}.example.org")) for n in range(len(bodies))]
        async with _house(file) as (http, in_store):
            await in_store(partial(_put, records))
            begun = time.perf_counter()
            done = await collect(records, _opener(http), in_store, clock=lambda: NOW)
            took = time.perf_counter() - begun
    assert not [each.error for each in done if each.error], done
    return took


@asynccontextmanager
async def _house(file: Path) -> AsyncIterator[tuple[Http, StoreThread]]:
    """A client that finds every host at this machine, and a database."""
    in_store = StoreThread(lambda: SqliteStore(file))
    async with Http(
        allow_networks=["127.0.0.0/8"],
        turns=Turns(timedelta(0)),
        resolve=_here,
        ssl_context=ssl.create_default_context(),
    ) as http:
        yield http, in_store
    await in_store.close()


async def _here(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def _opener(http: Http) -> Callable[[SourceRecord], Source]:
    return lambda record: open_source(record.kind, record.url, http=http, name=record.name)


async def quiet(body: bytes, folder: Path, *, conditional: bool) -> Quiet:
    """The same feed once more, answered with 304 or with the body it had before."""
    etag = {"ETag": '"1"'}

    def answer(request: Request) -> Answer:
        if conditional and request.headers.get("if-none-match"):
            return Answer(status=304, headers=etag)
        return Answer(body=body, headers={"Content-Type": _RSS} | (etag if conditional else {}))

    with WebServer() as web:
        web.answer("/feed", answer)
        async with _house(folder / f"quiet{conditional:d}.db") as (http, in_store):
            record = source(url=web.url("/feed"))
            await in_store(partial(_put, [record]))
            (first,) = await collect([record], _opener(http), in_store, clock=lambda: NOW)
            assert first.counts.new > 0, first
            return await _again(http, in_store, record, '"1"' if conditional else None)


async def _again(http: Http, in_store: StoreThread, record: SourceRecord, etag: str | None) -> Quiet:
    bare, whole, before = [], [], await in_store(_changes)
    for number in range(_ROUNDS):
        begun = time.perf_counter()
        await http.get(record.url, etag=etag)
        bare.append(time.perf_counter() - begun)
        (known,) = await in_store(lambda store: store.sources.due(NOW + (number + 1) * _LATER))  # noqa: B023 - awaited
        begun = time.perf_counter()
        (done,) = await collect([known], _opener(http), in_store, clock=lambda due=known.next_fetch_at: due)
        whole.append(time.perf_counter() - begun)
        assert done.unchanged, done
    return Quiet(beyond=median(whole) - median(bare), written=await in_store(_changes) - before - _ROUNDS)


def _put(records: Sequence[SourceRecord], store: Store) -> None:
    with store.write():
        for record in records:
            store.sources.put(record)


def _changes(store: Store) -> int:
    """Rows that this connection has written so far."""
    assert isinstance(store, SqliteStore)
    changes: int = store._db.conn.total_changes
    return changes


async def crowd(sources: int, folder: Path) -> Crowd:
    """So many hosts due at once, each of which takes its time."""
    waiting: list[str] = []
    seen: list[tuple[int, int]] = []
    lock = threading.Lock()

    def answer(request: Request) -> Answer:
        waiting.append(request.path)
        time.sleep(ANSWER_AFTER / 2)
        # The kernel's table is no snapshot: one that closes and the next may both stand in it, but not twice running.
        with lock:
            seen.append((len(waiting), min(_connections(web.port) for _ in range(3))))
        time.sleep(ANSWER_AFTER / 2)
        waiting.pop()
        return Answer(body=feed, headers={"Content-Type": _RSS})

    (feed,) = feeds(1, 3, seed=1)
    with WebServer() as web:
        web.answer("/feed", answer)
        records = [source(f"feed{n}", url=web.url("/feed", host=f"h{n}.example.org")) for n in range(sources)]
        async with _house(folder / "crowd.db") as (http, in_store):
            await in_store(partial(_put, records))
            begun = time.perf_counter()
            done = await collect(records, _opener(http), in_store, clock=lambda: NOW)
            seconds = time.perf_counter() - begun
    answered = sum(each.error is None for each in done)
    requests, connections = map(max, zip(*seen, strict=True))
    return Crowd(seconds=seconds, answered=answered, requests=requests, connections=connections)


def _connections(port: int) -> int:
    """Open ones to the server, as the kernel tells; what the other end has closed is none."""
    lines = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return sum(line[1].endswith(f":{port:04X}") and line[3] == _ESTABLISHED for line in lines)


def peak(body: bytes) -> Peak:
    """In a process of its own, so that the peak is collecting's and not the workload's."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "body.gz"
        file.write_bytes(gzip.compress(body, 1))
        command = [sys.executable, "-m", "tests.bench.bench_collect", "--peak", str(file)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Peak(**json.loads(done.stdout))


async def _peak(packed: bytes, file: Path) -> dict[str, float]:
    with WebServer() as web:
        web.answer("/feed", body=packed, headers={"Content-Encoding": "gzip", "Content-Type": _RSS})
        async with _house(file) as (http, in_store):
            record = source(url=web.url("/feed"))
            await in_store(partial(_put, [record]))
            (done,) = await collect([record], _opener(http), in_store, clock=lambda: NOW)
            items = await in_store(lambda store: store.entries.count())
            assert not done.error, done.error
            assert items > 0
            return {"own": memory("VmHWM"), "apart": _apart_peak(http), "items": items}


def _apart_peak(http: Http) -> float:
    process = http.apart._process
    return memory("VmHWM", process=process.pid) if process else 0.0


def largest(body: bytes) -> bytes:
    """``body`` made as long as is permitted, by a comment in front of its end: what is bounded is bytes."""
    end = body.rindex(b"</")
    return body[:end] + b"<!--" + b"x" * (LARGEST - len(body) - 7) + b"-->" + body[end:]


def _papers(seed: int) -> bytes:
    """A few megabytes less than is permitted."""
    return feeds(1, 8_700, seed)[0]


def short_items() -> bytes:
    """The same length, of as many items as it holds."""
    item = b"<item><title>T%07d</title><guid>g%07d</guid></item>"
    head, tail = b'<rss version="2.0"><channel><title>T</title>', b"</channel></rss>"
    room = (LARGEST - len(head) - len(tail)) // len(item % (0, 0))
    return head + b"".join(item % (n, n) for n in range(room)) + tail


def most_items(seed: int) -> bytes:
    """As many papers as are read of one feed, each so short that all of them fill what is permitted."""
    rng = random.Random(seed)
    words = [bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz", k=rng.randint(3, 9))) for _ in range(15_000)]

    def text(count: int) -> bytes:
        return b" ".join(rng.choices(words, k=count))

    items = (
        b"<item><title>%s</title><guid>g%d</guid><link>https://lab.example.org/p/%d</link>"
        b"<description>%s</description></item>" % (text(4), n, n, text(14))
        for n in range(MAX_ITEMS)
    )
    return b'<rss version="2.0"><channel><title>T</title>' + b"".join(items) + b"</channel></rss>"


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=10)
    parser.add_argument("--items", type=int, default=5_000, help="of each feed")
    parser.add_argument("--sources", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--peak", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if options.peak:
        print(json.dumps(asyncio.run(_peak(options.peak.read_bytes(), options.peak.with_suffix(".db")))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return 0 if all(list(_goals(options, Path(folder)))) else 1


def _goals(options: argparse.Namespace, folder: Path) -> Iterator[bool]:
    measured = stages(feeds(options.feeds, options.items, options.seed), folder)
    in_turn = (measured.parsed + measured.stored) / measured.parser
    yield goal(
        f"{measured.items:,} items, one stage after the other, over feedparser alone", in_turn, at_most=OVER_PARSER
    )
    ratio = measured.whole / measured.parser
    yield goal(f"{measured.items:,} items collected and stored, over feedparser alone", ratio, at_most=OVER_PARSER)
    (body,) = feeds(1, 2_000, options.seed)
    for what, conditional in (("304", True), ("an equal body", False)):
        again = asyncio.run(quiet(body, folder, conditional=conditional))
        yield goal(f"{what}: beyond the request itself, ms", again.beyond * 1_000, at_most=5.0)
        yield goal(f"{what}: rows written but for the source's own record", again.written, at_most=0)
    many = asyncio.run(crowd(options.sources, folder))
    assert many.answered == options.sources, many
    label = f"{options.sources} hosts at once that answer after {ANSWER_AFTER:g} s"
    yield goal(f"{label}, s", many.seconds, at_most=5.0)
    yield goal(f"{label}: requests at a time", many.requests, at_most=AT_ONCE)
    yield goal(f"{label}: connections at a time", many.connections, at_most=AT_ONCE)
    bodies = {
        "papers": largest(_papers(options.seed)),
        f"{MAX_ITEMS:,} short papers": largest(most_items(options.seed)),
        "as many items as it holds": short_items(),
    }
    for what, body in bodies.items():
        most = peak(body)
        label = f"peak memory on {len(body) / 2**20:.1f} MiB of {what}, MB"
        yield goal(label, most.own, at_most=300)
        print(f"  {'':<6}{most.items:,.0f} stored; the parser's process apart {most.apart:.0f} MB")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
