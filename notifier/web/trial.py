"""What a text in the rule language means, or where it cannot be read: the same on search and in the editor."""

from __future__ import annotations

from dataclasses import dataclass

from notifier.errors import RuleError
from notifier.library import load_taxonomy
from notifier.matching import Query, meaning

_AROUND = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """``before`` and ``after`` the place where reading ended, on one line, and what was wrong there."""

    sentence: str
    before: str
    after: str

    @property
    def pointer(self) -> str:
        """A line under the text with a caret under the column; a wide character takes two."""
        return " " * sum(2 if ord(each) > 0x2E80 else 1 for each in self.before) + "^"


def fault_of(query: str, error: RuleError) -> Fault:
    """Of a long text what stands around the column."""
    line = "".join(each if each.isprintable() else " " for each in query)
    at = min(error.column - 1, len(line))
    start, end = max(0, at - _AROUND), at + _AROUND
    return Fault(
        sentence=str(error),
        before=("…" if start else "") + line[start:at],
        after=line[at:end] + ("…" if end < len(line) else ""),
    )


def in_words(query: Query) -> str:
    return meaning(query, load_taxonomy().title)
