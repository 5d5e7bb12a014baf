"""What an examination says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    HINT = "hint"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the examination: ``topic`` is what was looked at, ``text`` a sentence with what to do."""

    topic: str
    level: Level
    text: str
