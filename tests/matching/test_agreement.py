"""The matcher, the explanation and the obvious evaluator say the same."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.errors import RuleError
from notifier.matching import Index, KeptIndex, evaluate, explain, format_query, meaning, parse, verdict
from notifier.matching.normalize import clean, cleaned, fold, tokens
from notifier.matching.parser import parse_by_grammar, parse_plainly
from notifier.model import Entry
from tests.matching import oracle
from tests.matching.strategies import NOW, TOPICS, entries, rules


def _parsed(texts: list[str]) -> list[object]:
    found = []
    for text in texts:
        with suppress(RuleError):
            found.append(parse(text, TOPICS))
    return found


@settings(max_examples=100)
@given(st.lists(rules, min_size=1, max_size=8), st.lists(entries, min_size=1, max_size=4))
def test_matcher_explanation_and_oracle_agree(texts: list[str], papers: list[Entry]) -> None:
    queries = _parsed(texts)
    rows = evaluate(Index(papers, now=NOW), queries)
    for query, row in zip(queries, rows.tolist(), strict=True):
        for position, entry in enumerate(papers):
            expected = oracle.matches(query, entry, NOW)
            assert bool(row[0] >> position & 1) == expected, (format_query(query), entry)
            assert (explain(query, entry, now=NOW) is not None) == expected, (format_query(query), entry)
            assert bool(verdict(query, entry, now=NOW).failed) != expected


@settings(max_examples=100)
@given(rules, entries)
def test_spans_point_at_the_text_they_name(text: str, entry: Entry) -> None:
    for query in _parsed([text]):
        for evidence in explain(query, entry, now=NOW) or ():
            original = getattr(entry, evidence.field, "") if evidence.spans else ""
            for start, end in evidence.spans:
                assert 0 <= start < end <= len(original)
            if evidence.spans:
                assert original[slice(*evidence.spans[0])] == evidence.text


@settings(max_examples=100)
@given(rules)
def test_canonical_text_is_stable_and_means_the_same(text: str) -> None:
    for query in _parsed([text]):
        canonical = format_query(query)
        again = parse(canonical, TOPICS)
        assert again == query
        assert format_query(again) == canonical
        assert meaning(query)


_short = st.lists(st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True), min_size=1, max_size=4).map(" ".join)


@settings(max_examples=100)
@given(_short, st.booleans())
def test_short_path_equals_grammar(words: str, quoted: bool) -> None:
    text = f'"{words}"' if quoted else words
    plainly = parse_plainly(text)
    if plainly is not None:
        by_grammar = parse_by_grammar(text, frozenset())
        assert plainly == by_grammar
        assert meaning(plainly) == meaning(by_grammar)


@settings(max_examples=150)
@given(st.text(max_size=30))
def test_any_text_parses_or_is_refused_with_a_column(text: str) -> None:
    try:
        query = parse(text, TOPICS)
    except RuleError as error:
        assert 1 <= error.column <= len(text) + 1
    else:
        assert parse(format_query(query), TOPICS) == query


@settings(max_examples=150)
@given(st.text(max_size=40))
def test_cleaning_knows_its_way_back(text: str) -> None:
    assert cleaned(text).text == clean(text)
    read = tokens(text)
    assert all(0 <= start < end <= len(text) for start, end in read.spans)
    for each in read.atoms:
        assert fold(each.folded) == each.folded


_WORD = st.sampled_from(["model", "Models", "or", "AND", "not", "GPT4", "x1", "reward", "a"])
_PIECE = st.builds(
    lambda sign, words, quoted: sign + (f'"{" ".join(words)}"' if quoted else words[0]),
    st.sampled_from(["", "", "-"]),
    st.lists(_WORD, min_size=1, max_size=3),
    st.booleans(),
)


@given(st.lists(st.tuples(st.sampled_from([" ", " OR "]), _PIECE), min_size=1, max_size=6))
def test_pieces_with_signs_and_or_parse_as_the_grammar_parses_them(pieces: list[tuple[str, str]]) -> None:
    text = "".join(joint + piece for joint, piece in pieces).removeprefix(" OR ").strip()
    plainly = parse_plainly(text)
    assert plainly is None or plainly == parse_by_grammar(text, frozenset())
    assert plainly is None or format_query(plainly) == format_query(parse_by_grammar(text, frozenset()))


@settings(max_examples=100)
@given(st.lists(rules, min_size=1, max_size=8), st.lists(entries, min_size=1, max_size=4))
def test_an_index_that_keeps_its_rows_answers_as_a_fresh_one(texts: list[str], papers: list[Entry]) -> None:
    queries = _parsed(texts)
    kept = KeptIndex(papers, now=NOW - timedelta(days=9))
    for now in (NOW - timedelta(days=2), NOW, NOW):
        assert kept.at(now).rows(queries).tolist() == evaluate(Index(papers, now=now), queries).tolist()
