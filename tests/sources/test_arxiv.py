"""arXiv's announcements: one joined feed, what is unseen in it, and what it cannot show any more."""

from datetime import UTC, date, datetime, timedelta

import pytest

from notifier.errors import SourceError
from notifier.model import Announce, Fetched, GapReason, Missed, SourceState
from notifier.sources import Http
from notifier.sources.arxiv import CAP, KIND, Arxiv
from notifier.sources.arxiv_categories import taxonomy, widened
from notifier.sources.arxiv_memory import Memory
from tests.fake_time import FakeTime
from tests.servers.arxiv import ArxivServer, Paper

TUESDAY = datetime(2025, 12, 2, 15, tzinfo=UTC)
"""Noon in the east: the feed shows the evening of Monday 1 December."""
DAY = timedelta(days=1)


def source(server: ArxivServer, http: Http, categories: str = "cs.CL") -> Arxiv:
    return Arxiv(f"arxiv:{categories}@{server.mirror}", http=http, name="arxiv")


async def fetch(
    server: ArxivServer,
    http: Http,
    state: SourceState | None = None,
    *,
    now: datetime = TUESDAY,
    categories: str = "cs.CL",
) -> Fetched:
    return await source(server, http, categories).fetch(state or SourceState(), now=now)


async def test_all_categories_are_asked_for_in_one_request(arxiv: ArxivServer, http: Http) -> None:
    arxiv.shown = [
        Paper(id="2512.00001"),
        Paper(id="2512.00002", categories="stat.ML cs.LG"),
        Paper(id="2512.00003", version=2),
    ]
    fetched = await fetch(arxiv, http, categories="cs.LG+cs.CL")
    assert arxiv.paths() == ["/rss/cs.CL+cs.LG"]
    assert [(each.keys[0], each.entry.version, each.announce) for each in fetched.sightings] == [
        ("arxiv:2512.00001", 1, Announce.NEW),
        ("arxiv:2512.00002", 1, Announce.CROSS),
        ("arxiv:2512.00003", 2, Announce.REPLACE),
    ]
    assert fetched.missed == ()


async def test_an_archive_takes_in_its_categories(arxiv: ArxivServer, http: Http) -> None:
    arxiv.shown = [Paper(id="2512.00001")]
    assert (await fetch(arxiv, http, categories="CS+cs.cl+hep-th")).sightings
    assert arxiv.paths() == ["/rss/cs+hep-th"]


@pytest.mark.parametrize(("bad", "said"), [("cs.XX", "cs.XX"), ("bogus", "bogus"), ("bogus.AI", "bogus.AI")])
async def test_a_category_arxiv_does_not_have_is_left_out_told_and_not_asked_for_again(
    arxiv: ArxivServer, http: Http, bad: str, said: str
) -> None:
    arxiv.shown = [Paper(id="2512.00001")]
    fetched = await fetch(arxiv, http, categories=f"cs.CL+{bad}")
    assert len(fetched.sightings) == 1
    assert [each.reason for each in fetched.rejected] == [f"arXiv has no category '{said}': it was left out"]
    later = await fetch(arxiv, http, fetched.state, now=TUESDAY + DAY, categories=f"cs.CL+{bad}")
    assert arxiv.paths()[-1] == "/rss/cs.CL" and len(arxiv.requests) == 3
    assert len(later.rejected) == 1
    await fetch(arxiv, http, later.state, now=TUESDAY + 8 * DAY, categories=f"cs.CL+{bad}")
    assert bad in arxiv.paths()[-2]


async def test_without_any_category_it_says_what_to_do(arxiv: ArxivServer, http: Http) -> None:
    with pytest.raises(SourceError, match=r"write 'category:cs.CL' in a rule"):
        await Arxiv(f"arxiv@{arxiv.mirror}", http=http, name="arxiv").fetch(SourceState(), now=TUESDAY)
    with pytest.raises(SourceError, match=r"none of the categories of source 'arxiv' \(cs.XX\)"):
        await fetch(arxiv, http, categories="cs.XX")


async def test_rules_widen_the_request_by_the_categories_that_arxiv_has(arxiv: ArxivServer, http: Http) -> None:
    url = widened(f"arxiv:cs.CL@{arxiv.mirror}", ["math.ag", "neuroscience", "hep-TH"])
    assert url == f"arxiv:cs.CL+hep-th+math.AG@{arxiv.mirror}"
    assert widened("arxiv:cs.CL+cs.LG", ["cs.*"]) == "arxiv:cs"
    assert widened("https://rss.arxiv.org/atom/cs.CL", ["hep-th"]) == "arxiv:cs.CL+hep-th"


async def test_a_request_of_everything_stays_short_enough_for_an_address(http: Http) -> None:
    asked = widened("arxiv", [each.name for each in taxonomy() if each.name != each.archive])
    assert len(asked) < 1_600
    many = widened("arxiv:" + "+".join(f"zz.{chr(97 + a)}{chr(97 + b)}" for a in range(26) for b in range(26)), [])
    assert many == "arxiv:zz"


async def test_an_equal_set_of_items_is_unchanged_whatever_its_build_time(arxiv: ArxivServer, http: Http) -> None:
    arxiv.shown = [Paper(id="2512.00001")]
    first = await fetch(arxiv, http)
    again = await fetch(arxiv, http, first.state, now=TUESDAY + timedelta(hours=1))
    assert (first.unchanged, again.unchanged) == (False, True)
    assert arxiv.requests[1].headers["if-none-match"] == '"1"'
    arxiv.shown[0] = Paper(id="2512.00001", version=2)
    assert not (await fetch(arxiv, http, again.state)).unchanged


async def test_freshness_is_told_by_category_from_ids_that_were_not_in_the_answer_before(
    arxiv: ArxivServer, http: Http
) -> None:
    arxiv.shown = [Paper(id="2512.00001"), Paper(id="2512.00002", categories="cs.LG")]
    first = await fetch(arxiv, http, categories="cs.CL+cs.LG+math")
    assert KIND.freshness(first.state) == {"cs.CL": TUESDAY, "cs.LG": TUESDAY}
    # One category still serves the old batch, under whatever date.
    arxiv.shown = [Paper(id="2512.00001"), Paper(id="2512.00003", categories="cs.LG")]
    wednesday = TUESDAY + DAY
    second = await fetch(arxiv, http, first.state, now=wednesday, categories="cs.CL+cs.LG+math")
    assert KIND.freshness(second.state) == {"cs.CL": TUESDAY, "cs.LG": wednesday}


async def test_days_in_which_nobody_asked_are_missed(arxiv: ArxivServer, http: Http) -> None:
    arxiv.shown = [Paper(id="2512.00001")]
    first = await fetch(arxiv, http)
    arxiv.shown = [Paper(id="2512.00009")]
    friday = await fetch(arxiv, http, first.state, now=TUESDAY + 3 * DAY)
    expected = Missed(first=date(2025, 12, 2), last=date(2025, 12, 3), reason=GapReason.MISSED, scope="cs.CL")
    assert friday.missed == (expected,)
    assert (await fetch(arxiv, http, friday.state, now=TUESDAY + 3 * DAY)).missed == ()


async def test_a_weekend_without_announcements_misses_nothing(arxiv: ArxivServer, http: Http) -> None:
    arxiv.shown = [Paper(id="2512.00001")]
    friday = await fetch(arxiv, http, now=TUESDAY + 3 * DAY)
    arxiv.shown = []
    saturday = await fetch(arxiv, http, friday.state, now=TUESDAY + 4 * DAY)
    monday = await fetch(arxiv, http, saturday.state, now=TUESDAY + 6 * DAY)
    assert (friday.missed, saturday.missed, monday.missed) == ((), (), ())


async def test_an_old_batch_just_after_midnight_does_not_count_as_the_new_evening(
    arxiv: ArxivServer, http: Http
) -> None:
    arxiv.shown = [Paper(id="2512.00001")]
    first = await fetch(arxiv, http)
    midnight = datetime(2025, 12, 3, 5, 10, tzinfo=UTC)
    stale = await fetch(arxiv, http, first.state, now=midnight)
    assert Memory.read(stale.state).seen == date(2025, 12, 1)
    # Nobody asks for the rest of that day: the evening of the 2nd has been missed.
    thursday = await fetch(arxiv, http, stale.state, now=datetime(2025, 12, 4, 15, tzinfo=UTC))
    assert [(each.first, each.last) for each in thursday.missed] == [(date(2025, 12, 2), date(2025, 12, 2))]


async def test_a_feed_that_shows_the_old_batch_all_day_has_not_shown_the_new_one(
    arxiv: ArxivServer, http: Http
) -> None:
    arxiv.shown = [Paper(id="2512.00001")]
    first = await fetch(arxiv, http)
    stale = await fetch(arxiv, http, first.state, now=TUESDAY + DAY)
    assert stale.unchanged and Memory.read(stale.state).seen == date(2025, 12, 1)
    arxiv.shown = [Paper(id="2512.00003")]
    thursday = await fetch(arxiv, http, stale.state, now=TUESDAY + 2 * DAY)
    assert [(each.first, each.last) for each in thursday.missed] == [(date(2025, 12, 2), date(2025, 12, 2))]


async def test_a_feed_that_is_empty_all_day_is_taken_at_its_word(arxiv: ArxivServer, http: Http) -> None:
    arxiv.shown = [Paper(id="2512.00001")]
    first = await fetch(arxiv, http)
    arxiv.shown = []
    quiet = await fetch(arxiv, http, first.state, now=TUESDAY + DAY)
    arxiv.shown = [Paper(id="2512.00003")]
    assert (await fetch(arxiv, http, quiet.state, now=TUESDAY + 2 * DAY)).missed == ()


async def test_an_answer_that_is_not_modified_counts_as_the_one_before(arxiv: ArxivServer, http: Http) -> None:
    arxiv.shown = [Paper(id="2512.00001")]
    arxiv.etag = '"same"'
    first = await fetch(arxiv, http)
    again = await fetch(arxiv, http, first.state, now=TUESDAY + timedelta(hours=1))
    assert (again.unchanged, again.sightings, again.missed) == (True, (), ())
    assert KIND.freshness(again.state) == {"cs.CL": TUESDAY}
    assert Memory.read(again.state).seen == date(2025, 12, 1)
    wednesday = await fetch(arxiv, http, again.state, now=TUESDAY + DAY)
    assert Memory.read(wednesday.state).seen == date(2025, 12, 1)


async def test_a_category_that_is_asked_for_the_first_time_has_missed_nothing(arxiv: ArxivServer, http: Http) -> None:
    first = await fetch(arxiv, http, categories="cs.CL+cs.AI")
    friday = await fetch(arxiv, http, first.state, now=TUESDAY + 3 * DAY, categories="cs.CL+cs.LG")
    assert [each.scope for each in friday.missed] == ["cs.CL"]


async def test_a_feed_at_its_cap_is_a_gap_of_that_evening(arxiv: ArxivServer, http: Http) -> None:
    arxiv.shown = [Paper(id=f"2512.{number:05}", abstract="") for number in range(1, CAP + 20)]
    fetched = await fetch(arxiv, http)
    assert len(fetched.sightings) == CAP
    expected = Missed(first=date(2025, 12, 1), last=date(2025, 12, 1), reason=GapReason.CAP, scope="cs.CL")
    assert fetched.missed == (expected,)


async def test_a_feed_that_breaks_off_is_a_gap_and_keeps_what_is_whole(arxiv: ArxivServer, http: Http) -> None:
    arxiv.shown = [Paper(id=f"2512.{number:05}") for number in range(1, 10)]
    arxiv.is_cut = True
    fetched = await fetch(arxiv, http)
    assert 0 < len(fetched.sightings) < 9
    assert [each.reason for each in fetched.missed] == [GapReason.SHORT]


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html><body>Log in</body></html>", b""])
async def test_a_page_that_is_no_feed_is_a_failure_and_not_an_empty_day(
    arxiv: ArxivServer, http: Http, page: bytes
) -> None:
    arxiv.page = page
    with pytest.raises(SourceError, match="a page that is no feed"):
        await fetch(arxiv, http)


async def test_after_a_429_all_three_services_are_left_alone(arxiv: ArxivServer, http: Http, time: FakeTime) -> None:
    arxiv.refusals = 1
    arxiv.archive = [Paper(id="2512.00001")]
    mine = source(arxiv, http)
    with pytest.raises(SourceError, match="fewer requests") as refused:
        await mine.fetch(SourceState(), now=TUESDAY)
    assert refused.value.retry_after == timedelta(minutes=10)
    with pytest.raises(SourceError, match="left alone until"):
        await mine.look_up(["2512.00001"], now=TUESDAY)
    assert len(arxiv.requests) == 1
    time.now += timedelta(minutes=10)
    assert len(await mine.look_up(["2512.00001"], now=TUESDAY)) == 1


async def test_feed_and_api_share_one_pace(arxiv: ArxivServer, http: Http, time: FakeTime) -> None:
    mine, start = source(arxiv, http), time.now
    await mine.fetch(SourceState(), now=TUESDAY)
    await mine.look_up(["2512.00001"], now=TUESDAY)
    await mine.fetch(SourceState(), now=TUESDAY)
    assert timedelta(seconds=6) <= time.now - start < timedelta(seconds=7)
    assert arxiv.most_at_once == 1


async def test_a_paper_is_looked_up_by_any_spelling_of_its_id(arxiv: ArxivServer, http: Http) -> None:
    arxiv.archive = [Paper(id="2512.00001", categories="cs.CL cs.LG", version=3, doi="10.1000/Walk")]
    ids = ["https://arxiv.org/abs/2512.00001v2", "no id"]
    (found,) = await source(arxiv, http).look_up(ids, now=TUESDAY)
    entry = found.entry
    assert found.keys == ("arxiv:2512.00001", "doi:10.1000/walk", "https://arxiv.org/abs/2512.00001")
    assert (entry.title, entry.abstract) == ("A Walking Robot That Plans", "We plan where $a<b$ and walk & talk.")
    assert (entry.authors, entry.version) == (("Ada Lovelace", "János Bolyai"), 3)
    assert (entry.categories, entry.keywords) == (("cs.CL", "cs.LG"), ("05C15", "68T50", "I.2.7"))
    assert entry.published_at == datetime(2025, 12, 1, 15, tzinfo=UTC)
    assert '"comment":"12 pages, 3 figures"' in entry.extra
    assert await source(arxiv, http).look_up(["no id"], now=TUESDAY) == ()


@pytest.mark.parametrize("cursor", [None, "", "[]", "{", '{"seen": 3}', '{"items": "x"}', '{"fresh": []}'])
def test_a_memory_that_cannot_be_read_is_none(cursor: str | None) -> None:
    assert Memory.read(SourceState(cursor=cursor)) == Memory()


async def test_many_papers_are_looked_up_in_requests_short_enough_for_an_address(
    arxiv: ArxivServer, http: Http
) -> None:
    arxiv.archive = [Paper(id=f"2512.{number:05}") for number in range(1, 121)]
    found = await source(arxiv, http).look_up([each.id for each in arxiv.archive], now=TUESDAY)
    assert (len(found), len(arxiv.requests)) == (120, 3)
