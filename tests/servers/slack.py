"""A real HTTP server on loopback that speaks the part of Slack's Web API that is used here.

    with SlackServer() as server:
        server.add_channel("C0PAPERS1", "papers")
        server.answer("chat.postMessage", rate_limited(retry_after=30), times=1)
        ...
        server.posts("C0PAPERS1")[0].arguments

Every message is held against Slack's documented limits (``slack_limits``) before it is taken.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from tests.servers.loop import LoopThread
from tests.servers.slack_limits import problem

TOKEN = "xoxb-0000-secret-of-the-test"
HOOK_PATH = "/services/T0TEST/B0TEST/secret-of-the-hook"
HOOK = "webhook"
"""The channel under which the posts of the incoming webhook are recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message that was taken: its channel, its ``ts`` and all arguments as they came."""

    channel: str
    ts: str
    arguments: dict[str, Any]

    @property
    def thread_ts(self) -> str | None:
        return self.arguments.get("thread_ts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is said instead of the usual. ``after_taking`` does the call's work first, then loses the answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    drop: bool = False
    after_taking: bool = False


def refused(error: str, *, status: int = 200, **more: str) -> Answer:
    return Answer(status=status, body=json.dumps({"ok": False, "error": error, **more}).encode())


def rate_limited(retry_after: int | str | None = None) -> Answer:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Answer(status=429, body=b'{"ok": false, "error": "ratelimited"}', headers=headers)


def body(content: bytes | str, *, status: int = 200, content_type: str = "text/html") -> Answer:
    return Answer(
        status=status, body=content.encode() if isinstance(content, str) else content, content_type=content_type
    )


def hang(*, after_taking: bool = False) -> Answer:
    return Answer(hang=True, after_taking=after_taking)


def drop(*, after_taking: bool = False) -> Answer:
    return Answer(drop=True, after_taking=after_taking)


@dataclass(slots=True, kw_only=True)
class _Scripted:
    method: str
    answer: Answer
    skip: int
    times: int | None


class SlackServer:
    """``calls`` are the methods called, in order; ``hook_url`` is the incoming webhook.

    ``reached`` is told of each call when it has come, when its work is done, and when its answer is on its way.
    """

    def __init__(self, *, token: str = TOKEN, scopes: str = "chat:write,im:write,users:read.email") -> None:
        self.token = token
        self.scopes = scopes
        self.calls: list[str] = []
        self.taken: list[Post] = []
        self._channels: dict[str, str] = {}
        self._archived: set[str] = set()
        self._people: dict[str, str] = {}
        self._script: list[_Scripted] = []
        self._count = 0
        self.port = 0
        self.reached: Callable[[str, str], None] = lambda method, point: None

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    @property
    def hook_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{HOOK_PATH}"

    def add_channel(self, id: str, name: str, *, archived: bool = False) -> None:
        self._channels[id] = id
        self._channels[f"#{name}"] = id
        if archived:
            self._archived.add(id)

    def add_person(self, id: str, email: str) -> None:
        """Their direct message is the channel ``D`` + the rest of their id."""
        self._people[email] = id

    def answer(self, method: str, answer: Answer, *, times: int | None = None, skip: int = 0) -> None:
        """Say ``answer`` to ``method`` (``webhook`` for the hook) ``times`` times, after ``skip`` usual ones."""
        self._script.append(_Scripted(method=method, answer=answer, skip=skip, times=times))

    def heal(self) -> None:
        self._script.clear()

    def say(self, channel: str, text: str) -> None:
        """Somebody else writes."""
        self._take(channel, {"channel": channel, "text": text})

    def posts(self, channel: str) -> list[Post]:
        return [post for post in self.taken if post.channel == channel]

    def __enter__(self) -> Self:
        self._thread = LoopThread()
        self._runner = self._thread.run(self._start())
        self.port = self._runner.addresses[0][1]
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(self._runner.cleanup())
        self._thread.stop()

    async def _start(self) -> web.AppRunner:
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post(HOOK_PATH, self._hook)
        self._more_routes(app)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        self.calls.append(method)
        scripted = self._next(method)
        arguments = await _arguments(request)
        self.reached(method, "asked")
        if scripted is None or scripted.after_taking:
            result = self._do(method, request.headers.get("Authorization", ""), arguments)
            self.reached(method, "taken")
        if scripted is not None:
            return await _say(request, scripted)
        answer = web.json_response(result, headers={"X-OAuth-Scopes": self.scopes})
        await answer.prepare(request)
        await answer.write_eof()
        self.reached(method, "answered")
        return answer

    def _next(self, method: str) -> Answer | None:
        for each in self._script:
            if each.method != method or each.times == 0:
                continue
            if each.skip:
                each.skip -= 1
                continue
            if each.times is not None:
                each.times -= 1
            return each.answer
        return None

    def _do(self, method: str, authorization: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if not authorization:
            return no("not_authed")
        if authorization not in self._authorizations(method):
            return no("invalid_auth")
        work = self._methods().get(method)
        return no("unknown_method") if work is None else work(arguments)

    def _authorizations(self, method: str) -> set[str]:
        return {f"Bearer {self.token}"}

    def _more_routes(self, app: web.Application) -> None:
        """For servers that speak more."""

    def _methods(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {
            "auth.test": self._auth_test,
            "conversations.open": self._conversations_open,
            "users.lookupByEmail": self._users_lookup,
            "chat.postMessage": self._post_message,
            "conversations.history": self._history,
            "conversations.replies": self._history,
        }

    def _auth_test(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "ok": True,
            "team": "Example Lab",
            "team_id": "T0TEST",
            "user": "papers",
            "user_id": "U0BOT",
            "bot_id": "B0",
        }

    def _conversations_open(self, arguments: dict[str, Any]) -> dict[str, Any]:
        person = arguments.get("users", "")
        if person not in self._people.values():
            return no("user_not_found")
        channel = f"D{person[1:]}"
        self._channels[channel] = channel
        return {"ok": True, "channel": {"id": channel}}

    def _users_lookup(self, arguments: dict[str, Any]) -> dict[str, Any]:
        # This method takes no JSON body; from_json marks arguments that came as one.
        if arguments.get("from_json"):
            return no("invalid_arguments")
        person = self._people.get(arguments.get("email", ""))
        return no("users_not_found") if person is None else {"ok": True, "user": {"id": person}}

    def _post_message(self, arguments: dict[str, Any]) -> dict[str, Any]:
        arguments = {key: value for key, value in arguments.items() if key != "from_json"}
        channel = self._channels.get(arguments.get("channel", ""))
        if channel is None:
            return no("channel_not_found")
        if channel in self._archived:
            return no("is_archived")
        thread = arguments.get("thread_ts")
        if thread is not None and thread not in {post.ts for post in self.posts(channel)}:
            return no("thread_not_found")
        if (broken := problem(arguments)) is not None:
            return no(broken[0], response_metadata={"messages": [f"[ERROR] {broken[1]}"]})
        return {"ok": True, "channel": channel, "ts": self._take(channel, arguments)}

    def _history(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Newest first, as Slack has it; metadata only for who asks for it."""
        channel = self._channels.get(arguments.get("channel", ""))
        if channel is None:
            return no("channel_not_found")
        thread = arguments.get("ts")
        asked = arguments.get("include_all_metadata") == "true"
        found = [
            {"ts": post.ts} | ({"metadata": post.arguments.get("metadata")} if asked else {})
            for post in reversed(self.posts(channel))
            if (thread in (post.ts, post.thread_ts) if thread else post.thread_ts is None)
            and float(post.ts) >= float(arguments.get("oldest", 0))
        ]
        at, limit = int(arguments.get("cursor") or 0), int(arguments.get("limit") or 100)
        more = str(at + limit) if at + limit < len(found) else ""
        page = found[at : at + limit]
        return {"ok": True, "messages": page, "has_more": bool(more), "response_metadata": {"next_cursor": more}}

    def _take(self, channel: str, arguments: dict[str, Any]) -> str:
        self._count += 1
        ts = f"{1_800_000_000 + self._count}.{self._count:06}"
        self.taken.append(Post(channel=channel, ts=ts, arguments=arguments))
        return ts

    async def _hook(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(HOOK)
        scripted = self._next(HOOK)
        if scripted is None or scripted.after_taking:
            arguments = await request.json()
            if (broken := problem(arguments)) is not None:
                return web.Response(status=400, text=broken[0])
            self._take(HOOK, arguments)
        return await _say(request, scripted) if scripted else web.Response(text="ok", content_type="text/html")


async def _arguments(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json" and request.can_read_body:
        return {**await request.json(), "from_json": True}
    return {**request.query, **await request.post()}


async def _say(request: web.Request, answer: Answer) -> web.StreamResponse:
    if answer.hang:
        await asyncio.Event().wait()
    if answer.drop and request.transport is not None:
        request.transport.close()
    return web.Response(
        status=answer.status, body=answer.body, content_type=answer.content_type, headers=answer.headers
    )


def no(error: str, **more: Any) -> dict[str, Any]:
    return {"ok": False, "error": error, **more}
