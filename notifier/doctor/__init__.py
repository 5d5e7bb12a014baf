"""What is configured, what is not, what is wrong, and what to do about it. Sends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from notifier.app import App
from notifier.doctor.database import database
from notifier.doctor.files import settings, templates, topics
from notifier.doctor.finding import Finding, Level
from notifier.doctor.outside import channels, dkim, inside_slack, looked_up, mailboxes, pages

__all__ = ["Finding", "Level", "examine"]


async def examine(app: App, *, look_up: Callable[[str], str | None] = looked_up) -> list[Finding]:
    """Look at everything; one thing that is wrong does not hide the next. ``look_up`` asks for TXT records."""
    return [
        *settings(app),
        *database(app),
        *topics(app),
        *templates(app),
        *pages(app.settings.base_url),
        *[finding async for finding in channels(app)],
        *inside_slack(app.settings),
        *await asyncio.to_thread(lambda: [*mailboxes(app), *dkim(app, look_up)]),
    ]
