"""Gaps from being found to a digest that says late, with the real store, engine and services of our own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from notifier.catchup import backfill, catch_up
from notifier.collect import Collected, absorb, collect
from notifier.errors import SourceError
from notifier.model import Gap, GapReason, SourceRecord
from notifier.ports import Archive
from notifier.sources import Http, open_source
from notifier.store import SqliteStore, StoreThread
from tests.builders import sighting, source
from tests.fake_time import FakeTime
from tests.servers.arxiv import ArxivServer, Paper

TUESDAY = datetime(2025, 12, 2, 15, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def arxiv() -> Iterator[ArxivServer]:
    with ArxivServer() as server:
        yield server


class Place:
    """A database and a client, and what one pass over one source does with them."""

    def __init__(self, server: ArxivServer, file: Path) -> None:
        self.url = f"arxiv:cs.CL@{server.mirror}"
        self.in_store = StoreThread(lambda: SqliteStore(file))
        time = FakeTime()
        self.http = Http(allow_networks=["127.0.0.0/8"], paces=time.paces(), turns=time.turns())

    async def start(self) -> None:
        record = source("arxiv", kind="arxiv", url=self.url)

        def put(store: SqliteStore) -> None:
            with store.write():
                store.sources.put(record)

        await self.in_store(put)  # type: ignore[arg-type]

    async def record(self) -> SourceRecord:
        found = await self.in_store(lambda store: store.sources.get("arxiv"))
        assert found is not None
        return found

    def open(self, record: SourceRecord) -> Archive:
        opened = open_source(record.kind, record.url, http=self.http, name=record.name)
        assert isinstance(opened, Archive)
        return opened

    async def fetch(self, now: datetime) -> Collected:
        (collected,) = await collect([await self.record()], self.open, self.in_store, clock=lambda: now)
        return collected

    async def catch_up(self, now: datetime, budget: int = 12) -> list[Gap]:
        record = await self.record()
        return await catch_up(record, self.open(record), self.in_store, now=now, budget=budget)

    async def gaps(self) -> list[Gap]:
        return await self.in_store(lambda store: store.gaps.all("arxiv"))

    async def news(self, now: datetime) -> list[str]:
        window = await self.in_store(lambda store: store.entries.window(now - 30 * DAY, now))
        return sorted(entry.id for entry in window)

    async def late(self) -> frozenset[str]:
        ids = [f"arxiv:2512.{number:05}" for number in range(100)]
        return await self.in_store(lambda store: store.gaps.late(ids))


@pytest.fixture
async def place(arxiv: ArxivServer, tmp_path: Path):  # type: ignore[no-untyped-def]
    place = Place(arxiv, tmp_path / "n.db")
    async with place.http:
        await place.start()
        yield place
    await place.in_store.close()


def paper(number: int, day: int, **fields: object) -> Paper:
    return Paper(id=f"2512.{number:05}", created=datetime(2025, 12, day, 15, tzinfo=UTC), **fields)  # type: ignore[arg-type]


async def test_a_missed_evening_is_recorded_with_the_answer_and_closed_from_the_api(
    arxiv: ArxivServer, place: Place
) -> None:
    arxiv.shown = [paper(1, 1)]
    arxiv.archive = [paper(1, 1), paper(2, 2), paper(3, 3)]
    await place.fetch(TUESDAY)
    arxiv.shown = [paper(3, 3)]
    thursday = TUESDAY + 2 * DAY
    await place.fetch(thursday)
    (gap,) = await place.gaps()
    assert (f"{gap.first}", f"{gap.last}", gap.reason, gap.closed_at) == ("2025-12-02",) * 2 + (GapReason.MISSED, None)
    (closed,) = await place.catch_up(thursday)
    assert (closed.closed_at, closed.how, closed.brought) == (thursday, "api", 1)
    assert await place.news(thursday) == ["arxiv:2512.00001", "arxiv:2512.00002", "arxiv:2512.00003"]
    assert await place.late() == {"arxiv:2512.00002"}
    assert await place.catch_up(thursday) == []


async def test_a_longer_gap_is_closed_by_oai_over_several_passes(arxiv: ArxivServer, place: Place) -> None:
    await place.fetch(TUESDAY)
    arxiv.archive = [paper(number, 3) for number in range(1, 10)]
    arxiv.archive.append(Paper(id="2401.00001", created=TUESDAY - 300 * DAY, updated=TUESDAY + DAY, version=2))
    friday = TUESDAY + 3 * DAY
    await place.fetch(friday)
    (gap,) = await place.catch_up(friday, budget=8)
    assert (gap.closed_at, gap.brought) == (None, 4)
    assert (await place.record()).next_fetch_at == friday + timedelta(minutes=5)
    (gap,) = await place.catch_up(friday + timedelta(hours=1))
    assert (gap.how, gap.brought) == ("oai", 10)
    # The old paper's new version is stored, but is no news.
    assert len(await place.news(friday + DAY)) == 9
    assert len(await place.late()) == 9


async def test_days_on_which_the_source_failed_are_told_apart_from_days_nobody_asked(
    arxiv: ArxivServer, place: Place
) -> None:
    await place.fetch(TUESDAY)
    arxiv.page = b"<html>Maintenance</html>"
    assert (await place.fetch(TUESDAY + DAY)).error
    arxiv.page = None
    await place.fetch(TUESDAY + 2 * DAY)
    assert [gap.reason for gap in await place.gaps()] == [GapReason.FAILED]


async def test_a_gap_whose_archive_does_not_answer_stays_open_with_the_reason_and_goes_on_later(
    arxiv: ArxivServer, place: Place
) -> None:
    await place.fetch(TUESDAY)
    await place.fetch(TUESDAY + 2 * DAY)
    arxiv.archive = [paper(1, 2)]
    arxiv.page = b"<html>Maintenance</html>"
    (gap,) = await place.catch_up(TUESDAY + 2 * DAY)
    assert gap.closed_at is None
    assert "no list of papers" in (gap.last_error or "")
    arxiv.page = None
    (gap,) = await place.catch_up(TUESDAY + 3 * DAY)
    assert (gap.closed_at, gap.last_error, gap.brought) == (TUESDAY + 3 * DAY, None, 1)


async def test_what_was_beyond_the_cap_comes_in_the_same_pass_and_is_not_late(arxiv: ArxivServer, place: Place) -> None:
    arxiv.archive = [paper(number, 1, abstract="") for number in range(1, 2_004)]
    arxiv.shown = arxiv.archive
    await place.fetch(TUESDAY)
    (gap,) = await place.catch_up(TUESDAY)
    assert (gap.reason, gap.brought, await place.late()) == (GapReason.CAP, 3, frozenset())
    # The same evening shows as many items at every fetch: it is one gap.
    await place.fetch(TUESDAY + timedelta(hours=1))
    assert len(await place.gaps()) == 1


async def test_a_paper_that_another_source_showed_in_time_is_not_late(arxiv: ArxivServer, place: Place) -> None:
    await place.fetch(TUESDAY)
    seen = sighting(2, sources=("huggingface",))

    def other(store: SqliteStore) -> None:
        absorb(store, [seen], source="huggingface", baseline=False, now=TUESDAY + DAY)

    await place.in_store(other)  # type: ignore[arg-type]
    arxiv.archive = [paper(2, 2)]
    await place.fetch(TUESDAY + 2 * DAY)
    (gap,) = await place.catch_up(TUESDAY + 2 * DAY)
    assert (gap.closed_at is not None, await place.late()) == (True, frozenset())


async def test_a_backfill_is_stored_and_searchable_but_is_no_news(arxiv: ArxivServer, place: Place) -> None:
    arxiv.archive = [paper(number, 1) for number in range(1, 4)]
    record = await place.record()
    days = {"first": TUESDAY.date() - DAY, "last": TUESDAY.date() - DAY}
    gap = await backfill(record, place.open(record), place.in_store, **days, is_news=False, now=TUESDAY)
    assert (gap.brought, await place.news(TUESDAY), await place.late()) == (3, [], frozenset())
    again = await backfill(record, place.open(record), place.in_store, **days, is_news=False, now=TUESDAY)
    assert (again.id, again.brought) == (gap.id, 0)
    await backfill(record, place.open(record), place.in_store, **days, is_news=True, now=TUESDAY)
    assert len(await place.gaps()) == 2


async def test_a_backfill_that_was_cut_short_goes_on_with_the_page_it_lacks(arxiv: ArxivServer, place: Place) -> None:
    arxiv.archive = [paper(number, number) for number in range(1, 5)]
    record = await place.record()
    first, last = TUESDAY.date() - DAY, TUESDAY.date() + 2 * DAY
    shares: list[float] = []

    def progress(share: float) -> None:
        shares.append(share)
        if share == 0.5:
            arxiv.page = b"<html>"

    with pytest.raises(SourceError):
        await backfill(
            record, place.open(record), place.in_store,
            first=first, last=last, is_news=False, now=TUESDAY, progress=progress,
        )  # fmt: skip
    arxiv.page = None
    before = len(arxiv.requests)
    gap = await backfill(
        record, place.open(record), place.in_store, first=first, last=last, is_news=False, now=TUESDAY + DAY
    )
    assert (gap.brought, len(arxiv.requests) - before, shares) == (4, 2, [0.25, 0.5])
    # A backfill goes on when a person says so, never by itself.
    assert await place.in_store(lambda store: store.gaps.open("arxiv")) == []
