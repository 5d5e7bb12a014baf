"""Collect against a real server and a real database: what becomes of a source that moves, vanishes or is removed."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from notifier.collect import Collected, absorb, collect
from notifier.matching import RuleSet
from notifier.model import Cadence, Every, News, SourceRecord
from notifier.plan import plan
from notifier.ports import Source
from notifier.sources import Http, Turns, open_source
from notifier.store import SqliteStore, StoreThread
from tests.builders import NOW, rule, sighting, source, subscriber, subscription
from tests.servers.web import Answer, Request, WebServer
from tests.sources.conftest import AUTHORITIES
from tests.sources.samples import rss

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
FEED = rss("<item><title>A</title><guid>https://lab.example.org/a</guid></item>")


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


class House:
    """One database and one client, and days that pass."""

    def __init__(self, thread: StoreThread, http: Http) -> None:
        self.thread = thread
        self._http = http

    async def add(self, *records: SourceRecord) -> None:
        for record in records:
            await self.write(lambda store, record=record: store.sources.put(record))

    async def write(self, work: Callable[..., object]) -> None:
        def whole(store: SqliteStore) -> None:
            with store.write():
                work(store)

        await self.thread(whole)  # type: ignore[arg-type]

    async def on(self, day: float) -> list[Collected]:
        """What is read when it is due then."""
        now = NOW + day * DAY
        due = await self.thread(lambda store: store.sources.due(now))
        return await collect(due, self.open, self.thread, clock=lambda: now)

    async def record(self, name: str = "feed") -> SourceRecord:
        found = await self.thread(lambda store: store.sources.get(name))
        assert found is not None
        return found

    def open(self, record: SourceRecord) -> Source:
        return open_source(record.kind, record.url, http=self._http, name=record.name)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    thread = StoreThread(lambda: SqliteStore(tmp_path / "collect.db"))
    allowed = ["127.0.0.0/8"]
    async with Http(allow_networks=allowed, turns=Turns(timedelta(0)), ssl_context=AUTHORITIES) as http:
        yield House(thread, http)
    await thread.close()


async def test_a_lasting_redirect_is_stored_when_it_has_lasted(web: WebServer, house: House) -> None:
    web.redirect("/old", "/new", status=301)
    web.answer("/new", body=FEED)
    await house.add(source(url=web.url("/old")))
    for day in (0, 1, 2):
        await house.on(day)
    assert (await house.record()).url == web.url("/old")
    await house.on(3)
    moved = await house.record()
    assert (moved.url, moved.moved_from) == (web.url("/new"), web.url("/old"))
    await house.on(4)
    assert web.requests[-1].path == web.requests[-2].path == "/new"


async def test_a_redirect_of_the_moment_is_never_stored(web: WebServer, house: House) -> None:
    web.redirect("/old", "/new", status=302)
    web.answer("/new", body=FEED)
    await house.add(source(url=web.url("/old")))
    for day in range(6):
        await house.on(day)
    assert (await house.record()).moving is None


async def test_404_for_three_days_pauses_and_one_answer_starts_anew(web: WebServer, house: House) -> None:
    await house.add(source(url=web.url("/feed")))
    web.answer("/feed", Answer(status=404), Answer(body=FEED), Answer(status=404))
    for day in (0, 2, 4, 6):
        await house.on(day)
    assert (await house.record()).paused_at is None
    (last,) = await house.on(7)
    assert last.error is not None
    paused = await house.record()
    assert paused.paused_at == NOW + 7 * DAY
    assert paused.paused_reason is not None
    assert "Missing since" in paused.paused_reason
    assert await house.on(30) == []


async def test_410_pauses_at_once_and_nothing_asks_again(web: WebServer, house: House) -> None:
    web.answer("/feed", status=410)
    await house.add(source(url=web.url("/feed")))
    await house.on(0)
    assert "gone for good" in str((await house.record()).paused_reason)
    await house.on(9)
    assert len(web.requests) == 1


async def test_a_server_that_is_away_for_long_is_asked_on(web: WebServer, house: House) -> None:
    web.answer("/feed", status=500)
    await house.add(source(url=web.url("/feed")))
    for day in range(20):
        await house.on(day)
    assert (await house.record()).paused_at is None
    assert len(web.requests) == 20


async def test_a_source_paused_or_removed_while_it_answers_stays_so(web: WebServer, house: House) -> None:
    def meanwhile(request: Request) -> Answer:
        loops.append(request.path)
        return Answer(body=FEED)

    loops: list[str] = []
    web.answer("/paused", meanwhile)
    web.answer("/removed", meanwhile)
    records = [source(name, url=web.url(f"/{name}")) for name in ("paused", "removed")]
    await house.add(*records)
    due = await house.thread(lambda store: store.sources.due(NOW))
    await house.write(lambda store: store.sources.put(source("paused", url=web.url("/paused"), paused_at=NOW)))
    await house.write(lambda store: store.sources.remove("removed"))
    await collect(due, house.open, house.thread, clock=lambda: NOW)
    assert sorted(loops) == ["/paused", "/removed"]
    assert (await house.record("paused")).paused_at == NOW
    assert await house.thread(lambda store: store.sources.get("removed")) is None


async def test_what_another_source_had_before_is_news_of_this_one_all_the_same(web: WebServer, house: House) -> None:
    web.answer("/a", body=FEED)
    web.answer("/b", body=FEED)
    await house.add(source("a", url=web.url("/a")), source("b", url=web.url("/b"), next_fetch_at=NOW + DAY))
    await house.on(0)
    (a, b) = await house.on(1)
    assert (a.counts.new, b.counts.new) == (0, 0)
    assert (await house.record("a")).last_new_at == NOW
    assert (await house.record("b")).last_new_at == NOW + DAY
    news = await house.thread(lambda store: store.sources.news())
    assert news == {"a": (News(at=NOW, brought=1),), "b": (News(at=NOW + DAY, brought=1),)}


async def test_a_long_answer_is_kept_in_slices_and_each_paper_counted_once(web: WebServer, house: House) -> None:
    items = [f"<item><title>T{n}</title><guid>g{n}</guid></item>" for n in range(2_500)]
    web.answer("/feed", body=rss(*items, *items[:3]), headers={"Content-Type": "application/rss+xml"})
    await house.add(source(url=web.url("/feed")))
    (done,) = await house.on(0)
    assert (done.counts.new, done.counts.unchanged) == (2_500, 0)
    news = await house.thread(lambda store: store.sources.news())
    assert [each.brought for each in news["feed"]] == [2_500]


async def test_what_came_while_another_papers_alert_was_planned_is_alerted_too(house: House, web: WebServer) -> None:
    await house.add(source(name="feed", url=web.url("/feed")))
    web.answer("/feed", body=FEED, headers={"Content-Type": "application/rss+xml"})
    await house.on(0)
    later = rss("<item><title>B</title><guid>https://lab.example.org/b</guid></item>")
    web.answer("/feed", body=later, headers={"Content-Type": "application/rss+xml"})

    def people(store: SqliteStore) -> None:
        store.subscribers.add(subscriber())
        store.subscriptions.put(subscription(cadence=Cadence(every=Every.INSTANT), next_due_at=NOW))
        store.rules.put([rule("*")], actor="t", via="cli", now=NOW)

    await house.write(people)
    times = iter([NOW + DAY, NOW + DAY + SECOND * 9])

    def clock() -> datetime:
        return next(times)

    due = await house.thread(lambda store: store.sources.due(NOW + DAY))
    # Another source brought a paper in the meantime, and it was planned.
    await house.thread(lambda store: absorb(store, [sighting(1)], source="other", baseline=False, now=NOW + DAY))
    await house.thread(lambda store: plan(store, RuleSet(), look_back=7 * DAY, now=NOW + DAY + SECOND * 5))
    await collect(due, house.open, house.thread, clock=clock)
    plans = await house.thread(lambda store: plan(store, RuleSet(), look_back=7 * DAY, now=NOW + DAY + SECOND * 20))
    assert (plans.deliveries, plans.entries) == (1, 1)
