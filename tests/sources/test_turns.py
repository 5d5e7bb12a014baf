"""Turns at a host, on a clock of the tests' own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from notifier.errors import SourceError
from notifier.sources.turns import Turns


class Time:
    """Stands still but for those who sleep."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> Awaitable[None]:
        self.now += seconds
        return asyncio.sleep(0)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def turns(time: Time) -> Turns:
    return Turns(timedelta(seconds=1), clock=time.clock, sleep=time.sleep)


async def starts(turns: Turns, time: Time, *hosts: str) -> list[float]:
    found = []
    for host in hosts:
        async with turns.turn(host):
            found.append(time.now - 100)
    return found


async def test_one_host_is_asked_once_a_second_and_others_at_once(turns: Turns, time: Time) -> None:
    assert await starts(turns, time, "a.org", "b.org", "a.org", "a.org", "b.org") == [0, 0, 1, 2, 2]


async def test_time_that_has_passed_by_itself_is_not_waited_for_again(turns: Turns, time: Time) -> None:
    await starts(turns, time, "a.org")
    time.now += 5
    assert await starts(turns, time, "a.org") == [5]


async def test_all_hosts_of_arxiv_share_one_turn_each_three_seconds(turns: Turns, time: Time) -> None:
    assert await starts(turns, time, "rss.arxiv.org", "export.arxiv.org", "arxiv.org", "notarxiv.org") == [0, 3, 6, 6]


async def test_at_most_two_requests_to_one_host_are_under_way(turns: Turns) -> None:
    under_way, most = 0, 0

    @asynccontextmanager
    async def counted(host: str) -> AsyncIterator[None]:
        nonlocal under_way, most
        async with turns.turn(host):
            under_way += 1
            most = max(most, under_way)
            yield
            under_way -= 1

    async def ask() -> None:
        async with counted("a.org"):
            for _ in range(5):
                await asyncio.sleep(0)

    await asyncio.gather(*(ask() for _ in range(8)))
    assert most == 2


async def test_a_held_host_is_not_asked_until_it_said_and_others_are(turns: Turns, time: Time) -> None:
    turns.hold("a.org", timedelta(seconds=90))
    turns.hold("a.org", timedelta(seconds=30))
    with pytest.raises(SourceError, match=r"a\.org has asked for fewer requests") as caught:
        await starts(turns, time, "a.org")
    assert caught.value.retry_after == timedelta(seconds=90)
    assert await starts(turns, time, "b.org") == [0]
    time.now += 90
    assert await starts(turns, time, "a.org") == [90]
