from __future__ import annotations

import time

import pytest

from notifier.errors import RuleError
from notifier.matching import format_query, grows, meaning, parse

TOPICS = {"alignment": 'alignment OR "value learning"', "safety": "topic:alignment OR jailbreak", "broken": "(a"}


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("diffusion policy", "diffusion policy"),
        ("b AND a", "a b"),
        ("rlhf or DPO", "dpo OR rlhf"),
        ("c (b OR a)", "(a OR b) c"),
        ("a b OR c d", "a b OR c d"),
        ("NOT survey", "-survey"),
        ("--survey", "survey"),
        ('"Preference  Optimization"', '"preference optimization"'),
        ("“reward model”", '"reward model"'),
        ('"reward model"~3', '"model reward"~3'),
        ("=RLHF", "=RLHF"),
        ("model =RLHF", "=RLHF model"),
        ("Align*", "align*"),
        ("fine-tuning", "fine-tuning"),
        ("C++ *PO A*", "*PO A* c++"),
        ("title: transformer", "title:transformer"),
        ("title:(a OR b)", "title:a OR title:b"),
        ('author:"Bengio, Yoshua"', 'author:"yoshua bengio"'),
        ("organization:google keywords:x", "keyword:x org:google"),
        ("category:cs.* category:cs.CL", "category:cs category:cs.cl"),
        ("upvotes >= 20", "upvotes>=20"),
        ("upvotes = 20", "upvotes=20"),
        ("stars≥5 comments=3", "comments=3 stars>=5"),
        ("age<72h published>=2026-01", "age<3d published>=2026-01"),
        (r"title:/gpt-?\d/", r"title:/gpt-?\d/"),
        ("*", "*"),
        ("-(*)", "-(*)"),
        ("topic:Safety", "topic:safety"),
        ('title:"or" "not"', '"not" title:"or"'),
    ],
)
def test_canonical_text(text: str, canonical: str) -> None:
    query = parse(text, TOPICS)
    assert format_query(query) == canonical
    assert parse(canonical, TOPICS) == query


@pytest.mark.parametrize(
    ("text", "sentence", "column", "suggestion"),
    [
        ("", "The rule is empty", 1, None),
        ("x catagory:cs", "unknown field 'catagory'", 3, "category"),
        ("upvote>3", "unknown field 'upvote'", 1, "upvotes"),
        ("topic:alignmnt", "unknown topic 'alignmnt'", 7, "alignment"),
        ("has:cod", "unknown value of has: 'cod'", 5, "code"),
        ("announce:newest", "unknown value of announce: 'newest'", 10, "new"),
        ("upvotes:20", "write upvotes>=20", 1, None),
        ("title>3", "searched, not compared", 1, None),
        ("upvotes>=many", "needs a number", 10, None),
        ("age<3", "age<3d", 5, None),
        ("published>=2026-13-01", "needs a date", 12, None),
        ("(a OR b", "expected )", 8, None),
        ("a )", "closes nothing", 3, None),
        ("a ()", "expected a word", 4, None),
        ("a OR", "ends too early", 5, None),
        ("OR a", "OR has nothing on one side", 1, None),
        ("a AND AND b", "AND has nothing on one side", 7, None),
        ('a "b', "quotation mark is not closed", 3, None),
        ("/abc", "begins and ends with /", 1, None),
        ("/(a/", "not valid", 1, None),
        (r"/\b/", "at least one letter or digit", 1, None),
        ("/a*/", "fits even an empty text", 1, None),
        ("/(?=a)b/", "not valid", 1, None),
        ("a & b", "no letter or digit", 3, None),
        ("x a*", "at least two letters", 3, None),
        ('"reward"~3', "at least two whole words", 1, None),
        ("topic:broken", "Topic 'broken' cannot be used", 7, None),
    ],
)
def test_errors_name_column_expectation_and_suggestion(
    text: str, sentence: str, column: int, suggestion: str | None
) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text, TOPICS)
    assert sentence in str(caught.value)
    assert (caught.value.column, caught.value.suggestion) == (column, suggestion)


def test_topics_that_lead_back_to_themselves_are_refused() -> None:
    with pytest.raises(RuleError, match="leads back to itself"):
        parse("topic:a", {"a": "x topic:b", "b": "topic:a"})


def test_a_changed_topic_changes_the_query() -> None:
    assert parse("topic:a", {"a": "x"}) != parse("topic:a", {"a": "y"})


@pytest.mark.parametrize(
    "text",
    [
        "x" * 2_001,
        "(" * 10_000,
        "(" * 60 + "a" + ")" * 60,
        "-" * 1_900 + "a",
        "NOT " * 480 + "a",
        "a " * 300,
        "/(((a{1000}){1000}){1000})/",
    ],
)
def test_what_is_too_large_is_refused(text: str) -> None:
    with pytest.raises(RuleError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["(" * 10_000, "/" + "(a+)+" * 300 + "$/ (", "x" * 1_000_000, '"' * 1_999, "a:" * 900, "-" * 1_999, "<" * 1_999],
)
def test_hostile_rules_are_refused_cheaply(text: str) -> None:
    parse("warm up (x)")
    start = time.process_time()
    with pytest.raises(RuleError):
        parse(text)
    # Milliseconds where nothing else runs; a quadratic or exponential path would take many seconds.
    assert time.process_time() - start < 1


def test_meaning_in_plain_words() -> None:
    query = parse('-survey title:"world model" upvotes>=20 (RLHF OR author:"Ada Lovelace")')
    assert meaning(query) == (
        '(an author is Ada Lovelace or text contains RLHF) and title contains "world model" '
        "and upvotes at least 20 and text does not contain survey"
    )


def test_only_rules_on_growing_values_are_looked_at_again() -> None:
    assert grows(parse("x (y OR upvotes>=3)"))
    assert not grows(parse("x age<3d authors<=3"))
