"""arXiv's three services (feeds, query API, OAI-PMH), asked at the one pace they share.

One request in three seconds over one connection, summed over all of them (https://info.arxiv.org/help/api/tou.html).
After a 429, which comes without Retry-After, all three are left alone: for ten minutes, after another one for an hour.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from notifier.sources.http import Http, Reply, failure

RSS = "https://rss.arxiv.org/rss"
API = "https://export.arxiv.org/api/query"
OAI = "https://oaipmh.arxiv.org/oai"

_EVERY = timedelta(seconds=3.2)
"""A little over three, for what passes between setting out here and arriving there."""
_SLOW = timedelta(minutes=2)
"""OAI-PMH takes 30 to 90 s for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Where they are; ``mirror`` puts all three below one address."""

    http: Http
    rss: str = RSS
    api: str = API
    oai: str = OAI

    @classmethod
    def at(cls, mirror: str | None, http: Http) -> Services:
        if mirror is None:
            return cls(http=http)
        return cls(http=http, rss=f"{mirror}/rss", api=f"{mirror}/api/query", oai=f"{mirror}/oai")

    async def feed(self, categories: Collection[str], *, etag: str | None, now: datetime) -> Reply:
        """All categories in one request, as each item's announce type depends on them; a 400 is an answer, too."""
        url = f"{self.rss}/{'+'.join(categories)}"
        return await self._ask(url, accept="application/rss+xml", etag=etag, also=(400,), now=now)

    async def query(self, parameters: dict[str, str | int], *, now: datetime) -> Reply:
        url = f"{self.api}?{urlencode(parameters)}"
        return await self._ask(url, accept="application/atom+xml", also=(400,), now=now)

    async def records(self, parameters: dict[str, str], *, now: datetime) -> Reply:
        url = f"{self.oai}?{urlencode(parameters | {'verb': 'ListRecords'})}"
        return await self._ask(url, accept="application/xml", also=(400, 422), deadline=_SLOW, now=now)

    async def _ask(
        self,
        url: str,
        *,
        accept: str,
        now: datetime,
        etag: str | None = None,
        also: Collection[int] = (),
        deadline: timedelta | None = None,
    ) -> Reply:
        pace = self.http.paces.of("arxiv", "arXiv", _EVERY)
        async with pace.turn():
            reply = await self.http.get(
                url, accept=accept, etag=etag, also=(*also, 429, 503), deadline=deadline, now=now
            )
            if reply.status not in (429, 503):
                return reply
            error = failure(reply, now)
            if reply.status == 429 or error.retry_after is not None:
                raise await pace.rest(error.retry_after)
            raise error
