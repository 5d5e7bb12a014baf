"""What every command shares: the options ``--data-dir`` and ``--now``, the way to print, and how errors end it."""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from notifier import logs
from notifier.app import App, system_clock
from notifier.errors import UsageError
from notifier.settings_file import load

F = TypeVar("F", bound=Callable[..., None])

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the database. Default: NOTIFIER_DATA_DIR, else your own.")
]
Now = Annotated[
    str | None, typer.Option("--now", help="Set the clock, such as 2026-11-23T08:00:00+01:00. Default: NOTIFIER_NOW.")
]
Json = Annotated[bool, typer.Option("--json", help="Print data for machines.")]

NOW_VARIABLE = "NOTIFIER_NOW"


def group(help: str) -> typer.Typer:
    return typer.Typer(help=help, no_args_is_help=True, rich_markup_mode=None, add_completion=False)


def command(owner: typer.Typer, name: str) -> Callable[[F], F]:
    """Make ``function(app, …)`` a command: its other parameters are the command's, and two come with each."""

    def decorate(function: F) -> F:
        owner.command(name)(_runnable(function))
        return function

    return decorate


def alone(owner: typer.Typer) -> Callable[[F], F]:
    """Make ``function(app, …)`` what the name of the group does where no command of it follows."""

    def decorate(function: F) -> F:
        owner.info.no_args_is_help = False
        owner.callback(invoke_without_command=True)(_runnable(function, before_commands=True))
        return function

    return decorate


def _runnable(function: F, *, before_commands: bool = False) -> Callable[..., None]:
    def run(*args: Any, data_dir: Path | None = None, now: str | None = None, **kwargs: Any) -> None:
        context = kwargs.pop("context", None)
        if context is None or context.invoked_subcommand is None:
            function(open_app(data_dir, now), *args, **kwargs)
        else:
            _refuse_options(context)

    hints = get_type_hints(function, include_extras=True)
    own = [
        parameter.replace(annotation=hints[parameter.name])
        for parameter in list(inspect.signature(function).parameters.values())[1:]
    ]
    added: list[tuple[str, Any]] = [("data_dir", DataDir), ("now", Now)]
    if before_commands:
        added.append(("context", typer.Context))
    common = [
        inspect.Parameter(
            each,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if kind is typer.Context else None,
            annotation=kind,
        )
        for each, kind in added
    ]
    run.__name__, run.__doc__ = function.__name__, function.__doc__
    run.__signature__ = inspect.Signature([*own, *common])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *common)}
    return run


def _refuse_options(context: typer.Context) -> None:
    """Before a command they would be read and mean nothing."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if given:
        option = f"--{given[0].strip('_').replace('_', '-')}"
        raise UsageError(f"{option} stands after the command: '{context.command_path} {context.invoked_subcommand} …'.")


def open_app(data_dir: Path | None, now: str | None) -> App:
    logs.quiet()
    fixed = instant(now or os.environ.get(NOW_VARIABLE) or "", ZoneInfo("UTC"), what="--now")
    return App(settings=load(data_dir), clock=(lambda: fixed) if fixed else system_clock)


def instant(text: str, zone: ZoneInfo, *, what: str) -> datetime | None:
    """An ISO 8601 date or time in UTC; without an offset it is meant in ``zone``. None for an empty text."""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"{what} '{text}' is no date or time: write it like 2026-11-23 or 2026-11-23T08:00:00+01:00."
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def console(*, error: bool = False) -> Console:
    """Colour only on a terminal; in a pipe lines are as long as they are."""
    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() else 10_000
    return Console(file=stream, highlight=False, soft_wrap=not stream.isatty(), width=width)


def say(text: str) -> None:
    """A line for people; what comes from outside is text here, never markup."""
    console().print(escape(text))


def warn(text: str) -> None:
    console(error=True).print(escape(text))


def print_json(data: object) -> None:
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2, default=_plain) + "\n")


def print_table(columns: Sequence[str], lines: Iterable[Sequence[str]], *, empty: str) -> None:
    """An aligned table without frame; ``empty`` is said where there are no lines."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for line in lines:
        table.add_row(*(escape(_shown(cell)) for cell in line))
    if table.row_count:
        screen = console()
        with screen.capture() as captured:
            screen.print(table)
        # Cells are padded to their column; the padding at the end of a line is nobody's.
        sys.stdout.write("\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n")
    else:
        say(empty)


def local(moment: datetime | None, zone: str = "UTC") -> str:
    """``2026-11-23 08:00 CET``, or a dash."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}" if moment else "-"


def local_day(moment: datetime, zone: str = "UTC") -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d}"


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _plain(value: object) -> object:
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    return str(value)


def counted(number: int, noun: str) -> str:
    """``1 digest``, ``2 digests``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
