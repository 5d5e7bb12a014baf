"""The Slack server of ``slack`` with what the face inside it needs: people, views, answers, installs and sockets.

with SlackWorkspace() as server:
    server.add_person("U0ADA", "ada@example.org", zone="Europe/Berlin")
    envelope = server.command("U0ADA", "C0PAPERS1", "/papers list")     # over the socket, to whoever listens
    server.said("U0ADA")[-1]
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from tests.servers.slack import SlackServer, no
from tests.servers.slack_limits import problem
from tests.servers.slack_views import models_take, view_problem

APP_TOKEN = "xapp-1-secret-of-the-test"
CLIENT_ID, CLIENT_SECRET = "111.222", "secret-of-the-client"
TEAM = "T0TEST"
BOT = "U0BOT"

Body = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Envelope:
    """One request over the socket; ``acknowledged_at`` is when its acknowledgement came, ``reply`` what was in it."""

    id: str
    sent_at: float
    acknowledged_at: float | None = None
    reply: Any = None


@dataclass(slots=True, kw_only=True)
class Person:
    email: str
    zone: str = "UTC"
    locale: str = "en-US"
    name: str = "ada"
    team: str = TEAM
    is_email_confirmed: bool = True


@dataclass(slots=True)
class _Socket:
    ws: web.WebSocketResponse
    silent: bool = False
    open: bool = True
    seen: list[str] = field(default_factory=list)


class SlackWorkspace(SlackServer):
    """``views`` are those that are open or published, by user; ``updates`` each call that changed one."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.people: dict[str, Person] = {}
        self.channel_members: dict[str, set[str]] = {}
        self.answers: list[tuple[str, Body]] = []
        self.views: dict[str, Body] = {}
        self.calls_with: list[tuple[str, Body]] = []
        self.tokens: set[str] = {self.token}
        self.installs: dict[str, Body] = {}
        self.envelopes: list[Envelope] = []
        self.sockets: list[_Socket] = []
        self._triggers: dict[str, str] = {}
        self._muted = False

    # What tests say

    def add_person(self, id: str, email: str, **more: Any) -> None:
        super().add_person(id, email)
        self.people[id] = Person(email=email, **more)
        # A message to a person goes to the conversation with them.
        self._channels[id] = f"D{id[1:]}"

    def said(self, user: str) -> list[Body]:
        """What was said to one person alone, in order."""
        return [message for who, message in self.answers if who == user]

    def command_body(self, user: str, channel: str, text: str, *, name: str = "papers", team: str = TEAM) -> Body:
        command, _, rest = text.partition(" ")
        return {
            "token": "old",
            "team_id": team,
            "team_domain": "example",
            "channel_id": channel,
            "channel_name": name,
            "user_id": user,
            "user_name": self.people[user].name if user in self.people else "someone",
            "command": command,
            "text": rest,
            "api_app_id": "A0TEST",
            "response_url": self.response_url(user),
            "trigger_id": self.trigger(user),
        }

    def pressed(self, user: str, channel: str, action: Body, *, team: str = TEAM, **more: Any) -> Body:
        """A button or menu of a message was used."""
        return {
            "type": "block_actions",
            "user": {"id": user, "username": self.people[user].name, "team_id": self.people[user].team},
            "team": {"id": team, "domain": "example"},
            "channel": {"id": channel, "name": "papers"},
            "api_app_id": "A0TEST",
            "trigger_id": self.trigger(user),
            "response_url": self.response_url(user),
            "actions": [{"block_id": "b", "action_ts": "1", **action}],
            **more,
        }

    def submitted(self, user: str, view: Body, values: Body, *, team: str = TEAM) -> Body:
        return {
            "type": "view_submission",
            "team": {"id": team, "domain": "example"},
            "user": {"id": user, "username": self.people[user].name, "team_id": self.people[user].team},
            "trigger_id": self.trigger(user),
            "view": {**view, "state": {"values": values}},
        }

    def event(self, event: Body, *, team: str = TEAM, id: str = "") -> Body:
        return {
            "type": "event_callback",
            "team_id": team,
            "api_app_id": "A0TEST",
            "event_id": id or f"Ev{uuid4().hex[:12]}",
            "event_time": int(time.time()),
            "authorizations": [{"team_id": team, "user_id": BOT, "is_bot": True}],
            "event": event,
        }

    def trigger(self, user: str) -> str:
        id = f"13345224609.{uuid4().hex}"
        self._triggers[id] = user
        return id

    def response_url(self, user: str) -> str:
        return f"http://127.0.0.1:{self.port}/commands/{user}/{uuid4().hex}"

    # The socket

    def send(self, payload: Body, *, kind: str = "slash_commands") -> Envelope:
        """To the latest socket that is open."""
        envelope = Envelope(id=str(uuid4()), sent_at=time.monotonic())
        self.envelopes.append(envelope)
        text = json.dumps({"envelope_id": envelope.id, "type": kind, "payload": payload})
        socket = [each for each in self.sockets if each.open][-1]
        self._thread.run(socket.ws.send_str(text))
        return envelope

    def cut(self) -> None:
        """Close every socket without a word."""
        for each in self.sockets:
            if each.open:
                self._thread.run(each.ws.close())

    def refresh(self) -> None:
        """As Slack does every few hours: say that this socket will go."""
        text = json.dumps({"type": "disconnect", "reason": "refresh_requested"})
        self._thread.run(self.sockets[-1].ws.send_str(text))

    def fall_silent(self, *, muted: bool = True) -> None:
        """Take everything and answer nothing, not even a ping, on the sockets that are open now."""
        for each in self.sockets:
            each.silent = muted

    def _more_routes(self, app: web.Application) -> None:
        app.router.add_get("/socket", self._socket)
        app.router.add_post("/commands/{user}/{id}", self._respond)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(request)
        socket = _Socket(ws)
        self.sockets.append(socket)
        await ws.send_str(json.dumps({"type": "hello", "num_connections": 1}))
        async for message in ws:
            if socket.silent:
                continue
            if message.type is WSMsgType.PING:
                await ws.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._acknowledged(json.loads(message.data))
        socket.open = False
        return ws

    def _acknowledged(self, said: Body) -> None:
        for each in self.envelopes:
            if each.id == said.get("envelope_id") and each.acknowledged_at is None:
                each.acknowledged_at, each.reply = time.monotonic(), said.get("payload")

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        self.calls.append("respond")
        if (scripted := self._next("respond")) is not None:
            return web.Response(status=scripted.status, body=scripted.body, headers=scripted.headers)
        message = await request.json()
        bare = {key: value for key, value in message.items() if key not in ("response_type", "replace_original")}
        if (broken := problem(bare)) is not None:
            return web.json_response({"ok": False, "error": broken[0], "why": broken[1]}, status=400)
        models_take(message.get("blocks", []))
        self.answers.append((request.match_info["user"], message))
        return web.Response(text="ok")

    # The Web API

    def _authorizations(self, method: str) -> set[str]:
        if method == "apps.connections.open":
            return {f"Bearer {APP_TOKEN}"}
        return {f"Bearer {token}" for token in self.tokens}

    def _methods(self) -> dict[str, Callable[[Body], Body]]:
        return super()._methods() | {
            "apps.connections.open": self._connections_open,
            "users.info": self._users_info,
            "conversations.members": self._members,
            "views.open": self._views_open,
            "views.update": self._views_update,
            "views.publish": self._views_publish,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.update": self._update,
            "chat.unfurl": self._unfurl,
        }

    def _do(self, method: str, authorization: str, arguments: Body) -> Body:
        self.calls_with.append((method, {key: value for key, value in arguments.items() if key != "from_json"}))
        if method == "oauth.v2.access":
            return self._oauth(authorization, arguments)
        return super()._do(method, authorization, arguments)

    def _connections_open(self, _: Body) -> Body:
        return {"ok": True, "url": f"ws://127.0.0.1:{self.port}/socket?ticket={uuid4().hex}"}

    def _users_info(self, arguments: Body) -> Body:
        if arguments.get("from_json"):
            return no("invalid_arguments")
        id = arguments.get("user", "")
        if (person := self.people.get(id)) is None:
            return no("user_not_found")
        user = {
            "id": id,
            "team_id": person.team,
            "name": person.name,
            "tz": person.zone,
            "is_email_confirmed": person.is_email_confirmed,
            "profile": {"email": person.email, "real_name": person.name, "display_name": ""},
        }
        return {"ok": True, "user": user | ({"locale": person.locale} if arguments.get("include_locale") else {})}

    def _members(self, arguments: Body) -> Body:
        if arguments.get("from_json"):
            return no("invalid_arguments")
        members = self.channel_members.get(arguments.get("channel", ""))
        if members is None:
            return no("channel_not_found")
        return {"ok": True, "members": sorted(members), "response_metadata": {"next_cursor": ""}}

    def _views_open(self, arguments: Body) -> Body:
        user = self._triggers.get(arguments.get("trigger_id", ""))
        if user is None:
            return no("expired_trigger_id")
        return self._shown(user, arguments.get("view"))

    def _views_update(self, arguments: Body) -> Body:
        found = [user for user, view in self.views.items() if view["id"] == arguments.get("view_id")]
        if not found:
            return no("not_found")
        if arguments.get("hash", self.views[found[0]]["hash"]) != self.views[found[0]]["hash"]:
            return no("hash_conflict")
        return self._shown(found[0], arguments.get("view"), id=arguments["view_id"])

    def _views_publish(self, arguments: Body) -> Body:
        return self._shown(f"home:{arguments.get('user_id')}", arguments.get("view"))

    def _shown(self, user: str, view: Any, *, id: str = "") -> Body:
        if (broken := view_problem(view)) is not None:
            return no(broken[0], response_metadata={"messages": [f"[ERROR] {broken[1]}"]})
        self.views[user] = {**view, "id": id or f"V{uuid4().hex[:10]}", "hash": uuid4().hex}
        return {"ok": True, "view": self.views[user]}

    def _post_ephemeral(self, arguments: Body) -> Body:
        if (broken := problem({k: v for k, v in arguments.items() if k not in ("user", "from_json")})) is not None:
            return no(broken[0], response_metadata={"messages": [f"[ERROR] {broken[1]}"]})
        self.answers.append((arguments["user"], arguments))
        return {"ok": True, "message_ts": "1.1"}

    def _update(self, arguments: Body) -> Body:
        bare = {k: v for k, v in arguments.items() if k not in ("ts", "from_json")}
        if arguments.get("ts") not in {post.ts for post in self.taken}:
            return no("message_not_found")
        broken = problem(bare)
        return no(broken[0]) if broken else {"ok": True, "ts": arguments["ts"]}

    def _unfurl(self, arguments: Body) -> Body:
        for unfurl in arguments["unfurls"].values():
            if (broken := problem({"channel": "C", "blocks": unfurl["blocks"]})) is not None:
                return no("cannot_parse_attachment", response_metadata={"messages": [broken[1]]})
        return {"ok": True}

    def _oauth(self, authorization: str, arguments: Body) -> Body:
        import base64

        named = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if authorization != f"Basic {named}":
            return no("bad_client_secret")
        return self.installs.pop(arguments.get("code", ""), no("invalid_code"))


async def until(happens: Callable[[], object], *, seconds: float = 10.0) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)
