"""Lists of feeds, coming in and going out: ``source import`` and ``source export``."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from notifier.app import App
from notifier.cli.base import Json, command, print_json, say, warn
from notifier.errors import NotFound, UsageError
from notifier.settings import duration
from notifier.sources import kind_of, opml

_SHORTEST = timedelta(minutes=1)


def register(sources: typer.Typer) -> None:
    command(sources, "import")(import_)
    command(sources, "export")(export)


def interval_of(text: str) -> timedelta:
    interval = duration(text) or timedelta(0)
    if interval < _SHORTEST:
        raise UsageError(f"--every '{text}' is no interval of a minute or more: write it like 30m, 1h or 1d.")
    return interval


def import_(
    app: App,
    file: Annotated[str, typer.Argument(help="An OPML file, or - for standard input.", metavar="FILE|-")],
    every: Annotated[str, typer.Option(help="How often to ask those that name no interval.")] = "1h",
    json: Json = False,
) -> None:
    """Read the feeds of an OPML list from now on; those that are read already are left as they are."""
    outlines, interval = opml.read(_read(file)), interval_of(every)
    with app.store() as store, store.write():
        listed = opml.choose(outlines, store.sources.all(), kind_of=kind_of, every=interval, now=app.clock())
        for each in listed:
            if each.record:
                store.sources.put(each.record)
    if json:
        print_json([_as_data(each) for each in listed])
    else:
        _say(listed)
    if not any(each.record or each.is_known for each in listed):
        raise typer.Exit(1)


def _read(file: str) -> bytes:
    # One byte more than may be read, so that a longer list is refused and not cut.
    if file == "-":
        return sys.stdin.buffer.read(opml.MAX_BYTES + 1)
    try:
        with Path(file).open("rb") as stream:
            return stream.read(opml.MAX_BYTES + 1)
    except OSError as error:
        raise NotFound(f"{file} cannot be read ({error.strerror}): give an OPML file, or - for input.") from error


def _say(listed: list[opml.Listed]) -> None:
    for each in listed:
        if each.record:
            say(f"added '{each.record.name}' ({each.record.url})")
        elif each.is_known:
            say(f"skipped '{each.text}': it {each.why}")
        else:
            warn(f"line {each.line}: '{each.text}' was not added: {each.why}")
    added, known = sum(1 for each in listed if each.record), sum(1 for each in listed if each.is_known)
    say(f"{added} added, {known} known already, {len(listed) - added - known} not usable.")


def _as_data(each: opml.Listed) -> dict[str, object]:
    name = each.record.name if each.record else None
    outcome = "added" if each.record else "known" if each.is_known else "rejected"
    return {"line": each.line, "text": each.text, "outcome": outcome, "name": name, "reason": each.why or None}


def export(
    app: App,
    file: Annotated[str, typer.Argument(help="Where to write it. Default: standard output.", metavar="[FILE]")] = "-",
) -> None:
    """Write the sources as an OPML list, for another reader or another Notifier."""
    with app.store() as store:
        records = store.sources.all()
    for record in records:
        if opml.is_local(record.kind, record.url):
            warn(f"left out '{record.name}': it is read from files of this machine.")
    data = opml.write(records, now=app.clock())
    if file == "-":
        sys.stdout.write(data.decode("utf-8"))
        return
    try:
        Path(file).write_bytes(data)
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({os.strerror(error.errno or 0)}): name another file.") from error
    say(f"Wrote {sum(not opml.is_local(each.kind, each.url) for each in records)} sources to {file}.")
