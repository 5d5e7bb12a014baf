"""What stands before every page: who may be asked for, from where, how much; and what browsers are told to forbid.

- Host: only names that we know, so that a page of another name that points here (DNS rebinding) gets nothing.
- Unsafe methods: only from our own pages. Browsers say so in Sec-Fetch-Site, older ones in Origin; a request
  with neither comes from no browser and carries nobody's cookie by accident.
- HEAD is GET without its body, on every page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
# Probes name the machine by whatever address they know.
_ANY_HOST = frozenset({"/healthz", "/readyz", "/metrics"})
_LARGEST = 256 * 1024
_LARGEST_FOR_API = 16 * 1024 * 1024
_YEAR = 31_536_000
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # pico.css has its icons as data.
        "img-src 'self' data:{pictures}",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """``hosts`` are names without ports, ``origin`` our own pages'."""

    hosts: frozenset[str]
    origin: str

    @classmethod
    def of(cls, url: str, more: Iterable[str]) -> Self:
        parts = urlsplit(url)
        names = {each.lower() for each in (parts.hostname or "", *more)}
        return cls(hosts=frozenset(names) | _LOCAL, origin=f"{parts.scheme}://{parts.netloc}".lower())

    def knows(self, host: str) -> bool:
        try:
            return (urlsplit(f"//{host}").hostname or "") in self.hosts
        except ValueError:
            return False

    def is_ours(self, headers: Headers) -> bool:
        """Whether an unsafe request may come from where it says."""
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        origin = headers.get("origin", self.origin).lower()
        # Without https, this machine has more than one name for itself.
        is_local = self.origin.startswith("http://") and origin == f"http://{headers.get('host', '')}".lower()
        return origin == self.origin or is_local


Failed = Callable[[Request, Exception], Awaitable[Response]]


class Safety:
    """ASGI middleware. Paths that begin with one of ``without_cookie`` are not asked where they come from.

    ``pictures`` are origins, other than ours, that pictures may come from. ``failed`` makes the answer where a bug left
    none: here, so that it has the same headers as any other.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        rules: Rules,
        without_cookie: tuple[str, ...],
        failed: Failed,
        pictures: tuple[str, ...] = (),
    ) -> None:
        self._app = app
        self._failed = failed
        self._rules = rules
        self._without_cookie = without_cookie
        shown = "".join(f" {each}" for each in pictures)
        self._headers = {"Content-Security-Policy": _POLICY.format(pictures=shown), **_HEADERS}
        if rules.origin.startswith("https://"):
            self._headers["Strict-Transport-Security"] = f"max-age={_YEAR}; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        started: list[bool] = []
        answer = self._answering(send, started, without_body=is_head)
        refusal = self._refusal(scope)
        if refusal:
            await refusal(scope, receive, answer)
            return
        most = _LARGEST_FOR_API if scope["path"].startswith("/api/") else _LARGEST
        inner = {**scope, "method": "GET"} if is_head else scope
        try:
            await self._app(inner, _bounded(receive, most), answer)
        except Exception as error:
            if started:
                raise
            response = await self._failed(Request(inner), error)
            await response(inner, receive, answer)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        path: str = scope["path"]
        if path not in _ANY_HOST and not self._rules.knows(headers.get("host", "")):
            return _refused(path, 421, "No such host here: see base_url and web_hosts in the settings.")
        most = _LARGEST_FOR_API if path.startswith("/api/") else _LARGEST
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > most:
            return _refused(path, 413, f"That is too much at once: at most {most // 1024} KiB.")
        if scope["method"] in _SAFE or path.startswith(self._without_cookie) or self._rules.is_ours(headers):
            return None
        return _refused(path, 403, "Nothing was changed: this came from another site. Do it from a page here.")

    def _answering(self, send: Send, started: list[bool], *, without_body: bool) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(True)
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "private, no-store")
            elif without_body and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        return answer


def _refused(path: str, status: int, sentence: str) -> Response:
    """In plain words, before anything is known of who asks; to programs as problem+json."""
    if not path.startswith("/api/"):
        return PlainTextResponse(f"{sentence}\n", status)
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
    return JSONResponse(body, status, media_type="application/problem+json")


def _bounded(receive: Receive, most: int) -> Receive:
    """A body without a length that grows too large ends as if the caller had hung up."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return {"type": "http.disconnect"} if taken > most else message

    return bounded
