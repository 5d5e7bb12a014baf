"""The face inside Slack, where it is set up. It needs the extra ``notifier[slack]``, which the shell does without."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from notifier.app import App
from notifier.errors import SettingsError

if TYPE_CHECKING:
    from notifier.slack.face import SlackFace

NO_SLACK = (
    "Slack needs the extra notifier[slack]: install it, or take slack_app_token and slack_signing_secret out of the "
    "settings."
)


def slack_face(app: App) -> SlackFace | None:
    """What answers people inside Slack; None where it is not set up. Raises SettingsError without its packages."""
    if not app.settings.answers_slack:
        return None
    if not all(find_spec(name) for name in ("slack_bolt", "aiohttp", "cryptography")):
        raise SettingsError(NO_SLACK)
    from notifier.slack.face import SlackFace

    return SlackFace(app)
