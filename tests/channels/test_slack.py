"""The Slack channel against a real server that speaks Slack's Web API and enforces its limits."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from notifier.channels.slack import SlackChannel
from notifier.channels.slack_errors import ERRORS
from notifier.errors import ChannelStopped, Paced, Refused, SendError, TryLater, Unknown, Unreachable
from tests.channels.messages import part_arguments, slack
from tests.servers.slack import HOOK, TOKEN, Answer, SlackServer, body, drop, hang, rate_limited, refused

POST = "chat.postMessage"
HISTORY = "conversations.history"
SECRETS = (TOKEN, "secret")

# What docs.slack.dev lists for chat.postMessage, chat.update, conversations.open, .history and .replies,
# users.lookupByEmail, auth.test and for incoming webhooks.
DOCUMENTED = """
access_denied accesslimited account_inactive as_user_not_supported attachment_payload_limit_exceeded
cannot_reply_to_message channel_not_found deprecated_endpoint duplicate_channel_not_found duplicate_message_not_found
ekm_access_denied enterprise_is_restricted fatal_error internal_error invalid_arg_name invalid_arguments
invalid_array_arg invalid_auth invalid_blocks invalid_blocks_format invalid_charset invalid_form_data
invalid_metadata_format invalid_metadata_schema invalid_post_type is_archived markdown_text_conflict
message_limit_exceeded messages_tab_disabled metadata_must_be_sent_from_app metadata_too_large method_deprecated
missing_file_data missing_post_type missing_scope msg_blocks_too_long msg_too_long no_permission no_text
not_allowed_token_type not_authed not_in_channel org_login_required rate_limited ratelimited request_timeout
restricted_action restricted_action_non_threadable_channel restricted_action_read_only_channel
restricted_action_thread_locked restricted_action_thread_only_channel send_on_behalf_not_allowed service_unavailable
slack_connect_canvas_sharing_blocked slack_connect_file_link_sharing_blocked slack_connect_lists_sharing_blocked
team_access_not_granted team_added_to_org team_not_found token_expired token_revoked too_many_attachments
too_many_contact_cards two_factor_setup_required
invalid_user_combination method_not_supported_for_channel_type not_enough_users too_many_users user_disabled
user_not_found user_not_visible users_list_not_supplied users_not_found
invalid_payload action_prohibited channel_is_archived rollup_error invalid_token no_active_hooks no_service
no_service_id no_team team_disabled posting_to_general_channel_denied
invalid_cursor invalid_limit invalid_ts_latest invalid_ts_oldest invalid_metadata_filter_keys thread_not_found
block_mismatch cant_broadcast_message cant_update_message edit_window_closed external_channel_migrating is_inactive
message_not_found no_dual_broadcast_content_update slack_connect_file_upload_sharing_blocked update_failed
"""


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[SlackServer]:
    with SlackServer() as started:
        started.add_channel("C0PAPERS1", "papers")
        started.add_channel("C0ARCHIVE", "attic", archived=True)
        started.add_person("U0ADA", "ada@example.org")
        yield started


@pytest.fixture
async def channel(server: SlackServer) -> AsyncIterator[SlackChannel]:
    opened = to(server)
    yield opened
    await opened.close()


def to(
    server: SlackServer,
    *,
    token: str = TOKEN,
    hook: bool = True,
    api_url: str | None = None,
    each: timedelta = timedelta(0),
) -> SlackChannel:
    return SlackChannel(
        SecretStr(token),
        SecretStr(server.hook_url if hook else ""),
        api_url or server.api_url,
        timeout=timedelta(seconds=0.5),
        each=each,
    )


async def failure(channel: SlackChannel, *args: Any, **more: Any) -> SendError:
    with pytest.raises(SendError) as caught:
        await channel.send(slack(*args, **more))
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and "!" not in sentence
    assert not any(secret in repr(caught.value) for secret in SECRETS)
    assert caught.value.__cause__ is None
    return caught.value


async def test_posts_the_arguments_as_they_are(server: SlackServer, channel: SlackChannel) -> None:
    receipt = await channel.send(slack())
    (post,) = server.posts("C0PAPERS1")
    assert post.arguments == part_arguments(0) | {"channel": "C0PAPERS1"}
    assert receipt.accepted == (post.ts,)


async def test_later_parts_go_into_the_first_ones_thread(server: SlackServer, channel: SlackChannel) -> None:
    receipt = await channel.send(slack(parts=3))
    posts = server.posts("C0PAPERS1")
    assert [post.thread_ts for post in posts] == [None, posts[0].ts, posts[0].ts]
    assert receipt.accepted == tuple(post.ts for post in posts)


def answering(ts: str, *, parts: int = 2, **more: Any) -> Any:
    names = [{"event_type": "digest", "event_payload": {"delivery": "d_next", "part": k}} for k in range(parts)]
    bodies = tuple(
        json.dumps(part_arguments(k) | {"thread_ts": ts, "metadata": name}).encode() for k, name in enumerate(names)
    )
    return replace(slack(parts=parts, **more), parts=bodies)


async def test_what_answers_an_earlier_message_goes_into_its_thread(server: SlackServer, channel: SlackChannel) -> None:
    (before,) = (await channel.send(slack())).accepted
    await channel.send(answering(before))
    assert [post.thread_ts for post in server.posts("C0PAPERS1")[1:]] == [before, before]


async def test_where_the_earlier_message_is_gone_the_answer_is_a_message_of_its_own(
    server: SlackServer, channel: SlackChannel
) -> None:
    receipt = await channel.send(answering("1766000000.000100"))
    posts = server.posts("C0PAPERS1")
    assert [post.thread_ts for post in posts] == [None, posts[0].ts]
    assert receipt.accepted == tuple(post.ts for post in posts)


async def test_an_answer_that_may_have_arrived_is_looked_for_in_its_thread(
    server: SlackServer, channel: SlackChannel
) -> None:
    (before,) = (await channel.send(slack())).accepted
    (first,) = (await channel.send(answering(before, parts=1))).accepted
    again = await channel.send(answering(before, parts=1, doubtful=True))
    assert again.accepted == (first,)
    assert len(server.posts("C0PAPERS1")) == 2


async def test_goes_on_behind_the_parts_that_were_accepted(server: SlackServer, channel: SlackChannel) -> None:
    server.answer(POST, refused("service_unavailable"), skip=1, times=1)
    error = await failure(channel, parts=3)
    assert isinstance(error, TryLater)
    assert error.accepted == (server.taken[0].ts,)
    receipt = await channel.send(slack(parts=3, accepted=error.accepted))
    assert receipt.accepted[0] == error.accepted[0]
    assert [post.arguments["text"][:6] for post in server.taken] == ["part 0", "part 1", "part 2"]
    assert [post.thread_ts for post in server.taken[1:]] == [server.taken[0].ts] * 2


async def test_a_message_that_was_accepted_makes_no_call(server: SlackServer, channel: SlackChannel) -> None:
    await channel.send(slack(parts=2, accepted=("1.1", "1.2")))
    assert server.calls == []


@pytest.mark.parametrize(
    ("target", "arrives", "calls"),
    [
        ("C0PAPERS1", "C0PAPERS1", [POST]),
        ("#papers", "C0PAPERS1", [POST]),
        ("U0ADA", "D0ADA", ["conversations.open", POST]),
        ("ada@example.org", "D0ADA", ["users.lookupByEmail", "conversations.open", POST]),
        ("webhook", HOOK, [HOOK]),
    ],
)
async def test_reaches_each_kind_of_target(
    server: SlackServer, channel: SlackChannel, target: str, arrives: str, calls: list[str]
) -> None:
    await channel.send(slack(target))
    assert len(server.posts(arrives)) == 1
    assert server.calls == calls


async def test_a_conversation_is_opened_once(server: SlackServer, channel: SlackChannel) -> None:
    for _ in range(3):
        await channel.send(slack("ada@example.org"))
    assert server.calls == ["users.lookupByEmail", "conversations.open", POST, POST, POST]


async def test_a_refused_conversation_is_looked_up_again(server: SlackServer, channel: SlackChannel) -> None:
    await channel.send(slack("U0ADA"))
    server.answer(POST, refused("channel_not_found"), times=1)
    assert isinstance(await failure(channel, "U0ADA"), Refused)
    await channel.send(slack("U0ADA"))
    assert server.calls.count("conversations.open") == 2


@pytest.mark.parametrize("target", ["C0NOWHERE", "#nowhere", "U0NOBODY", "nobody@example.org", "C0ARCHIVE"])
async def test_a_target_that_is_gone_is_refused(server: SlackServer, channel: SlackChannel, target: str) -> None:
    error = await failure(channel, target)
    assert isinstance(error, Refused)
    assert target in str(error)


async def test_a_webhook_takes_part_after_part(server: SlackServer, channel: SlackChannel) -> None:
    server.answer(HOOK, body("service_unavailable", status=503), skip=2, times=1)
    error = await failure(channel, "webhook", parts=3)
    assert isinstance(error, TryLater)
    assert error.accepted == ("webhook:0", "webhook:1")
    receipt = await channel.send(slack("webhook", parts=3, accepted=error.accepted))
    assert receipt.accepted == ("webhook:0", "webhook:1", "webhook:2")
    assert [post.arguments for post in server.posts(HOOK)] == [part_arguments(number) for number in range(3)]


@pytest.mark.parametrize("name", DOCUMENTED.split())
def test_every_documented_error_is_classified(name: str) -> None:
    assert name in ERRORS


@pytest.mark.parametrize("name", sorted(ERRORS))
async def test_an_error_by_its_name_has_its_outcome(server: SlackServer, channel: SlackChannel, name: str) -> None:
    server.answer(POST, refused(name))
    error = await failure(channel)
    assert isinstance(error, ERRORS[name][0])


@pytest.mark.parametrize("name", ["invalid_token", "no_active_hooks", "no_service", "no_team", "team_disabled"])
async def test_a_dead_webhook_stops_the_channel(server: SlackServer, channel: SlackChannel, name: str) -> None:
    server.answer(HOOK, body(name, status=403))
    assert isinstance(await failure(channel, "webhook"), ChannelStopped)


@pytest.mark.parametrize("name", ["invalid_auth", "token_revoked", "account_inactive", "missing_scope"])
async def test_the_token_stops_the_channel_at_any_call(server: SlackServer, channel: SlackChannel, name: str) -> None:
    server.answer("conversations.open", refused(name, needed="im:write"))
    assert isinstance(await failure(channel, "U0ADA"), ChannelStopped)
    assert server.calls == ["conversations.open"]


async def test_a_missing_scope_is_named(server: SlackServer, channel: SlackChannel) -> None:
    server.answer("users.lookupByEmail", refused("missing_scope", needed="users:read.email"))
    assert "users:read.email" in str(await failure(channel, "ada@example.org"))


@pytest.mark.parametrize("name", ["a_new_error", "x" * 500, "Bad\nname", "", None, 7])
async def test_an_error_nobody_documented_is_tried_later(server: SlackServer, channel: SlackChannel, name: Any) -> None:
    server.answer(POST, body(json.dumps({"ok": False, "error": name}), content_type="application/json"))
    assert isinstance(await failure(channel), TryLater)


@pytest.mark.parametrize(("asked", "seconds"), [(30, 30), (0, 0), ("soon", 60), (None, 60), (10**7, 86_400)])
@pytest.mark.parametrize("target", ["C0PAPERS1", "webhook"])
async def test_a_429_asks_for_the_pause_that_slack_wants(
    server: SlackServer, channel: SlackChannel, target: str, asked: int | str | None, seconds: int
) -> None:
    server.answer(POST, rate_limited(asked))
    server.answer(HOOK, rate_limited(asked))
    error = await failure(channel, target)
    assert isinstance(error, TryLater)
    assert error.retry_after == timedelta(seconds=seconds)
    assert len(server.calls) == 1


async def test_a_429_is_known_by_its_status_whatever_its_body_is(server: SlackServer, channel: SlackChannel) -> None:
    server.answer(POST, replace(body(b"\xff\xfe", status=429), headers={"Retry-After": "7"}))
    for _ in range(2):
        error = await failure(channel)
        assert isinstance(error, Unreachable) and error.retry_after is not None
        assert timedelta(seconds=6) < error.retry_after <= timedelta(seconds=7)
    assert server.calls == [POST]


BODIES = {
    "html": body("<html><body>Sign in</body></html>"),
    "text": body("upstream timed out", content_type="text/plain"),
    "empty": body("", content_type="text/plain"),
    "list": body("[1, 2]", content_type="application/json"),
    "string": body('"ok"', content_type="application/json"),
    "null": body("null", content_type="application/json"),
    "number": body("7", content_type="application/json"),
    "cut": body('{"ok": tr', content_type="application/json"),
    "not utf-8": body(b'{"ok": "\xff\xfe"}', content_type="application/json"),
    "deep": body("[" * 100_000, content_type="application/json"),
    "gzip": body(b"\x1f\x8b", content_type="application/gzip"),
    "no ok": body("{}", content_type="application/json"),
    "ok is text": body('{"ok": "false"}', content_type="application/json"),
}


@pytest.mark.parametrize("status", [200, 400, 403, 404, 500, 503])
@pytest.mark.parametrize("kind", sorted(BODIES))
async def test_a_body_that_is_no_answer_is_tried_later(
    server: SlackServer, channel: SlackChannel, kind: str, status: int
) -> None:
    answer = BODIES[kind]
    server.answer(POST, body(answer.body, status=status, content_type=answer.content_type))
    assert isinstance(await failure(channel), TryLater)


@pytest.mark.parametrize("kind", ["html", "text", "empty", "list"])
async def test_a_webhook_that_answers_something_else_is_tried_later(
    server: SlackServer, channel: SlackChannel, kind: str
) -> None:
    server.answer(HOOK, BODIES[kind])
    assert isinstance(await failure(channel, "webhook"), TryLater)


@pytest.mark.parametrize("lost", [drop, hang])
@pytest.mark.parametrize("target", ["C0PAPERS1", "webhook"])
async def test_an_answer_lost_after_a_post_that_was_not_taken_is_unknown(
    server: SlackServer, channel: SlackChannel, lost: Any, target: str
) -> None:
    server.answer(POST, lost())
    server.answer(HOOK, lost())
    assert isinstance(await failure(channel, target), Unknown)
    assert [each for each in server.calls if each != HISTORY] == [HOOK if target == "webhook" else POST]
    assert server.taken == []


@pytest.mark.parametrize("lost", [drop, hang])
@pytest.mark.parametrize("part", [0, 1])
async def test_a_post_whose_answer_was_lost_is_found_by_its_key(
    server: SlackServer, channel: SlackChannel, lost: Any, part: int
) -> None:
    server.answer(POST, lost(after_taking=True), skip=part, times=1)
    receipt = await channel.send(slack(parts=3))
    assert [post.ts for post in server.posts("C0PAPERS1")] == list(receipt.accepted)
    assert len(receipt.accepted) == 3


async def test_a_webhook_whose_answer_was_lost_cannot_be_looked_up(server: SlackServer, channel: SlackChannel) -> None:
    server.answer(HOOK, drop(after_taking=True))
    assert isinstance(await failure(channel, "webhook"), Unknown)


async def test_a_lost_answer_stays_unknown_where_the_app_may_not_read(
    server: SlackServer, channel: SlackChannel
) -> None:
    server.answer(POST, drop(after_taking=True))
    server.answer(HISTORY, refused("missing_scope"))
    assert isinstance(await failure(channel), Unknown)


async def test_a_doubtful_part_is_looked_for_before_it_is_posted(server: SlackServer, channel: SlackChannel) -> None:
    first = await channel.send(slack())
    again = await channel.send(replace(slack(), doubtful=True))
    assert again.accepted == first.accepted
    other = replace(slack(), delivery_id="d_other", doubtful=True)
    await channel.send(replace(other, parts=(other.parts[0].replace(b"d_abc123", b"d_other"),)))
    assert len(server.posts("C0PAPERS1")) == 2


async def test_while_slack_wants_a_pause_that_method_is_not_called(server: SlackServer, channel: SlackChannel) -> None:
    server.answer(POST, rate_limited(30), times=1)
    first, second = await failure(channel), await failure(channel)
    assert isinstance(second, Unreachable)
    assert first.retry_after == timedelta(seconds=30) and second.retry_after is not None
    assert timedelta(seconds=25) < second.retry_after <= timedelta(seconds=30)
    assert server.calls == [POST]
    await channel.send(slack("webhook"))
    assert len(server.posts(HOOK)) == 1


async def test_the_pause_of_a_look_up_keeps_nobody_else_back(server: SlackServer, channel: SlackChannel) -> None:
    server.answer("users.lookupByEmail", rate_limited(30))
    for _ in range(2):
        error = await failure(channel, "ada@example.org")
        assert isinstance(error, Paced) and error.retry_after is not None
    assert server.calls == ["users.lookupByEmail"]
    await channel.send(slack())


async def test_a_refused_token_is_not_used_again_at_once(server: SlackServer, channel: SlackChannel) -> None:
    server.answer(POST, refused("token_revoked"))
    for _ in range(3):
        assert isinstance(await failure(channel), ChannelStopped)
    assert server.calls == [POST]
    assert "Example Lab" in await channel.check()


@pytest.mark.parametrize("status", [200, 500, 503])
@pytest.mark.parametrize("part", [0, 1])
async def test_a_post_that_was_answered_with_something_else_is_found_by_its_key(
    server: SlackServer, channel: SlackChannel, status: int, part: int
) -> None:
    answer = replace(body("<html>busy</html>", status=status), after_taking=True)
    server.answer(POST, answer, skip=part, times=1)
    receipt = await channel.send(slack(parts=3))
    assert [post.ts for post in server.posts("C0PAPERS1")] == list(receipt.accepted)


async def test_a_doubtful_part_waits_where_it_may_be_looked_for_later(
    server: SlackServer, channel: SlackChannel
) -> None:
    server.answer(HISTORY, rate_limited(60), times=1)
    with pytest.raises(Paced):
        await channel.send(replace(slack(), doubtful=True))
    assert server.taken == []


async def test_a_doubtful_part_is_found_behind_many_others(server: SlackServer, channel: SlackChannel) -> None:
    first = await channel.send(slack())
    for number in range(450):
        server.say("C0PAPERS1", f"chatter {number}")
    again = await channel.send(replace(slack(), doubtful=True))
    assert again.accepted == first.accepted
    assert server.calls == [POST, HISTORY, HISTORY, HISTORY]


async def test_more_than_a_short_burst_goes_on_after_a_second_without_waiting_here(server: SlackServer) -> None:
    channel = to(server, each=timedelta(seconds=1))
    error = await failure(channel, parts=6)
    assert isinstance(error, Paced) and len(error.accepted) == 4
    assert error.retry_after is not None and error.retry_after <= timedelta(seconds=1)
    await channel.send(slack("webhook"))
    await channel.close()


async def test_each_workspace_has_its_token(server: SlackServer) -> None:
    with SlackServer(token="xoxb-other") as lab:
        lab.add_channel("C0LAB", "lab")
        channel = SlackChannel(
            SecretStr("xoxb-wrong"), SecretStr(""), lab.api_url, more_tokens={"lab": SecretStr("xoxb-other")}
        )
        await channel.send(slack("lab/#lab"))
        assert len(lab.posts("C0LAB")) == 1
        assert isinstance(await failure(channel, "#lab"), ChannelStopped)
        assert isinstance(await failure(channel, "attic/#lab"), TryLater)
        assert [channel.account(each) for each in ("lab/#lab", "#lab", "webhook")] == ["lab", "", "webhook"]
        await channel.close()


@pytest.mark.parametrize("lost", [drop, hang])
async def test_an_answer_lost_before_any_post_is_tried_later(
    server: SlackServer, channel: SlackChannel, lost: Any
) -> None:
    server.answer("conversations.open", lost())
    assert isinstance(await failure(channel, "U0ADA"), TryLater)


async def test_an_acceptance_without_a_reference_is_unknown(server: SlackServer, channel: SlackChannel) -> None:
    server.answer(POST, Answer(body=b'{"ok": true}'))
    assert isinstance(await failure(channel), Unknown)


@pytest.mark.parametrize("api_url", ["http://127.0.0.1:9/api/", "http://no-such-host.invalid/api/"])
async def test_a_slack_that_cannot_be_reached_is_tried_later(server: SlackServer, api_url: str) -> None:
    channel = to(server, api_url=api_url)
    assert isinstance(await failure(channel), TryLater)
    await channel.close()


async def test_an_address_that_is_none_stops_the_channel() -> None:
    channel = SlackChannel(SecretStr(TOKEN), SecretStr("htp:/secret"), "no address")
    assert isinstance(await failure(channel), ChannelStopped)
    assert isinstance(await failure(channel, "webhook"), ChannelStopped)
    await channel.close()


@pytest.mark.parametrize("target", ["C0PAPERS1", "webhook"])
async def test_a_message_over_slacks_limits_is_refused(server: SlackServer, channel: SlackChannel, target: str) -> None:
    part = part_arguments(0) | {"blocks": [{"type": "divider"}] * 51}
    with pytest.raises(Refused, match="invalid_blocks"):
        await channel.send(replace(slack(target), parts=(json.dumps(part).encode(),)))
    assert server.taken == []


@pytest.mark.parametrize("part", [b"", b"[]", b"\xff", b"[" * 100_000])
async def test_a_part_that_is_no_object_is_refused(server: SlackServer, channel: SlackChannel, part: bytes) -> None:
    with pytest.raises(Refused):
        await channel.send(replace(slack(), parts=(part,)))
    assert server.calls == []


@pytest.mark.parametrize("target", ["C0PAPERS1", "webhook"])
async def test_a_target_whose_secret_is_not_set_keeps_its_digest(server: SlackServer, target: str) -> None:
    channel = to(server, token=TOKEN if target == "webhook" else "", hook=target != "webhook")
    error = await failure(channel, target)
    assert isinstance(error, TryLater)
    assert ("slack_webhook" if target == "webhook" else "slack_token") in str(error)
    await channel.close()


async def test_check_names_the_workspace_and_the_bot(server: SlackServer, channel: SlackChannel) -> None:
    sentence = await channel.check()
    assert "Example Lab" in sentence and "papers" in sentence and "webhook" in sentence
    assert server.taken == []


async def test_check_stops_at_a_token_that_is_wrong(server: SlackServer) -> None:
    channel = to(server, token="xoxb-wrong-secret")
    with pytest.raises(ChannelStopped, match="invalid_auth"):
        await channel.check()
    await channel.close()


async def test_check_stops_at_an_app_that_may_not_post() -> None:
    with SlackServer(scopes="channels:read") as server:
        channel = to(server)
        with pytest.raises(ChannelStopped, match="chat:write"):
            await channel.check()
        await channel.close()


def test_serves_one_event_loop_after_the_other(server: SlackServer) -> None:
    channel = to(server)

    async def once() -> None:
        await channel.send(slack())
        await channel.close()

    for _ in range(2):
        asyncio.run(once())
    assert len(server.taken) == 2


async def test_no_log_holds_a_secret(
    server: SlackServer, channel: SlackChannel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await channel.send(slack())
    await channel.send(slack("webhook"))
    server.answer(HOOK, drop())
    await failure(channel, "webhook")
    assert not any(secret in caplog.text for secret in SECRETS)


def test_without_the_extra_it_says_what_to_install() -> None:
    program = """
import asyncio, sys
sys.modules["slack_sdk"] = sys.modules["aiohttp"] = None
from pydantic import SecretStr
from notifier.channels.slack import SlackChannel
from notifier.errors import ChannelStopped
channel = SlackChannel(SecretStr("xoxb-1"), SecretStr("https://example.org/1"), "https://slack.com/api/")
try:
    asyncio.run(channel.check())
except ChannelStopped as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "notifier[slack]" in done.stdout


async def test_who_is_put_off_comes_back_one_after_the_other(server: SlackServer) -> None:
    channel = to(server, each=timedelta(seconds=60))
    for _ in range(4):
        await channel.send(slack())
    waits = []
    for _ in range(3):
        error = await failure(channel)
        assert isinstance(error, Paced) and error.retry_after is not None
        waits.append(round(error.retry_after / timedelta(seconds=60)))
    await channel.close()
    assert waits == [1, 1, 2]
