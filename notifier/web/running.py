"""Serving the pages: uvicorn in the loop that it is given, until it is told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from starlette.types import ASGIApp

from notifier.errors import SettingsError
from notifier.settings import Settings

log = structlog.get_logger()
# Requests are short; what has not ended by then is a client that does not read.
_DRAIN_SECONDS = 20


class _Server(uvicorn.Server):
    """Signals are the business of who runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run(web: ASGIApp, settings: Settings, stop: asyncio.Event, *, listening: socket.socket | None = None) -> None:
    """Serve until ``stop`` is set; answers what was asked before it. Raises SettingsError for a port that is taken."""
    config = uvicorn.Config(
        web,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    server = _Server(config)
    with listening or listen(settings) as sock:
        # asyncio knows sockets that others made too little to do this: the body of an answer would wait 40 ms for
        # the receipt of its head.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        log.info("pages", url=settings.web_url, host=settings.web_host, port=sock.getsockname()[1])
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        server.should_exit = True
        await serving


def listen(settings: Settings) -> socket.socket:
    host, port = settings.web_host, settings.web_port
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingsError(
            f"The pages cannot listen on {host} port {port} ({error.strerror}): set another web_host or web_port."
        ) from error
