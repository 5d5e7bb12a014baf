"""One pace for each service, kept over requests, errors and processes."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.errors import SourceError
from notifier.sources.pace import LONG_REST, REST, MemoryLedger, Pace
from notifier.store import SqliteStore, StoredLedger, StoreThread
from tests.fake_time import FakeTime

START = FakeTime().now
EVERY = timedelta(seconds=3)


async def turns(pace: Pace, time: FakeTime, number: int) -> list[float]:
    found: list[float] = []
    for _ in range(number):
        async with pace.turn():
            found.append((time.now - START).total_seconds())
    return found


async def test_requests_of_one_service_start_three_seconds_apart() -> None:
    time = FakeTime()
    assert await turns(time.paces().of("arxiv", "arXiv", EVERY), time, 3) == [0, 3, 6]


async def test_two_services_do_not_wait_for_each_other() -> None:
    time = FakeTime()
    paces = time.paces()
    await turns(paces.of("arxiv", "arXiv", EVERY), time, 1)
    assert await turns(paces.of("biorxiv", "bioRxiv", EVERY), time, 1) == [0]


async def test_only_one_request_of_a_service_runs_at_a_time() -> None:
    time, running, most = FakeTime(), 0, 0
    pace = time.paces().of("arxiv", "arXiv", EVERY)

    async def one() -> None:
        nonlocal running, most
        async with pace.turn():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(one() for _ in range(5)))
    assert (most, time.now - START) == (1, 4 * EVERY)


async def test_after_a_429_without_a_time_the_service_is_left_alone_for_ten_minutes_then_an_hour() -> None:
    time = FakeTime()
    pace = time.paces().of("arxiv", "arXiv", EVERY)
    assert (await pace.rest(None)).retry_after == REST
    with pytest.raises(SourceError, match="arXiv has asked for fewer requests: it is left alone until 09:10 UTC"):
        await turns(pace, time, 1)
    time.now += REST
    assert len(await turns(pace, time, 1)) == 1
    assert (await pace.rest(None)).retry_after == LONG_REST
    time.now += LONG_REST + LONG_REST
    assert (await pace.rest(None)).retry_after == REST


async def test_a_time_that_the_server_names_is_kept() -> None:
    pace = FakeTime().paces().of("arxiv", "arXiv", EVERY)
    assert (await pace.rest(timedelta(minutes=2))).retry_after == timedelta(minutes=2)


async def test_two_processes_on_one_database_keep_the_pace_and_the_rest_together(tmp_path: Path) -> None:
    time = FakeTime()
    threads = [StoreThread(lambda: SqliteStore(tmp_path / "n.db")) for _ in range(2)]
    one, other = (time.paces(StoredLedger(thread)).of("arxiv", "arXiv", EVERY) for thread in threads)
    assert await turns(one, time, 1) + await turns(other, time, 1) + await turns(one, time, 1) == [0, 3, 6]
    await one.rest(None)
    with pytest.raises(SourceError, match="left alone"):
        await turns(other, time, 1)
    for thread in threads:
        await thread.close()


async def test_a_turn_written_by_a_clock_that_was_ahead_does_not_stop_anybody(tmp_path: Path) -> None:
    thread = StoreThread(lambda: SqliteStore(tmp_path / "n.db"))
    ahead = FakeTime(START + timedelta(days=300))
    await turns(ahead.paces(StoredLedger(thread)).of("arxiv", "arXiv", EVERY), ahead, 1)
    time = FakeTime()
    assert await turns(time.paces(StoredLedger(thread)).of("arxiv", "arXiv", EVERY), time, 1) == [0]
    await thread.close()


async def test_what_is_remembered_in_memory_is_remembered_as_in_the_database(tmp_path: Path) -> None:
    thread = StoreThread(lambda: SqliteStore(tmp_path / "n.db"))
    for ledger in (MemoryLedger(), StoredLedger(thread)):
        first = await ledger.reserve("a", EVERY, START)
        second = await ledger.reserve("a", EVERY, START)
        assert (first.at, second.at, second.rest_until) == (START, START + EVERY, None)
        await ledger.rest("a", START + REST)
        assert (await ledger.reserve("a", EVERY, START)).rest_until == START + REST
    await thread.close()
