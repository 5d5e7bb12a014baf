"""What Slack's documentation says of a message's form (docs.slack.dev, chat.postMessage and Block Kit).

``problem`` judges the arguments of one chat.postMessage and answers as Slack would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

ARGUMENTS = {"channel", "text", "blocks", "attachments", "markdown_text", "metadata", "thread_ts"} | {
    "reply_broadcast", "as_user", "username", "icon_emoji", "icon_url", "link_names", "mrkdwn", "parse", "unfurl_links",
    "unfurl_media",
}  # fmt: skip
TEXT = 40_000
BLOCKS = 50
ALL_BLOCKS_TEXT = 13_200
"""Not documented; observed as msg_blocks_too_long."""


class Broken(Exception):
    """``str`` is where and why; ``error`` is Slack's name for it."""

    def __init__(self, why: str, error: str = "invalid_blocks") -> None:
        super().__init__(why)
        self.error = error


def problem(arguments: Mapping[str, Any]) -> tuple[str, str] | None:
    """Slack's error and what is wrong, or None for arguments it would take."""
    try:
        _check(arguments)
    except Broken as broken:
        return broken.error, str(broken)
    return None


def _check(arguments: Mapping[str, Any]) -> None:
    if unknown := set(arguments) - ARGUMENTS:
        raise Broken(f"no such arguments: {sorted(unknown)}", "invalid_arguments")
    text, blocks = arguments.get("text", ""), arguments.get("blocks", [])
    if not isinstance(text, str):
        raise Broken("text is no string", "invalid_arguments")
    if not (text or blocks or arguments.get("attachments") or arguments.get("markdown_text")):
        raise Broken("neither text nor blocks", "no_text")
    if len(text) > TEXT:
        raise Broken(f"text has {len(text)} characters", "msg_too_long")
    _metadata(arguments.get("metadata"))
    check_blocks(blocks)


def _metadata(metadata: Any) -> None:
    if metadata is None:
        return
    if not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}:
        raise Broken("metadata needs event_type and event_payload", "invalid_metadata_format")
    if not isinstance(metadata["event_type"], str) or not isinstance(metadata["event_payload"], dict):
        raise Broken("event_type is a string, event_payload an object", "invalid_metadata_format")


def check_blocks(blocks: Any, *, most: int = BLOCKS, in_view: bool = False) -> None:
    if not isinstance(blocks, list):
        raise Broken("blocks is no list", "invalid_blocks_format")
    if len(blocks) > most:
        raise Broken(f"{len(blocks)} blocks")
    for number, block in enumerate(blocks):
        try:
            _block(block, in_view=in_view)
        except Broken as broken:
            raise Broken(f"/blocks/{number}: {broken}", broken.error) from None
    _distinct([block["block_id"] for block in blocks if "block_id" in block], "block_id")
    if in_view:
        return
    if (length := sum(len(text) for block in blocks for text in _texts(block))) > ALL_BLOCKS_TEXT:
        raise Broken(f"{length} characters in all blocks", "msg_blocks_too_long")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "text" and isinstance(inner, str):
                yield inner
            else:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _block(block: Any, *, in_view: bool) -> None:
    if not isinstance(block, dict):
        raise Broken("is no object")
    check = (_KINDS | (_IN_VIEWS if in_view else {})).get(block.get("type", ""))
    if check is None:
        raise Broken(f"unknown type {block.get('type')!r}")
    check(block)
    _string(block, "block_id", 255, required=False)


def _section(block: dict[str, Any]) -> None:
    _keys(block, "text fields accessory expand")
    if "text" not in block and "fields" not in block:
        raise Broken("a section needs text or fields")
    if "text" in block:
        check_text(block["text"], 3000)
    for each in _list(block, "fields", 10, required=False):
        check_text(each, 2000)
    if "accessory" in block:
        _element(block["accessory"])


def _header(block: dict[str, Any]) -> None:
    _keys(block, "text level")
    check_text(block.get("text"), 150, plain=True)


def _context(block: dict[str, Any]) -> None:
    _keys(block, "elements")
    for each in _list(block, "elements", 10):
        if isinstance(each, dict) and each.get("type") == "image":
            _image(each)
        else:
            check_text(each, 3000)


def _divider(block: dict[str, Any]) -> None:
    _keys(block, "")


def _image(block: dict[str, Any]) -> None:
    _keys(block, "image_url slack_file alt_text title")
    _string(block, "alt_text", 2000)
    _url(block.get("image_url"), "image_url")
    if "title" in block:
        check_text(block["title"], 2000, plain=True)


def _actions(block: dict[str, Any]) -> None:
    _keys(block, "elements")
    elements = _list(block, "elements", 25)
    for each in elements:
        _element(each)
    _distinct([each["action_id"] for each in elements if "action_id" in each], "action_id")


def _markdown(block: dict[str, Any]) -> None:
    _keys(block, "text")
    _string(block, "text", 12_000)


def _rich_text(block: dict[str, Any]) -> None:
    _keys(block, "elements")
    _list(block, "elements", 1_000)


_KINDS: dict[str, Callable[[dict[str, Any]], None]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "divider": _divider,
    "image": _image,
    "actions": _actions,
    "markdown": _markdown,
    "rich_text": _rich_text,
}


def _input(block: dict[str, Any]) -> None:
    _keys(block, "label element hint optional dispatch_action")
    check_text(block.get("label"), 2000, plain=True)
    if "hint" in block:
        check_text(block["hint"], 2000, plain=True)
    element = block.get("element")
    kind = element.get("type") if isinstance(element, dict) else None
    if kind not in _INPUTS:
        raise Broken(f"no element for an input: {kind!r}")
    _string(element, "action_id", 255)
    _keys(element, _INPUTS[kind])
    if "placeholder" in element:
        check_text(element["placeholder"], 150, plain=True)
    if (
        kind == "plain_text_input"
        and not len(element.get("initial_value", "")) <= element.get("max_length", 3000) <= 3000
    ):
        raise Broken("initial_value is longer than max_length, or that than 3000")
    for option in element.get("options", []):
        check_text(option.get("text"), 75)
        _string(option, "value", 150)
    chosen = [*element.get("initial_options", []), *filter(None, [element.get("initial_option")])]
    if any(each not in element["options"] for each in chosen):
        raise Broken("an initial option is none of the options")


_INPUTS = {
    "plain_text_input": "action_id initial_value multiline min_length max_length placeholder dispatch_action_config "
    "focus_on_load",
    "static_select": "action_id options initial_option placeholder",
    "multi_static_select": "action_id options initial_options placeholder max_selected_items",
    "checkboxes": "action_id options initial_options",
    "radio_buttons": "action_id options initial_option",
    "timepicker": "action_id initial_time placeholder timezone",
    "number_input": "action_id is_decimal_allowed initial_value min_value max_value placeholder",
}
_IN_VIEWS: dict[str, Callable[[dict[str, Any]], None]] = {"input": _input}


def _element(element: Any) -> None:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind == "button":
        _button(element)
    elif kind == "image":
        _image(element)
    elif kind == "overflow":
        _overflow(element)
    else:
        raise Broken(f"unknown element {kind!r}")


def _button(element: dict[str, Any]) -> None:
    _keys(element, "text action_id url value style confirm accessibility_label")
    check_text(element.get("text"), 75, plain=True)
    _string(element, "action_id", 255, required=False)
    _string(element, "value", 2000, required=False)
    _string(element, "accessibility_label", 75, required=False)
    if "url" in element:
        _url(element["url"], "url")
    if element.get("style", "primary") not in ("primary", "danger"):
        raise Broken(f"no such style {element['style']!r}")


def _overflow(element: dict[str, Any]) -> None:
    _keys(element, "action_id options confirm")
    _string(element, "action_id", 255, required=False)
    for option in _list(element, "options", 5):
        _keys(option, "text value description url", kind=False)
        check_text(option.get("text"), 75)
        _string(option, "value", 150)
        if "url" in option:
            _url(option["url"], "url")


def check_text(text: Any, limit: int, *, plain: bool = False) -> None:
    if not isinstance(text, dict) or text.get("type") not in ({"plain_text"} if plain else {"plain_text", "mrkdwn"}):
        raise Broken("no text object of the right type")
    _keys(text, "text emoji" if text["type"] == "plain_text" else "text verbatim")
    _string(text, "text", limit)


def _string(thing: dict[str, Any], key: str, limit: int, *, required: bool = True) -> None:
    if key not in thing and not required:
        return
    value = thing.get(key)
    if not isinstance(value, str) or not 1 <= len(value) <= limit:
        shown = f"{len(value)} characters" if isinstance(value, str) else repr(value)
        raise Broken(f"{key} has to be 1 to {limit} characters, is {shown}")


def _url(value: Any, key: str) -> None:
    if not isinstance(value, str) or not 1 <= len(value) <= 3000:
        raise Broken(f"{key} has to be 1 to 3000 characters")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Broken(f"{key} is no web address")


def _list(thing: dict[str, Any], key: str, limit: int, *, required: bool = True) -> list[Any]:
    if key not in thing and not required:
        return []
    value = thing.get(key)
    if not isinstance(value, list) or not 1 <= len(value) <= limit:
        raise Broken(f"{key} has to be a list of 1 to {limit}")
    return value


def _keys(thing: Any, known: str, *, kind: bool = True) -> None:
    if not isinstance(thing, dict):
        raise Broken("is no object")
    if unknown := set(thing) - set(known.split()) - ({"type", "block_id"} if kind else set()):
        raise Broken(f"unknown keys {sorted(unknown)}")


def _distinct(values: list[Any], what: str) -> None:
    if len(values) != len(set(values)):
        raise Broken(f"{what} is used twice")
