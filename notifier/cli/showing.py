"""How sources are: ``source list`` and ``source show``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer

from notifier import arxiv_calendar
from notifier.app import App
from notifier.checkup import checkup, of_source
from notifier.cli import archive
from notifier.cli.base import Json, command, local, print_json, print_table, say
from notifier.cli.trying import chart
from notifier.health import Known, State, by_day, state
from notifier.lookup import source_of
from notifier.model import Gap, Health, SourceRecord
from notifier.settings import written

_CHART_DAYS = 14
_GAPS_SHOWN = 10


def register(sources: typer.Typer) -> None:
    command(sources, "list")(list_)
    command(sources, "show")(show)


def list_(app: App, json: Json = False) -> None:
    """Show the sources and how they are."""
    now = app.clock()
    with app.store() as store:
        found = [(known, state(known, now)) for known in checkup(store)]
    if json:
        print_json([_as_data(*each) for each in found])
        return
    print_table(
        ["NAME", "KIND", "EVERY", "LAST ANSWER", "LAST NEW", "STATE"],
        [_line(known, how) for known, how in found],
        empty="No sources yet: 'notifier source add huggingface' reads Hugging Face's Daily Papers.",
    )


def show(app: App, name: Annotated[str, typer.Argument(help="Its name.")], json: Json = False) -> None:
    """Show all there is to know of one source: its state, rhythm, gaps, and what it brought day by day."""
    now = app.clock()
    with app.store() as store:
        known, gaps = of_source(store, source_of(store, name)), store.gaps.all(name)
    how, days = state(known, now), by_day(known.news, _CHART_DAYS, now)
    if json:
        by_date = [{"day": day, "brought": count} for day, count in days]
        print_json(_as_data(known, how) | {"gaps": [archive.as_data(gap) for gap in gaps], "days": by_date})
        return
    lines = dict(_lines(known, how))
    width = max(map(len, lines))
    for label, text in lines.items():
        say(f"{label:<{width}}  {text}")
    _show_parts(known, now)
    _show_gaps(gaps)
    say(f"\nFirst shown by it, in the last {_CHART_DAYS} days (UTC):")
    for line in chart(days):
        say(f"  {line}")


def _line(known: Known, how: State) -> list[str]:
    record = known.record
    last = local(record.last_success_at), local(known.last_new_at)
    return [record.name, record.kind, written(record.every), *last, _with_gaps(in_words(known, how), known.gaps)]


def in_words(known: Known, how: State) -> str:
    """The state of a source in a few words, with since when and why."""
    record, since = known.record, local(how.since)
    match how.health:
        case Health.FAILING:
            return f"failing since {since}: {record.last_error}"
        case Health.PAUSED:
            return f"paused since {since}"
        case Health.GONE:
            return f"gone, paused since {since}: {record.paused_reason}"
        case Health.STALE if known.has_calendar:
            return f"stale: nothing new since {since}, though arXiv has announced"
        case Health.STALE:
            usual = f", usually {_length(how.rhythm.longest)} at most" if how.rhythm else ""
            return f"stale: nothing new since {since}{usual}"
        case Health.NOT_ANNOUNCED:
            return f"not announced today, next {local(how.next_at)}"
        case Health.QUIET if how.rhythm is None and not known.has_calendar:
            return "quiet, too little history to judge"
        case _:
            return str(how.health)


def _with_gaps(text: str, gaps: Sequence[Gap]) -> str:
    missing = ", ".join(archive.days_of(gap) for gap in gaps)
    return f"{text}; what was missed on {missing} is still to come" if gaps else text


def _lines(known: Known, how: State) -> Iterator[tuple[str, str]]:
    record = known.record
    yield "Source", record.name if record.title == record.name else f"{record.name} ({record.title})"
    yield "Address", record.url
    yield "Kind", f"{record.kind}, read every {written(record.every)} since {local(record.added_at)}"
    yield "State", in_words(known, how)
    yield "Last answer", local(record.last_success_at)
    yield "Last new", local(known.last_new_at)
    yield "Rhythm", _rhythm(known, how)
    yield "Next fetch", "-" if record.paused_at else local(record.next_fetch_at)
    if record.last_error:
        yield "Last error", record.last_error
    if record.failures:
        yield "Failures", f"{record.failures} in a row"
    if record.moved_from:
        yield "Moved", f"from {record.moved_from}"
    if record.moving:
        moving = record.moving
        yield "Redirect", f"to {moving.to}, first seen {local(moving.since)}; stored once it has lasted"


def _rhythm(known: Known, how: State) -> str:
    if known.has_calendar:
        return f"arXiv's calendar; next announcement {local(how.next_at)}" if how.next_at else "arXiv's calendar"
    if how.rhythm is None:
        return "too little history to judge"
    rests = ", Saturdays and Sundays not counted" if how.rhythm.rests else ""
    return f"quiet for {_length(how.rhythm.longest)} at most{rests}; stale after {_length(how.rhythm.bound)}"


def _length(time: timedelta) -> str:
    hours = -(-time // timedelta(hours=1))
    if hours < 48:
        return f"{hours} hour" if hours == 1 else f"{hours} hours"
    return f"{time / timedelta(days=1):.1f} days".replace(".0 ", " ")


def _show_parts(known: Known, now: datetime) -> None:
    if known.parts:
        say("")
        print_table(
            ["CATEGORY", "LAST NEW", "ANNOUNCEMENTS SINCE"],
            [
                [name, local(at), str(len(arxiv_calendar.announcements_between(at, now)))]
                for name, at in sorted(known.parts.items())
            ],
            empty="",
        )


def _show_gaps(gaps: Sequence[Gap]) -> None:
    if gaps:
        say("")
        archive.print_gaps(gaps[:_GAPS_SHOWN])
        if len(gaps) > _GAPS_SHOWN:
            say(f"… and {len(gaps) - _GAPS_SHOWN} earlier ones: 'notifier source gaps {gaps[0].source}' shows all.")


def _as_data(known: Known, how: State) -> dict[str, object]:
    rhythm = how.rhythm and {
        "longest_seconds": int(how.rhythm.longest.total_seconds()),
        "stale_after_seconds": int(how.rhythm.bound.total_seconds()),
        "weekends_count": not how.rhythm.rests,
    }
    return {
        **_record_data(known.record),
        "last_new_at": known.last_new_at,
        "state": how.health,
        "state_since": how.since,
        "rhythm": rhythm,
        "next_announcement_at": how.next_at,
        "fresh": known.parts,
        "open_gaps": [archive.as_data(gap) for gap in known.gaps],
    }


def _record_data(record: SourceRecord) -> dict[str, object]:
    moving = record.moving and {"to": record.moving.to, "since": record.moving.since, "times": record.moving.times}
    return {
        "name": record.name,
        "kind": record.kind,
        "url": record.url,
        "every_seconds": int(record.every.total_seconds()),
        "added_at": record.added_at,
        "last_success_at": record.last_success_at,
        "failing_since": record.failing_since,
        "failures": record.failures,
        "last_error": record.last_error,
        "next_fetch_at": record.next_fetch_at,
        "paused_at": record.paused_at,
        "paused_reason": record.paused_reason,
        "moving": moving,
        "moved_from": record.moved_from,
    }
