"""Group commit: who waits together is written together, and nobody is told before it is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from notifier.errors import StoreError
from notifier.model import DeliveryState, Outcome, Start
from notifier.recording import Recorder
from tests.builders import NOW


class Book:
    """The store's side: each commit waits until it is let go, and can fail."""

    def __init__(self) -> None:
        self.commits: list[Sequence[Start | Outcome]] = []
        self.go = asyncio.Semaphore(0)
        self.error: Exception | None = None

    async def __call__(self, work: Callable[..., Any]) -> Any:
        self.commits.append(work.words)  # type: ignore[attr-defined]
        await self.go.acquire()
        if self.error:
            raise self.error
        return frozenset((word.delivery_id, isinstance(word, Start)) for word in self.commits[-1])


def start(number: int) -> Start:
    return Start(delivery_id=f"d_{number}", fence=1, at=NOW, lease_until=NOW, accepted=(), message=None)


def end(number: int) -> Outcome:
    return Outcome(delivery_id=f"d_{number}", fence=1, state=DeliveryState.SENT, at=NOW)


async def test_what_comes_while_a_commit_is_under_way_is_one_commit() -> None:
    book = Book()
    recorder = Recorder(book)
    waiting = [recorder.begin(start(0))]
    await asyncio.sleep(0)
    waiting += [recorder.begin(start(1)), recorder.finish(end(0)), recorder.begin(start(2))]
    assert not any(each.done() for each in waiting)
    book.go.release()
    assert await waiting[0] and not waiting[1].done()
    book.go.release()
    assert all(await asyncio.gather(*waiting))
    assert [len(words) for words in book.commits] == [1, 3]


async def test_a_commit_that_fails_is_told_to_all_who_waited_for_it_and_the_next_one_goes_on() -> None:
    book = Book()
    recorder = Recorder(book)
    book.error = StoreError("The disk is full.")
    waiting = [recorder.begin(start(0)), recorder.finish(end(1))]
    book.go.release()
    assert [type(each) for each in await asyncio.gather(*waiting, return_exceptions=True)] == [StoreError] * 2
    book.error = None
    book.go.release()
    assert await recorder.begin(start(2))


async def test_who_gives_up_waiting_does_not_stop_the_others() -> None:
    book = Book()
    recorder = Recorder(book)
    gone, stays = recorder.begin(start(0)), recorder.begin(start(1))
    gone.cancel()
    book.go.release()
    assert await stays
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_words_gather_until_all_who_work_wait_for_them() -> None:
    book = Book()
    recorder = Recorder(book)
    with recorder.working(), recorder.working(), recorder.working():
        waiting = [recorder.begin(start(0))]
        await asyncio.sleep(0)
        waiting += [recorder.finish(end(9)), recorder.begin(start(1))]
        await asyncio.sleep(0)
        assert not book.commits
        waiting += [recorder.begin(start(2))]
        book.go.release()
        assert all(await asyncio.gather(*waiting))
    assert [len(words) for words in book.commits] == [4]


async def test_nobody_waits_for_one_who_has_gone() -> None:
    book = Book()
    recorder = Recorder(book)
    with recorder.working():
        with recorder.working():
            waiting = recorder.begin(start(0))
            await asyncio.sleep(0)
            assert not book.commits
        book.go.release()
        assert await waiting


async def test_outcomes_of_half_of_those_who_work_are_worth_a_commit() -> None:
    book = Book()
    recorder = Recorder(book)
    book.go.release()
    with recorder.working(), recorder.working(), recorder.working(), recorder.working():
        waiting = [recorder.finish(end(0))]
        await asyncio.sleep(0)
        assert not book.commits
        waiting += [recorder.finish(end(1))]
        assert all(await asyncio.gather(*waiting))
    assert [len(words) for words in book.commits] == [2]


async def test_a_lone_outcome_is_written_although_others_are_still_at_work() -> None:
    book = Book()
    recorder = Recorder(book)
    book.go.release()
    with recorder.working(), recorder.working(), recorder.working():
        assert await recorder.finish(end(0))
