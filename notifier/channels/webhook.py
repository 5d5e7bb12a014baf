"""Webhooks: a digest as JSON, posted to an address of the subscriber's, signed so that they can tell it is ours.

As in the Standard Webhooks specification: ``webhook-id`` (the delivery's id, the same at every attempt, so that who
has seen it can leave it), ``webhook-timestamp`` (seconds, of this attempt) and ``webhook-signature``, ``v1,`` and the
base64 of the HMAC-SHA256 over id, timestamp and body, divided by dots; while a secret is being replaced one for each.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

import httpcore2
import httpx2

from notifier import __version__
from notifier.clean import plain
from notifier.errors import Cause, Refused, SendError, TryLater, Unknown
from notifier.model import Message, Receipt
from notifier.network import CheckedNetwork, CheckedTransport, Forbidden, Resolve, UnknownHost, parse_networks, resolve

SecretsOf = Callable[[str], Awaitable[Sequence[str]]]
"""The secrets that sign what is sent for a delivery, the newest first; none where there is none."""

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with
_TIMEOUT = timedelta(seconds=30)
_AT_ONCE = 8
_MOST_CONNECTIONS = 100
_LONGEST_WAIT = timedelta(days=1)
_GONE = 410
_LATER = frozenset({408, 425, 429})


class WebhookChannel:
    """Sends ``json`` messages; the channel of kind ``webhook``, whose target is an address.

    Addresses inside private networks are refused unless ``allow_networks`` has them; to those alone plain http is
    spoken. ``resolve`` and ``ssl_context`` stand in for the system's, ``clock`` tells seconds since 1970.
    """

    def __init__(
        self,
        secrets: SecretsOf,
        *,
        allow_networks: Iterable[str] = (),
        timeout: timedelta = _TIMEOUT,
        resolve: Resolve = resolve,
        ssl_context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._secrets = secrets
        self._allowed = parse_networks(allow_networks)
        self._seconds = timeout.total_seconds()
        self._resolve = resolve
        self._ssl_context = ssl_context
        self._clock = clock
        self._opened: _Clients | None = None

    @property
    def at_once(self) -> int:
        return _AT_ONCE

    def account(self, target: str) -> str:
        return ""

    async def send(self, message: Message) -> Receipt:
        if message.accepted:
            return Receipt(accepted=message.accepted, detail="It was accepted by an earlier attempt.")
        secrets = await self._secrets(message.delivery_id)
        if not secrets:
            raise TryLater("The webhook has no secret to sign with: 'notifier subscription secret ID' makes one.")
        stamp = str(int(self._clock()))
        body = message.parts[0]
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"Notifier/{__version__}",
            "webhook-id": message.delivery_id,
            "webhook-timestamp": stamp,
            "webhook-signature": " ".join(signature(each, message.delivery_id, stamp, body) for each in secrets),
        }
        status = await self._post(message.target, headers, body)
        return Receipt(accepted=(f"http:{status}",), detail=f"{host_of(message.target)} took it ({status}).")

    async def check(self) -> str:
        return "Webhooks are posted to the address of each subscription, signed with its own secret."

    async def close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None and opened.loop is asyncio.get_running_loop():
            await opened.close()

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """The status that said yes. Raises SendError; no sentence holds more of the address than its host."""
        host = host_of(url)
        try:
            async with asyncio.timeout(self._seconds):
                async with self._clients().of(url).stream("POST", url, headers=headers, content=body) as response:
                    failed = failure(host, response.status_code, response.headers.get("retry-after", ""))
        except Forbidden:
            reason = f"{host} is not at a public address: the operator can allow its network with allow_networks."
            raise Refused(reason, cause=Cause.REFUSED) from None
        except UnknownHost:
            raise TryLater(f"There is no host {host}: check the address.", cause=Cause.AWAY) from None
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.WriteError, httpcore2.WriteTimeout):
            # What was not written to its last byte was not taken.
            raise TryLater(f"{host} cannot be reached; it is tried again later.", cause=Cause.AWAY) from None
        except (TimeoutError, httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError):
            raise Unknown(f"{host} had the digest, but its answer was lost.") from None
        except (httpx2.HTTPError, httpx2.InvalidURL):
            raise Refused(f"The address at {host} cannot be posted to: subscribe another one.") from None
        if failed:
            raise failed
        return response.status_code

    def _clients(self) -> _Clients:
        """Those of the event loop that runs now: a connection ends with the loop that made it."""
        loop = asyncio.get_running_loop()
        if self._opened is None or self._opened.loop is not loop:
            context = self._ssl_context or httpx2.create_ssl_context(trust_env=False)
            anywhere = CheckedNetwork(self._allowed, self._resolve)
            inside = CheckedNetwork(self._allowed, self._resolve, public=False)
            self._opened = _Clients(
                loop=loop,
                encrypted=_client(anywhere, context, self._seconds),
                plain=_client(inside, context, self._seconds),
            )
        return self._opened


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clients:
    loop: asyncio.AbstractEventLoop
    encrypted: httpx2.AsyncClient
    plain: httpx2.AsyncClient

    def of(self, url: str) -> httpx2.AsyncClient:
        return self.encrypted if url.startswith("https:") else self.plain

    async def close(self) -> None:
        await self.encrypted.aclose()
        await self.plain.aclose()


def _client(network: CheckedNetwork, context: ssl.SSLContext, seconds: float) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        # A kept connection that the other side closes while we write looks like a lost answer.
        transport=CheckedTransport(network, context, max_connections=_MOST_CONNECTIONS, keep=False),
        timeout=httpx2.Timeout(seconds),
        follow_redirects=False,
        trust_env=False,
    )


def signature(secret: str, id: str, stamp: str, body: bytes) -> str:
    """One ``v1`` signature; ``secret`` is ``whsec_`` and the base64 of its bytes."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    mac = hmac.new(key, f"{id}.{stamp}.".encode() + body, sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}"


def failure(host: str, status: int, retry_after: str) -> SendError | None:
    """What a status means; None for one that took it."""
    if 200 <= status < 300:
        return None
    if status == _GONE:
        return Refused(f"{host} says that nothing will be at this address again (410).", cause=Cause.CHANNEL)
    if status in _LATER or status >= 500:
        return TryLater(f"{host} does not take it now ({status}).", retry_after=_wait(retry_after))
    if 300 <= status < 400:
        return Refused(f"{host} redirects ({status}), which is not followed: subscribe the final address.")
    return Refused(f"{host} does not take it ({status}): look there for what is wrong.")


def _wait(text: str) -> timedelta | None:
    return min(timedelta(seconds=int(text)), _LONGEST_WAIT) if text.isdecimal() and len(text) < 9 else None


def host_of(url: str) -> str:
    """All of an address that may be shown: its path is often a key."""
    try:
        return plain(httpx2.URL(url).host, limit=200)
    except httpx2.InvalidURL:
        return "the address"
