"""What Slack tells of by itself, who people are, and what becomes of a workspace that is left."""

from __future__ import annotations

import json
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from notifier.model import Keeping, Kept, LetterKind
from notifier.ports import Store
from notifier.settings import Settings
from notifier.slack.friday import note_due
from tests.builders import NOW
from tests.servers.slack import TOKEN, refused
from tests.servers.slack_face import until
from tests.slack.conftest import ADA, BOB, CHANNEL, Lab, text_of
from tests.slack.test_forms import with_digest

BASE = "https://papers.example.org"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"base_url": BASE})


async def comes(lab: Lab, event: dict[str, Any]) -> None:
    await lab.face.arrival.take(lab.server.event(event))
    await lab.settled()


def reaction(ts: str, *, kind: str = "reaction_added", user: str = ADA, item_user: str = "U0BOT") -> dict[str, Any]:
    item = {"type": "message", "channel": CHANNEL, "ts": ts}
    return {"type": kind, "user": user, "reaction": "eyes", "item_user": item_user, "item": item}


async def test_reactions_to_a_digest_are_counted_and_taken_back(lab: Lab) -> None:
    _, ts = await with_digest(lab)
    for event in (reaction(ts), reaction(ts), reaction(ts, user=BOB), reaction("1.2"), reaction(ts, item_user=BOB)):
        await comes(lab, event)
    assert lab.stored(lambda store: store.slack.reactions("T0TEST", [ts, "1.2"])) == {"eyes": 2}
    await comes(lab, reaction(ts, kind="reaction_removed"))
    assert lab.stored(lambda store: store.slack.reactions("T0TEST", [ts])) == {"eyes": 1}


async def test_links_to_our_papers_unfurl_and_to_other_pages_do_not(lab: Lab) -> None:
    links = [f"{BASE}/e/arxiv:2512.00001", f"{BASE}/d/d_secret", "https://evil.example/e/arxiv:2512.00001"]
    event = {"type": "link_shared", "user": ADA, "channel": CHANNEL, "message_ts": "1.2"}
    await comes(lab, event | {"links": [{"domain": "papers.example.org", "url": url} for url in links]})
    ((_, arguments),) = [each for each in lab.server.calls_with if each[0] == "chat.unfurl"]
    assert list(arguments["unfurls"]) == links[:1]
    assert "Reward models for legged robots" in text_of(arguments["unfurls"][links[0]])


@pytest.mark.parametrize(
    "event", [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": ["U0BOT"]}}]
)
async def test_a_workspace_that_is_left_stops_and_keeps_everything_and_says_so(lab: Lab, event: dict[str, Any]) -> None:
    await lab.papers("subscribe this channel daily")
    await lab.papers("subscribe me daily")
    lab.server.tokens.clear()
    await comes(lab, event)
    stopped = lab.subscriptions()
    assert [each.paused for each in stopped] == [True, True]
    assert {each.stopped_reason for each in stopped} == {
        "The app is no longer in the Slack workspace Example Lab: install it there again."
    }
    (letter,) = lab.stored(lambda store: store.letters.claim(NOW, lease=timedelta(minutes=1), limit=9))
    assert (letter.letter.to, letter.letter.kind) == ("ada@example.org", LetterKind.CHANNEL_GONE)
    await comes(lab, event)
    lab.server.tokens.add(TOKEN)
    await lab.papers("help")
    assert [each.paused for each in lab.subscriptions()] == [False, False]


async def test_tokens_of_single_people_stop_nothing(lab: Lab) -> None:
    await lab.papers("subscribe me daily")
    await comes(lab, {"type": "tokens_revoked", "tokens": {"oauth": [ADA]}})
    assert not lab.subscriptions()[0].paused


async def test_a_lacking_scope_stops_one_call_and_not_the_workspace(lab: Lab) -> None:
    await lab.papers("subscribe me daily")
    lab.server.answer("views.open", refused("missing_scope"))
    await lab.face.arrival.take(lab.server.command_body(ADA, CHANNEL, "/papers me edit"))
    await lab.settled()
    assert not lab.subscriptions()[0].paused


def mailed(store: Store) -> tuple[str, str]:
    (posting,) = store.letters.claim(NOW, lease=timedelta(minutes=1), limit=9)
    return posting.letter.to, dict(posting.letter.values)["summary"]


async def test_an_address_is_confirmed_by_the_code_that_was_mailed_to_it(lab: Lab) -> None:
    lab.server.add_person("U0EVE", "eve@elsewhere.example", name="eve")
    said = await lab.papers("link ada@example.org", user="U0EVE")
    assert "A code is on its way to ada@example.org" in said["text"]
    with lab.app.store() as store, store.write():
        to, line = mailed(store)
    assert to == "ada@example.org"
    # By another member it is worth nothing.
    assert "No code is waiting" in (await lab.papers(line.removeprefix("/papers "), user=BOB))["text"]
    assert "is not the code" in (await lab.papers("confirm 2345678923", user="U0EVE"))["text"]
    said = await lab.papers(line.removeprefix("/papers "), user="U0EVE")
    assert "You are ada@example.org here now" in said["text"]
    assert "No code is waiting" in (await lab.papers(line.removeprefix("/papers "), user="U0EVE"))["text"]
    await lab.papers("subscribe me daily", user="U0EVE")
    assert lab.subscriptions()[0].subscriber.email == "ada@example.org"


async def test_a_code_is_guessed_five_times_and_mailed_five_times_a_day(lab: Lab) -> None:
    await lab.papers("link new@example.org")
    with lab.app.store() as store, store.write():
        _, line = mailed(store)
    for _ in range(5):
        assert "is not the code" in (await lab.papers("confirm 2222222222"))["text"]
    assert "No code is waiting" in (await lab.papers(line.removeprefix("/papers ")))["text"]
    for _ in range(4):
        await lab.papers("link new@example.org")
    assert "Enough codes" in (await lab.papers("link new@example.org", user=BOB))["text"]


async def test_the_letter_with_a_code_can_be_read(lab: Lab) -> None:
    await lab.papers("link ada@example.org")
    with lab.app.store() as store, store.write():
        (posting,) = store.letters.claim(NOW, lease=timedelta(minutes=1), limit=9)
    mail = message_from_bytes(lab.app.renderer().write(posting.letter, now=NOW).parts[0], policy=policy.default)
    body = mail.get_body(("plain",))
    assert body is not None and "/papers confirm " in body.get_content()
    assert mail["Subject"] == "Your code for Slack"


async def test_on_friday_what_was_saved_is_posted_once(lab: Lab) -> None:
    await with_digest(lab)
    friday = NOW.replace(day=19, hour=15, minute=1)
    with lab.app.store() as store, store.write():
        for user, what in ((ADA, Keeping.SAVED), (BOB, Keeping.SAVED), (BOB, Keeping.READING)):
            kept = Kept(team="T0TEST", user=user, entry_id="arxiv:2512.00003", what=what, channel=CHANNEL, at=NOW)
            store.slack.keep(kept)
        places = store.slack.workspaces()
        assert note_due(store, places, now=friday - timedelta(minutes=2)) == 0
        assert [note_due(store, places, now=friday) for _ in range(2)] == [1, 0]
    lab.now[0] = friday
    await lab.settled()
    await until(lambda: len(lab.server.posts(CHANNEL)) == 2)
    shown = text_of(lab.server.posts(CHANNEL)[1].arguments)
    assert "A survey of diffusion policies" in shown and "saved by 2 · 1 will read it" in shown


async def test_nothing_from_outside_passes_for_our_own(lab: Lab) -> None:
    await lab.face.arrival.take({"type": "notifier_friday", "team_id": "T0TEST", "channel_id": CHANNEL})
    assert lab.stored(lambda store: store.slack_inbox.due(NOW)) == 0


async def test_what_was_taken_before_a_crash_is_done_after_it(lab: Lab, settings: Settings) -> None:
    with lab.app.store() as store, store.write():
        # Taken, claimed and left: as by a process that died with it.

        body = json.dumps(lab.server.command_body(ADA, CHANNEL, "/papers help"))
        store.slack_inbox.take("trigger_id:crash", body, now=NOW - timedelta(minutes=5))
        store.slack_inbox.claim(NOW - timedelta(minutes=5), lease=timedelta(minutes=2), limit=1)
    await until(lambda: lab.server.said(ADA))
    assert "/papers why LINK" in text_of(lab.server.said(ADA)[0])


async def test_what_was_done_and_not_said_is_said_and_not_done_again(lab: Lab) -> None:
    await lab.papers("subscribe this channel daily")
    lab.server.answer("respond", refused("service_unavailable", status=503), times=1)
    await lab.face.arrival.take(lab.server.command_body(ADA, CHANNEL, "/papers add reward"))
    await until(lambda: lab.server.calls.count("respond") == 2)
    lab.now[0] += timedelta(seconds=10)
    await until(lambda: len(lab.server.said(ADA)) == 2)
    assert lab.rules(lab.subscriptions()[0].id) == ["reward"]
    assert "Added for this channel" in text_of(lab.server.said(ADA)[1])


async def test_an_answer_goes_to_slack_only(lab: Lab) -> None:
    body = lab.server.command_body(ADA, CHANNEL, "/papers help") | {"response_url": "http://127.0.0.1:9/steal"}
    await lab.face.arrival.take(body)
    await lab.settled()
    assert lab.server.said(ADA) == []
