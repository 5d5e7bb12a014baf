"""The manifest makes the app that the face expects."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from notifier.slack import routes
from notifier.slack.buttons import SHORTCUTS
from notifier.slack.install import SCOPES

FILE = Path(__file__).parents[2] / "deploy" / "slack" / "manifest.yaml"


def manifest(text: str) -> Any:
    return yaml.safe_load(text)


def test_the_manifest_asks_for_what_is_used_and_nothing_else() -> None:
    app = manifest(FILE.read_text("utf-8"))
    assert app["oauth_config"]["scopes"]["bot"] == list(SCOPES)
    assert {each["callback_id"] for each in app["features"]["shortcuts"]} == set(SHORTCUTS)
    assert [each["command"] for each in app["features"]["slash_commands"]] == [routes.COMMAND]
    assert app["settings"]["event_subscriptions"]["bot_events"] == sorted(routes.EVENTS)
    assert app["settings"]["socket_mode_enabled"] is True


def test_its_lines_for_http_are_lines_of_a_manifest_too() -> None:
    text = re.sub(
        r"^(\s*)# (url|request_url|redirect_urls|unfurl_domains|  - papers)",
        r"\1\2",
        FILE.read_text("utf-8"),
        flags=re.M,
    )
    app = manifest(text)
    address = "https://papers.example.org/slack/events"
    assert app["features"]["slash_commands"][0]["url"] == address
    assert app["settings"]["interactivity"]["request_url"] == address
    assert app["settings"]["event_subscriptions"]["request_url"] == address
    assert app["features"]["unfurl_domains"] == ["papers.example.org"]


def test_its_texts_keep_to_slacks_limits() -> None:
    app = manifest(FILE.read_text("utf-8"))
    assert len(app["display_information"]["name"]) <= 35 and len(app["display_information"]["description"]) <= 140
    for each in app["features"]["shortcuts"]:
        assert len(each["name"]) <= 50 and len(each["description"]) <= 150
    command = app["features"]["slash_commands"][0]
    assert len(command["description"]) <= 2000 and len(command["usage_hint"]) <= 1000
