"""What can go wrong that a person can mend. Anything else is a bug and flies.

NotifierError               one sentence: what happened, where, what to do
├── UsageError              the command or its arguments are wrong (exit code 2)
│   └── NotFound            no such subscriber, subscription, rule, entry or source
├── SettingsError           a setting is wrong; names the setting and its place
├── RuleError               a rule does not parse; knows its column
├── TopicError              a topic or pack file is wrong; names the file
├── TemplateError           a template of the operator's does not render; names file and line
├── SourceError             a source did not answer as it should; knows whether to try again
├── MailboxError            mail to us cannot be read
├── StoreError              the database cannot be used
│   ├── NewerDatabase       it was written by a later version
│   └── DamagedDatabase     it fails SQLite's own check
└── SendError               a message was not delivered
    ├── TryLater            nothing was accepted; the same bytes may be sent again
    │   ├── Unreachable     the server is away or asks for a pause: no fault of this message
    │   │   └── Broken      the line broke in the middle of the message: the server's fault, or this message's
    │   ├── DomainAway      the recipient's domain is away or asks for a pause: so it is for all its addresses
    │   └── Paced           this one target has had its share for the moment: no fault of this message
    ├── Refused             nothing was accepted and nothing ever will be
    ├── Unknown             the line broke where nobody can know (RFC 1047)
    └── ChannelStopped      the whole channel is unusable (login, token); no fault of this message
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class NotifierError(Exception):
    """Base of all expected errors; ``str(error)`` is the sentence a person reads."""

    exit_code = 1


class UsageError(NotifierError):
    exit_code = 2


class NotFound(UsageError):
    pass


class SettingsError(NotifierError):
    exit_code = 2


class RuleError(NotifierError):
    """A rule text that does not parse.

    ``column`` is 1-based and points into the text as the person wrote it; ``suggestion`` is a whole
    replacement word where one is near enough, else None.
    """

    exit_code = 2

    def __init__(self, message: str, *, column: int, suggestion: str | None = None) -> None:
        hint = f": did you mean '{suggestion}'?" if suggestion else ""
        super().__init__(f"{message}{hint} (column {column})")
        self.column = column
        self.suggestion = suggestion


class TopicError(NotifierError):
    exit_code = 2


class TemplateError(NotifierError):
    pass


class SourceError(NotifierError):
    """A source gave no usable answer; ``retry_after`` is what the server asked for, if it did.

    ``gone`` is the server's word that nothing will ever be at the address again, ``missing`` that nothing is now.
    """

    def __init__(
        self, message: str, *, retry_after: timedelta | None = None, gone: bool = False, missing: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.gone = gone
        self.missing = missing


class MailboxError(NotifierError):
    pass


class StoreError(NotifierError):
    pass


class NewerDatabase(StoreError):
    pass


class DamagedDatabase(StoreError):
    pass


class Cause(StrEnum):
    """What a failure was about, whatever its sentence: what an operator does about it goes by this."""

    AWAY = "away"
    PUT_OFF = "put-off"
    REFUSED = "refused"
    ADDRESS = "address"
    MAILBOX = "mailbox"
    SIZE = "size"
    SENDER = "sender"
    """The receiving side objects to us: our address, our server, our reputation."""
    CHANNEL = "channel"
    MESSAGE = "message"
    UNKNOWN = "unknown"
    LOGIN = "login"
    TEMPLATE = "template"


class SendError(NotifierError):
    """A message that was not, or not wholly, accepted.

    ``accepted`` holds the channel's references of the parts that were accepted before the failure, in
    order, so that the next attempt goes on behind them (``Message.accepted``). ``cause`` is the kind's own
    where the channel knows nothing nearer.
    """

    usual = Cause.PUT_OFF

    def __init__(
        self,
        message: str,
        *,
        accepted: tuple[str, ...] = (),
        retry_after: timedelta | None = None,
        cause: Cause | None = None,
    ) -> None:
        super().__init__(message)
        self.accepted = accepted
        self.retry_after = retry_after
        self.cause = cause or self.usual


class TryLater(SendError):
    pass


class Unreachable(TryLater):
    usual = Cause.AWAY


class Broken(Unreachable):
    """One of these may be about its message, two in a row are about the server."""


class DomainAway(TryLater):
    usual = Cause.AWAY


class Paced(TryLater):
    """``retry_after`` is always given; what goes to other targets is not concerned."""


class Refused(SendError):
    usual = Cause.REFUSED


class Unknown(SendError):
    usual = Cause.UNKNOWN


class ChannelStopped(SendError):
    usual = Cause.LOGIN
