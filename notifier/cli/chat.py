"""The face inside Slack, where it is set up. It needs the extra ``notifier[slack]``, which the shell does without."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

from notifier.app import App
from notifier.errors import SettingsError
from notifier.serve import Beside

NO_SLACK = "Slack needs the extra notifier[slack]: install it, or take slack_app_token out of the settings."


def slack_faces(app: App) -> list[Beside]:
    """What answers people inside Slack; nothing where it is not set up. Raises SettingsError without its packages."""
    if not app.settings.answers_slack:
        return []
    if not all(find_spec(name) for name in ("slack_bolt", "aiohttp", "cryptography")):
        raise SettingsError(NO_SLACK)
    from notifier.slack.face import slack_face

    async def answering(stop: asyncio.Event) -> None:
        async with slack_face(app) as face:
            await face.run(stop)

    return [answering]
