"""The pages alone: ``web``. They need the extra ``notifier[web]``, which the shell does without."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING

import typer

from notifier import logs
from notifier.app import App
from notifier.cli.base import command
from notifier.cli.chat import slack_face
from notifier.errors import NotifierError
from notifier.serve import Beside, running, stop_at_signals

if TYPE_CHECKING:
    from starlette.types import ASGIApp

NO_PAGES = "The pages need the extra notifier[web]: install it, or leave them out with --no-web."


def register(app: typer.Typer) -> None:
    command(app, "web")(web)


def web(app: App) -> None:
    """Serve the pages alone, until stopped; 'notifier serve' serves them beside everything else."""
    if not has_pages():
        raise NotifierError(NO_PAGES)
    logs.configure(app.settings)
    asyncio.run(_alone(faces(app, web=True)))


def has_pages() -> bool:
    return all(find_spec(name) for name in ("fastapi", "uvicorn", "python_multipart"))


def faces(app: App, *, web: bool) -> list[Beside]:
    """The pages where they are wanted, with what Slack sends to them, and the face inside Slack where it is set up."""
    chat = slack_face(app)
    mounts = {"/slack": chat.http} if web and chat and chat.http else {}
    return [*([pages(app, mounts)] if web else []), *([chat.run] if chat else [])]


def pages(app: App, mounts: Mapping[str, ASGIApp] = MappingProxyType({})) -> Beside:
    """What serves them. Their port is taken at once: raises SettingsError where somebody else has it."""
    from notifier.web import create, run
    from notifier.web.running import listen

    listening = listen(app.settings)
    made = create(app, mounts=mounts)

    async def serving(stop: asyncio.Event) -> None:
        await run(made, app.settings, stop, listening=listening)

    return serving


async def _alone(serving: list[Beside]) -> None:
    stop = asyncio.Event()
    stop_at_signals(stop)
    async with running(serving, stop):
        await stop.wait()
