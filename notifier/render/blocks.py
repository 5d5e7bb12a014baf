"""Slack's blocks as objects, within the documented limits; texts are mrkdwn that is escaped already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from notifier.render.mrkdwn import Mrkdwn, cut, escape
from notifier.render.text import clip

# Below Slack's own limits (50 blocks, 3,000 characters a text, 150 a header, 75 a button), to have air.
BLOCKS = 45
CHARACTERS = 12_000
"""Of the whole message as JSON, the most cautious way to count."""
SECTION = 2_900
HEADER = 150
BUTTON = 75
TITLE = 24

Block = dict[str, Any]
"""Slack's JSON."""


def section(text: str, accessory: Block | None = None) -> Block:
    more = {"accessory": accessory} if accessory else {}
    return {"type": "section", "text": mrkdwn(cut(text, SECTION)), **more}


def context(text: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(cut(text, SECTION))]}


def header(text: str) -> Block:
    return {"type": "header", "text": plain_text(text, HEADER)}


def divider() -> Block:
    return {"type": "divider"}


def actions(elements: Sequence[Block]) -> list[Block]:
    """Nothing where there is no element, which Slack would refuse."""
    return [{"type": "actions", "elements": list(elements)}] if elements else []


def button(
    action: str, text: str, *, url: str = "", value: str = "", style: str = "", confirm: Block | None = None
) -> Block:
    optional = {"url": url, "value": value, "style": style, "confirm": confirm}
    return {
        "type": "button",
        "action_id": action,
        "text": plain_text(text, BUTTON),
        **{name: given for name, given in optional.items() if given},
    }


def overflow(action: str, options: Iterable[tuple[str, str]]) -> Block:
    """``options`` are texts with their values, at most five."""
    return {"type": "overflow", "action_id": action, "options": [option(text, value) for text, value in options]}


def option(text: str, value: str) -> Block:
    return {"text": plain_text(text, BUTTON), "value": value}


def plain_text(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": clip(text, limit), "emoji": False}


def mrkdwn(text: str) -> Block:
    # verbatim: Slack makes no links, channels or mentions out of what merely looks like one.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def code(text: str) -> Mrkdwn:
    """``text`` as it was typed, on a quiet background; a backtick of its own would end it."""
    bare = " ".join(text.split()).replace("`", "ˋ")
    return Mrkdwn(f"`{escape(bare)}`") if bare else Mrkdwn("")


def field(block: str, label: str, element: Block, *, hint: str = "", is_optional: bool = False) -> Block:
    """A field of a form; its value stands under ``block`` twice, as block and as action."""
    made = {
        "type": "input",
        "block_id": block,
        "label": plain_text(label, 200),
        "element": {**element, "action_id": block},
    }
    return made | ({"hint": plain_text(hint, 300)} if hint else {}) | ({"optional": True} if is_optional else {})


def modal(callback: str, title: str, submit: str, close: str, blocks: Sequence[Block], carried: str) -> Block:
    return {
        "type": "modal",
        "callback_id": callback,
        "title": plain_text(title, TITLE),
        "submit": plain_text(submit, TITLE),
        "close": plain_text(close, TITLE),
        "private_metadata": carried,
        "blocks": list(blocks),
    }
