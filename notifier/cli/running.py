"""Setting up and running: ``demo``, ``init``, ``doctor``, ``serve``, ``run`` and ``health``."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from notifier import logs
from notifier.app import App
from notifier.cli.base import Json, command, console, counted, print_json, print_table, say, warn
from notifier.cli.pages import NO_PAGES, faces, has_pages
from notifier.demo import Told, replay
from notifier.doctor import Level, examine
from notifier.engine import Pass, open_engine
from notifier.errors import NotifierError, UsageError
from notifier.model import DeliveryState
from notifier.serve import last_beat, serve
from notifier.settings_file import FILE_NAME, commented_file

_TICKS_MISSED = 15


def register(app: typer.Typer) -> None:
    command(app, "demo")(demo)
    command(app, "init")(init)
    command(app, "doctor")(doctor)
    command(app, "serve")(serve_)
    command(app, "run")(run)
    command(app, "health")(health)


def demo(
    app: App,
    out: Annotated[Path, typer.Option(help="Folder for the messages and the demo's database.")] = Path("demo-out"),
) -> None:
    """Live through ten days of bundled papers with three example people; needs nothing and sends nothing."""
    told = replay(out)
    say(f"Read {told.entries} papers of {told.days} days, matched them against the rules of three people.\n")
    for person in told.people:
        _print_person(person.name, person.wish, person.rules)
        print_table(
            ["", "LAST DIGEST", "BECAUSE"],
            [["", title, because] for title, because in person.last],
            empty="  nothing matched",
        )
        say(f"  {counted(person.digests, 'digest')} in these days.\n")
    _print_places(told)


def _print_person(name: str, wish: str, rules: str) -> None:
    screen = console()
    screen.print(Text(name, style="bold"), Text(f"  {wish}"), sep="")
    screen.print(Text(f"  rules: {rules}", style="dim"))


def _print_places(told: Told) -> None:
    say(f"All messages lie in {told.outbox}")
    say(f"Open this in your browser: {told.showpiece.as_uri()}")


def init(app: App) -> None:
    """Make the data folder, its database and a settings file in which every setting is explained."""
    with app.store():
        pass
    file = app.settings.data_dir / FILE_NAME
    try:
        with open(file, "x", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as fresh:
            fresh.write(commented_file())
        say(f"Wrote {file}: set smtp_host or slack_token there.")
    except FileExistsError:
        say(f"{file} is there already and stays as it is.")
    except OSError as error:
        raise NotifierError(
            f"{file} cannot be written ({error.strerror}): name another folder with --data-dir."
        ) from error
    say(f"The database is {app.settings.database}.")
    say("Next: 'notifier source add huggingface', 'notifier subscriber add EMAIL', 'notifier doctor'.")


def doctor(app: App, json: Json = False) -> None:
    """Say what is configured, what is not, what is wrong and what to do; tries mail login and Slack token."""
    findings = asyncio.run(examine(app))
    if json:
        print_json([{"topic": f.topic, "level": f.level, "text": f.text} for f in findings])
    else:
        print_table(["WHAT", "", "FINDING"], [[f.topic, f.level, f.text] for f in findings], empty="")
    if any(finding.level is Level.WRONG for finding in findings):
        raise typer.Exit(1)


def serve_(
    app: App,
    web: Annotated[bool, typer.Option("--web/--no-web", help="Serve the pages, too.")] = True,
) -> None:
    """Read sources, plan and send at everybody's hour, and serve the pages, until stopped."""
    logs.configure(app.settings)
    if web and not has_pages():
        warn(NO_PAGES)
        web = False
    asyncio.run(serve(app, beside=faces(app, web=web)))


def run(
    app: App,
    once: Annotated[bool, typer.Option("--once", help="One pass, then exit.")] = False,
    json: Json = False,
) -> None:
    """Do one pass: read the sources that are due, plan, deliver."""
    if not once:
        raise UsageError("'notifier run' takes --once; 'notifier serve' runs on.")
    done = asyncio.run(_once(app))
    failed = done.sent.get(DeliveryState.FAILED, 0) + done.letters.get(DeliveryState.FAILED, 0)
    if json:
        print_json(
            {
                "collected": [{"source": c.source, "new": c.counts.new, "error": c.error} for c in done.collected],
                "planned": done.plans.deliveries,
                "entries": done.plans.entries,
                "deliveries": dict(done.sent),
                "letters": dict(done.letters),
            }
        )
    else:
        states = _states(done.sent) or "none due"
        letters = f" letters: {_states(done.letters)}." if done.letters else ""
        new = sum(each.counts.new for each in done.collected)
        planned = counted(done.plans.deliveries, "digest")
        say(f"{counted(new, 'new paper')}, {planned} planned; deliveries: {states}.{letters}")
        for each in done.collected:
            if each.error:
                warn(f"{each.source}: {each.error}")
        if done.sent.keys() - {DeliveryState.SENT}:
            warn("'notifier deliveries --failed' says what went wrong.")
        if done.letters.keys() - {DeliveryState.SENT}:
            warn("'notifier letters --failed' says what went wrong.")
    if failed:
        raise typer.Exit(1)


def _states(sent: Mapping[DeliveryState, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sent.items())


async def _once(app: App) -> Pass:
    async with open_engine(app) as engine:
        return await engine.once()


def health(app: App) -> None:
    """Succeed if 'notifier serve' is ticking in this data folder; for container and service checks."""
    beat = last_beat(app.settings.data_dir)
    if beat is None:
        raise NotifierError(f"'notifier serve' has not run in {app.settings.data_dir}.")
    oldest = max(app.settings.tick * _TICKS_MISSED, timedelta(minutes=5))
    if app.clock() - beat > oldest:
        raise NotifierError(f"'notifier serve' last ticked at {beat:%Y-%m-%d %H:%M:%S} UTC: restart it.")
    say(f"Ticking, last at {beat:%Y-%m-%d %H:%M:%S} UTC.")
