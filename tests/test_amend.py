"""What a digest offers to do about a rule."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.amend import mutes_of, narrowed
from notifier.errors import RuleError
from notifier.matching import explain, parse
from notifier.model import Entry, Evidence
from tests.matching.strategies import NOW, TOPICS, rules


@pytest.mark.parametrize(
    ("field", "text", "mute"),
    [
        ("abstract", "humanoid", "humanoid"),
        ("title", "Legged  Robots", '"legged robots"'),
        ("title", 'the "best" one', '"the best one"'),
        ("authors", "Ada Lovelace", 'author:"ada lovelace"'),
        ("categories", "cs.CL", "category:cs.cl"),
        ("keywords", "RL", "keyword:rl"),
        ("organization", "Lab of or", 'org:"lab of or"'),
    ],
)
def test_what_was_found_can_be_muted(field: str, text: str, mute: str) -> None:
    assert mutes_of([Evidence(field=field, spans=((0, 1),), text=text)]) == [mute]


def test_the_same_word_is_offered_once_and_what_has_no_place_not_at_all() -> None:
    found = [
        Evidence(field="title", text="Robot"),
        Evidence(field="abstract", text="robot"),
        Evidence(field="", text="x"),
    ]
    assert mutes_of(found) == ["robot"]


@settings(max_examples=60)
@given(st.text(max_size=20), st.sampled_from(["title", "authors", "keywords", "categories"]))
def test_every_mute_that_is_offered_parses(text: str, field: str) -> None:
    for query in mutes_of([Evidence(field=field, text=text)]):
        parse(query)


@pytest.mark.parametrize(
    ("rule", "narrow"),
    [
        ("robot", "title:robot"),
        ('"reward model" OR DPO', 'title:"reward model" OR title:dpo'),
        ("(a OR b) -survey", "(title:a OR title:b) -survey"),
        ("abstract:robot", None),
        ("topic:tuning", None),
        ("upvotes>=20", None),
    ],
)
def test_a_rule_is_narrowed_to_titles_where_it_has_words_that_stand_anywhere(rule: str, narrow: str | None) -> None:
    found = narrowed(parse(rule, TOPICS))
    assert (found and parse(found)) == (narrow and parse(narrow))


@settings(max_examples=60)
@given(rules)
def test_a_narrowed_rule_parses_and_cannot_be_narrowed_again(rule: str) -> None:
    with suppress(RuleError):
        if narrow := narrowed(parse(rule, TOPICS)):
            assert narrowed(parse(narrow, TOPICS)) is None


def test_a_narrowed_rule_takes_what_has_the_word_in_the_title_only() -> None:
    narrow = parse(narrowed(parse("robot")) or "")
    assert explain(narrow, Entry(id="a", title="A robot"), now=NOW)
    assert not explain(narrow, Entry(id="b", title="A plant", abstract="No robot."), now=NOW)
