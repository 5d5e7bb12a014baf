"""Forms, menus, shortcuts and the home tab."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from notifier.engine import open_engine
from notifier.model import DeliveryState, Keeping, Mode
from notifier.render import Composer, Links
from notifier.slack import lines
from tests.builders import NOW, rule
from tests.servers.slack_face import until
from tests.slack.conftest import ADA, BOB, CHANNEL, Lab, text_of

VALUES: dict[str, Any] = {
    "every": {"every": {"type": "static_select", "selected_option": {"value": "weekly"}}},
    "at": {"at": {"type": "timepicker", "selected_time": "07:30"}},
    "days": {"days": {"type": "multi_static_select", "selected_options": [{"value": "0"}, {"value": "3"}]}},
    "zone": {"zone": {"type": "plain_text_input", "value": "Europe/Paris"}},
    "cap": {"cap": {"type": "number_input", "value": "7"}},
    "rules": {"rules": {"type": "plain_text_input", "value": "reward\ndiffusion # policies\nmute: survey"}},
}


def with_(**fields: str) -> dict[str, Any]:
    return VALUES | {name: {name: {"value": text, "selected_time": text}} for name, text in fields.items()}


async def opened(lab: Lab, *, user: str = ADA) -> dict[str, Any]:
    await lab.papers("subscribe this channel daily 9:00")
    await lab.papers("add reward")
    await lab.face.arrival.take(lab.server.command_body(user, CHANNEL, "/papers edit"))
    await until(lambda: user in lab.server.views)
    return lab.server.views[user]


async def test_the_form_shows_what_is_and_saves_what_is_sent_as_one_change(lab: Lab) -> None:
    view = await opened(lab)
    assert "reward" in text_of(view)
    await lab.does(lab.server.submitted(ADA, view, VALUES))
    (after,) = lab.subscriptions()
    assert (after.cadence.every, f"{after.cadence.at:%H:%M}", sorted(after.cadence.days)) == ("weekly", "07:30", [0, 3])
    assert (after.max_entries, after.subscriber.timezone) == (7, "Europe/Paris")
    rules = lab.stored(lambda store: store.rules.of([after.id]))[after.id]
    assert [(each.query, each.label, each.mode) for each in rules] == [
        ("reward", "", Mode.INCLUDE),
        ("diffusion", "policies", Mode.INCLUDE),
        ("survey", "", Mode.MUTE),
    ]


async def test_what_is_wrong_stands_under_its_field_and_nothing_is_saved(lab: Lab) -> None:
    view = await opened(lab)
    sent = with_(rules='reward\nmute: catagory:cs.CL\n"open', zone="Europe/Berlim", cap="0")
    reply = await lab.face.arrival.take(lab.server.submitted(ADA, view, sent))
    assert reply is not None and reply["response_action"] == "errors"
    errors = reply["errors"]
    assert errors["rules"].startswith("Line 2: unknown field 'catagory': did you mean 'category'? (column 7)")
    assert "Line 3: " in errors["rules"] and "no IANA time zone" in errors["zone"] and "1 to 200" in errors["cap"]
    await lab.settled()
    assert lab.rules(lab.subscriptions()[0].id) == ["reward"]


async def test_a_form_over_rules_that_changed_meanwhile_saves_nothing(lab: Lab) -> None:
    view = await opened(lab)
    await lab.papers("add diffusion", user=BOB)
    said = await lab.does(lab.server.submitted(ADA, view, VALUES))
    assert "changed meanwhile" in said["text"]
    assert lab.rules(lab.subscriptions()[0].id) == ["reward", "diffusion"]


async def test_the_preview_stands_in_the_form_with_the_errors(lab: Lab) -> None:
    view = await opened(lab)
    body = lab.server.pressed(ADA, "", {"action_id": "notifier_try", "value": ""})
    del body["channel"], body["response_url"]
    await lab.face.arrival.take(body | {"view": {**view, "state": {"values": with_(rules='diffusion\n"open')}}})
    await until(lambda: lab.server.views[ADA]["hash"] != view["hash"])
    shown = text_of(lab.server.views[ADA])
    assert "These rules bring 1 paper of the 4" in shown and "A survey of diffusion policies" in shown
    assert "Line 2: " in shown


async def test_only_who_is_in_the_channel_saves_its_form(lab: Lab) -> None:
    view = await opened(lab)
    lab.server.channel_members[CHANNEL].discard(BOB)
    said = await lab.does(lab.server.submitted(BOB, view, VALUES), user=BOB)
    assert "Only who is in the channel" in said["text"]
    assert lab.rules(lab.subscriptions()[0].id) == ["reward"]


async def digest(lab: Lab) -> tuple[dict[str, Any], str]:
    """A digest of the channel as it was posted, and its ts."""
    async with open_engine(lab.app) as engine:
        lab.now[0] = lab.subscriptions()[0].next_due_at
        assert (await engine.plan()).deliveries == 1
        sent = await engine.deliver()
    assert sent == {DeliveryState.SENT: 1}
    post = lab.server.posts(CHANNEL)[0]
    return post.arguments, post.ts


async def chosen(lab: Lab, message: dict[str, Any], ts: str, deed: str, *, user: str = ADA) -> dict[str, Any]:
    options = next(block["accessory"]["options"] for block in message["blocks"] if "accessory" in block)
    action = {
        "type": "overflow",
        "action_id": "notifier_entry",
        "selected_option": next(each for each in options if each["value"].startswith(deed)),
    }
    return lab.server.pressed(user, CHANNEL, action, container={"message_ts": ts, "channel_id": CHANNEL}, message={})


async def with_digest(lab: Lab) -> tuple[dict[str, Any], str]:
    await lab.papers("subscribe this channel daily 9:00")
    await lab.papers("add diffusion")
    return await digest(lab)


async def test_a_paper_of_a_digest_is_saved_and_read_and_told_to_the_channel(lab: Lab) -> None:
    message, ts = await with_digest(lab)
    said = await lab.does(await chosen(lab, message, ts, "save"))
    assert "Saved: A survey of diffusion policies" in said["text"]
    assert "A survey of diffusion policies" in text_of(await lab.papers("saved"))
    await lab.face.arrival.take(await chosen(lab, message, ts, "read"))
    await until(lambda: len(lab.server.posts(CHANNEL)) == 2)
    told = lab.server.posts(CHANNEL)[1]
    assert (told.thread_ts, told.arguments["text"]) == (ts, "ada will read “A survey of diffusion policies”.")
    kept = lab.stored(lambda store: store.slack.kept("T0TEST", channel=CHANNEL, since=NOW))
    assert {each.what for each in kept} == {Keeping.SAVED, Keeping.READING}


async def test_a_word_of_a_paper_is_muted_from_its_digest(lab: Lab) -> None:
    message, ts = await with_digest(lab)
    await lab.face.arrival.take(await chosen(lab, message, ts, "mute"))
    await until(lambda: ADA in lab.server.views)
    view = lab.server.views[ADA]
    assert "“" not in text_of(view) and "1 paper" in text_of(view)
    nothing = await lab.face.arrival.take(lab.server.submitted(ADA, view, {}))
    assert nothing is not None and "own" in nothing["errors"]
    values = {
        "terms": {"terms": {"selected_options": [{"value": '"diffusion policies"'}]}},
        "until": {"until": {"selected_option": {"value": "7"}}},
    }
    await lab.does(lab.server.submitted(ADA, view, values))
    id = lab.subscriptions()[0].id
    muted = lab.stored(lambda store: store.rules.of([id]))[id][-1]
    assert (muted.query, muted.mode) == ('"diffusion policies"', Mode.MUTE)
    assert muted.until is not None and (muted.until - lab.now[0]).days == 7


async def test_a_menu_of_another_channels_digest_does_nothing(lab: Lab) -> None:
    message, ts = await with_digest(lab)
    body = await chosen(lab, message, ts, "save", user=BOB)
    body["channel"] = {"id": "C0OTHER01", "name": "other"}
    assert "is no subscription of this channel" in (await lab.does(body, user=BOB))["text"]


async def test_shortcuts_on_a_message_say_why_and_propose_terms_with_their_counts(lab: Lab) -> None:
    await lab.papers("subscribe this channel daily 9:00")
    message = {"type": "message", "text": "see <https://arxiv.org/abs/2512.00001v2|this>", "ts": "1.2"}
    body = lab.server.pressed(ADA, CHANNEL, {}, message=message) | {"type": "message_action"}
    said = await lab.does(body | {"callback_id": "notifier_why"})
    assert "Reward models for legged robots" in text_of(said) and "Not sent" in text_of(said)
    body |= {"callback_id": "notifier_rule", "trigger_id": lab.server.trigger(ADA)}
    await lab.face.arrival.take(body)
    await until(lambda: ADA in lab.server.views)
    options = lab.server.views[ADA]["blocks"][1]["element"]["options"]
    assert '"reward models" · 1 paper' in [each["text"]["text"] for each in options]
    values = {"terms": {"terms": {"selected_options": [options[0], options[1]]}}}
    await lab.does(lab.server.submitted(ADA, lab.server.views[ADA], values))
    assert lab.rules(lab.subscriptions()[0].id) == [f"{options[0]['value']} OR {options[1]['value']}"]
    body |= {"message": {"text": "no link"}, "trigger_id": lab.server.trigger(ADA)}
    assert "links to no paper" in (await lab.does(body))["text"]


async def test_the_home_shows_what_is_mine_and_follows_its_buttons(lab: Lab) -> None:
    await lab.papers("subscribe me daily")
    await lab.papers("me add reward")
    event = lab.server.event({"type": "app_home_opened", "user": ADA, "tab": "home"})
    await lab.face.arrival.take(event)
    await until(lambda: f"home:{ADA}" in lab.server.views)
    home = lab.server.views[f"home:{ADA}"]
    assert "Your messages here" in text_of(home) and "`reward`" in text_of(home)
    pressed = lab.server.pressed(ADA, "", {"action_id": "notifier_pause", "value": lab.subscriptions()[0].id})
    del pressed["channel"], pressed["response_url"]
    await lab.face.arrival.take(pressed | {"view": home})
    await until(lambda: lab.server.views[f"home:{ADA}"]["hash"] != home["hash"])
    assert lab.subscriptions()[0].paused and "paused" in text_of(lab.server.views[f"home:{ADA}"])


def test_rules_are_read_from_their_lines_as_they_are_written() -> None:
    rules = [
        rule('"a # b" OR c', "r_1"),
        rule("DPO", "r_2", label="preference # learning"),
        rule("survey", "r_3", mode=Mode.MUTE, until=NOW.replace(year=2026, hour=0)),
    ]
    zone = ZoneInfo("UTC")
    items, faults = lines.read(lines.dump(rules, zone), rules, {}, zone=zone, now=NOW)
    assert faults == []
    assert [(each.id, each.query, each.label) for each in items] == [(r.id, r.query, r.label) for r in rules]
    again, faults = lines.read(lines.dump(rules[:1], zone), (), {}, zone=zone, now=NOW)
    assert (again[0].query, again[0].label, faults) == ('"a # b" OR c', "", [])


@given(st.text(max_size=300))
def test_any_text_is_read_as_rules_or_told_what_is_wrong(text: str) -> None:
    items, faults = lines.read(text, (), {}, zone=ZoneInfo("UTC"), now=NOW)
    assert len(items) + len(faults) <= len(text.splitlines())


def test_digests_without_a_face_have_no_menus() -> None:
    from tests.render.samples import digest as sample

    message = Composer(links=Links()).render(sample(), "slack", now=NOW)
    assert b"overflow" not in message.parts[0]
