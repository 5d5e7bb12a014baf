"""A real web server on loopback that answers what it is told to, also badly.

    with WebServer() as web:
        web.answer("/feed", body=RSS, headers={"ETag": '"1"'})
        web.answer("/slow", body=drip(b"x", every=0.05))
        ...
        web.requests[0].headers["user-agent"]

A path answers with one Answer each time, or with one after the other (the last stays); a function of the request
may make it. What was not set is a 404.
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

import pytest


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``body`` as pieces is sent without a length, and the connection closed behind it."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""


Answers = Answer | Callable[[Request], Answer]


class WebServer:
    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self._answers: dict[str, list[Answers]] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "https" if context else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self._scheme}://{host}:{self.port}{path}"

    def answer(
        self,
        path: str,
        *answers: Answers,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[bytes] = b"",
    ) -> None:
        self._answers[path] = list(answers) or [Answer(status=status, headers=headers or {}, body=body)]

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        self.answer(path, status=status, headers={"Location": to})

    def handle(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            waiting = self._answers.get(request.path, [Answer(status=404)])
            answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return answer if isinstance(answer, Answer) else answer(request)


def _handler(web: WebServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            request = Request(
                method=self.command,
                path=parts.path,
                query={name: values[-1] for name, values in parse_qs(parts.query).items()},
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(length),
            )
            # A client that hangs up in the middle is what some tests are about.
            with suppress(ConnectionError, ssl.SSLError):
                self._send(web.handle(request))

        do_POST = do_HEAD = do_GET  # noqa: N815 - the base class looks for these names

        def _send(self, answer: Answer) -> None:
            pieces = [answer.body] if isinstance(answer.body, bytes) else answer.body
            self.send_response(answer.status)
            names = {name.lower() for name in answer.headers}
            if isinstance(answer.body, bytes) and not names & {"content-length", "transfer-encoding"}:
                self.send_header("Content-Length", str(len(answer.body)))
            elif not isinstance(answer.body, bytes) or "content-length" in names:
                self.send_header("Connection", "close")
                self.close_connection = True
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            for piece in pieces:
                self.wfile.write(piece)
                self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def drip(data: bytes, *, every: float) -> Iterator[bytes]:
    """One byte at a time, for ever."""
    while True:
        for byte in data:
            yield bytes([byte])
            time.sleep(every)


def endless(piece: bytes = b"x" * 65536) -> Iterator[bytes]:
    while True:
        yield piece


def make_certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """A self-signed certificate for ``host`` and its key; skips the test where openssl is not installed."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("openssl is not installed")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-keyout", str(key), "-out", str(certificate), "-subj", f"/CN={host}",
         "-addext", f"subjectAltName=DNS:{host}"],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key
