"""What stands in the fields of a form that was sent. Pure."""

from __future__ import annotations

from typing import Any

from notifier.clean import data


def value(body: dict[str, Any], block: str) -> str:
    """The text, number, time or chosen value of a field; empty where there is none."""
    given = _given(body, block)
    chosen = given.get("selected_option")
    text = chosen.get("value") if isinstance(chosen, dict) else given.get("value") or given.get("selected_time")
    # Line by line: what ends a line in secret must not hide in one.
    return "\n".join(str(data(line)) for line in text.split("\n")) if isinstance(text, str) else ""


def values(body: dict[str, Any], block: str) -> list[str]:
    """The chosen values of a field of several."""
    chosen = _given(body, block).get("selected_options")
    found = [each.get("value") for each in chosen if isinstance(each, dict)] if isinstance(chosen, list) else []
    return [each for each in found if isinstance(each, str)]


def _given(body: dict[str, Any], block: str) -> dict[str, Any]:
    found: Any = body
    for key in ("view", "state", "values", block, block):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
