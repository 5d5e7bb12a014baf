"""The one HTTP client of all sources: polite, bounded, and blind to private networks.

Bounds of one request, redirects included: a total deadline, the size of the body as sent and as decompressed, one
content encoding, at most 5 redirects. Nothing is read from the environment (proxies), no cookie is kept. How often
and how much at once a host is asked is up to ``turns``, which also heeds what hosts say about it.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import zlib
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpcore2
import httpx2

from notifier import __version__
from notifier.clean import link, plain
from notifier.errors import SourceError
from notifier.network import (
    CheckedNetwork,
    CheckedTransport,
    Forbidden,
    Resolve,
    UnknownHost,
    parse_networks,
    resolve,
)
from notifier.sources.apart import Apart
from notifier.sources.gunzip import Gunzip
from notifier.sources.pace import Paces
from notifier.sources.turns import AT_ONCE, Turns

MAX_REDIRECTS = 5
_UNTOLD_HOLD = timedelta(minutes=5)
"""How long a host is left alone that asks for fewer requests and does not say until when."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LASTING = frozenset({301, 308})
_GZIP = frozenset({"gzip", "x-gzip"})
_LONGEST_WAIT = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer. ``headers`` have lower-case names; ``url`` is where it came from after redirects.

    ``moved_to`` is that address where every redirect on the way said it was there to stay.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    moved_to: str | None = None

    @property
    def is_not_modified(self) -> bool:
        return self.status == 304

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


class Http:
    """Use it as ``async with Http(…) as http``, within one event loop.

    ``timeout`` is the deadline of a whole request, ``silence`` the longest wait for its next byte; ``max_bytes``
    bounds a body, decompressed; ``allow_networks`` are private networks that may be read from; ``turns`` say when a
    host may be asked, ``paces`` when a service that has its own terms; ``apart`` is where bodies are parsed.
    ``resolve`` and ``ssl_context`` stand in for the system's.
    """

    def __init__(
        self,
        *,
        contact: str = "",
        timeout: timedelta = timedelta(seconds=30),
        silence: timedelta = timedelta(seconds=20),
        max_bytes: int = 15 * 1024 * 1024,
        allow_networks: Iterable[str] = (),
        turns: Turns | None = None,
        apart: Apart | None = None,
        paces: Paces | None = None,
        resolve: Resolve = resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._seconds = timeout.total_seconds()
        self._max_bytes = max_bytes
        self._turns = turns or Turns(timedelta(seconds=1))
        self.apart = apart or Apart()
        self.paces = paces or Paces()
        network = CheckedNetwork(parse_networks(allow_networks), resolve)
        self._client = httpx2.AsyncClient(
            transport=CheckedTransport(
                network,
                ssl_context or httpx2.create_ssl_context(trust_env=False),
                max_connections=AT_ONCE,
            ),
            headers={"User-Agent": user_agent(contact), "Accept-Encoding": "gzip"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            timeout=httpx2.Timeout(self._seconds, read=silence.total_seconds()),
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)
        await self.apart.close()

    async def get(
        self,
        url: str,
        *,
        accept: str = "*/*",
        etag: str | None = None,
        last_modified: str | None = None,
        also: Collection[int] = (),
        deadline: timedelta | None = None,
        now: datetime | None = None,
    ) -> Reply:
        """Answers 2xx, 304 (to a conditional request) and the statuses of ``also``; raises SourceError otherwise.

        ``deadline`` is that of a service known to be slow. ``now`` is what a Retry-After date is counted from where
        the server does not tell its own time.
        """
        headers = {"Accept": accept}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        # Waiting for a turn is our doing, not the server's: the deadline starts behind it.
        async with self._turns.turn(host_of(url)):
            reply = await self._follow(url, headers, deadline)
        self._heed(reply, now)
        if 200 <= reply.status < 300 or reply.status in also or (reply.is_not_modified and (etag or last_modified)):
            return reply
        raise failure(reply, now)

    def _heed(self, reply: Reply, now: datetime | None) -> None:
        """Leave the host alone, for whatever source, as long as it asks for it."""
        host, wait = host_of(reply.url), _wait(reply.headers, now)
        if reply.status == 429:
            self._turns.hold(host, wait or _UNTOLD_HOLD)
        elif wait and (reply.status == 503 or _is_used_up(reply.headers)):
            self._turns.hold(host, wait)

    async def _follow(self, url: str, headers: Mapping[str, str], deadline: timedelta | None) -> Reply:
        host, seconds = host_of(url), deadline.total_seconds() if deadline else self._seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._hops(url, headers, deadline)
        except httpcore2.ConnectTimeout:
            raise SourceError(f"{host} does not take connections: it is asked again later.") from None
        except httpcore2.ReadTimeout:
            reason = f"{host} fell silent in the middle of its answer: it is asked again later."
            raise SourceError(reason) from None
        except (TimeoutError, httpcore2.TimeoutException):
            reason = f"{host} did not finish its answer within {seconds:g} s: it is asked again later."
            raise SourceError(reason) from None
        except httpx2.InvalidURL:
            raise SourceError(_unusable(url, 0)) from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpx2.HTTPError) as error:
            raise SourceError(f"{host} could not be read ({_why(error)}): check the address.") from error

    async def _hops(self, url: str, headers: Mapping[str, str], deadline: timedelta | None) -> Reply:
        lasting = True
        for hop in range(MAX_REDIRECTS + 1):
            address = link(url)
            if address is None:
                raise SourceError(_unusable(url, hop))
            self._turns.check(host_of(address))
            reply = await self._ask(address, headers, deadline)
            target = reply.headers.get("location")
            if reply.status not in _REDIRECTS or not target:
                return replace(reply, moved_to=reply.url) if lasting and hop else reply
            lasting = lasting and reply.status in _LASTING
            url = str(httpx2.URL(address).join(target))
        raise SourceError(f"{host_of(url)} redirects more than {MAX_REDIRECTS} times: give the final address.")

    async def _ask(self, url: str, headers: Mapping[str, str], deadline: timedelta | None) -> Reply:
        async with self._sent(url, headers, deadline) as response:
            is_redirect = response.status_code in _REDIRECTS
            body = b"" if is_redirect else await self._body(response, host_of(url))
            return Reply(status=response.status_code, headers=_plain_headers(response), body=body, url=url)

    @asynccontextmanager
    async def _sent(
        self, url: str, headers: Mapping[str, str], deadline: timedelta | None
    ) -> AsyncIterator[httpx2.Response]:
        try:
            # A service that takes its time is silent for most of it.
            timeout = httpx2.Timeout(deadline.total_seconds()) if deadline else self._client.timeout
            async with self._client.stream("GET", url, headers=dict(headers), timeout=timeout) as response:
                yield response
        except Forbidden as error:
            raise SourceError(
                f"{error.host} is at {error.address}, which is not a public address: to read from it, "
                "add its network to the setting 'allow_networks'."
            ) from None
        except UnknownHost:
            raise SourceError(f"There is no host {host_of(url)}: check the address, or the network.") from None

    async def _body(self, response: httpx2.Response, host: str) -> bytes:
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity", *_GZIP):
            raise SourceError(f"{host} answered in an encoding nobody asked for ({plain(encoding, limit=40)}).")
        gunzip = Gunzip(self._max_bytes) if encoding in _GZIP else None
        body, received = bytearray(), 0
        try:
            async for chunk in response.aiter_raw():
                received += len(chunk)
                body += gunzip.feed(chunk) if gunzip else chunk
                if max(received, len(body)) > self._max_bytes:
                    raise SourceError(_too_large(host, self._max_bytes))
            if gunzip and received and not gunzip.is_complete:
                raise SourceError(f"{host} broke off in the middle of its answer: it is asked again later.")
        except zlib.error:
            raise SourceError(f"{host} sent a damaged answer (gzip): it is asked again later.") from None
        return bytes(body)


def user_agent(contact: str) -> str:
    named = plain(contact, limit=200).encode("ascii", "ignore").decode()
    return f"Notifier/{__version__} (+{named})" if named else f"Notifier/{__version__}"


def host_of(url: str) -> str:
    try:
        return plain(urlsplit(url).hostname or url, limit=200)
    except ValueError:
        return plain(url, limit=200)


def failure(reply: Reply, now: datetime | None = None) -> SourceError:
    """The error that a status says; with what the server asked for about the next time."""
    host, status = host_of(reply.url), reply.status
    if status == 410:
        return SourceError(f"{host} says that this address is gone for good (410): look for its new one.", gone=True)
    wait = _wait(reply.headers, now)
    if status == 429:
        return SourceError(f"{host} asks for fewer requests (429): it is asked again later.", retry_after=wait)
    if status in (401, 403):
        return SourceError(f"{host} does not let us read this address ({status}): check it in a browser.")
    if status in (404, 400):
        reason = f"{host} has nothing at this address ({status}): check the address."
        return SourceError(reason, missing=status == 404)
    if status >= 500:
        return SourceError(f"{host} has a fault of its own ({status}): it is asked again later.", retry_after=wait)
    return SourceError(f"{host} answered with status {status}: check the address in a browser.", retry_after=wait)


def _wait(headers: Mapping[str, str], now: datetime | None) -> timedelta | None:
    """Retry-After in both forms (RFC 9110, 10.2.3), else the reset of a RateLimit header, such as ``t=42``."""
    said = headers.get("retry-after", "").strip()
    if not said:
        reset = re.search(r";\s*t=(\d{1,9})", headers.get("ratelimit", ""))
        said = reset[1] if reset else ""
    if re.fullmatch(r"\d{1,9}", said):
        return min(timedelta(seconds=int(said)), _LONGEST_WAIT)
    # The server's own clock tells best how far away its date is; ours may be wrong.
    until, since = _date(said), _date(headers.get("date", "")) or now
    return min(max(until - since, timedelta(0)), _LONGEST_WAIT) if until and since else None


def _is_used_up(headers: Mapping[str, str]) -> bool:
    """Whether a RateLimit header (``"api";r=0;t=42``) says that no request is left in its window."""
    return re.search(r";\s*r=0\b", headers.get("ratelimit", "")) is not None


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _plain_headers(response: httpx2.Response) -> Mapping[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _unusable(url: str, hop: int) -> str:
    shown = plain(re.sub(r"//[^/@]*@", "//…@", url), limit=200)
    if hop:
        return f"A redirect leads to '{shown}', which is no address to follow: give the final address."
    return f"'{shown}' is no address to read from: give one that starts with https:// and holds no user name."


def _why(error: Exception) -> str:
    if isinstance(error.__cause__ or error.__context__, ssl.SSLError):
        return f"its certificate or encryption was not accepted: {plain(str(error), limit=120)}"
    return plain(str(error), limit=120) or type(error).__name__


def _too_large(host: str, limit: int) -> str:
    return f"{host} sent more than {limit:,} bytes: raise the setting 'fetch_max_bytes' if that is right."
