"""A bar for each day, as an SVG without script or style of its own, and in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from notifier.ports import DayCount
from notifier.render import SHORT_DAY, Catalog

HEIGHT = 80
_STEP = 10
_WIDTH = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A rectangle; ``kind`` is its class in the style sheet."""

    kind: str
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One day in the table that says the same."""

    day: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """``told`` is what the picture shows, for who does not see it."""

    title: str
    told: str
    heads: tuple[str, ...]
    parts: tuple[Part, ...]
    rows: tuple[Row, ...]
    first: str
    last: str
    width: int
    most: str
    bar: int = _WIDTH
    height: int = HEIGHT


def of_digests(days: Sequence[DayCount], words: Catalog) -> Chart:
    return _chart(
        words.say("Digests by day"),
        [("sent", words.say("sent")), ("waiting", words.say("waiting")), ("failed", words.say("failed or held"))],
        [(each.day, (each.sent, each.waiting, each.failed)) for each in days],
        words,
    )


def of_papers(days: Sequence[DayCount], words: Catalog) -> Chart:
    columns = [("papers", words.say("new papers"))]
    return _chart(words.say("New papers by day"), columns, [(each.day, (each.entries,)) for each in days], words)


def _chart(
    title: str, columns: Sequence[tuple[str, str]], days: Sequence[tuple[date, tuple[int, ...]]], words: Catalog
) -> Chart:
    most = max((sum(numbers) for _, numbers in days), default=0)
    kinds = [kind for kind, _ in columns]
    parts = [part for place, (_, numbers) in enumerate(days) for part in _stack(place * _STEP, kinds, numbers, most)]
    return Chart(
        title=title,
        told=_told(columns, days, words),
        heads=tuple(head for _, head in columns),
        parts=tuple(parts),
        rows=tuple(
            Row(day=_day(day, words), numbers=tuple(map(words.number, numbers))) for day, numbers in reversed(days)
        ),
        first=_day(days[0][0], words),
        last=_day(days[-1][0], words),
        width=len(days) * _STEP,
        most=words.number(most),
    )


def _stack(x: int, kinds: Sequence[str], numbers: Sequence[int], most: int) -> list[Part]:
    """From the ground up; what is there at all is seen."""
    parts, y = [], float(HEIGHT)
    for kind, number in zip(kinds, numbers, strict=True):
        if number:
            height = max(number * HEIGHT / most, 1.0)
            y -= height
            parts.append(Part(kind=kind, x=x, y=round(max(y, 0.0), 2), height=round(height, 2)))
    return parts


def _told(columns: Sequence[tuple[str, str]], days: Sequence[tuple[date, tuple[int, ...]]], words: Catalog) -> str:
    sums = [sum(numbers[place] for _, numbers in days) for place in range(len(columns))]
    said = words.joined([f"{words.number(each)} {head}" for each, (_, head) in zip(sums, columns, strict=True)])
    top = max(days, key=lambda each: sum(each[1]))
    if not any(sums):
        return words.say("None in %(days)s days.", days=len(days))
    return words.say(
        "%(sums)s in %(days)s days; most on %(day)s: %(number)s.",
        sums=said,
        days=len(days),
        day=_day(top[0], words),
        number=words.number(sum(top[1])),
    )


def _day(day: date, words: Catalog) -> str:
    return words.date(datetime.combine(day, time(), UTC), SHORT_DAY)
