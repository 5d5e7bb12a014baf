"""Which payload is what: slack-bolt's routes, behind the inbox. What they lead to is the desk's."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from notifier.ports import Store
from notifier.slack import grammar, verbs
from notifier.slack.asking import Ask
from notifier.slack.buttons import BUTTONS
from notifier.slack.desk import Desk, Turn
from notifier.slack.verbs import Result, Tools

COMMAND = "/papers"

_log = logging.getLogger("notifier.slack.bolt")
_log.setLevel(logging.ERROR)

Route = Callable[[Desk, Turn], Awaitable[None]]


def routes(api_url: str) -> AsyncApp:
    """Its requests carry their ``desk`` and their ``turn``; signatures are checked and repeats left out before."""
    app = AsyncApp(
        name="notifier",
        logger=_log,
        client=AsyncWebClient(base_url=api_url, logger=_log),
        authorize=_authorize,  # type: ignore[arg-type] # None: the app is not in that workspace
        process_before_response=True,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
    )
    app.command(COMMAND)(_route(_command))
    for name in BUTTONS:
        app.action(name)(_route(_button))
    return app


def _route(route: Route) -> Callable[..., Awaitable[None]]:
    async def listener(ack: Callable[[], Awaitable[Any]], context: dict[str, Any]) -> None:
        # Slack has its acknowledgement already; this one is for the library.
        await ack()
        turn: Turn = context["turn"]
        try:
            await route(context["desk"], turn)
        except Exception as error:
            turn.failed = error

    listener.__name__ = route.__name__
    return listener


async def _authorize(context: dict[str, Any], enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
    workspace = context["turn"].workspace
    if workspace is None:
        return None
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_user_id=workspace.bot_user)


async def _command(desk: Desk, turn: Turn) -> None:
    def piece(store: Store, ask: Ask, tools: Tools) -> Result:
        return verbs.run(store, ask, tools, grammar.read(str(turn.body.get("text", ""))))

    await desk.answer(turn, piece)


async def _button(desk: Desk, turn: Turn) -> None:
    action = turn.body["actions"][0]

    def piece(store: Store, ask: Ask, tools: Tools) -> Result:
        return BUTTONS[action["action_id"]](store, ask, tools, str(action.get("value", "")))

    await desk.answer(turn, piece)
