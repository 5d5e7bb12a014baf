"""What the registry knows of a kind of source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from notifier.ports import Source
from notifier.sources.http import Http


class Open(Protocol):
    def __call__(self, url: str, *, http: Http, name: str) -> Source: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """``claims`` says whether what a person gave to ``source add`` is of this kind; ``open`` makes the source."""

    claims: Callable[[str], bool]
    open: Open
