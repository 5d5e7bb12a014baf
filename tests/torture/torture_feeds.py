"""Mutated feeds and lists through the whole path: from a server's bytes to entries, the store, and a digest's text.

``python -m tests.torture.torture_feeds [--minutes N] [--inputs N] [--seed N] [--first N]`` mutates valid RSS, Atom,
JSON Feed, OPML, JSON Lines and Daily Papers and demands of each: entries, or an error made for people, and no other;
clean entries; a digest that can be read; bounded processor time. An input depends on seed and number alone: ``--first``
goes straight to the one that failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import re
import ssl
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from io import BytesIO
from itertools import chain, islice, takewhile
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from notifier.collect import absorbed
from notifier.errors import SourceError, UsageError
from notifier.model import Entry, Fetched, SourceState
from notifier.ports import Source
from notifier.sources import Http, Turns, kind_of, opml, read_lines
from notifier.sources.apart import Apart
from notifier.sources.feed import Feed
from notifier.sources.huggingface import Trending
from notifier.store import SqliteStore
from tests.render.reading import NO_PAGES, composer, mail, text
from tests.render.samples import NOW, digest, found
from tests.servers.web import WebServer
from tests.sources.samples import arxiv_item, arxiv_rss, atom, paper, papers, rss
from tests.torture.mutations import mutated

MOST_SECONDS = 5.0
"""Of processor time in our own process for one input; the parser apart is stopped by its own limit."""
_APART_SECONDS = 10
_SHOWN = 20
"""Entries of one input that go into its digest."""
_PER_STORE = 500
"""Inputs before a fresh database: what was seen is merged with what comes, but not for ever."""
_LINKS = ("url", "pdf_url", "code_url", "project_url", "thumbnail")
_UNCLEAN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

_MEDIA = '<media:thumbnail url="https://lab.example.org/t.png"/>'
_JSON_FEED = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "Notes",
    "items": [
        {
            "id": f"https://lab.example.org/{n}",
            "url": f"https://lab.example.org/{n}?utm_source=x",
            "title": f"Note {n}",
            "content_html": "<p>We <b>walk</b> &amp; plan.</p>",
            "date_published": "2025-12-01T10:00:00Z",
            "authors": [{"name": "Ada Lovelace"}],
            "tags": ["robots", "cs.RO"],
            "attachments": [{"url": "https://lab.example.org/a.pdf", "mime_type": "application/pdf"}],
        }
        for n in range(3)
    ],
}
_LINE = {
    "id": "arxiv:2512.01234",
    "title": "A Walking Robot That Plans",
    "abstract": "We plan where we walk.",
    "authors": ["Ada Lovelace", 'Emmy N\\"other'],
    "categories": ["cs.RO", "cs.LG"],
    "published_at": "2025-12-01T10:00:00Z",
    "url": "https://arxiv.org/abs/2512.01234v2",
    "upvotes": 12,
    "stars": 3,
    "venue": {"name": "A Workshop", "year": 2025},
}
_OPML = b"""<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0"><head><title>Feeds</title></head><body><outline text="Labs" title="Labs">
<outline text="A laboratory" type="rss" xmlUrl="https://lab.example.org/feed" htmlUrl="https://lab.example.org/"/>
<outline text="Notes &amp; more" type="rss" xmlUrl="https://notes.example.org/atom.xml" notifier:every="2h"
 xmlns:notifier="https://example.org/"/></outline><outline text="Daily" type="huggingface" xmlUrl="huggingface"/>
</body></opml>"""


def _seeds() -> dict[str, list[bytes]]:
    item = (
        "<item><title>On {n}</title><link>https://lab.example.org/{n}</link><guid>lab-{n}</guid><dc:creator>Lovelace, "
    )
    item += "Ada; Noether, Emmy</dc:creator><description>&lt;p&gt;We walk.&lt;/p&gt;</description>{more}"
    item += "<pubDate>Mon, 01 Dec 2025 10:00:00 +0000</pubDate></item>"
    entry = '<entry><title type="html">On &lt;i&gt;{n}&lt;/i&gt;</title><id>tag:lab.example.org,2025:{n}</id>'
    entry += '<link href="{n}.html"/><author><name>Ada Lovelace</name></author><category term="cs.RO"/>'
    entry += '<updated>2025-12-01T10:00:00Z</updated><content type="html">&lt;p&gt;We walk.&lt;/p&gt;</content></entry>'
    line = json.dumps(_LINE).encode() + b"\n"
    return {
        "rss": [
            rss(*(item.format(n=n, more=_MEDIA) for n in range(3))),
            arxiv_rss(arxiv_item(), arxiv_item("2512.01235", 2, "replace")),
        ],
        "atom": [atom(*(entry.format(n=n) for n in range(3)))],
        "json feed": [json.dumps(_JSON_FEED).encode()],
        "opml": [_OPML],
        "json lines": [line + line.replace(b"01234", b"01235") + line.replace(b"arxiv:", b"x:")],
        "daily papers": [papers(paper(), paper("2512.01235", title="Another"))],
    }


SEEDS = _seeds()


@dataclass(slots=True)
class Report:
    """``outcomes`` by kind and what became of the input; ``faults`` tell the number of the input and what was wrong."""

    inputs: int = 0
    entries: int = 0
    slowest: float = 0.0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class Unclean(Exception):
    """What must not be in an entry or a digest is; ``str`` says where."""


def input_of(seed: int, number: int) -> tuple[str, bytes]:
    rng = random.Random(f"{seed}:{number}")
    kind = rng.choice(list(SEEDS))
    return kind, mutated(rng, rng.choice(SEEDS[kind]))


async def torture(*, inputs: int, seed: int, folder: Path, first: int = 0, minutes: float | None = None) -> Report:
    """So many inputs, or as many as fit into ``minutes``."""
    end = time.monotonic() + minutes * 60 if minutes else None
    numbers = takewhile(lambda _: end is None or time.monotonic() < end, range(first, first + inputs))
    return await _all(((number, *input_of(seed, number)) for number in numbers), folder)


async def untouched(kind: str, *, folder: Path) -> Report:
    """The bodies of one kind as they are before anything is done to them."""
    return await _all(((number, kind, body) for number, body in enumerate(SEEDS[kind])), folder)


async def _all(given: Iterable[tuple[int, str, bytes]], folder: Path) -> Report:
    report, rest = Report(), iter(given)
    with WebServer() as web:
        async with Http(
            allow_networks=["127.0.0.0/8"],
            turns=Turns(timedelta(0)),
            apart=Apart(cpu_seconds=_APART_SECONDS),
            ssl_context=ssl.create_default_context(),
        ) as http:
            while some := list(islice(rest, 1)):
                file = folder / f"{report.inputs}.db"
                store = SqliteStore(file)
                for number, kind, body in chain(some, islice(rest, _PER_STORE - 1)):
                    await _one(number, kind, body, Bench(web, http, store), report)
                store.close()
                file.unlink()
    return report


@dataclass(frozen=True, slots=True)
class Bench:
    web: WebServer
    http: Http
    store: SqliteStore


async def _one(number: int, kind: str, body: bytes, bench: Bench, report: Report) -> None:
    begun = time.process_time()
    try:
        with structlog.testing.capture_logs() as logged:
            outcome = await _through(kind, body, bench, report)
        if wrong := [each for each in logged if each["log_level"] == "error"]:
            raise Unclean(f"the parser apart failed: {wrong[0].get('fault', wrong[0])}")
    except Exception as error:
        outcome = "FAULT"
        report.faults.append(f"input {number} ({kind}): {type(error).__name__}: {error}")
    took = time.process_time() - begun
    if took > MOST_SECONDS:
        report.faults.append(f"input {number} ({kind}): took {took:.1f} s")
    report.inputs += 1
    report.slowest = max(report.slowest, took)
    report.outcomes[kind, outcome] += 1


async def _through(kind: str, body: bytes, bench: Bench, report: Report) -> str:
    try:
        fetched = await _read(kind, body, bench)
    except (SourceError, UsageError) as error:
        _demand_clean("the error", str(error))
        return "stopped" if "takes more than" in str(error) else "refused"
    for each in fetched.rejected:
        _demand_clean("a rejection", each.reason)
    folded = absorbed(bench.store, fetched.sightings, source=kind, baseline=False, now=NOW)
    entries = list(bench.store.entries.get(each.entry.id for each in folded).values())
    assert len(entries) == len(folded), "not all entries are found again"
    for entry in entries:
        demand_clean(entry)
    _demand_readable(entries[:_SHOWN])
    report.entries += len(entries)
    return "entries" if entries else "nothing"


async def _read(kind: str, body: bytes, bench: Bench) -> Fetched:
    if kind == "opml":
        return _read_list(body)
    if kind == "json lines":
        return read_lines(BytesIO(body), name=kind)
    bench.web.answer("/it", body=body, headers={"Content-Type": "application/json" if "p" in kind[1:] else "text/xml"})
    url = bench.web.url("/it")
    daily = kind == "daily papers"
    source: Source = Trending(url, http=bench.http) if daily else Feed(url, http=bench.http, name=kind)
    return await source.fetch(SourceState(), now=NOW)


def _read_list(body: bytes) -> Fetched:
    """No entries come of it; but what is chosen of it can be written, and read again as it was."""
    outlines = opml.read(body)
    listed = opml.choose(outlines, [], kind_of=kind_of, every=timedelta(hours=1), now=NOW)
    records = [each.record for each in listed if each.record]
    for record in records:
        _demand_clean("a source", record.name + record.url + record.title)
    again = opml.read(opml.write(records, now=NOW))
    kept = [record.url for record in records if not opml.is_local(record.kind, record.url)]
    assert [each.address for each in again] == kept, "a list that was written reads otherwise"
    return Fetched()


def demand_clean(entry: Entry) -> None:
    """Raises Unclean where a field holds what no screen should get, or a link that could act."""
    for each in fields(entry):
        value = getattr(entry, each.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, str):
                _demand_clean(each.name, one)
    for name in _LINKS:
        url = getattr(entry, name)
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not url.isascii()):
            raise Unclean(f"{name} is {url!r}")
    if not entry.title:
        raise Unclean("an entry has no title")


def _demand_clean(what: str, text: str) -> None:
    if unclean := _UNCLEAN.search(text):
        raise Unclean(f"{what} holds {unclean[0]!r}: {text[max(0, unclean.start() - 40) : unclean.end() + 40]!r}")


def _demand_readable(entries: Sequence[Entry]) -> None:
    """As the mail's text, read by the standard library, and as Slack's JSON."""
    if not entries:
        return
    made = digest(*map(found, entries))
    shown = text(mail(made))
    if unreadable := _UNREADABLE.search(shown.replace("\r\n", "\n")):
        raise Unclean(f"the digest holds {unreadable[0]!r}")
    for part in composer(NO_PAGES, None).render(made, "slack", now=NOW).parts:
        if unreadable := _UNREADABLE.search(json.dumps(json.loads(part), ensure_ascii=False)):
            raise Unclean(f"the blocks hold {unreadable[0]!r}")


def show(report: Report, seed: int, took: float) -> None:
    print(f"{report.inputs:,} inputs (seed {seed}), {report.entries:,} entries, {took / 60:.1f} minutes")
    for kind in SEEDS:
        told = {outcome: count for (each, outcome), count in sorted(report.outcomes.items()) if each == kind}
        print(f"  {kind}: " + ", ".join(f"{outcome} {count:,}" for outcome, count in told.items()))
    print(f"  slowest input {report.slowest:.2f} s of processor time, at most {MOST_SECONDS:g}")
    print(f"  faults: {len(report.faults)}")
    for each in report.faults[:20]:
        print(f"    {each}")


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=None, help="as long as this (5, where no number is given)")
    parser.add_argument("--inputs", type=int, default=None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    options = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    minutes = options.minutes if options.minutes or options.inputs else 5.0
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        run = torture(
            inputs=options.inputs or sys.maxsize // 2,
            seed=options.seed,
            folder=Path(folder),
            first=options.first,
            minutes=minutes,
        )
        report = asyncio.run(run)
    show(report, options.seed, time.monotonic() - begun)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
