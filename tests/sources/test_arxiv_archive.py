"""arXiv's query API and OAI-PMH, page by page."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.errors import SourceError
from notifier.model import Announce, Gap, GapReason, Page, Sighting, SourceState
from notifier.sources import Http, arxiv_api, arxiv_oai, rxiv
from notifier.sources.arxiv import Arxiv
from notifier.sources.arxiv_categories import archive_of
from notifier.sources.http import Reply
from tests.servers.arxiv import ArxivServer, Paper, api_entry, atom, oai, oai_record
from tests.servers.rxiv import row

NOW = datetime(2025, 12, 5, 15, tzinfo=UTC)
MONDAY = date(2025, 12, 1)


def at(day: int, hour: int = 15, month: int = 12) -> datetime:
    return datetime(2025, month, day, hour, tzinfo=UTC)


def gap(first: int = 1, last: int = 1, reason: GapReason = GapReason.MISSED, scope: str = "cs.CL") -> Gap:
    days = MONDAY.replace(day=first), MONDAY.replace(day=last)
    return Gap(id="g_1", source="arxiv", first=days[0], last=days[1], reason=reason, scope=scope, found_at=NOW)


async def pages(server: ArxivServer, http: Http, gap: Gap) -> list[Page]:
    source = Arxiv(f"arxiv:{gap.scope}@{server.mirror}", http=http, name="arxiv")
    found = [await source.page(gap, now=NOW)]
    while found[-1].cursor is not None:
        found.append(await source.page(replace(gap, cursor=found[-1].cursor), now=NOW))
        assert len(found) < 100
    return found


def sightings(pages: list[Page]) -> list[Sighting]:
    return [each for page in pages for each in page.sightings]


async def test_one_evening_comes_from_the_api_by_the_days_its_papers_were_submitted_on(
    arxiv: ArxivServer, http: Http
) -> None:
    arxiv.archive = [
        Paper(id="2512.00001", created=at(1)),
        Paper(id="2512.00002", created=at(28, month=11), categories="stat.ML cs.CL"),
        Paper(id="2512.00003", created=at(26, month=11)),
        Paper(id="2512.00004", created=at(1, hour=20)),
        Paper(id="2512.00005", created=at(1), categories="cs.LG"),
        Paper(id="2511.00006", created=at(20, month=11)),
    ]
    found = await pages(arxiv, http, gap())
    assert {page.how for page in found} == {"api"}
    # The 4th was submitted behind the deadline; the 3rd may have been held back by a moderator.
    assert {each.keys[0]: each.announce for each in sightings(found)} == {
        "arxiv:2512.00001": Announce.NEW,
        "arxiv:2512.00002": Announce.CROSS,
        "arxiv:2512.00003": Announce.NEW,
    }


async def test_several_evenings_come_by_oai_over_resumption_tokens(arxiv: ArxivServer, http: Http) -> None:
    arxiv.archive = [Paper(id=f"2512.{number:05}", created=at(2)) for number in range(1, 6)]
    found = await pages(arxiv, http, gap(1, 3))
    assert ([page.how for page in found], len(sightings(found))) == (["oai"] * 3, 5)
    assert [request.query.get("set") for request in arxiv.requests] == ["cs:cs:CL", None, None]
    assert found[-1].share == 1


async def test_oai_tells_new_papers_from_replacements_and_leaves_out_what_was_only_touched(
    arxiv: ArxivServer, http: Http
) -> None:
    arxiv.archive = [
        Paper(id="2512.00001", created=at(2), categories="cs.CL cs.AI"),
        Paper(id="2512.00002", created=at(2), categories="stat.ML cs.CL"),
        Paper(id="2401.00003", created=at(2).replace(year=2024), updated=at(2)),
        Paper(id="2401.00004", created=at(2).replace(year=2024), changed=at(3)),
        Paper(id="2512.00005", created=at(4, hour=20)),
    ]
    found = sightings(await pages(arxiv, http, gap(1, 3)))
    assert {each.keys[0]: each.announce for each in found} == {
        "arxiv:2512.00001": Announce.NEW,
        "arxiv:2512.00002": Announce.CROSS,
        "arxiv:2401.00003": Announce.REPLACE,
    }
    entry = found[0].entry
    assert (entry.authors, entry.version) == (("Ada Lovelace", "János Bolyai Jr"), 1)
    assert (entry.title, entry.abstract) == ("A Walking Robot That Plans", "We plan where $a<b$ and walk & talk.")
    assert found[2].entry.version is None


async def test_a_token_that_has_run_out_begins_its_set_anew(arxiv: ArxivServer, http: Http) -> None:
    arxiv.archive = [Paper(id=f"2512.{number:05}", created=at(2)) for number in range(1, 6)]
    arxiv.stale_tokens = 1
    found = await pages(arxiv, http, gap(1, 3))
    assert {each.keys[0] for each in sightings(found)} == {f"arxiv:2512.{number:05}" for number in range(1, 6)}


async def test_sets_in_which_nothing_changed_are_no_failure(arxiv: ArxivServer, http: Http) -> None:
    found = await pages(arxiv, http, gap(1, 3, scope="cs.CL+hep-th"))
    assert (sightings(found), len(found)) == ([], 2)
    assert [request.query["set"] for request in arxiv.requests] == ["cs:cs:CL", "physics:hep-th"]


def test_many_categories_of_one_archive_are_asked_for_as_the_archive() -> None:
    assert arxiv_oai.sets(["cs.AI", "cs.CL", "cs.CV", "cs.LG", "math.AG", "q-bio.NC"]) == [
        "cs:cs",
        "math:math:AG",
        "q-bio:q-bio:NC",
    ]
    assert archive_of("astro-ph.CO") == "astro-ph"
    assert arxiv_oai.sets(["astro-ph.CO", "quant-ph"]) == ["physics:astro-ph:CO", "physics:quant-ph"]


async def test_a_backfill_goes_by_days_of_submission_through_the_api(arxiv: ArxivServer, http: Http) -> None:
    arxiv.archive = [Paper(id=f"2512.{number:05}", created=at(number, hour=0)) for number in range(1, 5)]
    found = await pages(arxiv, http, gap(2, 3, GapReason.BACKFILL))
    assert [each.keys[0] for each in sightings(found)] == ["arxiv:2512.00002", "arxiv:2512.00003"]
    assert [page.share for page in found] == [0.5, 1]


async def test_a_long_day_takes_several_pages(arxiv: ArxivServer, http: Http) -> None:
    arxiv.archive = [
        Paper(id=f"2512.{number:05}", created=at(2), abstract="") for number in range(1, 2 * arxiv_api.PAGE + 2)
    ]
    found = await pages(arxiv, http, gap(2, 2, GapReason.BACKFILL))
    assert [len(page.sightings) for page in found] == [arxiv_api.PAGE, arxiv_api.PAGE, 1]


async def test_an_empty_page_where_there_are_papers_is_asked_for_again_and_given_up_in_time(
    arxiv: ArxivServer, http: Http
) -> None:
    arxiv.archive = [Paper(id="2512.00002", created=at(2))]
    arxiv.empty_pages = 2
    assert len(sightings(await pages(arxiv, http, gap(2, 2, GapReason.BACKFILL)))) == 1
    arxiv.empty_pages = 99
    with pytest.raises(SourceError, match="empty pages where there are papers"):
        await pages(arxiv, http, gap(2, 2, GapReason.BACKFILL))


def test_very_many_categories_are_asked_for_in_several_queries() -> None:
    names = [f"cs.{chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(100)]
    asked = arxiv_api.queries(names, at(1), at(2))
    assert len(asked) == 3 and all(len(each) < 1_500 for each in asked)
    assert "cat:cs.* OR cat:hep-th" in arxiv_api.queries(["cs", "hep-th"], at(1), at(2))[0]


ERROR = """<entry><id>http://arxiv.org/api/errors#start_must_be_an_integer</id><title>Error</title>
<summary>start must be an integer</summary></entry>"""


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (atom(ERROR, total=1), "start must be an integer"),
        (b"<html><body>Log in</body></html>", "no list of papers"),
        (b"<feed><entry>", "not whole XML"),
        (b"", "not whole XML"),
        (b"\x00\xff", "not whole XML"),
        (b'<!DOCTYPE feed [<!ENTITY a "aaaa">]><feed>&a;</feed>', "a document type"),
        ("<!DOCTYPE feed [<!ENTITY a 'b'>]><feed/>".encode("utf-16"), "a document type"),
    ],
)
async def test_an_answer_that_is_none_is_a_failure(arxiv: ArxivServer, http: Http, page: bytes, words: str) -> None:
    arxiv.page = page
    with pytest.raises(SourceError, match=words):
        await pages(arxiv, http, gap(2, 2, GapReason.BACKFILL))


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (
            b"<OAI-PMH xmlns='http://www.openarchives.org/OAI/2.0/'><error code='badArgument'>No.</error></OAI-PMH>",
            "badArgument No",
        ),
        (b"<html/>", "no list of records"),
    ],
)
async def test_an_oai_answer_that_is_none_is_a_failure(arxiv: ArxivServer, http: Http, page: bytes, words: str) -> None:
    arxiv.page = page
    with pytest.raises(SourceError, match=words):
        await pages(arxiv, http, gap(1, 3))


def test_what_may_still_come_as_news_is_not_settled(http: Http) -> None:
    source = Arxiv("arxiv:cs.CL", http=http, name="arxiv")
    # On Friday at noon feeds show Thursday's evening, so that only Wednesday's is surely behind us.
    assert source.settled(SourceState(), now=NOW) == date(2025, 12, 2)
    assert source.settled(SourceState(cursor='{"seen": "2025-12-04"}'), now=NOW) == date(2025, 12, 3)


async def test_a_deeply_nested_answer_is_read_in_bounded_time(arxiv: ArxivServer, http: Http) -> None:
    arxiv.page = b"<feed>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</feed>"
    with pytest.raises(SourceError, match="no list of papers"):
        await pages(arxiv, http, gap(2, 2, GapReason.BACKFILL))


BODIES = st.sampled_from(
    [
        atom(api_entry(Paper(id="2512.00001")), api_entry(Paper(id="2512.00002", doi="10.1/x")), total=2),
        oai(f"<ListRecords>{oai_record(Paper(id='2512.00001'))}<resumptionToken>a</resumptionToken></ListRecords>"),
        json.dumps({"messages": [{"total": "2"}], "collection": [row(1), row(2)]}).encode(),
    ]
)


@settings(max_examples=300)
@given(BODIES, st.integers(0, 4_000), st.integers(0, 200), st.binary(max_size=40))
def test_a_damaged_answer_is_read_or_refused_and_nothing_else(body: bytes, at: int, length: int, by: bytes) -> None:
    reply = Reply(status=200, headers={}, body=body[:at] + by + body[at + length :], url="https://arxiv.org/x")
    span = arxiv_oai.Span(first=MONDAY, last=MONDAY, changed=MONDAY)
    readers: list[Callable[[], arxiv_api.Answer | arxiv_oai.Records | rxiv.Rows]] = [
        lambda: arxiv_api.read(reply, scope=["cs.CL"], source="arxiv"),
        lambda: arxiv_oai.read(reply, span, scope=["cs.CL"], source="arxiv"),
        lambda: rxiv.read(reply, "biorxiv", "biorxiv"),
    ]
    for read in readers:
        with suppress(SourceError):
            assert all(each.entry.title and each.keys for each in read().sightings)
