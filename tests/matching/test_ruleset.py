"""A rule set says of every text what the obvious evaluator says, however it grew and wherever it came from."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.errors import RuleError
from notifier.matching import BROKEN, Index, Matches, RuleSet, parse
from notifier.matching.hashing import Table, hashes_of
from notifier.matching.parser import parse_by_grammar, parse_plainly, plain_alternatives
from notifier.matching.query import Query
from notifier.matching.ruleset import compile_texts
from notifier.matching.shelf import dump, load
from notifier.model import Entry
from tests.matching import oracle
from tests.matching.strategies import NOW, TOPICS, entries, rules

_PLAIN_WORD = st.sampled_from(
    ["4", "3d", "2024", "model", "models", "fine", "tuning", "finetuning", "data", "set", "GPT4", "x", "online"]
)
_PLAIN_PIECE = st.builds(
    lambda sign, field, words, quoted: sign + field + (f'"{" ".join(words)}"' if quoted else words[0]),
    st.sampled_from(["", "", "", "-"]),
    st.sampled_from(["", "", "", "title:", "abstract:", "keyword:", "org:"]),
    st.lists(_PLAIN_WORD, min_size=1, max_size=3),
    st.booleans(),
) | st.sampled_from(["category:cs.CL", "-category:cs", "upvotes>=5", "comments<3", "stars>1", "category:csx"])
plain = st.lists(st.tuples(st.sampled_from([" ", " ", " OR "]), _PLAIN_PIECE), min_size=1, max_size=5).map(
    lambda pieces: "".join(joint + piece for joint, piece in pieces).removeprefix(" OR ").strip()
)
some_rules = st.lists(plain | rules, min_size=1, max_size=8)


def _query(text: str) -> Query | None:
    with suppress(RuleError):
        return parse(text, TOPICS)
    return None


def _holds(rules: RuleSet, texts: list[str], papers: list[Entry]) -> list[list[bool]]:
    matches = Matches(rules, Index(papers, now=NOW))
    found = []
    for row in rules.rows(texts).tolist():
        bits = int(matches.rows()[row, 0]) if row != BROKEN else 0
        found.append([bool(bits >> place & 1) for place in range(len(papers))])
    return found


def _expected(texts: list[str], papers: list[Entry]) -> list[list[bool]]:
    queries = map(_query, texts)
    return [[query is not None and oracle.matches(query, each, NOW) for each in papers] for query in queries]


@settings(max_examples=120)
@given(some_rules, some_rules, st.lists(entries, min_size=1, max_size=3))
def test_texts_learned_in_turns_match_as_the_oracle_says(
    first: list[str], second: list[str], papers: list[Entry]
) -> None:
    rules = RuleSet(TOPICS)
    matches = Matches(rules, Index(papers, now=NOW))
    for texts in (first, second, second[:1]):
        rules.rows(texts)
        matches.rows()
    assert _holds(rules, first + second, papers) == _expected(first + second, papers)


@settings(max_examples=60)
@given(some_rules, some_rules, st.lists(entries, min_size=1, max_size=3))
def test_a_set_from_the_shelf_is_the_set_that_was_put_there(
    texts: list[str], later: list[str], papers: list[Entry]
) -> None:
    rules = RuleSet(TOPICS)
    rules.rows(texts)
    back = load(dump(rules.kept(texts), key="k"), TOPICS, key="k")
    assert back is not None
    assert _holds(back, texts + later, papers) == _expected(texts + later, papers)


@settings(max_examples=200)
@given(plain)
def test_the_short_path_reads_fields_and_counts_as_the_grammar_does(text: str) -> None:
    plainly = parse_plainly(text)
    assert plainly is not None
    assert plainly == parse_by_grammar(text, frozenset())


@pytest.mark.parametrize("text", ["or", "title:or", "a OR", "and b", "-not", "AND", "upvotes>=x", "category:", "a b)"])
def test_the_short_path_leaves_operators_and_errors_to_the_grammar(text: str) -> None:
    assert plain_alternatives(text) is None


def test_a_text_that_does_not_parse_has_no_row_and_says_why() -> None:
    rules = RuleSet()
    assert rules.rows(["good", '"open', "good"]).tolist() == [0, BROKEN, 0]
    assert "column 1" in rules.errors['"open']


def test_a_nul_character_is_refused_with_its_column() -> None:
    with pytest.raises(RuleError) as caught:
        parse("two\0words")
    assert caught.value.column == 4


def test_long_lists_are_remembered_and_one_changed_text_is_noticed() -> None:
    texts = [f"word{n}" for n in range(3_000)]
    rules = RuleSet()
    before = rules.rows(texts)
    assert len(rules.blocks) == 1
    changed = [*texts[:10], "another", *texts[11:]]
    after = rules.rows(changed)
    assert np.flatnonzero(before != after).tolist() == [10]
    assert rules.rows(texts).tolist() == before.tolist()


def test_lists_that_only_a_separator_tells_apart_are_not_taken_for_one_another() -> None:
    texts = [f"word{n}" for n in range(2_000)]
    rules = RuleSet()
    rules.rows(texts)
    joined = [f"{texts[0]}\0{texts[1]}", *texts[2:]]
    assert rules.rows(joined).tolist()[0] == BROKEN


def test_rows_stay_right_while_segments_are_merged() -> None:
    paper = Entry(id="x", title="word7 word130 word255")
    rules = RuleSet()
    for n in range(300):
        rules.rows([f"word{n}"])
    assert len(rules.segments) < 8
    found = _holds(rules, [f"word{n}" for n in range(300)], [paper])
    assert [n for n, (holds,) in enumerate(found) if holds] == [7, 130, 255]


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"no json\n"])
def test_a_damaged_shelf_is_not_used(damage: bytes) -> None:
    assert load(damage, {}, key="k") is None


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_shelf_with_one_wrong_byte_is_not_used_or_says_the_same(place: int, byte: int) -> None:
    rules = RuleSet()
    rules.rows(["alpha", '"beta gamma"', "delta -epsilon"])
    data = bytearray(dump(rules, key="k"))
    place %= len(data)
    changed = data[place] != byte
    data[place] = byte
    back = load(bytes(data), {}, key="k")
    paper = [Entry(id="x", title="alpha beta gamma delta")]
    texts = ["alpha", '"beta gamma"', "delta -epsilon"]
    assert back is None or not changed or _holds(back, texts, paper) == [[True]] * 3


def test_a_shelf_of_another_key_is_not_used() -> None:
    assert load(dump(RuleSet(), key="k"), {}, key="other") is None


def test_instants_and_distances_survive_the_shelf() -> None:
    texts = ["published>=2026-01", '"a b"~3', "age<3d", "/x+y/", "author:bengio", "=RLHF", "align*", "*"]
    rules = RuleSet()
    rules.rows(texts)
    back = load(dump(rules, key="k"), {}, key="k")
    assert back is not None
    assert back.segments[0].compiled.singular == rules.segments[0].compiled.singular


@given(st.sets(st.integers(0, 1 << 62), max_size=200), st.lists(st.integers(0, 1 << 62), max_size=50))
def test_a_table_finds_what_it_holds_and_nothing_else(keys: set[int], others: list[int]) -> None:
    ordered = np.array(sorted(keys), np.int64)
    wanted = np.array([*sorted(keys), *others], np.int64)
    found, places = Table.of(ordered).find(wanted)
    assert found.tolist() == [i for i, each in enumerate(wanted.tolist()) if each in keys]
    assert ordered[places].tolist() == wanted[found].tolist()


def test_a_hash_that_several_ask_for_is_answered_for_each() -> None:
    hashes = hashes_of([(5, 1), (7, 2), (5, 3)])
    assert sorted(hashes.hits(np.array([5, 6, 7], np.uint64))) == [(0, 1), (0, 3), (2, 2)]


def test_words_new_to_the_lexicon_are_found_in_later_windows() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    segment, _ = compile_texts(["zyzzyva", "quokka"], {})
    rules = RuleSet()
    rules.put(segment)
    for title, expected in (("a quokka", [False, True]), ("zyzzyvas only", [True, False])):
        matches = Matches(rules, Index([Entry(id="x", title=title)], now=now))
        assert [bool(matches.rows()[row, 0]) for row in rules.rows(["zyzzyva", "quokka"]).tolist()] == expected
