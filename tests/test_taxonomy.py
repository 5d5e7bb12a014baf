"""arXiv's categories are known by name and title, and those with two names are found by either."""

from __future__ import annotations

import pytest

from notifier.library import load_taxonomy
from notifier.matching import SAME, explain, meaning, parse
from tests.builders import NOW, entry

TAXONOMY = load_taxonomy()


def holds(query: str, *categories: str) -> bool:
    return explain(parse(query), entry(categories=categories), now=NOW) is not None


def test_every_name_lies_beneath_its_archive_and_stands_there_once() -> None:
    names = [each.name for each in TAXONOMY]
    assert len(names) == len({name.casefold() for name in names})
    assert all(each.name.split(".")[0] == each.archive and each.title for each in TAXONOMY)
    assert {each.archive for each in TAXONOMY} <= set(names)


def test_all_of_arxivs_archives_are_there_with_the_closed_ones() -> None:
    now = "astro-ph cond-mat cs econ eess gr-qc hep-ex hep-lat hep-ph hep-th math math-ph nlin nucl-ex nucl-th physics"
    archives = {each.archive for each in TAXONOMY}
    assert archives - SAME.keys() == {*now.split(), "q-bio", "q-fin", "quant-ph", "stat"}
    # 155 categories that arXiv lists, the bare names of its archives with several, and 18 closed archives.
    listed = [each for each in TAXONOMY if "." in each.name or (each.archive not in SAME and not _parts(each.archive))]
    assert (len(listed), len(archives & SAME.keys())) == (155, 18)


def _parts(archive: str) -> bool:
    return any(each.archive == archive and each.name != archive for each in TAXONOMY)


def test_both_names_of_a_category_are_known() -> None:
    assert all(TAXONOMY.get(name) and TAXONOMY.get(other) for other, name in SAME.items())


@pytest.mark.parametrize(("other", "name"), SAME.items())
def test_a_category_is_found_by_either_of_its_names(other: str, name: str) -> None:
    assert holds(f"category:{other}", name) and holds(f"category:{name}", other)
    assert holds(f"category:{other}", other) and holds(f"category:{name}", name)


def test_another_name_does_not_bring_in_another_archive() -> None:
    assert not holds("category:cs", "eess.SY") and not holds("category:math", "math-ph")
    assert not holds("category:cs.IT", "cs.IR")


def test_categories_of_other_sources_go_on_matching_as_they_are_written() -> None:
    assert holds("category:neuroscience", "Neuroscience")
    assert holds('category:"cell biology"', "Cell  Biology")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("category:cs.CL", "category is cs.CL (Computation and Language)"),
        ("category:CS.cl", "category is CS.cl (Computation and Language)"),
        ("category:cs.*", "category is cs.* (Computer Science)"),
        ("category:cs", "category is cs (Computer Science)"),
        ("-category:astro-ph.GA", "not category is astro-ph.GA (Astrophysics of Galaxies)"),
        ("category:physics", "category is physics"),
        ("category:neuroscience", "category is neuroscience"),
        (
            "category:cs.RO OR arm",
            "text contains arm or category is cs.RO (Robotics)",
        ),
    ],
)
def test_the_meaning_of_a_category_has_its_title(query: str, words: str) -> None:
    assert meaning(parse(query), TAXONOMY.title) == words


def test_what_lies_in_a_group_or_archive_is_found_by_name_or_title() -> None:
    names = {wanted: [each.name for each in TAXONOMY.within(wanted)] for wanted in ("econ", "Statistics", "cs.cl", "x")}
    assert names["econ"] == ["econ", "econ.EM", "econ.GN", "econ.TH"]
    assert "stat.ML" in names["Statistics"]
    assert (names["cs.cl"], names["x"]) == (["cs.CL"], [])
    assert [each.name for each in TAXONOMY.within("Machine Learning")] == ["cs.LG", "stat.ML"]
