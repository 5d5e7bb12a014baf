"""Which kind of source a person means."""

import pytest

from notifier.errors import SourceError, UsageError
from notifier.sources import KINDS, Http, kind_of, open_source


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("huggingface", "huggingface"),
        (" HuggingFace ", "huggingface"),
        ("huggingface:trending", "huggingface"),
        ("https://huggingface.co/papers/trending", "huggingface"),
        ("/srv/inbox/", "folder"),
        (".", "folder"),
        ("https://huggingface.co/papers", "huggingface"),
        ("https://huggingface.co/blog/feed.xml", "feed"),
        ("arxiv", "arxiv"),
        ("arXiv:cs.CL+math", "arxiv"),
        ("https://rss.arxiv.org/rss/cs.AI+cs.LG", "arxiv"),
        ("https://rss.arxiv.org/help", "feed"),
        ("biorxiv", "biorxiv"),
        ("https://www.medrxiv.org/", "medrxiv"),
        ("https://connect.biorxiv.org/biorxiv_xml.php?subject=genomics", "feed"),
        ("http://lab.example.org/", "feed"),
        ("https://lab.example.org/papers.jsonl?day=1", "jsonl"),
        ("papers.jsonl", "jsonl"),
        ("/srv/papers/today.ndjson", "jsonl"),
    ],
)
def test_the_kind_follows_from_what_was_given(given: str, kind: str) -> None:
    assert kind_of(given) == kind


@pytest.mark.parametrize(
    "given", ["", "lab.example.org/feed", "ftp://x.org/f", "file:///etc/passwd", "https://u:p@x.org/"]
)
def test_what_is_no_source_is_refused_with_what_to_give(given: str) -> None:
    with pytest.raises(UsageError, match=r"give 'huggingface', 'arxiv', .*the address of a feed"):
        kind_of(given)


def test_a_kind_of_a_later_version_is_a_failure_of_that_source_alone(http: Http) -> None:
    with pytest.raises(SourceError, match="kind 'telepathy'"):
        open_source("telepathy", "x", http=http, name="far")


def test_every_kind_opens(http: Http) -> None:
    for kind in KINDS:
        assert isinstance(open_source(kind, "https://lab.example.org/x", http=http, name="x").takes_baseline, bool)
