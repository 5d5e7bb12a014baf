"""Small pictures as numbers for inline SVG, a bar a day, a line of votes; what each shows stands in its text, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from notifier.model import Point
from notifier.render import SHORT_DAY, Catalog

WIDTH, HEIGHT = 600, 60
_GAP = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    text: str
    """Shown on hover."""
    empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """``text`` says in words what the picture shows."""

    width: int
    height: int
    text: str
    bars: tuple[Bar, ...] = ()
    points: str = ""
    first: str = ""
    last: str = ""


def bars(days: Sequence[tuple[date, int]], catalog: Catalog) -> Graph | None:
    """Papers by day; None where there are no days."""
    if not days:
        return None
    most = max(count for _, count in days) or 1
    step = WIDTH / max(len(days), 7)
    names = [catalog.date(datetime(day.year, day.month, day.day), SHORT_DAY) for day, _ in days]  # noqa: DTZ001
    busiest = max(range(len(days)), key=lambda place: days[place][1])
    return Graph(
        width=WIDTH,
        height=HEIGHT,
        text=catalog.say(
            "Papers a day from %(first)s to %(last)s, most on %(day)s: %(number)s",
            first=names[0],
            last=names[-1],
            day=names[busiest],
            number=catalog.number(days[busiest][1]),
        ),
        bars=tuple(
            Bar(
                x=round(place * step, 1),
                # A day without any is a thin line, so that it is seen to be there.
                height=(height := max(round(count / most * (HEIGHT - 4), 1), 2 if count else 1)),
                y=HEIGHT - height,
                width=round(step - _GAP, 1),
                text=f"{name}: {catalog.number(count)}",
                empty=not count,
            )
            for place, ((_, count), name) in enumerate(zip(days, names, strict=True))
        ),
        first=names[0],
        last=names[-1],
    )


def votes(points: Sequence[Point], catalog: Catalog) -> Graph | None:
    """Votes over time; None for fewer than two points of them."""
    told = [(point.at, point.upvotes) for point in points if point.upvotes is not None]
    if len(told) < 2:
        return None
    (start, first), (end, last) = told[0], told[-1]
    most = max(number for _, number in told) or 1
    seconds = (end - start).total_seconds() or 1

    def place(at: datetime, number: int) -> str:
        x = 4 + (at - start).total_seconds() / seconds * (WIDTH - 8)
        return f"{x:.1f},{HEIGHT - 4 - number / most * (HEIGHT - 12):.1f}"

    days = [catalog.date(at, SHORT_DAY) for at in (start, end)]
    return Graph(
        width=WIDTH,
        height=HEIGHT,
        text=catalog.say(
            "Votes: %(before)s on %(first)s, %(after)s on %(last)s",
            before=catalog.number(first),
            after=catalog.number(last),
            first=days[0],
            last=days[1],
        ),
        points=" ".join(place(at, number) for at, number in told),
        first=days[0],
        last=days[1],
    )
