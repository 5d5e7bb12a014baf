"""What comes in from Slack is taken down first and acknowledged then; the work on it is the inbox's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from notifier.app import Clock
from notifier.slack.journal import Journal

OWN = "notifier_"
"""How the types of what we put into the inbox ourselves begin; nothing from outside has such a one."""

Reply = dict[str, Any]
Check = Callable[[dict[str, Any]], Reply | None]
"""What is wrong with a form that was sent, to be shown in its fields; None where it can be taken. Pure."""


def key_of(payload: dict[str, Any]) -> str:
    """What is the same when Slack sends it again: the id of an event, or of the one click or command."""
    for kind in ("event_id", "trigger_id"):
        if isinstance(id := payload.get(kind), str) and id:
            return f"{kind}:{id}"
    return f"sha256:{sha256(_json(payload).encode('utf-8', 'replace')).hexdigest()}"


class Arrival:
    """``wake`` is set when there is something new in the journal."""

    def __init__(self, journal: Journal, check: Check, *, clock: Clock, wake: asyncio.Event) -> None:
        self._journal = journal
        self._check = check
        self._clock = clock
        self._wake = wake

    async def take(self, payload: dict[str, Any]) -> Reply | None:
        """Returns once it is kept; what is returned goes into the acknowledgement. Raises StoreError."""
        if str(payload.get("type", "")).startswith(OWN):
            return None
        if (faults := self._check(payload)) is not None:
            return faults
        # The verification token of old is a secret that nobody needs.
        kept = _json({name: value for name, value in payload.items() if name != "token"})
        await self._journal.add(key_of(payload), kept, self._clock())
        self._wake.set()
        return None


def _json(payload: dict[str, Any]) -> str:
    return json.dumps(payload, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
