"""Mail through the operator's mail servers, the first that is there."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from email.utils import parseaddr
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from notifier.channels.smtp import Domains, Envelope, Rates, Relay, Server
from notifier.clean import plain
from notifier.errors import Cause, ChannelStopped, Refused, SendError, Unreachable
from notifier.model import Message, Receipt

_MESSAGE_ID = re.compile(rb"(?im)^message-id:\s*(<[^>\r\n]+>)")
_REST_SECONDS = 300.0
"""How long a server that was away is asked only after the others."""


class EmailChannel:
    """Sends ``email`` messages; the channel of kind ``email``.

    ``servers`` in the order they are preferred, each with at most ``connections``; ``sender`` is the envelope sender
    of a message that names none. No more go out than ``rates`` let.
    """

    def __init__(
        self, servers: Sequence[Server], sender: str, *, connections: int = 1, rates: Rates | None = None
    ) -> None:
        self._servers = tuple(servers)
        self._sender = sender
        self._connections = connections
        self._rates = rates or Rates()
        self._domains = Domains(self._rates, patient=connections)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._relays: tuple[Relay, ...] = ()
        self._away_until: dict[Relay, float] = {}

    @property
    def at_once(self) -> int:
        return self._connections

    def account(self, target: str) -> str:
        return ""

    async def send(self, message: Message) -> Receipt:
        if message.accepted:
            return Receipt(accepted=message.accepted, detail="It was accepted by an earlier attempt.")
        envelope = self._envelope(message)
        self._opened()
        async with self._domains.turn(envelope.recipient):
            reply = await self._through_one(envelope)
        found = _MESSAGE_ID.search(envelope.content)
        reference = found[1].decode("ascii", "replace") if found else message.delivery_id
        return Receipt(accepted=(reference,), detail=plain(reply, limit=200))

    async def check(self) -> str:
        if not self._sender:
            raise ChannelStopped("Mail has no sender: set mail_from.")
        found = [await self._checked(relay) for relay in self._opened()]
        return f"{' '.join(found)} Mails go out as {self._sender}."

    async def close(self) -> None:
        if self._loop is asyncio.get_running_loop():
            for relay in self._relays:
                await relay.close()

    async def _checked(self, relay: Relay) -> str:
        tls = await relay.check()
        login = f" and takes the login of {relay.server.username}" if relay.server.username else ""
        return f"{relay.server.name} answers {f'over {tls}' if tls else 'without encryption'}{login}."

    async def _through_one(self, envelope: Envelope) -> str:
        """Through the first server that is there; one that is away had nothing of the mail."""
        first: SendError | None = None
        for relay in self._in_turn():
            try:
                reply = await relay.send(envelope)
            except (Unreachable, ChannelStopped) as error:
                self._away_until[relay] = time.monotonic() + _REST_SECONDS
                first = first or error
            else:
                self._away_until.pop(relay, None)
                return reply
        assert first is not None  # noqa: S101 - there is at least one server
        raise first

    def _in_turn(self) -> list[Relay]:
        now = time.monotonic()
        return sorted(self._opened(), key=lambda relay: self._away_until.get(relay, 0.0) > now)

    def _opened(self) -> tuple[Relay, ...]:
        """Those of the event loop that runs now: a connection ended with the loop that made it."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._relays = tuple(Relay(server, self._connections) for server in self._servers)
            self._domains = Domains(self._rates, patient=self._connections)
            self._away_until = {}
        return self._relays

    def _envelope(self, message: Message) -> Envelope:
        content = message.parts[0]
        text = content.replace(b"\r\n", b"")
        if b"\r" in text or b"\n" in text:
            # Sent as it is, a bare line end before a dot would let text pass for commands on some servers.
            raise Refused("The message was not sent: a line of it does not end in CR LF.", cause=Cause.MESSAGE)
        sender = _bare(message.sender or self._sender)
        if not sender:
            raise ChannelStopped("Mail has no sender: set mail_from.")
        return Envelope(sender=_ascii_domain(sender), recipient=_ascii_domain(message.target), content=content)


@lru_cache(64)
def _bare(sender: str) -> str:
    return parseaddr(sender)[1]


def _ascii_domain(address: str) -> str:
    if address.isascii():
        return address
    try:
        valid = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise Refused(f"{plain(address)} is not an address mail can go to: {error}", cause=Cause.ADDRESS) from None
    return f"{valid.local_part}@{valid.ascii_domain}"
