"""The bundled sample entries are good JSON Lines that the product itself can read, and worth looking at."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

import notifier
from notifier.library import load_topics
from notifier.matching import Index, evaluate, parse
from notifier.sources.jsonl import read_lines
from notifier.topics import queries

FILE = Path(notifier.__file__).parent / "samples" / "entries.jsonl"
ROWS = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]
NOW = datetime(2025, 12, 24, 8, tzinfo=UTC)
KNOWN = {
    "id", "title", "abstract", "authors", "num_authors", "organization", "categories", "published_at", "announced_at",
    "url", "pdf_url", "code_url", "comments", "version", "source",
}  # fmt: skip


def test_every_line_is_read_by_the_json_lines_source() -> None:
    fetched = read_lines(FILE, name="samples")
    assert not fetched.rejected
    assert len(fetched.sightings) == len(ROWS) >= 60


def test_ids_and_titles_are_unique() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert len({row["title"].casefold() for row in ROWS}) == len(ROWS)


def test_entries_have_known_keys_and_an_abstract_of_a_few_sentences() -> None:
    for row in ROWS:
        assert set(row) <= KNOWN
        assert 2 <= len(re.findall(r"[.?!](?= |$)", row["abstract"])) <= 6, row["id"]


def test_entries_are_listed_on_weekdays_in_order_and_after_they_were_published() -> None:
    days = [date.fromisoformat(row["announced_at"]) for row in ROWS]
    assert days == sorted(days)
    assert all(day.weekday() < 5 for day in days)
    assert (days[0], days[-1]) == (date(2025, 12, 12), date(2025, 12, 24))
    assert all(row.get("published_at", "") < row["announced_at"] for row in ROWS)


def test_both_sources_are_there_and_each_day_has_a_handful_of_papers() -> None:
    sources = Counter(row["source"] for row in ROWS)
    assert set(sources) == {"huggingface", "arxiv"}
    assert 0.25 < sources["huggingface"] / len(ROWS) < 0.45
    assert min(Counter(row["announced_at"] for row in ROWS).values()) >= 5


def test_hard_entries_are_among_them() -> None:
    assert any("$" in row["title"] for row in ROWS)
    assert any("é" in row["title"] for row in ROWS)
    assert any(len(row["title"]) > 120 for row in ROWS)
    assert any(len(row.get("authors", ())) > 50 for row in ROWS)


def test_links_go_to_public_places_alone() -> None:
    links = re.findall(r"https?://([^/\"]+)", FILE.read_text("utf-8"))
    assert set(links) <= {"arxiv.org", "huggingface.co", "github.com"}


def test_most_entries_belong_to_a_topic_and_no_topic_takes_nearly_all() -> None:
    topics = queries(load_topics().values())
    index = Index([sighting.entry for sighting in read_lines(FILE, name="samples").sightings], now=NOW)
    rows = evaluate(index, [parse(f"topic:{name}", topics) for name in topics])
    in_some_topic = int(np.bitwise_count(np.bitwise_or.reduce(rows)).sum(dtype=int))
    assert in_some_topic >= 0.95 * len(ROWS)
    assert np.bitwise_count(rows).sum(axis=1, dtype=int).max() < 0.5 * len(ROWS)
