"""Pages that depend on the papers alone: rendered once for each version of them, for everybody."""

from __future__ import annotations

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

_KEPT = 256
_LEVEL = 6
_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Accept-Language, Accept-Encoding"}


@dataclass(frozen=True, slots=True)
class _Kept:
    version: int
    body: bytes
    compressed: bytes
    etag: str


class Rendered:
    """In memory. While a page is being made, all who ask for it wait for that one."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Hashable, asyncio.Future[_Kept]] = OrderedDict()
        self._versions: dict[Hashable, int] = {}

    async def answer(
        self, request: Request, key: Hashable, version: int, make: Callable[[], Awaitable[str]]
    ) -> Response:
        """The page kept under ``key`` if it is of this ``version``, else a new one; 304 for who has it already."""
        kept = await self._page(key, version, make)
        headers = {**_HEADERS, "ETag": kept.etag}
        if kept.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(kept.compressed, headers=headers, media_type="text/html")
        return Response(kept.body, headers=headers, media_type="text/html")

    async def _page(self, key: Hashable, version: int, make: Callable[[], Awaitable[str]]) -> _Kept:
        if self._versions.get(key) != version or self._failed(key):
            self._versions[key] = version
            self._pages[key] = asyncio.ensure_future(_made(version, make))
        self._pages.move_to_end(key)
        while len(self._pages) > _KEPT:
            oldest, _ = self._pages.popitem(last=False)
            del self._versions[oldest]
        # Who goes away does not take the page from the others who wait for it.
        return await asyncio.shield(self._pages[key])

    def _failed(self, key: Hashable) -> bool:
        page = self._pages[key]
        return page.done() and (page.cancelled() or page.exception() is not None)


async def _made(version: int, make: Callable[[], Awaitable[str]]) -> _Kept:
    body = (await make()).encode()
    return _Kept(
        version=version,
        body=body,
        compressed=gzip.compress(body, _LEVEL, mtime=0),
        etag=f'W/"{sha256(body).hexdigest()[:20]}"',
    )
