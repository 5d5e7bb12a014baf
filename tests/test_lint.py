from __future__ import annotations

from collections.abc import Sequence
from datetime import time, timedelta
from typing import Any

import pytest

from notifier.library import load_taxonomy
from notifier.lint import Advice, Finding, hits_of, lint, longest_gap, readings
from notifier.matching import Index, parse
from notifier.model import Cadence, Entry, Every, Mode, Rule
from tests.builders import MORNING, NOW, entry, rule

WEEKLY = Cadence(every=Every.WEEKLY)


def archive(*special: dict[str, Any], size: int = 40) -> list[Entry]:
    plain = [entry(number, title="Notes on gardening") for number in range(size - len(special))]
    return [entry(1_000 + number, **({"title": "Special"} | each)) for number, each in enumerate(special)] + plain


def findings(
    query: str,
    entries: Sequence[Entry],
    *others: Rule,
    mode: Mode = Mode.INCLUDE,
    cadence: Cadence = MORNING,
) -> list[Finding]:
    found = lint(
        parse(query),
        mode=mode,
        others=[(each, parse(each.query)) for each in others],
        index=Index(entries, now=NOW),
        cadence=cadence,
        zone="Europe/Berlin",
        taxonomy=load_taxonomy(),
    )
    return list(found)


def only(found: list[Finding], advice: Advice) -> Finding:
    assert [each.advice for each in found] == [advice], found
    return found[0]


def test_a_rule_without_flaws_gets_no_advice() -> None:
    assert findings("robot", archive({"title": "Robots"}, {"title": "A robot"})) == []


def test_a_term_that_more_than_a_fifth_of_the_archive_has_is_named_with_its_share() -> None:
    found = only(findings("robot garden*", archive(*[{"title": "Robots garden"}] * 4)), Advice.COMMON)
    assert (found.term, "100% of 40 papers: it narrows the rule little" in found.text) == ("garden*", True)
    assert "brings" in only(findings("gardening", archive()), Advice.COMMON).text
    assert "leaves out" in only(findings("gardening", archive(), mode=Mode.MUTE), Advice.COMMON).text


def test_a_common_topic_is_common_as_a_whole_and_a_category_only_where_it_stands_alone() -> None:
    entries = [entry(n, title="Robots", categories=("cs.RO",)) for n in range(30)]
    assert only(findings("category:cs.RO", entries), Advice.COMMON).term == "category:cs.RO"
    assert [each.term for each in findings("category:cs.RO robot", entries)] == ["robot"]


@pytest.mark.parametrize(
    ("query", "instead"),
    [
        ("alignement", "alignment"),
        ('"value alignement"', "alignment"),
        ('author:"Ada Lovelase"', "ada lovelace"),
        ("category:neurosience", "category:neuroscience"),
        ("category:cs.CC", None),
        ("zzyzx", None),
        ("MPC", None),
    ],
)
def test_a_term_never_seen_comes_with_the_nearest_one_that_was(query: str, instead: str | None) -> None:
    entries = archive(
        {"title": "Value alignment", "authors": ("Ada Lovelace",), "categories": ("cs.CL", "neuroscience")}
    )
    found = only(findings(query, entries), Advice.UNSEEN)
    assert found.instead == instead
    assert "never seen" in found.text


def test_a_phrase_never_seen_whose_words_were_says_so() -> None:
    found = only(findings('"alignment value"', archive({"title": "Value alignment"})), Advice.UNSEEN)
    assert "though each of its words was" in found.text


def test_a_handful_of_papers_says_nothing_about_terms() -> None:
    assert findings("alignement OR gardening", archive(size=5)) == []


def test_a_mute_that_empties_an_include_is_told_from_both_sides() -> None:
    entries = archive(*[{"title": "A survey of robots"}] * 3)
    robots, surveys = rule("robot", "r_robots"), rule("survey", "r_surveys", mode=Mode.MUTE)
    assert only(findings("survey", entries, robots, mode=Mode.MUTE), Advice.EMPTIED).rule_id == "r_robots"
    assert only(findings("robot", entries, surveys), Advice.EMPTIED).rule_id == "r_surveys"
    assert findings("robot", [*entries, entry(9, title="Robots")], surveys) == []


def test_a_rule_covered_by_another_is_told_from_both_sides() -> None:
    entries = archive(*[{"title": "Robot arms"}] * 3, {"title": "Robots"})
    assert "All 3 papers" in only(findings('"robot arm"', entries, rule("robot")), Advice.COVERED).text
    assert "all 3 papers" in only(findings("robot", entries, rule('"robot arm"')), Advice.COVERED).text
    assert "says the same" in only(findings("ROBOT", entries, rule("robot")), Advice.COVERED).text


def test_a_mute_does_not_cover_an_include() -> None:
    entries = archive(*[{"title": "Robot arms"}] * 3, {"title": "Robots"})
    assert findings("robot", entries, rule('"robot arm"', mode=Mode.MUTE)) == []


def test_an_age_shorter_than_the_time_between_two_digests_is_told() -> None:
    assert "7 days lie between" in only(findings("age<1d", [], cadence=WEEKLY), Advice.NEVER).text
    assert findings("age<7d", [], cadence=WEEKLY) == []
    assert findings("age<1d", []) == []
    assert findings("-age<1d", [], cadence=WEEKLY) == []


def test_an_age_that_no_paper_can_have_or_had_is_told() -> None:
    seen = [entry(n, first_seen_at=NOW, published_at=NOW - timedelta(days=2, hours=n)) for n in range(30)]
    assert "was 2d old" in only(findings("age<1d", seen), Advice.NEVER).text
    assert "No paper can have both" in only(findings("age<1d age>2d", []), Advice.NEVER).text


@pytest.mark.parametrize(
    ("cadence", "gap"),
    [
        (Cadence(every=Every.INSTANT), timedelta(0)),
        (Cadence(every=Every.HOURLY), timedelta(hours=1)),
        (MORNING, timedelta(days=1)),
        (Cadence(every=Every.DAILY, at=time(8), days=frozenset(range(5))), timedelta(days=3)),
        (Cadence(every=Every.MONTHLY), timedelta(days=31)),
    ],
)
def test_the_longest_time_between_two_digests(cadence: Cadence, gap: timedelta) -> None:
    assert longest_gap(cadence, "UTC", now=NOW) == gap


def test_an_acronym_that_papers_explain_in_several_ways_is_told_with_each() -> None:
    abstracts = [
        "We use model predictive control (MPC) here.",
        "Secure multi-party computation (MPC) is slow, unlike Model Predictive Control (MPC).",
    ]
    found = only(findings("MPC", archive(*({"abstract": each} for each in abstracts))), Advice.AMBIGUOUS)
    assert "“model predictive control” (2), “multi-party computation” (1)" in found.text


def test_inflection_case_and_joints_make_no_new_reading_of_an_acronym() -> None:
    abstracts = [
        "Reinforcement learning from human feedback (RLHF)",
        "reinforcement learning with human feedback (RLHF)",
        "and Large Language Models (LLMs)",
        "a large language model (LLM)",
    ]
    entries = [entry(n, abstract=each) for n, each in enumerate(abstracts)]
    assert [len(readings(acronym, entries)) for acronym in ("rlhf", "llm")] == [1, 1]


def test_what_stands_before_brackets_but_spells_no_acronym_is_no_reading() -> None:
    assert readings("gpt", [entry(abstract="This is the best of all models (GPT) and (GPT)")]) == []


def test_hits_are_one_flag_an_entry_for_each_distinct_query() -> None:
    entries = [entry(n, title="Robots" if n % 3 == 0 else "Plants") for n in range(130)]
    query = parse("robot")
    assert hits_of(Index(entries, now=NOW), [query, query])[query].tolist() == [n % 3 == 0 for n in range(130)]
    assert hits_of(Index([], now=NOW), [query])[query].tolist() == []


@pytest.mark.parametrize(
    ("query", "says", "instead"),
    [
        ("category:cs.CK", "did you mean cs.CL (Computation and Language)?", "category:cs.CL"),
        ("category:CS.clr", "did you mean cs.CL", "category:cs.CL"),
        ("category:cond-mat.soff", "did you mean cond-mat.soft", "category:cond-mat.soft"),
        ("category:hep-xx", "did you mean hep-ex", "category:hep-ex"),
        ("category:qbio.NC", "did you mean q-bio.NC", "category:q-bio.NC"),
        ("category:cs.XYZW", "arXiv has no category cs.XYZW: 'notifier topics categories cs'", None),
        ('category:"computation and language"', "write category:cs.CL.", "category:cs.CL"),
        ('category:"machine learning"', "write category:cs.LG or category:stat.ML.", "category:cs.LG"),
    ],
)
def test_a_category_that_arxiv_does_not_have_comes_with_the_nearest(query: str, says: str, instead: str | None) -> None:
    found = only(findings(query, archive({"categories": ("cs.CL",)}, size=3)), Advice.MISNAMED)
    assert (says in found.text, found.instead) == (True, instead), found


KNOWN = ["category:cs.cl", "category:cs.*", "category:math-ph", "category:cmp-lg", "category:cs"]


@pytest.mark.parametrize("query", KNOWN)
def test_a_category_that_arxiv_has_gets_no_advice_however_it_is_written(query: str) -> None:
    assert findings(query, archive({"categories": ("cs.SY",)}, size=3)) == []


def test_a_category_that_papers_have_is_one_whatever_arxiv_says() -> None:
    entries = archive({"categories": ("neuroscience",)}, {"categories": ("cs.XX",)}, {"categories": ("robotics",)})
    for query in ("category:neuroscience", "category:cs.XX", "category:robotics"):
        assert findings(query, entries) == []
    assert findings("category:bioinformatics", entries[:3]) == []


LINK = {"abstract": "Code is at https://github.com/acme/orcalib and in the appendix."}


@pytest.mark.parametrize(
    ("query", "abstract", "where"),
    [
        ("orcalib", "Code is at https://github.com/acme/orcalib and in the appendix.", "web addresses"),
        ("orcalib", "Our page is acme.github.io/orcalib.", "web addresses"),
        ("orcalib", "Write to help@orcalib.org for the data.", "mail addresses"),
        ("orcalib", "We call run_orcalib_fast with default options.", "identifiers"),
        ("orcalib", "All figures come from orcalib.py in the archive.", "identifiers"),
        ("xi", r"Let $\xi_t$ be a process and $a < b$.", "formulas"),
        ("rlhf", r"See \cite{rlhf2022,rlhf} for more.", "TeX commands"),
        ("jats", "<jats:p>We study bees.</jats:p>", "markup"),
        ("nbsp", "We study&nbsp;bees.", "markup"),
    ],
)
def test_a_term_that_only_stands_inside_an_address_a_formula_or_markup_is_told(
    query: str, abstract: str, where: str
) -> None:
    found = only(findings(query, archive({"abstract": abstract})), Advice.INSIDE)
    assert f"only ever stands inside {where} (1 paper)" in found.text


@pytest.mark.parametrize(
    ("query", "abstract"),
    [
        ("orcalib", "OrcaLib is at https://github.com/acme/orcalib."),
        ('"k-means"', "We run $k$-means twice."),
        ("vivo", r"Cells grown $\textit{in vivo}$ differ."),
        ("million", "It costs $5 million and saves $7 million."),
        ("bees", "p < 0.05 for bees > 3 days old"),
        ("node", "A server in Node.js, and/or Deno."),
    ],
)
def test_one_occurrence_in_a_sentence_clears_a_term(query: str, abstract: str) -> None:
    assert findings(query, archive({"abstract": abstract})) == []


def test_a_keyword_clears_a_term() -> None:
    assert findings("orcalib", archive(LINK, {"keywords": ("orcalib",)})) == []


def test_a_term_in_links_of_one_paper_and_formulas_of_another_names_both() -> None:
    found = only(findings("orcalib", archive(LINK, {"abstract": "$orcalib(x)$ is monotone"})), Advice.INSIDE)
    assert "inside web addresses and formulas (2 papers)" in found.text


CHINESE = ("我们提出基于Mamba的图像分割方法", "使用Mamba模型进行语音识别", "一种改进的Mamba网络结构")


def test_a_latin_word_that_only_stands_in_text_of_another_script_is_told() -> None:
    found = only(findings("mamba", archive(*({"abstract": each} for each in CHINESE))), Advice.INSIDE)
    assert "only ever stands inside Chinese, Japanese, Korean or Thai text (3 papers)." in found.text
    english = {"abstract": "Mamba is a state space model."}
    assert findings("mamba", archive(*({"abstract": each} for each in CHINESE), english)) == []
    assert findings("mamba", archive({"abstract": CHINESE[0]})) == []


def test_a_fragment_that_always_continues_in_the_same_way_is_told_with_the_longer_word() -> None:
    texts = ("化学の反応を予測する", "計算化学のための手法", "無機化学における学習")
    entries = archive(*({"abstract": each} for each in texts[:2]), {"title": "有機化学"})
    assert only(findings("学", entries), Advice.INSIDE).instead == "化学"
    assert "“化学”" in only(findings("学", entries), Advice.INSIDE).text
    assert findings("化学", entries) == []


def test_one_character_that_stands_in_many_words_is_told_with_some_of_them() -> None:
    entries = archive({"title": "化学の反応"}, {"title": "数学の証明"}, {"title": "科学と社会"})
    found = only(findings("学", entries), Advice.INSIDE)
    assert "inside longer words, such as “化学”, “数学”, “科学” (3 papers)" in found.text
    assert findings("学", archive({"title": "学"}, {"title": "数学の証明"}, {"title": "科学と社会"})) == []


def test_a_word_in_running_chinese_is_no_fragment() -> None:
    texts = ("基于深度学习的方法研究", "利用深度学习进行预测", "深度学习在医学中的应用")
    assert findings("深度学习", archive(*({"title": each} for each in texts))) == []
