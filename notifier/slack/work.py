"""What a piece of work is: it reads, and returns calls, or a change that returns calls.

A change is made in one transaction with the note of its calls: what was done and what is to be said stay together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from notifier.matching import Topics
from notifier.ports import Renderer, Store
from notifier.slack.asking import Ask
from notifier.slack.calls import Call
from notifier.slack.grammar import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What verbs need besides the store."""

    topics: Topics
    renderer: Renderer
    look_back: timedelta
    max_entries: int
    base_url: str


Change = Callable[[], list[Call]]
Result = list[Call] | Change
Verb = Callable[[Store, Ask, Tools, Command], Result]
