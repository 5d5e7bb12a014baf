"""What rules ask sources for."""

import pytest

from notifier.asked import categories_of
from notifier.library import load_taxonomy, load_topics
from notifier.topics import queries


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("category:cs.CL reward", {"cs.CL"}),
        ("category:cs.CL OR (category:math.* -category:cs.LG)", {"cs.CL", "math.*"}),
        ("NOT category:cs.CL reward", set()),
        ("topic:walking", {"cs.RO"}),
        ("-topic:walking", set()),
        ("title:category reward", set()),
        ("category:(", set()),
    ],
)
def test_rules_ask_for_the_categories_they_name_and_not_for_those_they_exclude(query: str, names: set[str]) -> None:
    topics = {"walking": "(category:cs.RO legs) OR humanoid", "other": "reward"}
    known: dict[str, frozenset[str]] = {}
    assert categories_of([query], topics, known) == names
    assert known == {query: names}


def test_the_bundled_topics_ask_only_for_categories_that_arxiv_has() -> None:
    topics = queries(load_topics().values())
    found = categories_of([f"topic:{name}" for name in topics], topics, {})
    assert found and all(load_taxonomy().get(name) for name in found)
