"""What Slack sends by HTTP: signed over its bytes, within five minutes, each once; and the installing of the app."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from notifier.settings import Settings
from notifier.slack.http import payload_of
from notifier.slack.signature import is_signed, signature
from notifier.web import create
from tests.builders import NOW
from tests.servers.slack import TOKEN
from tests.servers.slack_face import CLIENT_ID, CLIENT_SECRET, SlackWorkspace, until
from tests.slack.conftest import ADA, CHANNEL, Lab, running, text_of

KEY = SecretStr("signing")
BASE = "https://papers.example.org"
AT = str(int(NOW.timestamp()))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "slack_app_token": SecretStr(""),
            "base_url": BASE,
            "slack_client_id": CLIENT_ID,
            "slack_client_secret": SecretStr(CLIENT_SECRET),
        }
    )


@pytest.fixture
async def web(lab: Lab) -> AsyncIterator[httpx2.AsyncClient]:
    """The pages with Slack's part mounted, as ``notifier serve`` has them."""
    assert lab.face.http is not None
    transport = httpx2.ASGITransport(app=create(lab.app, mounts={"/slack": lab.face.http}))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


def signed(body: bytes, *, at: str = AT, key: SecretStr = KEY) -> dict[str, str]:
    return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": signature(body, at, key)}


async def post(web: httpx2.AsyncClient, body: bytes, headers: Any = None) -> httpx2.Response:
    return await web.post("/slack/events", content=body, headers=signed(body) if headers is None else headers)


def form(body: dict[str, Any]) -> bytes:
    return urlencode(body).encode()


async def test_a_signed_command_is_acknowledged_and_answered(lab: Lab, web: httpx2.AsyncClient) -> None:
    body = form(lab.server.command_body(ADA, CHANNEL, "/papers subscribe this channel daily 9:00"))
    answer = await post(web, body)
    assert (answer.status_code, answer.content) == (200, b"")
    await until(lambda: lab.server.said(ADA))
    assert "every day at 09:00" in text_of(lab.server.said(ADA)[0])


async def test_what_is_sent_again_runs_once(lab: Lab, web: httpx2.AsyncClient) -> None:
    body = form(lab.server.command_body(ADA, CHANNEL, "/papers subscribe this channel daily 9:00"))
    assert [(await post(web, body)).status_code for _ in range(3)] == [200] * 3
    await lab.settled()
    assert len(lab.subscriptions()) == 1 and len(lab.server.said(ADA)) == 1


MALFORMED: list[Any] = [
    {},
    {"X-Slack-Request-Timestamp": "yesterday", "X-Slack-Signature": "v0=" + "0" * 64},
    {"X-Slack-Request-Timestamp": "1e9", "X-Slack-Signature": "v0=" + "0" * 64},
    {"X-Slack-Request-Timestamp": "9" * 400, "X-Slack-Signature": "v0=" + "0" * 64},
    {"X-Slack-Request-Timestamp": AT},
    {"X-Slack-Request-Timestamp": AT, "X-Slack-Signature": "v0=é"},
    {"X-Slack-Request-Timestamp": AT, "X-Slack-Signature": "nonsense"},
    [("X-Slack-Request-Timestamp", AT), ("X-Slack-Request-Timestamp", AT), ("X-Slack-Signature", "v0=" + "0" * 64)],
]


async def test_a_malformed_signature_is_401(web: httpx2.AsyncClient) -> None:
    for headers in MALFORMED:
        pairs = headers.items() if isinstance(headers, dict) else headers
        answer = await post(web, b"command=/papers", [(name, value.encode()) for name, value in pairs])
        assert answer.status_code == 401, headers


async def test_a_signature_of_another_time_key_or_body_is_401(web: httpx2.AsyncClient) -> None:
    body = b"command=%2Fpapers&text=help"
    late, early = str(int(AT) - 301), str(int(AT) + 301)
    for headers in (
        signed(body, at=late),
        signed(body, at=early),
        signed(body, key=SecretStr("x")),
        signed(body + b" "),
    ):
        assert (await post(web, body, headers)).status_code == 401
    assert (await post(web, body, signed(body, at=str(int(AT) - 299)))).status_code == 200


async def test_what_is_signed_and_unreadable_is_400_and_too_much_is_413(web: httpx2.AsyncClient) -> None:
    for body in (b"\xff\xfe", b"{", b"payload=%7B", b"[1]", b"payload=[]", b"hello=world", b"{" * 50_000, b""):
        assert (await post(web, body)).status_code == 400, body[:20]
    assert (await post(web, b"x" * (1024 * 1024 + 1))).status_code == 413


async def test_slack_learns_that_the_address_is_ours(web: httpx2.AsyncClient) -> None:
    answer = await post(web, json.dumps({"type": "url_verification", "challenge": "c3"}).encode())
    assert answer.json() == {"challenge": "c3"}
    assert (await post(web, b"ssl_check=1")).status_code == 200


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert payload_of(body) is None or isinstance(payload_of(body), dict)


@given(st.text(max_size=40), st.text(max_size=80))
def test_any_header_is_refused_without_an_error(timestamp: str, given: str) -> None:
    assert not is_signed(b"x", [timestamp], [given], KEY, NOW)


def install(server: SlackWorkspace, code: str = "one", team: str = "T0OTHER") -> None:
    """Slack is ready to hand out a token for ``code``; Eve is of that workspace, with an address like Ada's."""
    token = "xoxb-other"
    server.add_person("U0EVE", "ada@example.org", team=team, name="eve")
    server.tokens.add(token)
    server.installs[code] = {
        "ok": True,
        "access_token": token,
        "token_type": "bot",
        "scope": "chat:write",
        "bot_user_id": "U0BOT2",
        "team": {"id": team, "name": "Other Lab"},
        "enterprise": None,
        "is_enterprise_install": False,
    }


async def installed(web: httpx2.AsyncClient, code: str = "one") -> httpx2.Response:
    begun = await web.get("/slack/install")
    state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
    shown = await web.get("/slack/oauth", params={"code": code, "state": state})
    assert shown.status_code == 200 and "Install" in shown.text
    return await web.post("/slack/oauth", data={"code": code, "state": state})


async def test_a_workspace_is_installed_with_its_token_encrypted(lab: Lab, web: httpx2.AsyncClient) -> None:
    install(lab.server)
    answer = await installed(web)
    assert (answer.status_code, "Other Lab" in answer.text) == (200, True)
    (kept,) = [each for each in lab.stored(lambda store: store.slack.workspaces()) if each.team == "T0OTHER"]
    assert kept.token_name == "t0other" and kept.token is not None and "xoxb" not in kept.token
    assert b"xoxb-other" not in (lab.app.settings.data_dir / "notifier.db").read_bytes()
    await lab.papers("subscribe this channel daily", user="U0EVE", channel="C0FAR0001", team="T0OTHER")
    assert str(lab.subscriptions()[-1].address) == "slack:t0other/C0FAR0001"


async def test_a_state_that_did_not_begin_here_installs_nothing(lab: Lab, web: httpx2.AsyncClient) -> None:
    install(lab.server)
    begun = await web.get("/slack/install")
    state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
    web.cookies.clear()
    assert (await web.post("/slack/oauth", data={"code": "one", "state": state})).status_code == 400
    assert (await web.post("/slack/oauth", data={"code": "one", "state": ""})).status_code == 400
    assert len(lab.stored(lambda store: store.slack.workspaces())) < 2
    assert (await installed(web, "wrong")).status_code == 400


async def test_tokens_are_read_with_an_old_key_after_the_secret_was_renewed(
    settings: Settings, server: SlackWorkspace
) -> None:
    install(server)
    async with running(settings, server, [NOW]) as lab:
        assert lab.face.http is not None
        transport = httpx2.ASGITransport(app=create(lab.app, mounts={"/slack": lab.face.http}))
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as web:
            await installed(web)
    renewed = settings.model_copy(
        update={"secret_key": SecretStr("another"), "old_secret_keys": (settings.secret_key,)}
    )
    async with running(renewed, server, [NOW]) as lab:
        await lab.face.workspaces.refresh(lab.face.client)
        assert {token.get_secret_value() for token in lab.face.workspaces.tokens.values()} == {TOKEN, "xoxb-other"}


async def test_a_stranger_in_a_shared_channel_subscribes_nothing_there(lab: Lab) -> None:
    install(lab.server)
    said = await lab.papers("subscribe this channel daily", user="U0EVE")
    assert "belongs to another workspace" in said["text"] and lab.subscriptions() == []


async def test_a_member_of_another_workspace_is_not_believed_to_be_a_subscriber(
    lab: Lab, web: httpx2.AsyncClient
) -> None:
    await lab.papers("subscribe me daily")
    install(lab.server)
    await installed(web)
    said = await lab.papers("me list", user="U0EVE", channel="C0FAR0001", team="T0OTHER")
    assert "Your address is not known here" in said["text"]
    said = await lab.papers("list", user="U0EVE", channel=CHANNEL, team="T0OTHER")
    assert "no subscription yet" in said["text"]


async def test_a_workspace_that_the_app_is_not_in_is_not_answered(lab: Lab) -> None:
    await lab.face.arrival.take(lab.server.command_body(ADA, CHANNEL, "/papers help", team="T0NOBODY"))
    await lab.settled()
    assert lab.server.said(ADA) == []
