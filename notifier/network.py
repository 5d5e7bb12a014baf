"""Connections to public addresses only: a name is resolved here, and the address that was checked is connected to.

A URL comes from a person or from a server's redirect, and may point into the operator's own network; a name may
resolve to another address the second time. So the check stands behind resolution, at every connection.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import TypeAlias

import httpcore2
import httpx2

from notifier.errors import SettingsError

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
Ip: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NEVER = (
    ipaddress.ip_network("168.63.129.16/32"),  # Azure's metadata service: a public address, reachable only inside
    ipaddress.ip_network("192.0.0.0/24"),  # protocol assignments; one cloud keeps its metadata service there
    ipaddress.ip_network("64:ff9b:1::/48"),  # local NAT64 (RFC 8215): any IPv4 address may be behind it
    ipaddress.ip_network("::/96"),  # IPv4-compatible, deprecated (RFC 4291)
    ipaddress.ip_network("3fff::/20"),  # documentation (RFC 9637), unknown to this Python's tables
    ipaddress.ip_network("5f00::/16"),  # segment routing (RFC 9602)
)
_CONNECT_SECONDS = 10.0


class Forbidden(Exception):
    """A host has only addresses that are not to be connected to."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(f"{host} is at {address}, which is not a public address")
        self.host = host
        self.address = address


class UnknownHost(Exception):
    """A name that does not resolve."""


def parse_networks(networks: Iterable[str]) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(network.strip(), strict=False) for network in networks)
    except ValueError as error:
        raise SettingsError(f"Setting 'allow_networks' is wrong: {error}; write networks like 10.1.0.0/16.") from None


def is_permitted(address: str, allowed: Sequence[Network] = (), *, public: bool = True) -> bool:
    """Whether ``address`` is inside a network the operator allows, or, with ``public``, is a public one."""
    ip = _unwrapped(ipaddress.ip_address(address))
    if any(ip in network for network in allowed):
        return True
    if not public:
        return False
    if any(ip in network for network in _NEVER) or ip.is_multicast or ip.is_reserved:
        return False
    return ip.is_global and not (isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local)


def _unwrapped(ip: Ip) -> Ip:
    """The IPv4 address that an IPv6 one stands for: mapped, NAT64, 6to4, Teredo."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    inside = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
    if inside is None and ip in _NAT64:
        inside = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return inside or ip


async def resolve(host: str, port: int) -> Sequence[str]:
    """The system's answer; it also reads the odd spellings of addresses (``0x7f.1``, ``2130706433``)."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


class CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Connects to permitted addresses only, one after the other until one answers.

    Those inside ``allowed`` are, and unless ``public`` is False, all that are public.
    """

    def __init__(self, allowed: Sequence[Network], resolve: Resolve = resolve, *, public: bool = True) -> None:
        self._allowed = allowed
        self._public = public
        self._resolve = resolve
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        last: Exception | None = None
        for address in await self._addresses(host, port):
            try:
                return await self._inner.connect_tcp(address, port, _CONNECT_SECONDS, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
        raise last or httpcore2.ConnectError("no address")

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = await self._resolve(host.strip("[]"), port)
        except (OSError, UnicodeError) as error:
            raise UnknownHost(host) from error
        permitted = [address for address in found if is_permitted(address, self._allowed, public=self._public)]
        if found and not permitted:
            raise Forbidden(host, found[0])
        return permitted

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise Forbidden(path, path)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class CheckedTransport(httpx2.AsyncBaseTransport):
    """httpx2 over a pool of our own, as its transport takes no network of ours; ``keep`` says whether connections
    serve more than one request."""

    def __init__(
        self, network: CheckedNetwork, context: ssl.SSLContext, *, max_connections: int, keep: bool = True
    ) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=max_connections,
            max_keepalive_connections=None if keep else 0,
            keepalive_expiry=15,
            network_backend=network,
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        core = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        response = await self._pool.handle_async_request(core)
        return httpx2.Response(
            response.status, headers=response.headers, stream=_Stream(response), extensions=response.extensions
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.aiter_stream():
            yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()
