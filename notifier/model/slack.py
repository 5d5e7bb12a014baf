"""What the face inside Slack keeps: who is where, and what came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A workspace that the app is in.

    ``token_name`` is what stands before the slash of a Slack target: empty for the usual token, a name of
    ``slack_tokens``, or for one installed from the web its id in lower case. ``token`` is encrypted, and there only
    for those installed from the web. ``gone_at`` says since when it is no use, and ``gone_reason`` why.
    """

    team: str
    name: str
    token_name: str
    bot_user: str
    token: str | None = None
    installed_at: datetime
    gone_at: datetime | None = None
    gone_reason: str | None = None

    def target(self, place: str) -> str:
        """A conversation, person or ``#name`` of this workspace as the target of a subscription."""
        return f"{self.token_name}/{place}" if self.token_name else place


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What came in from Slack and is to be answered: ``payload`` is its JSON.

    ``calls`` is what it came to, as JSON: set once the database has taken the work, so that only the telling is
    left. ``fence`` grows with every claim.
    """

    id: int
    payload: str
    received_at: datetime
    attempts: int
    fence: int
    calls: str | None = None


class Keeping(StrEnum):
    """What a member of Slack did with a paper of a digest."""

    SAVED = "saved"
    READING = "reading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    team: str
    user: str
    entry_id: str
    what: Keeping
    channel: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code that was mailed to ``email``, to be typed by the member who asked for it."""

    email: str
    digest: str
    expires_at: datetime
    tries: int = 0
