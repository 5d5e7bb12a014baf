"""What Slack's documentation says of a view's form (docs.slack.dev, Views and Block Kit), and what the SDK's own
models say of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from tests.servers.slack_limits import Broken, check_blocks, check_text

MODAL = frozenset({"type", "title", "blocks", "close", "submit", "private_metadata", "callback_id", "clear_on_close"})
HOME = frozenset({"type", "blocks", "private_metadata", "callback_id", "external_id"})
BLOCKS = 100


def view_problem(view: Any) -> tuple[str, str] | None:
    """Slack's error and what is wrong, or None for a view it would take."""
    try:
        _check(view)
        View(**view).validate_json()
        models_take(view["blocks"])
    except Broken as broken:
        return "invalid_arguments", str(broken)
    except SlackObjectFormationError as error:
        return "invalid_arguments", f"the SDK's model: {error}"
    return None


def models_take(blocks: list[dict[str, Any]]) -> None:
    """Raises SlackObjectFormationError where a model of the SDK objects."""
    for block in blocks:
        parsed = Block.parse(block)
        if parsed is None:
            raise Broken(f"the SDK knows no such block: {block.get('type')!r}")
        parsed.validate_json()


def _check(view: Any) -> None:
    if not isinstance(view, Mapping) or view.get("type") not in ("modal", "home"):
        raise Broken("neither a modal nor a home")
    if unknown := set(view) - (MODAL if view["type"] == "modal" else HOME):
        raise Broken(f"no such fields of a view: {sorted(unknown)}")
    if view["type"] == "modal":
        check_text(view.get("title"), 24, plain=True)
        for name in ("close", "submit"):
            if name in view:
                check_text(view[name], 24, plain=True)
        if "submit" not in view and any(block.get("type") == "input" for block in view["blocks"]):
            raise Broken("a modal with inputs needs submit")
    if len(view.get("private_metadata", "")) > 3000 or len(view.get("callback_id", "")) > 255:
        raise Broken("private_metadata or callback_id is too long")
    if not view.get("blocks"):
        raise Broken("a view needs blocks")
    check_blocks(view["blocks"], most=BLOCKS, in_view=True)
