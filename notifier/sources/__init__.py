"""Where entries come from. A new kind of source is one file with a ``KIND`` and one line in ``KINDS``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from notifier.clean import plain
from notifier.errors import SourceError, UsageError
from notifier.model import SourceRecord
from notifier.ports import Source
from notifier.sources import arxiv, feed, folder, huggingface, jsonl, rxiv
from notifier.sources.http import Http
from notifier.sources.jsonl import read_lines
from notifier.sources.kind import Kind
from notifier.sources.naming import name_of
from notifier.sources.pace import Paces
from notifier.sources.turns import Turns

__all__ = [
    "KINDS",
    "Http",
    "Paces",
    "Turns",
    "asks_for_categories",
    "freshness_of",
    "kind_of",
    "name_of",
    "open_source",
    "read_lines",
]

KINDS: dict[str, Kind] = {
    "huggingface": huggingface.KIND,
    "arxiv": arxiv.KIND,
    "biorxiv": rxiv.BIORXIV,
    "medrxiv": rxiv.MEDRXIV,
    "folder": folder.KIND,
    "jsonl": jsonl.KIND,
    "feed": feed.KIND,
}
"""By the name that ``SourceRecord.kind`` has; the first that claims an address gets it."""


def kind_of(url: str) -> str:
    """The kind of source that a person means by ``url``. Raises UsageError where it is none."""
    for name, kind in KINDS.items():
        if kind.claims(url.strip()):
            return name
    raise UsageError(
        f"'{plain(url, limit=200)}' is no source: give 'huggingface', 'arxiv', 'biorxiv', 'medrxiv', "
        "the address of a feed (https://…), a .jsonl file, or a folder of them."
    )


def open_source(kind: str, url: str, *, http: Http, name: str, categories: Collection[str] = ()) -> Source:
    """The source behind a SourceRecord, which may also ask for ``categories``, of which rules speak.

    Raises SourceError for a kind this version does not know.
    """
    if kind not in KINDS:
        raise SourceError(f"Source '{name}' is of kind '{kind}', which is not known here: remove it, or update.")
    widen = KINDS[kind].widen
    return KINDS[kind].open(widen(url, categories) if widen else url, http=http, name=name)


def asks_for_categories(record: SourceRecord) -> bool:
    """Whether it makes a difference to the source of which categories rules speak."""
    return record.kind in KINDS and KINDS[record.kind].widen is not None


def freshness_of(record: SourceRecord) -> Mapping[str, datetime]:
    """For each part of a source that is told apart (arXiv's categories), when it last brought something unseen."""
    return KINDS[record.kind].freshness(record.state) if record.kind in KINDS else {}
