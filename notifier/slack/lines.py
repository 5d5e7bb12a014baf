"""The rules of a subscription as lines of text, for a field of a form. Pure.

    "reward model" OR DPO # preference learning
    mute: survey
    mute until 2026-12-24: benchmark

What stands behind the last `` # `` is the label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from notifier.errors import NotifierError, RuleError, UsageError
from notifier.matching import Topics, parse
from notifier.model import Mode, Rule
from notifier.rulefile import Item
from notifier.slack.grammar import instant, typed

_MUTE = re.compile(r"mute(?:\s+until\s+(?P<day>\d{4}-\d{2}-\d{2}))?\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a line; ``number`` counts from 1."""

    number: int
    line: str
    text: str

    def __str__(self) -> str:
        return f"Line {self.number}: {self.text}"


def dump(rules: Iterable[Rule], zone: ZoneInfo) -> str:
    return "\n".join(line_of(rule, zone) for rule in rules)


def line_of(rule: Rule, zone: ZoneInfo) -> str:
    day = f" until {rule.until.astimezone(zone):%Y-%m-%d}" if rule.until else ""
    before = f"mute{day}: " if rule.mode is Mode.MUTE else ""
    query = " ".join(rule.query.split())
    if rule.label:
        return f"{before}{query} # {rule.label}"
    return f"{before}{query} #" if " # " in query else f"{before}{query}"


def read(
    text: str, rules: Sequence[Rule], topics: Topics, *, zone: ZoneInfo, now: datetime
) -> tuple[list[Item], list[Fault]]:
    """The rules in ``text``, and what is wrong with lines of it.

    A line as it stands in the subscription already is taken, whether or not it parses today.
    """
    standing = {line_of(rule, zone): rule for rule in rules}
    items: list[Item] = []
    faults: list[Fault] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = typed(raw)
        if not line:
            continue
        try:
            items.append(_kept(standing.pop(line)) if line in standing else _item(line, topics, zone, now))
        except NotifierError as error:
            faults.append(Fault(number=number, line=line, text=_sentence(error, line)))
    return items, faults


def _kept(rule: Rule) -> Item:
    return Item(id=rule.id, query=rule.query, label=rule.label, mode=rule.mode, until=rule.until)


def _item(line: str, topics: Topics, zone: ZoneInfo, now: datetime) -> Item:
    muted = _MUTE.match(line)
    query, label = _labelled(line[muted.end() :] if muted else line)
    parse(query, topics)
    until = instant(muted["day"], zone, now) if muted and muted["day"] else None
    if until is not None and until <= now:
        raise UsageError("The mute would end in the past: give a later date.")
    return Item(id="", query=query, label=label, mode=Mode.MUTE if muted else Mode.INCLUDE, until=until)


def _labelled(text: str) -> tuple[str, str]:
    if text.endswith(" #"):
        return text[:-2].strip(), ""
    query, mark, label = text.rpartition(" # ")
    return (query.strip(), label.strip()) if mark else (text.strip(), "")


def _sentence(error: NotifierError, line: str) -> str:
    """Columns of a rule's error count in the rule; in a field they are counted in the line."""
    if not isinstance(error, RuleError):
        return str(error)
    muted = _MUTE.match(line)
    column = error.column + (muted.end() if muted else 0)
    return str(error).replace(f"(column {error.column})", f"(column {column})")
