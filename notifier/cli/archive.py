"""Days gone by: ``source backfill``, ``source gaps`` and ``source lookup``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated

import typer
from rich.progress import Progress

from notifier.app import App
from notifier.cli.base import Json, command, console, local, print_json, print_table, say
from notifier.engine import open_engine
from notifier.errors import NotFound, UsageError
from notifier.fold import Counts
from notifier.lookup import source_of
from notifier.model import Gap, GapReason, SourceRecord

_REASONS = {
    GapReason.MISSED: "nobody asked",
    GapReason.FAILED: "no answer",
    GapReason.CAP: "more than the feed shows",
    GapReason.SHORT: "the answer broke off",
    GapReason.BACKFILL: "backfill",
}


def register(sources: typer.Typer) -> None:
    command(sources, "backfill")(backfill)
    command(sources, "gaps")(gaps)
    command(sources, "lookup")(look_up)


def backfill(
    app: App,
    name: Annotated[str, typer.Argument(help="Its name.")],
    first: Annotated[str, typer.Option("--from", help="First day of submission, such as 2026-01-01.")],
    last: Annotated[str, typer.Option("--to", help="Last day of submission.")],
    news: Annotated[bool, typer.Option("--news", help="Let digests have it. Default: stored, but no news.")] = False,
    json: Json = False,
) -> None:
    """Read days gone by from a source's archive, to be searched; given again, it goes on where it was cut short."""
    days = _day(first, "--from"), _day(last, "--to")
    if days[0] > days[1]:
        raise UsageError(f"--from {first} is later than --to {last}: change one of them.")
    with app.store() as store:
        record = source_of(store, name)
    with Progress(console=console(error=True), transient=True, disable=json or not sys.stderr.isatty()) as bar:
        task = bar.add_task("Reading", total=1.0)
        gap = asyncio.run(_backfill(app, record, days, news, lambda share: bar.update(task, completed=share)))
    if json:
        print_json(as_data(gap))
        return
    kept = "what is new may come in digests" if news else "what is new can be searched, but is no news"
    say(f"{name}: {days_of(gap)} read, new papers: {gap.brought}; {kept}.")


async def _backfill(
    app: App, record: SourceRecord, days: tuple[date, date], news: bool, progress: Callable[[float], None]
) -> Gap:
    async with open_engine(app) as engine:
        return await engine.backfill(record, *days, is_news=news, progress=progress)


def gaps(
    app: App,
    name: Annotated[str | None, typer.Argument(help="Only of this source. Default: of all.")] = None,
    json: Json = False,
) -> None:
    """Show what sources announced while it could not be seen there, and how it was made good."""
    with app.store() as store:
        if name is not None:
            source_of(store, name)
        found = store.gaps.all(name)
    if json:
        print_json([as_data(gap) for gap in found])
        return
    print_gaps(found)


def print_gaps(found: Sequence[Gap]) -> None:
    print_table(
        ["SOURCE", "DAYS", "WHY", "FOUND", "CLOSED", "BROUGHT", "STATE"],
        [[g.source, days_of(g), _REASONS[g.reason], local(g.found_at), *_outcome(g)] for g in found],
        empty="No gaps: every announcement was seen in time.",
    )


def look_up(
    app: App,
    name: Annotated[str, typer.Argument(help="Its name.")],
    ids: Annotated[list[str], typer.Argument(help="Ids of papers, such as 2512.01234.", metavar="ID…")],
    json: Json = False,
) -> None:
    """Ask a source for single papers and store them; they are no news."""
    with app.store() as store:
        record = source_of(store, name)
    found, counts = asyncio.run(_look_up(app, record, ids))
    if json:
        print_json({"ids": found, "new": counts.new, "updated": counts.updated, "unchanged": counts.unchanged})
    elif found:
        say(f"{', '.join(found)}: {counts.new} new, {counts.updated} updated, {counts.unchanged} unchanged.")
    if not found:
        raise NotFound(f"{record.title} has no paper {', '.join(ids)}: check the spelling.")


async def _look_up(app: App, record: SourceRecord, ids: list[str]) -> tuple[list[str], Counts]:
    async with open_engine(app) as engine:
        return await engine.look_up(record, ids)


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{option} '{text}' is no day: write it like 2026-01-31.") from None


def days_of(gap: Gap) -> str:
    return f"{gap.first}" if gap.first == gap.last else f"{gap.first} to {gap.last}"


def _outcome(gap: Gap) -> tuple[str, str, str]:
    if gap.closed_at:
        return local(gap.closed_at), str(gap.brought), f"closed by {gap.how}"
    state = "cut short" if gap.reason is GapReason.BACKFILL else "open"
    return "-", str(gap.brought), f"{state}: {gap.last_error}" if gap.last_error else state


def as_data(gap: Gap) -> dict[str, object]:
    return {
        "id": gap.id,
        "source": gap.source,
        "from": gap.first,
        "to": gap.last,
        "reason": gap.reason,
        "scope": gap.scope,
        "news": gap.is_news,
        "found_at": gap.found_at,
        "closed_at": gap.closed_at,
        "how": gap.how,
        "brought": gap.brought,
        "last_error": gap.last_error,
    }
