"""What Slack sends by HTTP, and the installing of the app in a workspace: to be mounted at ``/slack``.

POST /events     commands, buttons, forms and events, all signed
GET  /install    to Slack, to choose a workspace
GET  /oauth      back from there: a page with a button
POST /oauth      installs
"""

from __future__ import annotations

import json
from html import escape
from typing import Any
from urllib.parse import parse_qsl

import structlog
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from notifier.app import Clock
from notifier.errors import NotifierError, StoreError
from notifier.slack.arrival import Arrival
from notifier.slack.install import STATE_LASTS, Installer
from notifier.slack.signature import is_signed

log = structlog.get_logger()

_LARGEST = 1024 * 1024
_COOKIE = "notifier_slack_state"


class SlackHttp:
    """``app`` is the ASGI application."""

    def __init__(self, key: SecretStr, arrival: Arrival, installer: Installer | None, *, clock: Clock) -> None:
        self._key = key
        self._arrival = arrival
        self._installer = installer
        self._clock = clock
        installing = [
            Route("/install", self._install, methods=["GET"]),
            Route("/oauth", self._returned, methods=["GET"]),
            Route("/oauth", self._confirmed, methods=["POST"]),
        ]
        self.app = Starlette(
            routes=[Route("/events", self._events, methods=["POST"]), *(installing if installer else [])]
        )

    async def _events(self, request: Request) -> Response:
        try:
            body = await _read(request)
        except ClientDisconnect:
            return PlainTextResponse("Cut short.\n", 400)
        if body is None:
            return PlainTextResponse("That is too much at once.\n", 413)
        headers = request.headers
        signed = is_signed(
            body,
            headers.getlist("x-slack-request-timestamp"),
            headers.getlist("x-slack-signature"),
            self._key,
            self._clock(),
        )
        if not signed:
            return PlainTextResponse("Not signed by Slack, or not now.\n", 401)
        payload = payload_of(body)
        if payload is None:
            return PlainTextResponse("Neither a form nor JSON of Slack's.\n", 400)
        if payload.get("type") == "url_verification":
            return JSONResponse({"challenge": str(payload.get("challenge", ""))})
        if payload.get("ssl_check"):
            return Response()
        try:
            reply = await self._arrival.take(payload)
        except StoreError as error:
            # Slack sends it again; what is acknowledged has to be kept.
            log.warning("slack request cannot be kept", error=str(error))
            return PlainTextResponse("Not now.\n", 503)
        return Response() if reply is None else JSONResponse(reply)

    async def _install(self, _: Request) -> Response:
        assert self._installer is not None  # noqa: S101 - routed only where there is one
        state, address = self._installer.begin()
        answer = RedirectResponse(address, 302)
        answer.set_cookie(
            _COOKIE,
            state,
            max_age=int(STATE_LASTS.total_seconds()),
            path="/slack/",
            secure=self._installer.is_https,
            httponly=True,
            samesite="lax",
        )
        return answer

    async def _returned(self, request: Request) -> Response:
        """GET changes nothing: what Slack handed out is used by the button."""
        code, state = request.query_params.get("code", ""), request.query_params.get("state", "")
        if request.query_params.get("error") or not code:
            return _page("Not installed", "Slack did not allow it. Begin again at /slack/install.", status=400)
        form = (
            '<form method="post" action="/slack/oauth">'
            f'<input type="hidden" name="code" value="{escape(code)}">'
            f'<input type="hidden" name="state" value="{escape(state)}">'
            "<button>Install</button></form>"
        )
        return _page("Install Notifier", "Notifier will be in the workspace that you chose.", form)

    async def _confirmed(self, request: Request) -> Response:
        assert self._installer is not None  # noqa: S101 - routed only where there is one
        body = await _read(request)
        given = dict(parse_qsl((body or b"").decode("utf-8", "replace")))
        try:
            workspace = await self._installer.finish(
                given.get("code", ""), given.get("state", ""), request.cookies.get(_COOKIE, "")
            )
        except NotifierError as error:
            return _page("Not installed", str(error), status=400)
        answer = _page("Installed", f"Notifier is in {workspace.name}. Type /papers help there.")
        answer.delete_cookie(_COOKIE, path="/slack/")
        return answer


async def _read(request: Request) -> bytes | None:
    """The body as it came; None for one that is too long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            return None
    return body


def payload_of(body: bytes) -> dict[str, Any] | None:
    """What a signed body says: an event as JSON, a form with a ``payload`` of JSON, or a command's form."""
    try:
        text = body.decode("utf-8")
        if text.lstrip().startswith("{"):
            return _object(text)
        form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=100))
        if "payload" in form:
            return _object(form["payload"])
    except (ValueError, RecursionError):
        return None
    return dict(form) if "command" in form or "ssl_check" in form else None


def _object(text: str) -> dict[str, Any] | None:
    found = json.loads(text)
    return found if isinstance(found, dict) else None


def _page(heading: str, sentence: str, more: str = "", *, status: int = 200) -> HTMLResponse:
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(heading)} · Notifier</title>"
        f"<main><h1>{escape(heading)}</h1><p>{escape(sentence)}</p>{more}</main></html>",
        status,
    )
