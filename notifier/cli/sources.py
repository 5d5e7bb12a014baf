"""Entries coming in: ``import`` and ``source …``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from notifier import upkeep
from notifier.app import App
from notifier.cli import archive, feedlists, showing
from notifier.cli.base import Json, command, console, group, print_json, say, warn
from notifier.collect import Collected, absorb
from notifier.engine import open_engine
from notifier.errors import NotFound, UsageError
from notifier.fold import Counts
from notifier.lookup import source_of
from notifier.model import Fetched, Rejected, SourceRecord
from notifier.sources import kind_of, name_of, opml, read_lines

_CHUNK = 1000
_SHOWN_REJECTED = 20


def register(app: typer.Typer) -> None:
    command(app, "import")(import_file)
    sources = group("Where entries come from.")
    app.add_typer(sources, name="source")
    command(sources, "add")(add)
    showing.register(sources)
    command(sources, "fetch")(fetch)
    command(sources, "pause")(pause)
    command(sources, "resume")(resume)
    command(sources, "remove")(remove)
    archive.register(sources)
    feedlists.register(sources)


def import_file(
    app: App,
    file: Annotated[str, typer.Argument(help="A JSON Lines file, or - for standard input.", metavar="FILE|-")],
    json: Json = False,
) -> None:
    """Read entries from a JSON Lines file; importing twice changes nothing."""
    fetched = _read(file)
    counts = _absorb(app, fetched)
    if json:
        rejected = [{"line": each.line, "reason": each.reason} for each in fetched.rejected]
        print_json({"new": counts.new, "updated": counts.updated, "unchanged": counts.unchanged, "rejected": rejected})
    else:
        _warn_rejected(fetched.rejected)
        say(
            f"{counts.new} new, {counts.updated} updated, {counts.unchanged} unchanged, "
            f"{len(fetched.rejected)} rejected."
        )
    if not fetched.sightings:
        raise typer.Exit(1)


def _read(file: str) -> Fetched:
    if file == "-":
        return read_lines(sys.stdin.buffer)
    try:
        with Path(file).open("rb") as stream:
            return read_lines(stream)
    except OSError as error:
        raise NotFound(f"{file} cannot be read ({error.strerror}): give a JSON Lines file, or - for input.") from error


def _absorb(app: App, fetched: Fetched) -> Counts:
    counts = Counts()
    with (
        app.store() as store,
        Progress(console=console(error=True), transient=True, disable=not sys.stderr.isatty()) as bar,
    ):
        task = bar.add_task("Importing", total=len(fetched.sightings))
        for start in range(0, len(fetched.sightings), _CHUNK):
            chunk = fetched.sightings[start : start + _CHUNK]
            # Its time is read under the lock, so that no plan lies between that and the commit.
            with store.write():
                counts += absorb(store, chunk, source="import", baseline=False, now=app.clock())
            bar.advance(task, len(chunk))
    return counts


def _warn_rejected(rejected: tuple[Rejected, ...]) -> None:
    for each in rejected[:_SHOWN_REJECTED]:
        warn(f"line {each.line}: {each.reason}")
    if len(rejected) > _SHOWN_REJECTED:
        warn(f"and {len(rejected) - _SHOWN_REJECTED} more rejected lines: --json lists them all.")


def add(
    app: App,
    url: Annotated[
        str,
        typer.Argument(
            help="A feed's address, huggingface, arxiv, biorxiv, medrxiv, or a folder or file of JSON Lines.",
            metavar="URL|PATH",
        ),
    ],
    name: Annotated[str, typer.Option(help="How to call it. Default: from the address.")] = "",
    every: Annotated[
        str, typer.Option(help="How often to ask, such as 30m, 1h or 1d. Default: 1h, for files here 1m.")
    ] = "",
) -> None:
    """Read entries from a source from now on."""
    now, kind = app.clock(), kind_of(url)
    is_local = opml.is_local(kind, url.strip())
    every = every or ("1m" if is_local else "1h")
    record = SourceRecord(
        name=name.strip() or name_of(url),
        kind=kind,
        # A file is read later, from wherever the program then runs.
        url=str(Path(url.strip()).expanduser().absolute()) if is_local else url.strip(),
        every=feedlists.interval_of(every),
        added_at=now,
        next_fetch_at=now,
    )
    with app.store() as store, store.write():
        if store.sources.get(record.name):
            raise UsageError(f"There is a source '{record.name}' already: give this one another name with --name.")
        store.sources.put(record)
    say(
        f"Added source '{record.name}' ({record.kind}), read every {every}. "
        f"'notifier source fetch {record.name}' reads it now."
    )


def fetch(
    app: App,
    name: Annotated[str | None, typer.Argument(help="Only this source. Default: all.")] = None,
    json: Json = False,
) -> None:
    """Ask the sources now, due or not."""
    with app.store() as store:
        if name is not None:
            source_of(store, name)
        elif not store.sources.all():
            raise NotFound("There is no source to read: add one with 'notifier source add huggingface'.")
    collected = asyncio.run(_fetch(app, name))
    if json:
        print_json([_collected_data(each) for each in collected])
    else:
        for each in collected:
            _say_collected(each)
    if any(each.error for each in collected):
        raise typer.Exit(1)


async def _fetch(app: App, name: str | None) -> list[Collected]:
    async with open_engine(app) as engine:
        return await engine.collect(only=name, due_only=False)


def pause(app: App, name: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """Do not ask a source until it is resumed."""
    with app.store() as store, store.write():
        store.sources.put(upkeep.pause(source_of(store, name), app.clock()))
    say(f"Paused source '{name}'. 'notifier source resume {name}' reads it again.")


def resume(app: App, name: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """Read a paused source again."""
    with app.store() as store, store.write():
        store.sources.put(upkeep.resume(source_of(store, name), app.clock()))
    say(f"Resumed source '{name}': it is read again from now on.")


def remove(app: App, name: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """Read a source no more; what it showed stays."""
    with app.store() as store, store.write():
        source_of(store, name)
        store.sources.remove(name)
    say(f"Removed source '{name}'. Its entries stay.")


def _say_collected(each: Collected) -> None:
    if each.error:
        warn(f"{each.source}: {each.error}")
        return
    _warn_rejected(each.rejected)
    counts = each.counts
    unchanged = ", the source says nothing has changed" if each.unchanged else ""
    say(f"{each.source}: {counts.new} new, {counts.updated} updated, {counts.unchanged} unchanged{unchanged}.")
    for gap in each.gaps:
        days = archive.days_of(gap)
        if gap.closed_at:
            say(f"{each.source}: what was missed on {days} has come, new papers: {gap.brought}.")
        else:
            why = f": {gap.last_error}" if gap.last_error else "."
            warn(f"{each.source}: what was missed on {days} is still to come{why}")


def _collected_data(each: Collected) -> dict[str, object]:
    return {
        "source": each.source,
        "new": each.counts.new,
        "updated": each.counts.updated,
        "unchanged": each.counts.unchanged,
        "rejected": [{"line": r.line, "reason": r.reason} for r in each.rejected],
        "error": each.error,
        "gaps": [archive.as_data(gap) for gap in each.gaps],
    }
