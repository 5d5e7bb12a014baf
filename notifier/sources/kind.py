"""What the registry knows of a kind of source."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from notifier.model import SourceState
from notifier.ports import Source
from notifier.sources.http import Http


class Open(Protocol):
    def __call__(self, url: str, *, http: Http, name: str) -> Source: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """``claims`` says whether what a person gave to ``source add`` is of this kind; ``open`` makes the source.

    ``widen`` gives the address that also asks for these categories, of which rules speak;
    ``freshness`` tells when each part of the source, such as a category, last brought something unseen.
    """

    claims: Callable[[str], bool]
    open: Open
    widen: Callable[[str, Collection[str]], str] | None = None
    freshness: Callable[[SourceState], Mapping[str, datetime]] = lambda state: {}
