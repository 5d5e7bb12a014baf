"""What is asked of arXiv: addresses as people write them, and categories as rules name them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.sources.arxiv_categories import covers, parse_address, taxonomy, widened

NAMES = st.lists(st.sampled_from(sorted(each.name for each in taxonomy())), max_size=60)


@pytest.mark.parametrize(
    ("given", "means"),
    [
        ("arxiv", "arxiv"),
        (" arXiv:cs.cl+CS.LG ", "arxiv:cs.CL+cs.LG"),
        ("arxiv:cs.CL,hep-th", "arxiv:cs.CL+hep-th"),
        ("arxiv:cs.*+cs.CL", "arxiv:cs"),
        ("arxiv:cs.CL@http://127.0.0.1:8080/", "arxiv:cs.CL@http://127.0.0.1:8080"),
        ("arxiv@https://mirror.example.org/arxiv", "arxiv@https://mirror.example.org/arxiv"),
        ("https://rss.arxiv.org/atom/cs.CL+math", "arxiv:cs.CL+math"),
        ("http://export.arxiv.org/rss/cs.CL", "arxiv:cs.CL"),
        ("arxiv:zz.New", "arxiv:zz.New"),
    ],
)
def test_an_address_says_which_categories_and_where(given: str, means: str) -> None:
    assert str(parse_address(given)) == means


@pytest.mark.parametrize(
    "given",
    [
        "",
        "arxiv:",
        "arxiv:cs CL",
        "arxiv:../etc",
        "arxiv:cs.CL@ftp://x",
        "https://rss.arxiv.org/rss/",
        "https://[",
        "arxivx",
    ],
)
def test_what_is_no_address_of_arxiv_is_none(given: str) -> None:
    assert parse_address(given) is None


@given(NAMES, NAMES)
def test_a_widened_address_covers_every_category_and_widening_again_changes_nothing(
    own: list[str], named: list[str]
) -> None:
    url = widened("arxiv" + (f":{'+'.join(own)}" if own else ""), named)
    address = parse_address(url)
    assert address is not None and len(url) < 1_600
    assert all(any(covers(asked, name) for asked in address.categories) for name in (*own, *named))
    assert widened(url, named) == url
