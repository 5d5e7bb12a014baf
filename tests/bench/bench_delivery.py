"""Delivering: digests planned, rendered, sent over loopback and recorded, against a plain stack and smtp-source.

python -m tests.bench.bench_delivery [--digests N] [--plain N] [--delayed N] [--others N] [--seed S]

Both peers send to the same smtp-sink in the same run. The plain stack is what one writes first: a whole template for
each mail, EmailMessage, aiosmtplib's send_message on a kept connection, a commit for each row. What counts are the
ratios. Memory is flat where it hardly grows once a quarter of the digests is out; and a digest is to cost the same
where many ``others``, due another day, have rules, too. Fails where a goal is missed. Needs smtp-sink and smtp-source,
of Debian's postfix.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import EmailMessage
from itertools import islice
from pathlib import Path

import aiosmtplib
import structlog
from jinja2 import Template

from notifier.app import App
from notifier.digest import compose, evidence_of
from notifier.engine import Engine, open_engine
from notifier.matching import RuleSet
from notifier.model import Address, DeliveryState, Digest, Outcome
from notifier.plan import plan
from notifier.ports import Store
from notifier.render import Links
from notifier.render.catalog import load
from notifier.render.entries import entry_view
from notifier.render.environment import Kind, environment
from notifier.render.sentences import digest_view
from notifier.settings import Security, Settings
from notifier.store import SqliteStore
from tests.bench.bench_matching import goal, memory, show
from tests.builders import NOW, entry, rule, sighted, subscriber, subscription
from tests.servers.delayed import delayed
from tests.tools import tool
from tests.torture.torture_kills import sink

OVER_PLAIN = 12.0
OF_SMTP_SOURCE = 0.7
OVER_SENDMAIL = 2.0
RECORDING = 0.05
MOST_MEMORY = 400.0
FLAT = 1.15
GROWTH = 1.3
_FEW_OTHERS = 10_000
DELAY = 0.010
AT_ONCE = 20
_ENTRIES = 1_000
_SHOWN = 10
_DUE = NOW + timedelta(hours=1)
_WORDS = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Seconds for so many digests; ``recording`` is the part of ``sending`` that the database's thread was busy."""

    digests: int
    planning: float
    sending: float
    recording: float
    memory: float
    growth: float
    """Memory at the end over that when a quarter was out."""

    @property
    def each(self) -> float:
        return (self.planning + self.sending) / self.digests


def prepare(folder: Path, digests: int, seed: int, *, others: int = 0) -> None:
    """So many people with a rule each, which matches about ten of a thousand papers; ``others`` are due in a week."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(4, 10))) for _ in range(_WORDS)]
    topics = words[:100]
    seen = NOW - timedelta(hours=1)
    papers = [
        replace(
            entry(n, title=f"{topics[n % 100].title()} " + " ".join(rng.choices(words, k=8))),
            abstract=" ".join(rng.choices(words, k=90)) + f". We study {topics[n % 100]} " + " ".join(words[:80]),
            authors=tuple(
                f"{a.title()} {b.title()}" for a, b in zip(*[iter(rng.choices(words, k=8))] * 2, strict=True)
            ),
            first_seen_at=seen,
            new_at=seen,
        )
        for n in range(_ENTRIES)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    with closing(SqliteStore(folder / "notifier.db")) as store, store.write():
        store.entries.put([sighted(each, at=seen) for each in papers], now=seen)
        for number in range(digests + others):
            person = subscriber(f"person{number}@example{number % 50}.org", id=f"p_{number}")
            store.subscribers.add(person)
            due = NOW if number < digests else NOW + timedelta(days=7)
            kept = subscription(f"s_{number}", person, address=Address(kind="email"), next_due_at=due)
            store.subscriptions.put(replace(kept, max_entries=_SHOWN))
        rules = [
            rule(f"title:{topics[n % 100]}", id=f"r_{n}", subscription_id=f"s_{n}") for n in range(digests + others)
        ]
        store.rules.put(rules, actor="bench", via="cli", now=NOW)


def settings(folder: Path, server: tuple[str, int], **more: object) -> Settings:
    host, port = server
    return Settings(
        data_dir=folder,
        base_url="https://papers.example.org",
        mail_from="Papers <papers@example.org>",
        contact="operator@example.org",
        smtp_host=host,
        smtp_port=port,
        smtp_security=Security.NONE,
        **more,  # type: ignore[arg-type]
    )


async def ours(folder: Path, server: tuple[str, int], digests: int, **more: object) -> Run:
    """The real path: plan, then the deliver step of an engine as ``serve`` has it."""
    begun = time.monotonic()
    app = App(
        settings=settings(folder, server, **more), clock=lambda: _DUE + timedelta(seconds=time.monotonic() - begun)
    )
    with closing(app.open_store()) as store:
        start = time.perf_counter()
        planned = plan(store, RuleSet(), look_back=timedelta(days=7), now=_DUE)
        planning = time.perf_counter() - start
        assert planned.deliveries == digests, planned
    async with open_engine(app) as engine:
        with _watched(engine, digests) as watch:
            start = time.perf_counter()
            states = await engine.deliver()
            sending = time.perf_counter() - start
    assert states == {DeliveryState.SENT: digests}, states
    return Run(
        digests=digests,
        planning=planning,
        sending=sending,
        recording=watch.busy,
        memory=memory("VmHWM"),
        growth=memory("VmRSS") / watch.early,
    )


@dataclass(slots=True)
class _Watch:
    """What recording took so far, how many digests had their end, and the memory when a quarter of all had."""

    digests: int
    busy: float = 0.0
    ended: int = 0
    early: float = 0.0

    def note(self, words: Sequence[object], seconds: float) -> None:
        self.busy += seconds
        self.ended += sum(isinstance(word, Outcome) for word in words)
        if not self.early and self.ended >= self.digests / 4:
            self.early = memory("VmRSS")


@contextmanager
def _watched(engine: Engine, digests: int) -> Iterator[_Watch]:
    """Processor time of the deliver store's thread while it records what began and what became of it."""
    inner, watch = engine.stores["deliver"], _Watch(digests)

    async def counted(work: Callable[[Store], object]) -> object:
        def timed(store: Store) -> object:
            start = time.thread_time()
            try:
                return work(store)
            finally:
                if getattr(work, "records", False):
                    watch.note(work.words, time.thread_time() - start)  # type: ignore[attr-defined]

        return await inner(timed)

    engine.stores["deliver"] = counted  # type: ignore[assignment]
    try:
        yield watch
    finally:
        engine.stores["deliver"] = inner


def digests_of(folder: Path, app: App, count: int) -> list[Digest]:
    """As the deliver step composes them."""
    with closing(SqliteStore(folder / "notifier.db")) as store:
        evidence = evidence_of(app.topics, now=_DUE)
        found = []
        for each in islice(store.deliveries.all(limit=count), count):
            items = store.deliveries.items(each.id)
            entries = store.entries.get([item.entry_id for item in items])
            kept = store.subscriptions.get([each.subscription_id])[each.subscription_id]
            found.append(compose(each, items, entries=entries, evidence=evidence, subscription=kept))
        return found


class Plain:
    """What one writes first: one template with everything in it for each mail, put together by the library."""

    def __init__(self, links: Links) -> None:
        self._links, self._catalog = links, load("en")
        self._html, self._text = (
            self._whole(kind, ending) for kind, ending in ((Kind.HTML, "html"), (Kind.TEXT, "txt"))
        )

    def _whole(self, kind: Kind, ending: str) -> Template:
        made = environment(kind, self._catalog, None)
        assert made.loader
        frame, each = (made.loader.get_source(made, f"email/{name}.{ending}")[0] for name in ("digest", "entry"))
        return made.from_string(frame.replace("{{ entries }}", "{% for entry in shown %}" + each + "{% endfor %}"))

    def mail(self, digest: Digest) -> EmailMessage:
        view = digest_view(digest, self._catalog, self._links)
        shown = [entry_view(each, self._catalog, year=2025, limit=420, summaries=False) for each in digest.items]
        made = EmailMessage()
        made["From"], made["To"] = "Papers <papers@example.org>", digest.subscription.subscriber.email
        made["Subject"], made["Message-ID"] = view.subject, f"<{digest.delivery_id}@example.org>"
        made["List-Unsubscribe"] = f"<{self._links.unsubscribe(digest.subscription.id)}>"
        made.set_content(self._text.render(view=view, shown=shown))
        made.add_alternative(self._html.render(view=view, shown=shown), subtype="html")
        return made


async def plain_stack(digests: Sequence[Digest], links: Links, server: tuple[str, int], folder: Path) -> float:
    """Seconds for each digest; planning is not counted against it."""
    stack = Plain(links)
    with closing(sqlite3.connect(folder / "plain.db", isolation_level=None)) as kept:
        kept.execute("PRAGMA journal_mode=WAL")
        kept.execute("CREATE TABLE delivery (id TEXT PRIMARY KEY, state TEXT)")
        kept.executemany("INSERT INTO delivery VALUES (?, 'planned')", [(each.delivery_id,) for each in digests])
        start = time.perf_counter()
        async with aiosmtplib.SMTP(hostname=server[0], port=server[1], start_tls=False) as client:
            for each in digests:
                await client.send_message(stack.mail(each))
                kept.execute("UPDATE delivery SET state = 'sent' WHERE id = ?", (each.delivery_id,))
        return (time.perf_counter() - start) / len(digests)


def smtp_source(server: tuple[str, int], count: int, size: int) -> float:
    """Seconds for each message that the C program needs over one connection."""
    program = tool("smtp-source") or sys.exit("smtp-source is missing: install Debian's package postfix.")
    command = [program, "-s", "1", "-m", str(count), "-l", str(size), "-f", "a@example.org", "-t", "b@example.org"]
    start = time.perf_counter()
    subprocess.run([*command, f"{server[0]}:{server[1]}"], check=True)
    return (time.perf_counter() - start) / count


async def sendmail(messages: Sequence[bytes], server: tuple[str, int]) -> float:
    """Seconds for each message with aiosmtplib's own ``sendmail`` over ``AT_ONCE`` kept connections."""
    left = iter(messages)

    async def one() -> None:
        async with aiosmtplib.SMTP(hostname=server[0], port=server[1], start_tls=False) as client:
            for each in left:
                await client.sendmail("papers@example.org", ["b@example.org"], each)

    start = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return (time.perf_counter() - start) / len(messages)


def measured(folder: Path, server: tuple[str, int], digests: int, seed: int, *, others: int = 0, **more: object) -> Run:
    """In a process of its own, so that the memory is that of delivering and not of the workload."""
    prepare(folder, digests, seed, others=others)
    ready, told = multiprocessing.Pipe(duplex=False)

    def child() -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        told.send(asyncio.run(ours(folder, server, digests, **more)))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    run: Run = ready.recv()
    process.join()
    return run


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digests", type=int, default=20_000)
    parser.add_argument("--plain", type=int, default=300, help="digests that the plain stack is given")
    parser.add_argument("--delayed", type=int, default=4_000, help="digests sent with a delay of 10 ms a reply")
    parser.add_argument("--others", type=int, default=100_000, help="people with rules who are not due")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        return 0 if all(list(_goals(options, Path(folder)))) else 1


def _goals(options: argparse.Namespace, folder: Path) -> Iterator[bool]:
    with sink(folder, keep=False) as (server, _):
        run = measured(folder / "ours", server, options.digests, options.seed)
        app = App(settings=settings(folder / "ours", server), clock=lambda: _DUE)
        some = digests_of(folder / "ours", app, options.plain)
        mails = [app.renderer().render(each, "email", now=_DUE).parts[0] for each in some]
        size = sum(map(len, mails)) // len(mails)
        plain = asyncio.run(plain_stack(some, app.links, server, folder))
        source = smtp_source(server, options.digests, size)
        print(f"{options.digests:,} digests of {_SHOWN} papers, {size:,} bytes each, from one process")
        show("planned", run.planning)
        show("rendered, sent and recorded", run.sending, f"{options.digests / run.sending:,.0f} a second")
        show("one digest", run.each)
        show("one digest of the plain stack, planning not counted", plain)
        show("one message of smtp-source -s 1", source)
        yield goal("over the plain stack", plain / run.each, at_least=OVER_PLAIN)
        yield goal("of smtp-source's rate", source / run.each, at_least=OF_SMTP_SOURCE)
        yield goal("recording, of the time", run.recording / (run.planning + run.sending), at_most=RECORDING)
        yield goal("peak memory, MB", run.memory, at_most=MOST_MEMORY)
        yield goal("memory at the end, over that after a quarter", run.growth, at_most=FLAT)
        few, many = (
            measured(folder / f"among{others}", server, options.delayed, options.seed, others=others)
            for others in (_FEW_OTHERS, options.others)
        )
        show(f"one digest where {options.others:,} others have rules", many.each)
        yield goal(f"over one where {_FEW_OTHERS:,} have", many.each / few.each, at_most=GROWTH)
        with delayed(server, DELAY) as far:
            slow = measured(folder / "far", far, options.delayed, options.seed, smtp_connections=AT_ONCE)
            repeated = [each for _ in range(-(-options.delayed // len(mails))) for each in mails][: options.delayed]
            theirs = asyncio.run(sendmail(repeated, far))
        show(f"one digest, {DELAY * 1_000:g} ms before each reply, {AT_ONCE} connections", slow.sending / slow.digests)
        show("one message of aiosmtplib's sendmail, the same", theirs)
        yield goal("over aiosmtplib's sendmail", theirs / (slow.sending / slow.digests), at_least=OVER_SENDMAIL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
