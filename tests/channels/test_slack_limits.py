"""The stand-in for Slack refuses what Slack's documentation says Slack refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.channels.messages import part_arguments
from tests.servers.slack_limits import problem


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def section(**more: Any) -> dict[str, Any]:
    return {"type": "section", **more}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": [{"type": "button", "text": plain("Rules"), "action_id": "rules"} | more]}


GOOD: list[list[dict[str, Any]]] = [
    [section(text=mrkdwn("x" * 3000))],
    [section(fields=[mrkdwn("x" * 2000)] + [plain("y")] * 5)],
    [{"type": "header", "text": plain("x" * 150)}],
    [{"type": "context", "elements": [mrkdwn("x")] * 10}],
    [{"type": "divider"}] * 50,
    [button(text=plain("x" * 75), url="https://example.org/" + "x" * 2980)],
    [{"type": "image", "image_url": "https://example.org/a.png", "alt_text": "a"}],
]
BROKEN: list[list[Any]] = [
    [section(text=mrkdwn("x" * 3001))],
    [section(text=mrkdwn(""))],
    [section()],
    [section(fields=[mrkdwn("x")] * 11)],
    [section(fields=[mrkdwn("x" * 2001)])],
    [section(text={"type": "markdown", "text": "x"})],
    [section(text=mrkdwn("x"), colour="red")],
    [{"type": "header", "text": plain("x" * 151)}],
    [{"type": "header", "text": mrkdwn("x")}],
    [{"type": "context", "elements": [mrkdwn("x")] * 11}],
    [{"type": "context", "elements": []}],
    [{"type": "divider"}] * 51,
    [{"type": "divider", "block_id": "a"}] * 2,
    [button(text=plain("x" * 76))],
    [button(url="https://example.org/" + "x" * 2981)],
    [button(url="javascript:alert(1)")],
    [button(style="loud")],
    [{"type": "image", "image_url": "https://example.org/a.png"}],
    [{"type": "sparkline"}],
    ["text"],
]


@pytest.mark.parametrize("blocks", GOOD)
def test_blocks_within_the_limits_are_taken(blocks: list[Any]) -> None:
    assert problem({"text": "x", "blocks": blocks}) is None


@pytest.mark.parametrize("blocks", BROKEN)
def test_blocks_over_a_limit_are_invalid(blocks: list[Any]) -> None:
    found = problem({"text": "x", "blocks": blocks})
    assert found is not None and found[0] == "invalid_blocks"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({}, "no_text"),
        ({"text": "x", "client_msg_id": "1"}, "invalid_arguments"),
        ({"text": "x", "blocks": {}}, "invalid_blocks_format"),
        ({"text": "x", "metadata": {"event_type": "digest"}}, "invalid_metadata_format"),
        ({"text": "x", "blocks": [section(text=mrkdwn("x" * 3000))] * 5}, "msg_blocks_too_long"),
    ],
)
def test_a_message_has_limits_of_its_own(arguments: dict[str, Any], error: str) -> None:
    found = problem(arguments)
    assert found is not None and found[0] == error


def test_the_messages_of_these_tests_are_good() -> None:
    assert problem(part_arguments(0)) is None
