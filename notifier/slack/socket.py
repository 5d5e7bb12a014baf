"""Socket Mode: a kept WebSocket to Slack, for who has no public address. It comes back for ever.

The SDK's client reconnects by itself where it notices; a watchdog replaces the whole of it where it does not.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog
from aiohttp import WSMessage
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

log = structlog.get_logger()
_sdk_log = logging.getLogger("notifier.slack.socket")
_sdk_log.setLevel(logging.CRITICAL)

Take = Callable[[dict[str, Any]], Awaitable[dict[str, Any] | None]]

_PING = timedelta(seconds=10)
_SILENCE = timedelta(seconds=45)
"""Longest time without a pong, or anything else, before the connection counts as dead."""
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 300.0


class SocketMode:
    """``take`` returns once what came in is kept; only then is it acknowledged."""

    def __init__(
        self,
        app_token: SecretStr,
        api_url: str,
        take: Take,
        *,
        ping: timedelta = _PING,
        silence: timedelta = _SILENCE,
        first_wait: float = _FIRST_WAIT,
    ) -> None:
        self._token = app_token
        self._api_url = api_url
        self._take = take
        self._ping = ping.total_seconds()
        self._silence = silence.total_seconds()
        self._first_wait = first_wait
        self._heard_at = 0.0
        self.connections = 0
        """How many there have been."""

    async def run(self, stop: asyncio.Event) -> None:
        wait = self._first_wait
        while not stop.is_set():
            began = time.monotonic()
            try:
                await self._once(stop)
            except SlackApiError as error:
                said = error.response.get("error")
                log.warning(
                    "slack socket refused", error=said, advice="check slack_app_token and its connections:write"
                )
            except Exception as error:
                # Its text may hold the address of the socket, which is a secret.
                log.warning("slack socket failed", error=type(error).__name__)
            if time.monotonic() - began > self._silence:
                wait = self._first_wait
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _once(self, stop: asyncio.Event) -> None:
        """One client, until ``stop`` or until it has been silent for too long."""
        web = AsyncWebClient(base_url=self._api_url, logger=_sdk_log)
        client = SocketModeClient(
            app_token=self._token.get_secret_value(), web_client=web, logger=_sdk_log, ping_interval=self._ping
        )
        client.on_message_listeners.append(self._heard)
        client.socket_mode_request_listeners.append(self._came)
        try:
            # Asked for here, so that a refusal is ours to tell and to wait after.
            client.wss_uri = await client.issue_new_wss_url()
            await asyncio.wait_for(client.connect(), self._silence)  # type: ignore[no-untyped-call]
            self.connections += 1
            self._heard_at = time.time()
            log.info("slack socket open")
            while not stop.is_set() and not self._is_silent(client):
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), min(self._ping, 1.0))
            if not stop.is_set():
                log.warning("slack socket silent", seconds=round(time.time() - self._heard_at))
        finally:
            with suppress(Exception):
                await client.close()  # type: ignore[no-untyped-call]

    def _is_silent(self, client: SocketModeClient) -> bool:
        return time.time() - max(self._heard_at, client.last_ping_pong_time or 0.0) > self._silence

    async def _heard(self, _: WSMessage) -> None:
        self._heard_at = time.time()

    async def _came(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        reply = await self._take(request.payload)
        await client.send_socket_mode_response(
            SocketModeResponse(envelope_id=request.envelope_id, payload=reply)
            if reply is not None
            else SocketModeResponse(envelope_id=request.envelope_id)
        )
