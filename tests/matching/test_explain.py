from __future__ import annotations

from datetime import timedelta

from notifier.matching import explain, parse, verdict
from notifier.model import Entry
from tests.matching.strategies import NOW, TOPICS

PAPER = Entry(
    id="arxiv:2601.00001",
    title="Fine\u00adtuned reward models",
    abstract="We fine-tune $\\alpha$-models on data sets. A na\u00efve baseline.",
    authors=("Yoshua Bengio", "Ada Lovelace"),
    categories=("cs.CL", "stat.ML"),
    keywords=("world models",),
    organization="Google DeepMind",
    upvotes=7,
    published_at=NOW - timedelta(days=2),
)


def said(rule: str) -> list[tuple[str, str]]:
    found = explain(parse(rule, TOPICS), PAPER, now=NOW)
    assert found is not None
    return [(each.field, each.text) for each in found]


def failed(rule: str) -> tuple[str, ...]:
    return verdict(parse(rule, TOPICS), PAPER, now=NOW).failed


def test_evidence_quotes_the_stored_text() -> None:
    assert said("finetuning") == [("title", "Fine\u00adtuned"), ("abstract", "fine-tune")]
    assert said("alpha") == [("abstract", "\\alpha")]
    assert said("naive") == [("abstract", "na\u00efve")]
    assert said("dataset") == [("abstract", "data sets")]
    assert said('"reward model"') == [("title", "reward models")]


def test_every_occurrence_has_a_span() -> None:
    (title, abstract, keyword) = explain(parse("model"), PAPER, now=NOW) or ()
    assert [PAPER.title[slice(*span)] for span in title.spans] == ["models"]
    assert [PAPER.abstract[slice(*span)] for span in abstract.spans] == ["models"]
    assert (keyword.field, keyword.text, keyword.spans) == ("keywords", "world models", ())


def test_values_and_negations_say_themselves() -> None:
    assert said("upvotes>=5") == [("upvotes", "upvotes 7 (at least 5)")]
    assert said("-survey") == [("", "not survey")]
    assert said("author:bengio") == [("authors", "Yoshua Bengio")]
    assert said("category:cs") == [("categories", "cs.CL")]
    assert said("*") == [("", "every entry")]


def test_an_or_names_the_branches_that_hold() -> None:
    assert said("reward OR survey OR upvotes>1") == [("title", "reward"), ("upvotes", "upvotes 7 (more than 1)")]


def test_a_verdict_names_each_clause_that_failed() -> None:
    assert failed("reward upvotes>=20") == ("upvotes 7 of 20",)
    assert failed("reward -finetuned") == ("finetuned is there, which the rule excludes",)
    assert failed("title:baseline stars>=3") == ("stars unknown", "no title: baseline")
    assert failed("survey OR music") == ("no music; no survey",)
    assert failed("category:cs.LG") == ("category is cs.CL, stat.ML, not cs.LG",)
    assert failed("age<1d") == ("published 2d ago, not less than 1 day old",)
    assert failed("topic:tuning upvotes>8") == ("upvotes 7, not more than 8",)
    assert verdict(parse("reward"), PAPER, now=NOW).matched
