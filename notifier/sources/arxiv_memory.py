"""What the arXiv adapter remembers between two answers, written into the source's cursor."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import blake2b
from typing import Any

from notifier.model import Sighting, SourceState
from notifier.sources.arxiv_categories import covers

_BYTES = 5
"""Of each item's hash: among 2,000 items one in 500,000 answers has two that look alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """``seen`` is the latest evening whose announcement counts as read.

    ``asked`` are the categories of the last request; ``fresh`` tells for each when it last brought an item that was
    not in the answer before; ``unknown`` are those arXiv refused, and when.
    """

    seen: date | None = None
    asked: tuple[str, ...] = ()
    fresh: Mapping[str, datetime] = field(default_factory=dict)
    unknown: Mapping[str, date] = field(default_factory=dict)
    items: frozenset[bytes] = frozenset()
    """Of the last answer that had any."""
    is_empty: bool = True
    """Whether the last answer had none."""

    @classmethod
    def read(cls, state: SourceState) -> Memory:
        """An unreadable one is as good as none: at worst something is asked for twice."""
        try:
            data: dict[str, Any] = json.loads(state.cursor or "{}")
            raw = b64decode(data.get("items", ""))
            return cls(
                seen=date.fromisoformat(data["seen"]) if data.get("seen") else None,
                asked=tuple(data.get("asked", ())),
                fresh={name: datetime.fromisoformat(at) for name, at in data.get("fresh", {}).items()},
                unknown={name: date.fromisoformat(day) for name, day in data.get("unknown", {}).items()},
                items=frozenset(raw[at : at + _BYTES] for at in range(0, len(raw), _BYTES)),
                is_empty=bool(data.get("is_empty", True)),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def written(self) -> str:
        return json.dumps(
            {
                "seen": self.seen.isoformat() if self.seen else None,
                "asked": self.asked,
                "fresh": {name: at.isoformat() for name, at in sorted(self.fresh.items())},
                "unknown": {name: day.isoformat() for name, day in sorted(self.unknown.items())},
                "is_empty": self.is_empty,
                "items": b64encode(b"".join(sorted(self.items))).decode(),
            }
        )


def items_of(sightings: Iterable[Sighting]) -> dict[bytes, Sighting]:
    """Each announced version by a short hash."""
    return {_hash(each): each for each in sightings}


def _hash(sighting: Sighting) -> bytes:
    name = f"{sighting.keys[0]} {sighting.entry.version} {sighting.announce}"
    return blake2b(name.encode("utf-8", "replace"), digest_size=_BYTES).digest()


def freshness(
    before: Mapping[str, datetime], asked: Iterable[str], unseen: Iterable[Sighting], now: datetime
) -> dict[str, datetime]:
    """For each category of ``asked`` when it last brought something unseen; one that never did is absent."""
    brought = {category for each in unseen for category in each.entry.categories}
    return {
        name: now if any(covers(name, category) for category in brought) else before[name]
        for name in asked
        if name in before or any(covers(name, category) for category in brought)
    }
