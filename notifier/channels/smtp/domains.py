"""How fast, and how many at once, mail goes out: in all, and to each domain of recipients.

A domain is what stands behind the @ of the recipient, whichever server takes the mail for it: behind a relay, that is
whom the relay would pass it on to. Where a server says at RCPT that a domain is away or has had enough, that domain
rests, longer each time, and costs the mails that wait for it no attempt.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from notifier.channels.pace import Pace, Rest
from notifier.errors import DomainAway, Paced

_BURST = 4
_FIRST_REST = timedelta(minutes=5)
_LONGEST_REST = timedelta(hours=1)
_LONGEST_WAIT = timedelta(seconds=5)
"""For a turn of its own a mail waits so long on its worker; others are put off, so that the worker is free."""
_AGAIN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Mails a second in all and to one domain, and mails on their way to one domain at once; 0: as many as may be."""

    all: float = 0.0
    domain: float = 0.0
    domain_at_once: int = 0


class Domains:
    """``patient`` is how many may wait here for a domain that has its number on their way."""

    def __init__(
        self,
        rates: Rates,
        *,
        patient: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._rates = rates
        self._patient = patient
        self._sleep = sleep
        self._all = Pace(_every(rates.all), burst=1, clock=clock) if rates.all else None
        self._each = Pace(_every(rates.domain), burst=_BURST, clock=clock) if rates.domain else None
        self._queue = Pace(_every(rates.domain), burst=1, clock=clock) if rates.domain else None
        self._rest = Rest(clock)
        self._rests: Counter[str] = Counter()
        self._busy: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[asyncio.Future[None]]] = defaultdict(deque)

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """While a mail to ``address`` is on its way. Raises Paced where it is to come again later."""
        domain = address.rpartition("@")[2].lower()
        if left := self._rest.left(domain):
            raise Paced(f"{domain} has asked for a pause; the rest follows.", retry_after=left)
        self._take(domain)
        await self._enter(domain)
        try:
            await self._in_pace()
            yield
            self._rests.pop(domain, None)
        except DomainAway:
            self._rest.begin(domain, min(_FIRST_REST * float(2 ** min(self._rests[domain], 10)), _LONGEST_REST))
            self._rests[domain] += 1
            raise
        finally:
            self._leave(domain)

    def _take(self, domain: str) -> None:
        if not self._each or not self._queue or (wait := self._each.take(domain)) is None:
            return
        # Each that is put off comes back a little later than the one before it.
        behind = self._queue.reserve(domain)
        raise Paced(
            f"{domain} gets {self._rates.domain:g} mails a second; the rest follows.", retry_after=max(wait, behind)
        )

    async def _in_pace(self) -> None:
        """In its turn of all mails, which comes soon; else it is put off until then."""
        if self._all is None:
            return
        wait = self._all.left("")
        if wait > _LONGEST_WAIT:
            raise Paced(f"{self._rates.all:g} mails a second go out; the rest follows.", retry_after=wait)
        await self._sleep(self._all.reserve("").total_seconds())

    async def _enter(self, domain: str) -> None:
        most = self._rates.domain_at_once
        while most and self._busy[domain] >= most:
            if sum(map(len, self._waiting.values())) >= self._patient:
                raise Paced(f"{domain} gets {most} mails at a time; the rest follows.", retry_after=_AGAIN)
            turn = asyncio.get_running_loop().create_future()
            self._waiting[domain].append(turn)
            await turn
        self._busy[domain] += 1

    def _leave(self, domain: str) -> None:
        self._busy[domain] -= 1
        if not self._busy[domain]:
            del self._busy[domain]
        queue = self._waiting.get(domain)
        while queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                break
        if not queue:
            self._waiting.pop(domain, None)


def _every(rate: float) -> timedelta:
    return timedelta(seconds=1 / rate)
