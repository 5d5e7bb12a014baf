from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from notifier.collect import absorb
from notifier.conditions import EVERY, NONE, Phrase
from notifier.errors import RuleError
from notifier.library import load_topics
from notifier.matching import vocabulary
from notifier.matching.narrowing import DEEPEST, MOST_PHRASES, narrow
from notifier.matching.parser import parse
from notifier.model import Entry
from notifier.search import Found, search
from notifier.store import SqliteStore
from notifier.store.migrations import migrations
from notifier.topics import queries
from tests.bench.bench_search import NOW as BENCH_NOW
from tests.bench.bench_search import archive, ask, demand_equal, fill, indexed, questions, unnarrowed
from tests.builders import NOW, entry, sighting

DAY = timedelta(days=1)


def keep(store: SqliteStore, *entries: Entry) -> None:
    """The first is the newest."""
    for days, each in enumerate(entries):
        shown = replace(sighting(), entry=each, keys=(each.id,))
        absorb(store, [shown], source="Feed One", baseline=False, now=NOW - days * DAY)


def numbers(found: Found) -> list[int]:
    return [int(hit.entry.id[-5:]) for hit in found.hits]


def find(store: SqliteStore, query: str, *, limit: int = 10, last: timedelta | None = None) -> list[int]:
    return numbers(search(store, {}, query, limit=limit, last=last, now=NOW))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("finetuning", "We are fine-tuning it"),
        ("finetuning", "We are fine tuning it"),
        ("fine-tuned", "We finetune it"),
        ('"fine tuning"', "Finetuning it"),
        ("fine tuning", "Finetuning it"),
        ("dataset", "The data sets"),
        ("endtoend", "An end-to-end model"),
        ("multimodal", "A multi modal model"),
        ("tuni*", "Tuning it"),
        ("fine-tu*", "Fine tuning it"),
        ("=RLHF", "Better RLHF"),
        ('"reward model"~2', "A model of the reward"),
        ("强化学习", "用强化学习"),
        ("muller", "Müllers Satz"),
        ("C++", "Modern C++ code"),
        ("/gpt-?[45]/", "On GPT-4"),
    ],
)
def test_search_finds_what_the_matcher_finds(store: SqliteStore, query: str, text: str) -> None:
    keep(store, entry(1, title="Something else"), entry(2, title=text))
    assert find(store, query) == [2]


def test_exact_case_is_decided_by_the_matcher(store: SqliteStore) -> None:
    keep(store, entry(1, title="RLHF"), entry(2, title="rlhf"), entry(3, title="Rlhf"))
    assert find(store, "=RLHF") == [1]
    assert find(store, "=rlhf") == [2]


def test_the_newest_come_first_and_the_total_counts_the_rest(store: SqliteStore) -> None:
    keep(store, *(entry(n, title=f"Reward {n}") for n in range(1, 8)))
    found = search(store, {}, "reward", limit=3, now=NOW)
    assert numbers(found) == [1, 2, 3]
    assert (found.matched, found.exact, found.searched, found.gave_up_at) == (7, True, 7, None)


def test_a_time_narrows_what_is_searched_and_what_is_counted(store: SqliteStore) -> None:
    keep(store, *(entry(n, title=f"Reward {n}") for n in range(1, 8)))
    found = search(store, {}, "reward", limit=2, last=3 * DAY, now=NOW)
    assert (numbers(found), found.matched, found.searched) == ([1, 2], 3, 3)


def test_what_is_seen_later_than_now_is_not_there_yet(store: SqliteStore) -> None:
    keep(store, *(entry(n, title=f"Reward {n}") for n in range(1, 4)))
    found = search(store, {}, "*", limit=9, now=NOW - DAY)
    assert (numbers(found), found.searched) == ([2, 3], 2)


def test_a_search_ends_where_too_many_candidates_do_not_match(store: SqliteStore) -> None:
    keep(store, *(entry(n, title=f"Reward {n}") for n in range(1, 9)), entry(9, title="reward 9"))
    found = search(store, {}, "=reward", limit=1, patience=5, now=NOW)
    assert found.hits == ()
    assert found.gave_up_at == NOW - 5 * DAY
    assert find(store, "=reward", limit=2) == [9]


@pytest.mark.parametrize("query", ["reward", "reward -9", "*", "/reward/"])
def test_a_search_goes_on_behind_the_last_of_a_page(store: SqliteStore, query: str) -> None:
    keep(store, *(entry(n, title=f"Reward {n}", first_seen_at=NOW - (n // 3) * DAY) for n in range(1, 12)))
    whole, pages, after = find(store, query, limit=99), list[int](), None
    while True:
        found = search(store, {}, query, limit=3, after=after, now=NOW)
        pages += numbers(found)
        if (after := found.behind) is None:
            break
    assert (pages, found.matched) == (whole, len(whole))


def test_a_search_that_gave_up_goes_on_where_it_did(store: SqliteStore) -> None:
    keep(store, *(entry(n, title=f"Reward {n}") for n in range(1, 9)), entry(9, title="reward 9"))
    found = search(store, {}, "=reward", limit=1, patience=5, now=NOW)
    assert (found.hits, found.gave_up_at is not None) == ((), True)
    assert numbers(search(store, {}, "=reward", limit=1, after=found.behind, now=NOW)) == [9]


def test_a_query_that_does_not_parse_says_where(store: SqliteStore) -> None:
    with pytest.raises(RuleError) as refused:
        search(store, {}, 'reward "model', limit=1, now=NOW)
    assert refused.value.column == 8


def test_values_labels_and_names_narrow_too(store: SqliteStore) -> None:
    keep(
        store,
        entry(1, authors=("Yoshua Bengio", "李飞飞"), categories=("cs.CL",), upvotes=5, code_url="https://x/"),
        entry(2, authors=("Bengio, Y.",), categories=("math.AG",), published_at=NOW - 9 * DAY, num_authors=7),
        entry(3, announce="new", organization="Acme Labs"),
    )
    asked = {
        'author:"Yoshua Bengio"': [1, 2],
        "author:beng*": [1, 2],
        "author:飞飞": [1],
        "category:cs": [1],
        "-category:cs": [2, 3],
        "upvotes>=5": [1],
        "NOT upvotes>=5": [2, 3],
        "authors>=7": [2],
        "age>3d": [2],
        "published<2026-01-01": [2],
        "has:code": [1],
        "org:acme": [3],
        'source:"feed one"': [1, 2, 3],
        "source:other OR has:org": [3],
    }
    assert {query: find(store, query) for query in asked} == asked


def test_a_changed_entry_is_found_by_its_new_words_only(store: SqliteStore) -> None:
    keep(store, entry(1, title="Old words"))
    absorb(store, [sighting(1, title="New phrases", version=2)], source="Feed One", baseline=False, now=NOW)
    assert (find(store, "old"), find(store, "phrase")) == ([], [1])
    assert store.entries.known_terms(["old", "phrase"]) == {"phrase"}


def test_entries_that_turn_out_to_be_one_leave_one_row(store: SqliteStore) -> None:
    keep(store, entry(1, title="Alpha"), entry(2, title="Beta"))
    one = replace(sighting(1, title="Alpha", version=2), keys=(entry(1).id, entry(2).id))
    absorb(store, [one], source="Feed One", baseline=False, now=NOW)
    assert store.entries.count() == 1
    assert search(store, {}, "alpha OR beta", limit=5, now=NOW).matched == 1


def test_a_write_that_fails_leaves_no_terms(store: SqliteStore) -> None:
    with pytest.raises(RuntimeError), store.write():
        absorb(store, [sighting(1, title="Ephemeral")], source="Feed One", baseline=False, now=NOW)
        raise RuntimeError
    assert store.entries.known_terms(["ephemeral"]) == frozenset()


def test_an_archive_of_the_first_version_is_searchable_after_it_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    with closing(Database(str(file))) as old:
        migrations.apply(old, stop_before="m0002_search")
        stamp = NOW.isoformat(timespec="microseconds")
        empty = dict.fromkeys(("authors", "categories", "keywords"), json.dumps([]))
        old["entry"].insert(
            {"id": "old:1", "title": "Reward models", "abstract": "", "extra": "{}"}
            | empty
            | {"first_seen_at": stamp, "changed_at": stamp}
        )
    with closing(SqliteStore(file)) as store:
        assert [hit.entry.id for hit in search(store, {}, "model", limit=1, now=NOW).hits] == ["old:1"]
        assert [found.id for found in store.entries.search_title("models reward")] == ["old:1"]


def test_terms_of_another_version_are_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    with closing(SqliteStore(file)) as store:
        keep(store, entry(1, title="Reward"))
    with closing(Database(str(file))) as other:
        other.execute("INSERT INTO entry_terms (entry_terms) VALUES ('delete-all')")
        other.execute("UPDATE entry_terms_state SET made_by = 'another'")
        other.conn.commit()
    with closing(SqliteStore(file)) as store:
        assert find(store, "reward") == [1]


def test_a_version_that_writes_among_the_terms_of_another_leaves_word(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    with closing(SqliteStore(file)) as older:
        with closing(Database(str(file))) as newer:
            newer.execute("UPDATE entry_terms_state SET made_by = 'newer'")
            newer.conn.commit()
        keep(older, entry(1, title="Reward"))
        assert not older.entries._terms.is_current
    with closing(SqliteStore(file)) as store:
        assert store.entries._terms.is_current
        assert find(store, "reward") == [1]


def test_the_bounds_of_a_plain_word_leave_nothing_to_look_at() -> None:
    query = parse("reward")
    bounds = narrow(query, {"reward"}, now=NOW)
    assert bounds.necessary == bounds.sufficient == Phrase(columns=("title", "abstract", "keywords"), terms=("reward",))
    assert bounds.between == NONE


def _nested(levels: int, text: str = "reward") -> str:
    for level in range(levels):
        text = f"(reward OR -(policy {text}))" if level % 2 else f"(policy (dpo OR {text}))"
    return text


HOSTILE = {
    "200 words": " OR ".join(f"w{number}d" for number in range(200)),
    "200 words at once": " ".join(f"wo{number}rd" for number in range(200)),
    "long words": " OR ".join("abcdefghij"[n:] + "klmnopqrstuvwxyz" * 3 for n in range(10)),
    "many beginnings": " OR ".join(f"{a}{b}*" for a in "abcdefghij" for b in "abcdefghij"),
    "deep": _nested(16),
    "many exclusions": " ".join(f"-word{number}" for number in range(190)),
    "a long phrase": '"' + " ".join(["reward"] * 200) + '"',
    "CJK": "强化学习" * 45,
    "quotes and half characters": 'title:"\ud800 reward"',
    "half a name": "author:\ud800a*",
    "initials": " ".join(f'author:"{letter}. Bengio"' for letter in "abcdefghijklmnop"),
}


@pytest.mark.parametrize("query", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_queries_are_answered_as_the_matcher_answers(store: SqliteStore, query: str) -> None:
    keep(store, entry(1, title="Reward policy"), entry(2, title="w7d and wo7rd", authors=("Anna Bengio",)))
    (window,) = indexed([*store.entries.seen(NOW - 9 * DAY, NOW)])
    assert [hit.entry.id for hit in search(store, {}, query, limit=9, now=NOW).hits] == unnarrowed([window], query)


def test_every_bundled_topic_can_be_searched(store: SqliteStore) -> None:
    topics = queries(load_topics(None).values())
    keep(store, entry(1, title="Preference optimization with DPO for LLM alignment"))
    for name in topics:
        assert search(store, topics, f"topic:{name}", limit=1, now=NOW).exact


def test_what_is_too_deep_or_too_large_is_not_asked_of_the_store() -> None:
    too_deep = parse(_nested(DEEPEST + 4, "innermost"))
    assert "policy" in vocabulary(too_deep, now=NOW)
    assert "innermost" not in vocabulary(too_deep, now=NOW)
    too_large = parse(" OR ".join(f"zxq{a}kvw{b}jhgp" for a in "abcdefghij" for b in "abcdefghij"))
    assert len(vocabulary(too_large, now=NOW)) > MOST_PHRASES
    assert narrow(too_large, vocabulary(too_large, now=NOW), now=NOW).necessary == EVERY


def test_a_generated_archive_is_searched_as_the_matcher_would_without_a_store(store: SqliteStore) -> None:
    entries = archive(600, seed=3)
    fill(store, entries)
    windows = indexed(entries)
    for asked in questions(entries):
        demand_equal(ask(store, asked), unnarrowed(windows, asked.query))
    assert search(store, {}, "*", limit=1, now=BENCH_NOW).matched == 600
