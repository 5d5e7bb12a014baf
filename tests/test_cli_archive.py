"""Sources with an archive from the shell: categories of rules, gaps, backfills, single papers, the mark in a digest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from notifier.collect import absorb
from notifier.model import Gap, GapReason
from notifier.store import SqliteStore
from tests.builders import sighting
from tests.conftest import Shell
from tests.servers.arxiv import ArxivServer, Paper

NOON = "2025-12-02T15:00:00+00:00"


@pytest.fixture
def arxiv(monkeypatch: pytest.MonkeyPatch) -> Iterator[ArxivServer]:
    monkeypatch.setenv("NOTIFIER_ALLOW_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("NOTIFIER_NOW", NOON)
    with ArxivServer() as server:
        server.archive = [
            Paper(id="2511.00001", created=datetime(2025, 11, 20, 12, tzinfo=UTC)),
            Paper(id="2512.00001", created=datetime(2025, 12, 1, 15, tzinfo=UTC), categories="cs.LG"),
        ]
        server.shown = server.archive[1:]
        yield server


def subscribe(notifier: Shell, query: str, *options: str, channel: str = "outbox") -> str:
    if not notifier("subscriber", "list", "--json").json:
        notifier("subscriber", "add", "ada@example.org")
    id = notifier("subscription", "add", "ada@example.org", "--channel", channel, "--every", "daily").id
    notifier("rule", "add", id, query, *options)
    return id


def database(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "data" / "notifier.db")


def test_the_categories_of_rules_are_asked_for_with_those_of_the_address(notifier: Shell, arxiv: ArxivServer) -> None:
    notifier("source", "add", f"arxiv:cs.CL@{arxiv.mirror}")
    subscribe(notifier, "(category:cs.LG OR category:math.*) -category:cs.RO walking")
    subscribe(notifier, "category:cs.AI", "--mute")
    subscribe(notifier, "category:neuroscience")
    assert notifier("source", "fetch").out == "arxiv: 1 new, 0 updated, 0 unchanged.\n"
    assert arxiv.paths() == ["/rss/cs.CL+cs.LG+math"]
    (listed,) = notifier("source", "list", "--json").json
    assert (listed["kind"], listed["fresh"], listed["open_gaps"]) == ("arxiv", {"cs.LG": NOON}, [])


def test_a_topic_of_a_rule_brings_its_categories(
    notifier: Shell, arxiv: ArxivServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "topics"
    folder.mkdir()
    (folder / "walking.yaml").write_text('title: W\ndescription: D\nquery: "category:cs.RO walking"\n', "utf-8")
    notifier("source", "add", f"arxiv@{arxiv.mirror}")
    monkeypatch.setenv("NOTIFIER_TOPICS_DIR", str(folder))
    subscribe(notifier, "topic:walking")
    notifier("source", "fetch")
    assert arxiv.paths() == ["/rss/cs.RO"]


def test_arxiv_without_any_category_says_what_to_do(notifier: Shell) -> None:
    assert notifier("source", "add", "arxiv").out.startswith("Added source 'arxiv' (arxiv), read every 1h.")
    ran = notifier.tried("source", "fetch")
    assert ran.code == 1 and "write 'category:cs.CL' in a rule" in ran.err


def test_an_address_of_arxivs_feeds_becomes_a_source_of_that_kind(notifier: Shell) -> None:
    notifier("source", "add", "https://rss.arxiv.org/rss/cs.CL+cs.LG")
    notifier("source", "add", "medrxiv")
    assert [(each["name"], each["kind"]) for each in notifier("source", "list", "--json").json] == [
        ("arxiv", "arxiv"),
        ("medrxiv", "medrxiv"),
    ]


def test_a_backfill_can_be_searched_and_is_no_news(notifier: Shell, arxiv: ArxivServer) -> None:
    notifier("source", "add", f"arxiv:cs.CL@{arxiv.mirror}")
    id = subscribe(notifier, "walking")
    ran = notifier("source", "backfill", "arxiv", "--from", "2025-11-20", "--to", "2025-11-20")
    assert ran.out == "arxiv: 2025-11-20 read, new papers: 1; what is new can be searched, but is no news.\n"
    assert "arxiv:2511.00001" in notifier("match", "walking", "--json").out
    assert "only ever seen in a source's baseline" in notifier("why", "2511.00001", id).out
    (gap,) = notifier("source", "gaps", "--json").json
    assert (gap["reason"], gap["brought"], gap["how"], gap["news"]) == ("backfill", 1, "api", False)


def test_a_backfill_as_news_comes_in_the_next_digest(notifier: Shell, arxiv: ArxivServer) -> None:
    notifier("source", "add", f"arxiv:cs.CL@{arxiv.mirror}")
    id = subscribe(notifier, "walking")
    notifier("source", "backfill", "arxiv", "--from", "2025-11-20", "--to", "2025-11-20", "--news")
    assert "A Walking Robot That Plans" in notifier("preview", id).out


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2025-11-20", "2025-12-01", "end with --to 2025-11-27"),
        ("2025-11-21", "2025-11-20", "--from 2025-11-21 is later than --to 2025-11-20"),
        ("yesterday", "2025-11-20", "--from 'yesterday' is no day: write it like 2026-01-31"),
    ],
)
def test_a_backfill_of_days_that_cannot_be_is_refused(
    notifier: Shell, arxiv: ArxivServer, first: str, last: str, words: str
) -> None:
    notifier("source", "add", f"arxiv:cs.CL@{arxiv.mirror}")
    ran = notifier.tried("source", "backfill", "arxiv", "--from", first, "--to", last)
    assert ran.code == 2 and words in ran.err
    assert arxiv.requests == []


def test_a_source_without_an_archive_says_so(notifier: Shell) -> None:
    notifier("source", "add", "huggingface")
    days = ("--from", "2025-11-20", "--to", "2025-11-20")
    for ran in (
        notifier.tried("source", "backfill", "huggingface", *days),
        notifier.tried("source", "lookup", "huggingface", "2512.00001"),
    ):
        assert ran.code == 2 and "Source 'huggingface' (huggingface)" in ran.err


def test_a_single_paper_is_looked_up_and_is_still_news_when_it_is_announced(
    notifier: Shell, arxiv: ArxivServer, tmp_path: Path
) -> None:
    notifier("source", "add", f"arxiv:cs.LG@{arxiv.mirror}")
    assert (
        notifier("source", "lookup", "arxiv", "2512.00001v1").out
        == "arxiv:2512.00001: 1 new, 0 updated, 0 unchanged.\n"
    )
    store = database(tmp_path)
    (known,) = store.entries.get(["arxiv:2512.00001"]).values()
    assert known.new_at is None
    absorb(store, [sighting(1)], source="arxiv", baseline=False, now=datetime(2025, 12, 3, tzinfo=UTC))
    (known,) = store.entries.get(["arxiv:2512.00001"]).values()
    assert known.new_at is not None
    store.close()


def test_a_paper_that_arxiv_does_not_have_is_told(notifier: Shell, arxiv: ArxivServer) -> None:
    notifier("source", "add", f"arxiv:cs.LG@{arxiv.mirror}")
    ran = notifier.tried("source", "lookup", "arxiv", "2512.99999")
    assert ran.code == 2 and "arXiv has no paper 2512.99999" in ran.err


def test_gaps_are_listed_with_their_reason_and_what_became_of_them(notifier: Shell, tmp_path: Path) -> None:
    assert notifier("source", "gaps").out == "No gaps: every announcement was seen in time.\n"
    notifier("source", "add", "arxiv:cs.CL")
    note(tmp_path, Gap(
        id="g_1", source="arxiv", first=date(2025, 12, 1), last=date(2025, 12, 2), reason=GapReason.MISSED,
        scope="cs.CL", found_at=datetime(2025, 12, 4, 9, tzinfo=UTC), last_error="arXiv is away.",
    ))  # fmt: skip
    header, line = notifier("source", "gaps", "arxiv").out.splitlines()
    assert header.split() == ["SOURCE", "DAYS", "WHY", "FOUND", "CLOSED", "BROUGHT", "STATE"]
    assert "2025-12-01 to 2025-12-02" in line and "nobody asked" in line and "open: arXiv is away." in line
    assert "what was missed on 2025-12-01 to 2025-12-02 is still to come" in notifier("source", "list").out
    notifier("source", "remove", "arxiv")
    assert notifier("source", "gaps", "--json").json == []


def note(tmp_path: Path, gap: Gap, *late: str) -> None:
    store = database(tmp_path)
    with store.write():
        store.gaps.note([gap])
        store.gaps.mark_late(late, gap.id)
    store.close()


@pytest.mark.parametrize(("language", "word"), [("en", "late"), ("de", "verspätet")])
def test_a_digest_marks_the_paper_that_came_late_and_only_that(
    notifier: Shell, tmp_path: Path, language: str, word: str
) -> None:
    notifier("source", "add", "arxiv:cs.CL")
    notifier("subscriber", "add", "ada@example.org", "--language", language)
    id = subscribe(notifier, "reward")
    Path("papers.jsonl").write_text(
        '{"id": "arxiv:2512.00001", "title": "Reward one"}\n{"id": "arxiv:2512.00002", "title": "Reward two"}\n',
        "utf-8",
    )
    notifier("import", "papers.jsonl")
    gap = Gap(
        id="g_1", source="arxiv", first=date(2025, 12, 1), last=date(2025, 12, 1), reason=GapReason.MISSED,
        found_at=datetime(2025, 12, 4, 9, tzinfo=UTC),
    )  # fmt: skip
    note(tmp_path, gap, "arxiv:2512.00002")
    shown = notifier("preview", id).out
    assert shown.count(word) == 1
    assert shown.index("Reward two") < shown.index(word)
    items = notifier("preview", id, "--json").json["entries"]
    assert {each["id"]: each["late"] for each in items} == {"arxiv:2512.00001": False, "arxiv:2512.00002": True}
