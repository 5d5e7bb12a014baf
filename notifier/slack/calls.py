"""Calls to Slack: as they are kept beside the work they belong to, and as they are made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from notifier.channels.slack_client import SlackClient
from notifier.errors import Refused
from notifier.model import Workspace
from notifier.render.blocks import BLOCKS, Block
from notifier.slack.asking import Ask

RESPOND = "respond"
"""Not a method of the Web API: to the address that came with the request."""
_SLACK = "https://hooks.slack.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    method: str
    arguments: dict[str, Any] = field(default_factory=dict)
    url: str = ""


def dump(calls: Sequence[Call]) -> str:
    return json.dumps([asdict(call) for call in calls], ensure_ascii=False)


def load(text: str) -> list[Call]:
    return [Call(**each) for each in json.loads(text)]


def tell(ask: Ask, text: str, blocks: Sequence[Block] = (), *, renews: bool = False) -> Call:
    """Say something to the asker and nobody else. ``text`` is what notifications and screen readers have.

    ``renews``: where it was a button of an answer that was pressed, this takes the place of that answer.
    """
    message: dict[str, Any] = {"text": text, "unfurl_links": False, "unfurl_media": False}
    if blocks:
        message["blocks"] = list(blocks)[:BLOCKS]
    if ask.origin.response_url:
        more = {"response_type": "ephemeral", "replace_original": renews and ask.origin.on_answer}
        return Call(method=RESPOND, arguments=message | more, url=ask.origin.response_url)
    return Call(method="chat.postMessage", arguments=message | {"channel": ask.origin.user})


async def make(client: SlackClient, workspace: Workspace, calls: Sequence[Call], *, api_url: str) -> None:
    """One after the other. Raises SendError."""
    for call in calls:
        if call.method == RESPOND:
            if _origin(call.url) not in (_SLACK, _origin(api_url)):
                raise Refused("The address for an answer is none of Slack's: nothing was sent to it.")
            await client.respond(call.url, call.arguments)
        else:
            await _ask(client, workspace, call)


async def _ask(client: SlackClient, workspace: Workspace, call: Call) -> None:
    await client.ask(
        workspace.token_name,
        call.method,
        lambda web: web.api_call(call.method, json=call.arguments),
        about=str(call.arguments.get("channel", "")),
        posts=call.method.startswith("chat.post"),
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
