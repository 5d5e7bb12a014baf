"""``/papers``, as people type it."""

from __future__ import annotations

from datetime import timedelta

from notifier.model import Mode
from notifier.slack.buttons import BUTTONS
from tests.builders import NOW
from tests.servers.slack_face import until
from tests.slack.conftest import ADA, BOB, CHANNEL, Lab, text_of, value_of


async def subscribed(lab: Lab, text: str = "subscribe this channel daily 9:00") -> str:
    await lab.papers(text)
    return str(lab.subscriptions()[-1].id)


async def test_a_channel_is_subscribed_by_a_command_over_the_socket(lab: Lab) -> None:
    await until(lambda: lab.server.sockets)
    envelope = lab.server.send(lab.server.command_body(ADA, CHANNEL, "/papers subscribe this channel daily 9:00"))
    await until(lambda: lab.server.said(ADA))
    assert envelope.acknowledged_at is not None
    (made,) = lab.subscriptions()
    assert (str(made.address), made.cadence.at.hour, made.subscriber.is_team) == (f"slack:{CHANNEL}", 9, True)
    assert made.subscriber.timezone == "Europe/Berlin"
    assert "every day at 09:00 Europe/Berlin" in text_of(lab.server.said(ADA)[0])


async def test_a_rule_is_added_with_what_it_means_and_matches_and_who_did_it(lab: Lab) -> None:
    id = await subscribed(lab)
    said = await lab.papers('add “preference optimization” OR "reward models"')
    assert lab.rules(id) == ['"preference optimization" OR "reward models"']
    shown = text_of(said)
    assert "2 of 4 papers" in shown and "It adds 2" in shown
    assert "<https://arxiv.org/abs/2512.00001|Reward models for legged robots>" in shown
    (change,) = lab.stored(lambda store: store.rules.history(id))
    assert (change.actor, change.via) == ("ada (U0ADA)", "slack")


async def test_a_rule_that_does_not_parse_is_shown_with_its_column_and_saves_nothing(lab: Lab) -> None:
    id = await subscribed(lab)
    said = text_of(await lab.papers('add catagory:cs.CL "reward'))
    assert "Rule not saved: " in said and "(column " in said and "^" in said
    assert lab.rules(id) == []


async def test_answers_go_to_the_asker_alone(lab: Lab) -> None:
    await subscribed(lab)
    said = await lab.papers("list")
    assert said["response_type"] == "ephemeral"
    assert lab.server.taken == []


async def test_a_mute_can_end_and_is_undone_by_its_button(lab: Lab) -> None:
    id = await subscribed(lab)
    said = await lab.papers("mute survey until friday")
    (rule,) = lab.stored(lambda store: store.rules.of([id]))[id]
    assert (rule.query, rule.mode) == ("survey", Mode.MUTE)
    assert rule.until is not None and timedelta(0) < rule.until - NOW < timedelta(days=7)
    await lab.presses(value_of(said, "notifier_undo"), "notifier_undo")
    assert lab.rules(id) == []


async def test_test_saves_nothing_and_its_button_adds_the_rule(lab: Lab) -> None:
    id = await subscribed(lab)
    said = await lab.papers("test diffusion")
    assert "1 of 4 papers" in text_of(said)
    assert lab.rules(id) == []
    await lab.presses(value_of(said, "notifier_add"), "notifier_add")
    assert lab.rules(id) == ["diffusion"]


async def test_search_and_why_answer_as_everywhere(lab: Lab) -> None:
    await subscribed(lab)
    await lab.papers("add reward")
    assert "A survey of diffusion policies" in text_of(await lab.papers("search diffusion"))
    said = text_of(await lab.papers("why https://arxiv.org/abs/2512.00001"))
    assert "Not yet sent" in said and "holds" in said
    said = text_of(await lab.papers("why <https://arxiv.org/abs/2512.00003|arxiv.org>"))
    assert "Not sent: no rule matches it" in said


async def test_pause_resume_list_history_preview_and_help_say_how_it_is(lab: Lab) -> None:
    await subscribed(lab)
    await lab.papers("add reward")
    assert "paused until 19 December" in text_of(await lab.papers("pause until friday"))
    assert lab.subscriptions()[0].paused
    assert "next: " in text_of(await lab.papers("resume"))
    assert "`reward`" in text_of(await lab.papers("list"))
    assert "ada (U0ADA) (slack): added" in text_of(await lab.papers("history"))
    assert "Reward models for legged robots" in text_of(await lab.papers("preview"))
    assert "/papers why LINK" in text_of(await lab.papers("help"))
    assert "is no command of /papers" in (await lab.papers("dance"))["text"]


async def test_leaving_asks_first_and_says_what_is_lost(lab: Lab) -> None:
    await subscribed(lab)
    said = await lab.papers("unsubscribe")
    assert "0 rules" in text_of(said) and len(lab.subscriptions()) == 1
    await lab.presses(value_of(said, "notifier_unsubscribe"), "notifier_unsubscribe")
    assert lab.subscriptions() == []


async def test_a_person_is_known_by_the_address_of_their_account(lab: Lab) -> None:
    await lab.papers("subscribe me weekly mon 8:30", channel="D0ADA", name="directmessage")
    (made,) = lab.subscriptions()
    assert (made.subscriber.email, str(made.address)) == ("ada@example.org", f"slack:{ADA}")
    await lab.papers("subscribe me daily", user=BOB)
    assert [each.subscriber.email for each in lab.subscriptions()] == ["ada@example.org", "bob@example.org"]


async def test_a_member_of_one_channel_touches_neither_anothers_nor_a_persons(lab: Lab) -> None:
    channel = await subscribed(lab)
    await lab.papers("subscribe me daily")
    mine = next(each.id for each in lab.subscriptions() if each.id != channel)
    for id in (channel, mine):
        said = await lab.papers(f"add {id} reward", user=BOB, channel="C0OTHER01", name="other")
        assert "is no subscription of this channel, nor one of yours" in said["text"]
        said = await lab.presses(id, "notifier_unsubscribe", user=BOB, channel="C0OTHER01")
        assert "is no subscription" in said["text"]
    assert len(lab.subscriptions()) == 2 and lab.rules(channel) == lab.rules(mine) == []
    await lab.papers(f"add {channel} reward", user=BOB)
    assert lab.rules(channel) == ["reward"]


async def test_what_comes_from_outside_cannot_mention_anybody(lab: Lab) -> None:
    await subscribed(lab)
    said = await lab.papers('add "walking <!channel>" OR sand')
    shown = text_of(said)
    assert "Walking on &lt;sand&gt; &amp; @here &lt;!channel&gt;" in shown
    assert "<!" not in shown and "<@" not in shown
    assert all(each["verbatim"] for block in said["blocks"] if (each := block.get("text")) and each["type"] == "mrkdwn")


async def test_no_button_of_ours_does_anything_for_who_is_not_in_the_channel(lab: Lab) -> None:
    id = await subscribed(lab)
    await lab.papers("add reward")
    before = lab.subscriptions()
    for name in sorted(BUTTONS.keys() - {"notifier_entry", "notifier_try"}):
        value = f"{id} diffusion" if name == "notifier_add" else id
        said = await lab.presses(value, name, user=BOB, channel="C0OTHER01")
        assert "is no subscription of this channel" in said["text"], name
        # Nor for who looks into the channel without being in it.
        lab.server.add_person("U0EVE", "eve@example.org", name="eve")
        said = await lab.presses(value, name, user="U0EVE", channel=CHANNEL)
        assert "Only who is in the channel" in said["text"], name
    assert lab.subscriptions() == before and lab.rules(id) == ["reward"]
