"""Where entries come from. A new kind of source is one file with a ``KIND`` and one line in ``KINDS``."""

from __future__ import annotations

from notifier.clean import plain
from notifier.errors import SourceError, UsageError
from notifier.ports import Source
from notifier.sources import feed, folder, huggingface, jsonl
from notifier.sources.http import Http
from notifier.sources.jsonl import read_lines
from notifier.sources.kind import Kind
from notifier.sources.naming import name_of
from notifier.sources.turns import Turns

__all__ = ["KINDS", "Http", "Turns", "kind_of", "name_of", "open_source", "read_lines"]

KINDS: dict[str, Kind] = {
    "huggingface": huggingface.KIND,
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
        f"'{plain(url, limit=200)}' is no source: give 'huggingface', the address of a feed (https://…), "
        "a .jsonl file, or a folder of them."
    )


def open_source(kind: str, url: str, *, http: Http, name: str) -> Source:
    """The source behind a SourceRecord. Raises SourceError for a kind this version does not know."""
    if kind not in KINDS:
        raise SourceError(f"Source '{name}' is of kind '{kind}', which is not known here: remove it, or update.")
    return KINDS[kind].open(url, http=http, name=name)
