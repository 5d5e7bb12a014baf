"""The pages alone: ``web``. They need the extra ``notifier[web]``, which the shell does without."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

import typer

from notifier import logs
from notifier.app import App
from notifier.cli.base import command
from notifier.errors import NotifierError
from notifier.serve import Beside, running, stop_at_signals

NO_PAGES = "The pages need the extra notifier[web]: install it, or leave them out with --no-web."


def register(app: typer.Typer) -> None:
    command(app, "web")(web)


def web(app: App) -> None:
    """Serve the pages alone, until stopped; 'notifier serve' serves them beside everything else."""
    if not has_pages():
        raise NotifierError(NO_PAGES)
    logs.configure(app.settings)
    asyncio.run(_alone(pages(app)))


def has_pages() -> bool:
    return all(find_spec(name) for name in ("fastapi", "uvicorn", "python_multipart"))


def pages(app: App) -> Beside:
    """What serves them. Their port is taken at once: raises SettingsError where somebody else has it."""
    from notifier.web import create, run
    from notifier.web.running import listen

    listening = listen(app.settings)
    made = create(app)

    async def serving(stop: asyncio.Event) -> None:
        await run(made, app.settings, stop, listening=listening)

    return serving


async def _alone(serving: Beside) -> None:
    stop = asyncio.Event()
    stop_at_signals(stop)
    async with running([serving], stop):
        await stop.wait()
