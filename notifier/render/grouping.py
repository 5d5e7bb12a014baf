"""The entries of a digest as a reader goes through them: one ranked list, or under the rules that brought them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from notifier.model import Digest, DigestItem
from notifier.render.text import plain

GROUPED_FROM = 4
"""Rules that brought entries from which on a list by label is easier to scan than one ranked list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Entries under one label; ``label`` is empty for the one ranked list."""

    label: str
    items: tuple[DigestItem, ...]


def grouped(items: tuple[DigestItem, ...], *, is_late: bool = False) -> list[Group]:
    """By rule where more than three brought entries, the most specific (with the fewest) first.

    One that stands for several days is grouped from two rules on.
    """
    counts = Counter(reason.rule_id for item in items for reason in item.reasons)
    if len(counts) < (2 if is_late else GROUPED_FROM):
        return [Group(label="", items=items)] if items else []
    by_rule: dict[str, list[DigestItem]] = {}
    labels: dict[str, str] = {}
    for item in items:
        best = min(item.reasons, key=lambda reason: counts[reason.rule_id], default=None)
        rule = best.rule_id if best else ""
        by_rule.setdefault(rule, []).append(item)
        labels[rule] = plain(best.label or best.query, 60) if best else ""
    return [
        Group(label=labels[rule], items=tuple(found))
        for rule, found in sorted(by_rule.items(), key=lambda pair: counts[pair[0]])
    ]


def fewer(digest: Digest, shown: int) -> Digest:
    """The same digest with only the first ``shown`` entries in full."""
    return replace(digest, items=digest.items[:shown], more=(*digest.items[shown:], *digest.more))
