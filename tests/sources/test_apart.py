"""Feeds that are made to hang or to bloat whoever reads them, and a process that takes it for us."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from notifier.errors import SourceError
from notifier.sources.apart import Apart, Stopped
from notifier.sources.feed_items import Parsed
from notifier.sources.feed_worker import Job, parse, parse_apart
from tests.sources.samples import arxiv_item, arxiv_rss, rss

JOB = Job(
    content_type="application/rss+xml",
    url="https://lab.example.org/feed",
    source="lab",
    now=datetime(2025, 12, 2, tzinfo=UTC),
)
ITEM = "<item><title>Readable</title><guid>https://lab.example.org/a</guid></item>"

# Attributes are looked up in a list: a hundred thousand take minutes.
SLOW = "<item><title>A</title><x " + " ".join(f'a{n}="1"' for n in range(100_000)) + "/></item>"


@pytest.fixture
async def apart() -> AsyncIterator[Apart]:
    apart = Apart(cpu_seconds=1)
    yield apart
    await apart.close()


async def read(apart: Apart, body: bytes) -> Parsed:
    return await parse_apart(JOB, body, apart=apart)


async def pid(apart: Apart) -> int:
    await read(apart, rss(ITEM))
    assert apart._process is not None
    return apart._process.pid


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_what_comes_back_is_what_was_read(apart: Apart) -> None:
    body = arxiv_rss(arxiv_item(), arxiv_item("2512.00002", 2, "cross"), "<item/>")
    assert await read(apart, body) == parse(JOB, body)


async def test_the_process_is_kept_warm_and_ends_with_the_engine(apart: Apart) -> None:
    first = await pid(apart)
    assert first == await pid(apart)
    await apart.close()
    assert not is_alive(first)


async def test_a_feed_that_takes_for_ever_is_stopped_and_the_next_is_read(apart: Apart) -> None:
    first = await pid(apart)
    with pytest.raises(SourceError, match=r"lab\.example\.org sent a feed that takes more than 1 s to read"):
        await read(apart, rss(SLOW))
    assert not is_alive(first)
    assert (await read(apart, rss(ITEM))).sightings[0].entry.title == "Readable"


async def test_a_feed_that_needs_too_much_memory_is_stopped_and_the_next_is_read() -> None:
    apart = Apart(cpu_seconds=10, memory=100 * 2**20)
    items = [f"<item><title>T{n}</title><b>{'x ' * 5000}</b></item>" for n in range(1400)]
    stopped = await read(apart, rss(*items))
    assert "needs more than 100 MiB of memory to read" in stopped.rejected[0].reason
    assert len((await read(apart, rss(ITEM))).sightings) == 1
    await apart.close()


async def test_a_process_that_dies_is_a_failure_of_that_feed_alone(apart: Apart) -> None:
    os.kill(await pid(apart), signal.SIGKILL)
    with_luck = [await _tried(apart) for _ in range(2)]
    assert with_luck[-1]


async def _tried(apart: Apart) -> bool:
    try:
        return bool((await read(apart, rss(ITEM))).sightings)
    except SourceError:
        return False


async def test_a_process_that_never_starts_is_said_so() -> None:
    apart = Apart(["/bin/false"])
    with pytest.raises(Stopped, match="exit code 1"):
        await apart.ask(b"x", b"y")
    await apart.close()


async def test_nothing_secret_is_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFIER_SMTP_PASSWORD", "hunter2")
    script = (
        "import os,struct,sys;b=repr(dict(os.environ)).encode();sys.stdout.buffer.write(struct.pack('>I',len(b))+b)"
    )
    apart = Apart([sys.executable, "-c", script])
    assert b"hunter2" not in await apart.ask()
    await apart.close()


@pytest.mark.parametrize(
    "body",
    [
        rss(ITEM, "<item><title>B</title>" + "<div>" * 50_000),
        rss(ITEM, "<item><title>B</title><description>" + "&lt;div&gt;" * 100_000 + "</description></item>"),
        rss(ITEM) + b"\x00" * 100_000,
        rss(ITEM).replace(b"Readable", b"Readable\xff\xfe\xc3("),
        rss(ITEM, "<item><title>&l9;</title></item>"),
    ],
    ids=["deep", "deep-html", "nul", "utf-8", "entity"],
)
async def test_of_a_hostile_feed_the_readable_entries_are_kept(body: bytes) -> None:
    apart = Apart()
    titles = [each.entry.title for each in (await read(apart, body)).sightings]
    assert titles[0].startswith("Readable")
    await apart.close()


async def test_of_a_feed_that_cannot_be_read_whole_the_beginning_is_kept(apart: Apart) -> None:
    items = [f"<item><title>T{n}</title><guid>https://x.org/{n}</guid><b>{'x' * 1000}</b></item>" for n in range(130)]
    parsed = await read(apart, rss(*items, SLOW))
    assert parsed.sightings[0].entry.title == "T0"
    assert len(parsed.sightings) > 100
    assert "takes more than 1 s to read: only its beginning was read" in parsed.rejected[0].reason
