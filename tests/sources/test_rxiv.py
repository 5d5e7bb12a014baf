"""bioRxiv and medRxiv: days in pages of rows, versions, journals' DOIs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from notifier.errors import SourceError
from notifier.model import Announce, Fetched, Gap, GapReason, SourceState
from notifier.sources import Http
from notifier.sources.rxiv import Rxiv
from tests.fake_time import FakeTime
from tests.servers.rxiv import RxivServer, row

NOW = datetime(2025, 12, 3, 12, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[RxivServer]:
    with RxivServer() as server:
        yield server


def source(server: RxivServer, http: Http, name: str = "biorxiv") -> Rxiv:
    return Rxiv(f"{name}@{server.mirror}", http=http, name=name, server=name)


async def fetch(server: RxivServer, http: Http, state: SourceState | None = None, now: datetime = NOW) -> Fetched:
    return await source(server, http).fetch(state or SourceState(), now=now)


async def test_a_preprint_is_read_whole(server: RxivServer, http: Http) -> None:
    server.rows = [row(published="10.1000/Walk")]
    (found,) = (await fetch(server, http)).sightings
    entry = found.entry
    page = "https://www.biorxiv.org/content/10.1101/2025.11.30.000001v1"
    key = page.replace("www.", "")
    assert found.keys == ("doi:10.1101/2025.11.30.000001", "doi:10.1000/walk", key)
    assert (entry.title, entry.abstract) == ("Cells & walking robots", "Cells walk. p < 0.05.")
    assert (entry.authors, entry.categories) == (("Lovelace, A.", "Bolyai, J."), ("neuroscience",))
    assert (entry.url, entry.pdf_url, entry.version) == (page, f"{page}.full.pdf", 1)
    assert (entry.published_at, found.announce) == (datetime(2025, 12, 1, tzinfo=UTC), Announce.NEW)
    assert '"institution":"Univ. of A"' in entry.extra


async def test_the_last_three_days_are_read_again_and_those_since_the_last_answer(
    server: RxivServer, http: Http
) -> None:
    await fetch(server, http)
    await source(server, http, "medrxiv").fetch(SourceState(cursor="2025-11-28"), now=NOW)
    assert [request.path for request in server.requests] == [
        "/details/biorxiv/2025-12-01/2025-12-03/0/json",
        "/details/medrxiv/2025-11-28/2025-12-03/0/json",
    ]


@pytest.mark.parametrize("tells_total", [True, False])
async def test_pages_advance_by_the_rows_received(server: RxivServer, http: Http, tells_total: bool) -> None:
    server.rows = [row(number) for number in range(1, 72)]
    server.tells_total = tells_total
    assert len((await fetch(server, http)).sightings) == 71
    starts = [request.path.split("/")[5] for request in server.requests]
    assert starts == (["0", "30", "60"] if tells_total else ["0", "30", "60", "71"])


async def test_requests_are_a_second_apart(server: RxivServer, http: Http, time: FakeTime) -> None:
    server.rows = [row(number) for number in range(1, 72)]
    start = time.now
    await fetch(server, http)
    assert time.now - start == timedelta(seconds=2)


async def test_a_later_version_is_a_replacement_and_comes_behind_the_first(server: RxivServer, http: Http) -> None:
    server.rows = [row(1, version=2, day="2025-12-02"), row(1, version=1), row(2, version=3)]
    found = (await fetch(server, http)).sightings
    assert [(each.entry.version, each.announce) for each in found] == [(1, "new"), (2, "replace"), (3, "replace")]
    assert found[1].entry.published_at is None


async def test_equal_answers_are_unchanged(server: RxivServer, http: Http) -> None:
    server.rows = [row()]
    first = await fetch(server, http)
    assert not first.unchanged
    assert (await fetch(server, http, first.state)).unchanged


async def test_after_a_long_pause_the_older_days_are_a_gap_that_its_pages_close(server: RxivServer, http: Http) -> None:
    server.rows = [row(number, day="2025-11-10") for number in range(1, 41)]
    fetched = await fetch(server, http, SourceState(cursor="2025-11-08"))
    (missed,) = fetched.missed
    assert (missed.first, missed.last) == (date(2025, 11, 8), date(2025, 11, 23))
    gap = Gap(id="g", source="biorxiv", first=missed.first, last=missed.last, reason=GapReason.MISSED, found_at=NOW)
    first = await source(server, http).page(gap, now=NOW)
    second = await source(server, http).page(replace(gap, cursor=first.cursor), now=NOW)
    assert (len(first.sightings), first.share, len(second.sightings), second.cursor) == (30, 0.75, 10, None)


async def test_rows_that_cannot_be_used_are_told_and_the_others_kept(server: RxivServer, http: Http) -> None:
    server.rows = [
        row(1),
        row(2, doi="no doi"),
        row(3, title=" "),
        row(4, version="many", abstract=None, date="2025-12-01"),
    ]
    fetched = await fetch(server, http)
    assert [each.entry.version for each in fetched.sightings] == [1, 1]
    assert [each.line for each in fetched.rejected] == [2, 3]


@pytest.mark.parametrize(
    ("page", "words"), [(b"<html>", "not JSON"), (b"[]", "lists no preprints"), (b'{"collection": 1}', "no preprints")]
)
async def test_an_answer_that_is_none_is_a_failure(server: RxivServer, http: Http, page: bytes, words: str) -> None:
    server.page = page
    with pytest.raises(SourceError, match=words):
        await fetch(server, http)


async def test_after_a_429_both_are_left_alone(server: RxivServer, http: Http) -> None:
    server.refusals = 1
    with pytest.raises(SourceError, match="fewer requests"):
        await fetch(server, http)
    with pytest.raises(SourceError, match="left alone"):
        await source(server, http, "medrxiv").fetch(SourceState(), now=NOW)
    assert len(server.requests) == 1
