"""Daily Papers against a server that pages and refuses as the real one does."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notifier.errors import SourceError
from notifier.model import Entry, SourceState
from notifier.sources import Http, open_source
from notifier.sources.huggingface import DailyPapers, Trending
from tests.servers.web import Answer, Request, WebServer
from tests.sources.samples import paper, papers

NOW = datetime(2025, 12, 2, 9, 30, tzinfo=UTC)


def api(days: Mapping[str, list[dict[str, Any]]], today: str = "2025-12-02") -> Callable[[Request], Answer]:
    def answer(request: Request) -> Answer:
        day, page, limit = request.query["date"], int(request.query["p"]), int(request.query["limit"])
        if day > today or limit > 100:
            return Answer(status=400, body=b'{"error":"Invalid"}')
        body = papers(*days.get(day, [])[page * limit : (page + 1) * limit])
        return Answer(headers={"Content-Type": "application/json"}, body=body)

    return answer


def source(web: WebServer, http: Http) -> DailyPapers:
    return DailyPapers(web.url("/api/daily_papers"), http=http)


async def entry_of(web: WebServer, http: Http, **fields: Any) -> Entry:
    web.answer("/api/daily_papers", api({"2025-12-02": [paper(**fields)]}))
    (only,) = (await source(web, http).fetch(SourceState(), now=NOW)).sightings
    return only.entry


async def test_every_field_of_a_paper_is_kept(web: WebServer, http: Http) -> None:
    entry = await entry_of(web, http, mediaUrls=["https://cdn.example.org/v.mp4"])
    assert entry == Entry(
        id="arxiv:2512.01234",
        title="A Walking Robot That Plans",
        abstract="We plan and walk.",
        authors=("Ada Lovelace", "J Bolyai"),
        organization="Example Labs",
        keywords=("planning", "walking"),
        published_at=datetime(2025, 11, 30, 18, 59, tzinfo=UTC),
        url="https://arxiv.org/abs/2512.01234",
        pdf_url="https://arxiv.org/pdf/2512.01234",
        code_url="https://github.com/example/walk",
        project_url="https://walk.example.org/",
        thumbnail="https://cdn.example.org/t.png",
        upvotes=0,
        comments=2,
        stars=31,
        extra=entry.extra,
        sources=("huggingface",),
    )
    assert json.loads(entry.extra) == {
        "ai_summary": "A robot walks.",
        "author_participates": True,
        "discussion_id": "abc123",
        "huggingface_url": "https://huggingface.co/papers/2512.01234",
        "list_day": "2025-12-02",
        "media_urls": ["https://cdn.example.org/v.mp4"],
        "organization_avatar": "https://cdn.example.org/a.png",
        "organization_name": "ex",
        "submitted_by": "Sub Mitter",
    }


async def test_optional_fields_may_all_be_absent(web: WebServer, http: Http) -> None:
    absent = ("ai_summary", "ai_keywords", "projectPage", "githubRepo", "githubStars", "organization", "thumbnail")
    more = ("submittedOnDailyAt", "discussionId", "numComments", "submittedBy", "authors", "publishedAt", "upvotes")
    entry = await entry_of(web, http, **dict.fromkeys((*absent, *more)))
    assert (entry.upvotes, entry.comments, entry.stars, entry.organization, entry.authors) == (None,) * 4 + ((),)


async def test_fields_of_a_wrong_type_are_left_out(web: WebServer, http: Http) -> None:
    entry = await entry_of(
        web, http, upvotes="many", authors="Ada", ai_keywords=[1], organization="x", githubRepo="javascript:alert(1)"
    )
    assert (entry.upvotes, entry.authors, entry.keywords, entry.organization, entry.code_url) == (
        None,
        (),
        (),
        None,
        None,
    )


async def test_the_organization_may_stand_outside(web: WebServer, http: Http) -> None:
    item = paper(organization=None) | {"organization": {"name": "outer"}}
    web.answer("/api/daily_papers", api({"2025-12-02": [item]}))
    (only,) = (await source(web, http).fetch(SourceState(), now=NOW)).sightings
    assert only.entry.organization == "outer"


async def test_a_withdrawn_paper_is_dropped(web: WebServer, http: Http) -> None:
    web.answer("/api/daily_papers", api({"2025-12-02": [paper(withdrawnAt="2025-12-02"), paper("2512.00002")]}))
    fetched = await source(web, http).fetch(SourceState(), now=NOW)
    assert [each.keys[0] for each in fetched.sightings] == ["arxiv:2512.00002"]
    assert fetched.rejected == ()


async def test_an_item_without_a_paper_is_reported_and_the_others_go_in(web: WebServer, http: Http) -> None:
    web.answer("/api/daily_papers", api({"2025-12-02": [{}, paper(), paper("", title="x")]}))
    fetched = await source(web, http).fetch(SourceState(), now=NOW)
    assert len(fetched.sightings) == 1
    assert [each.line for each in fetched.rejected] == [1, 3]


async def test_the_last_three_days_are_read_with_all_their_pages(web: WebServer, http: Http) -> None:
    many = [paper(f"2512.{n:05}") for n in range(1, 231)]
    days = {"2025-11-30": [paper("2511.00001")], "2025-12-01": many, "2025-11-29": [paper("2511.00009")]}
    web.answer("/api/daily_papers", api(days))
    fetched = await source(web, http).fetch(SourceState(), now=NOW)
    assert len(fetched.sightings) == 231
    asked = [(each.query["date"], each.query["p"]) for each in web.requests]
    assert asked == [("2025-11-30", "0"), *[("2025-12-01", str(p)) for p in range(3)], ("2025-12-02", "0")]


@pytest.mark.parametrize(("cursor", "days"), [(None, 3), ("2025-12-02", 3), ("2025-12-01", 7), ("2025-11-20", 13)])
async def test_once_a_day_the_whole_week_is_read_again(
    web: WebServer, http: Http, cursor: str | None, days: int
) -> None:
    web.answer("/api/daily_papers", api({}))
    await source(web, http).fetch(SourceState(cursor=cursor), now=NOW)
    assert len(web.requests) == days


async def test_a_day_of_exactly_one_full_page_is_followed_by_an_empty_one(web: WebServer, http: Http) -> None:
    web.answer("/api/daily_papers", api({"2025-12-02": [paper(f"2512.{n:05}") for n in range(1, 101)]}))
    assert len((await source(web, http).fetch(SourceState(), now=NOW)).sightings) == 100


async def test_the_day_is_that_of_utc(web: WebServer, http: Http) -> None:
    web.answer("/api/daily_papers", api({}))
    tokyo = datetime.fromisoformat("2025-12-03T03:00:00+09:00")
    await source(web, http).fetch(SourceState(), now=tokyo)
    assert web.requests[-1].query["date"] == "2025-12-02"


async def test_days_missed_while_nothing_ran_are_read_as_well(web: WebServer, http: Http) -> None:
    web.answer("/api/daily_papers", api({"2025-11-25": [paper()]}))
    fetched = await source(web, http).fetch(SourceState(cursor="2025-11-25"), now=NOW)
    assert len(fetched.sightings) == 1
    assert fetched.state.cursor == "2025-12-02"
    assert len(web.requests) == 8


async def test_a_weekend_is_legitimately_empty(web: WebServer, http: Http) -> None:
    web.answer("/api/daily_papers", api({}))
    fetched = await source(web, http).fetch(SourceState(), now=NOW)
    assert fetched.sightings == ()
    assert not fetched.unchanged


async def test_votes_that_grew_are_an_update_and_equal_answers_are_unchanged(web: WebServer, http: Http) -> None:
    hf = source(web, http)
    web.answer("/api/daily_papers", api({"2025-12-02": [paper(upvotes=3)]}))
    first = await hf.fetch(SourceState(), now=NOW)
    again = await hf.fetch(first.state, now=NOW + timedelta(hours=1))
    assert again.unchanged
    assert again.sightings == ()
    web.answer("/api/daily_papers", api({"2025-12-02": [paper(upvotes=4)]}))
    grown = await hf.fetch(again.state, now=NOW + timedelta(hours=2))
    assert [each.entry.upvotes for each in grown.sightings] == [4]


async def test_a_clock_ahead_of_theirs_still_reads_the_days_they_know(web: WebServer, http: Http) -> None:
    web.answer("/api/daily_papers", api({"2025-12-01": [paper()]}, today="2025-12-01"))
    assert len((await source(web, http).fetch(SourceState(), now=NOW)).sightings) == 1


@pytest.mark.parametrize("body", [b"", b"<html>login</html>", b'{"error": "no"}', b"[" * 100_000, b"\xff"])
async def test_an_answer_that_is_no_list_is_a_failure(web: WebServer, http: Http, body: bytes) -> None:
    web.answer("/api/daily_papers", body=body)
    with pytest.raises(SourceError, match=r"127\.0\.0\.1"):
        await source(web, http).fetch(SourceState(), now=NOW)


async def test_its_rate_limit_is_kept(web: WebServer, http: Http) -> None:
    web.answer("/api/daily_papers", status=429, headers={"RateLimit": '"api";r=0;t=171'})
    with pytest.raises(SourceError) as caught:
        await source(web, http).fetch(SourceState(), now=NOW)
    assert caught.value.retry_after == timedelta(seconds=171)


def test_its_first_fetch_is_news(http: Http) -> None:
    assert open_source("huggingface", "huggingface", http=http, name="huggingface").takes_baseline is False


async def test_trending_is_read_as_the_page_shows_it_and_its_order_alone_is_no_change(
    web: WebServer, http: Http
) -> None:
    trending = Trending(web.url("/api/daily_papers"), http=http)
    items = [paper(f"2511.{n:05}", submittedOnDailyAt="2025-11-01T00:00:00.000Z") for n in range(1, 4)]
    web.answer("/api/daily_papers", Answer(body=papers(*items)), Answer(body=papers(*reversed(items))))
    first = await trending.fetch(SourceState(), now=NOW)
    assert [each.entry.sources for each in first.sightings] == [("huggingface-trending",)] * 3
    assert web.requests[0].query == {"sort": "trending", "p": "0", "limit": "50"}
    assert (await trending.fetch(first.state, now=NOW)).unchanged


async def test_no_trending_paper_at_all_is_a_failure(web: WebServer, http: Http) -> None:
    web.answer("/api/daily_papers", body=b"[]")
    with pytest.raises(SourceError, match="no trending papers"):
        await Trending(web.url("/api/daily_papers"), http=http).fetch(SourceState(), now=NOW)


def test_its_first_look_at_what_trends_is_no_news(http: Http) -> None:
    for given in ("huggingface:trending", "https://huggingface.co/papers/trending"):
        assert isinstance(open_source("huggingface", given, http=http, name="x"), Trending)
    assert Trending(http=http).takes_baseline
