"""Every view and message as JSON that can be pasted into Slack's Block Kit Builder, kept current.

``GOLDEN=write python -m pytest tests/slack/test_golden.py`` writes ``golden/`` anew.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from notifier.model import Keeping, Kept
from notifier.slack.friday import note_due
from tests.builders import NOW
from tests.servers.slack_face import until
from tests.slack.conftest import ADA, CHANNEL, Lab
from tests.slack.test_forms import VALUES, chosen, digest, with_

FOLDER = Path(__file__).parent / "golden"
_ID = re.compile(r"\b([srd])_[2-9a-hjkmnp-z]{10}\b")


def settled(payload: Any) -> dict[str, Any]:
    """Without what is random, and without what the builder does not take."""
    kept = {
        key: payload[key] for key in ("type", "callback_id", "title", "submit", "close", "blocks") if key in payload
    }
    names: dict[str, str] = {}
    text = _ID.sub(lambda found: names.setdefault(found[0], f"{found[1]}_example{len(names) + 1:03}"), json.dumps(kept))
    return dict(json.loads(text))


async def seen(lab: Lab) -> dict[str, dict[str, Any]]:
    """What people see who use all of it, by name."""
    shown = {"subscribed": await lab.papers("subscribe this channel daily 9:00")}
    for name, text in {
        "help": "help",
        "list-empty": "list",
        "refused": "add catagory:cs.CL",
        "test": "test diffusion",
        "added": 'add diffusion OR "reward models"',
        "muted": "mute survey until 2026-01-31",
        "list": "list",
        "history": "history",
        "search": "search reward",
        "why": "why 2512.00001",
        "undone": "undo",
        "preview": "preview",
        "unsubscribe": "unsubscribe",
    }.items():
        shown[name] = await lab.papers(text)
    shown |= await _forms(lab)
    shown |= await _digest(lab)
    shown["paused"] = await lab.papers("pause until 2026-01-31")
    return shown


async def _view(lab: Lab, body: dict[str, Any], user: str = ADA) -> dict[str, Any]:
    before = lab.server.views.get(user, {}).get("hash")
    await lab.face.arrival.take(body)
    await until(lambda: lab.server.views.get(user, {}).get("hash") != before)
    return lab.server.views[user]


async def _forms(lab: Lab) -> dict[str, dict[str, Any]]:
    form = await _view(lab, lab.server.command_body(ADA, CHANNEL, "/papers edit"))
    press = lab.server.pressed(ADA, CHANNEL, {"action_id": "notifier_try", "value": ""})
    rules = with_(rules="diffusion\nmute: survey\ncatagory:cs")
    tried = await _view(lab, press | {"view": {**form, "state": {"values": rules}}})
    saved = await lab.does(lab.server.submitted(ADA, form, VALUES))
    message = {"text": "https://arxiv.org/abs/2512.00001"}
    shortcut = lab.server.pressed(ADA, CHANNEL, {}, message=message) | {"type": "message_action"}
    terms = await _view(lab, shortcut | {"callback_id": "notifier_rule"})
    return {"form": form, "form-preview": tried, "form-saved": saved, "add-terms": terms}


async def _digest(lab: Lab) -> dict[str, dict[str, Any]]:
    message, ts = await digest(lab)
    muting = await _view(lab, await chosen(lab, message, ts, "mute"))
    with lab.app.store() as store, store.write():
        for user in (ADA, "U0BOB"):
            kept = Kept(
                team="T0TEST",
                user=user,
                entry_id="arxiv:2512.00003",
                what=Keeping.SAVED,
                channel=CHANNEL,
                at=lab.now[0],
            )
            store.slack.keep(kept)
    saved = await lab.papers("saved")
    event = {"type": "app_home_opened", "user": ADA, "tab": "home"}
    home = await _view(lab, lab.server.event(event), f"home:{ADA}")
    lab.now[0] = NOW.replace(day=26, hour=16)
    lab.now[0] = NOW.replace(day=19, hour=16)
    posts = len(lab.server.posts(CHANNEL))
    with lab.app.store() as store, store.write():
        note_due(store, store.slack.workspaces(), now=lab.now[0])
    await until(lambda: len(lab.server.posts(CHANNEL)) > posts)
    friday = lab.server.posts(CHANNEL)[-1].arguments
    return {"digest": message, "mute-terms": muting, "saved": saved, "home": home, "friday": friday}


async def test_the_golden_payloads_are_what_people_see(lab: Lab) -> None:
    found = {name: settled(payload) for name, payload in (await seen(lab)).items()}
    if os.environ.get("GOLDEN") == "write":
        FOLDER.mkdir(exist_ok=True)
        for old in FOLDER.glob("*.json"):
            old.unlink()
        for name, payload in found.items():
            text = json.dumps(payload, ensure_ascii=False, indent=2)
            (FOLDER / f"{name}.json").write_text(f"{text}\n", "utf-8")
    kept = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
    assert kept.keys() == found.keys()
    for name, payload in found.items():
        assert payload == kept[name], name


def test_the_models_of_the_sdk_take_every_golden_payload() -> None:
    files = sorted(FOLDER.glob("*.json"))
    assert len(files) > 20
    for path in files:
        payload = json.loads(path.read_text("utf-8"))
        if "type" in payload:
            View(**payload).validate_json()
        for block in payload["blocks"]:
            parsed = Block.parse(block)
            assert parsed is not None, path.name
            parsed.validate_json()
