"""Which payload is what: slack-bolt's routes, behind the inbox. What they lead to is the desk's."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from notifier.ports import Store
from notifier.slack import entries, events, forms, grammar, home, linking, verbs
from notifier.slack.asking import Ask, chosen
from notifier.slack.buttons import BUTTONS, FORMS, SHORTCUTS, Button
from notifier.slack.desk import Desk, Turn
from notifier.slack.grammar import Command
from notifier.slack.work import Result, Tools, Verb

COMMAND = "/papers"

_log = logging.getLogger("notifier.slack.bolt")
# What it has to say of failures is said by us, and of what nobody handles by nobody.
_log.setLevel(logging.CRITICAL)

Route = Callable[[Desk, Turn], Awaitable[None]]


def _edit(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    return forms.opened(store, ask, tools, chosen(store, ask, command).id)


_VERBS: Mapping[str, Verb] = MappingProxyType(
    {**verbs.VERBS, "edit": _edit, "saved": entries.saved, "link": linking.link, "confirm": linking.confirm}
)
assert _VERBS.keys() == grammar.VERBS  # noqa: S101 - what is read is what is done


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
    for name, button in BUTTONS.items():
        app.action(name)(_route(_done(button)))
    for name, form in FORMS.items():
        app.view(name)(_route(_done(form)))
    for name, shortcut in SHORTCUTS.items():
        app.message_shortcut(name)(_route(_done(shortcut)))
    for name, event in EVENTS.items():
        app.event(name)(_route(event))
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

    return listener


async def _authorize(context: dict[str, Any], enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
    workspace = context["turn"].workspace
    if workspace is None:
        return None
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_user_id=workspace.bot_user)


async def _command(desk: Desk, turn: Turn) -> None:
    def piece(store: Store, ask: Ask, tools: Tools) -> Result:
        command = grammar.read(str(turn.body.get("text", "")))
        return _VERBS[command.verb](store, ask, tools, command)

    await desk.answer(turn, piece)


def _done(what: Button) -> Route:
    async def route(desk: Desk, turn: Turn) -> None:
        await desk.answer(turn, lambda store, ask, tools: what(store, ask, tools, turn.body))
        if (turn.body.get("view") or {}).get("type") == "home" and turn.body["type"] == "block_actions":
            await desk.also(turn, home.published)

    return route


async def _home(desk: Desk, turn: Turn) -> None:
    if turn.body["event"].get("tab") == "home":
        await desk.answer(turn, home.published)


async def _uninstalled(desk: Desk, turn: Turn) -> None:
    await desk.left(turn, "The app was removed there.")


async def _revoked(desk: Desk, turn: Turn) -> None:
    # Tokens of single people are none of ours.
    if (turn.body["event"].get("tokens") or {}).get("bot"):
        await desk.left(turn, "Its token was revoked there.")


EVENTS: Mapping[str, Route] = MappingProxyType(
    {
        "app_home_opened": _home,
        "app_uninstalled": _uninstalled,
        "link_shared": _done(events.unfurl),
        "reaction_added": _done(events.reaction),
        "reaction_removed": _done(events.reaction),
        "tokens_revoked": _revoked,
    }
)
