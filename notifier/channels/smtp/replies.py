"""What an SMTP server's reply means, as one of the SendErrors with a sentence for people."""

from __future__ import annotations

import re
import socket
import ssl

import aiosmtplib

from notifier.clean import plain
from notifier.errors import Broken, Cause, ChannelStopped, DomainAway, Refused, SendError, TryLater, Unreachable

_LOGIN_CODES = frozenset({530, 534, 535, 538})
"""Log in first, mechanism too weak, wrong credentials, encryption needed (RFC 4954, 6)."""

_ENHANCED = re.compile(r"5\.\d{1,3}\.\d{1,3}\b")
_DOMAIN_STATUS = re.compile(r"4\.4\.\d{1,3}\b")
"""RFC 3463, 3.5: the way to the recipient's system is broken, or it does not answer."""
_MAILBOX_STATUS = re.compile(r"4\.[12]\.\d{1,3}\b")
_GREYLIST = re.compile(r"gr[ae]y-?list", re.IGNORECASE)
_NOT_AS_SENDER = "the server does not accept our sender address: check mail_from"
_ADVICE = (
    # RFC 3463: the class, subject and detail of a permanent failure; the first prefix that fits counts. What is said
    # to MAIL of an address or a mailbox is about the sender's: the server has heard of no other.
    ("MAIL 5.1.", Cause.SENDER, _NOT_AS_SENDER),
    ("MAIL 5.2.1", Cause.SENDER, _NOT_AS_SENDER),
    ("5.1.7", Cause.SENDER, _NOT_AS_SENDER),
    ("5.1.8", Cause.SENDER, _NOT_AS_SENDER),
    ("5.1.", Cause.ADDRESS, "the address does not exist: check it"),
    ("5.2.2", Cause.MAILBOX, "the mailbox is full"),
    ("5.2.3", Cause.SIZE, "the message is too big for it: lower the number of entries"),
    ("5.2.", Cause.MAILBOX, "the mailbox takes no mail"),
    ("5.3.4", Cause.SIZE, "the message is too big for it: lower the number of entries"),
    (
        "5.7.",
        Cause.SENDER,
        "this is about us, not about the address: check that mail_from may send through this server (SPF, DKIM)",
    ),
)


def refusal(server: str, command: str, code: int, text: str, about: str) -> SendError:
    """The error for a reply ``code text`` to ``command`` that did not say yes, before or after the dot.

    ``about`` is the recipient, or for AUTH the user name: what fails there is no fault of any mail. Codes that SMTP
    does not have are TryLater: what answers there is not (or not now) a mail server.
    """
    later = Unreachable if command == "AUTH" else TryLater
    reply = f"{code} {plain(_once(text), limit=200)}".strip()
    if code in _LOGIN_CODES or (command == "AUTH" and 500 <= code < 600):
        return ChannelStopped(
            f"{server} does not let us in ({reply}): check smtp_username, smtp_password and smtp_security."
        )
    if 500 <= code < 600:
        cause, advice = _advice(command, text)
        return Refused(f"{server} refused the mail for {about} at {command} ({reply}){advice}.", cause=cause)
    if command == "RCPT" and 400 <= code < 500 and _is_about_domain(text, about):
        domain = about.rpartition("@")[2]
        return DomainAway(f"{server} cannot pass mail on to {domain} now ({reply}); it is tried again later.")
    if code == 421:
        return Unreachable(f"{server} is closing the connection at {command} ({reply}); it is tried again later.")
    if 400 <= code < 500:
        return later(
            f"{server} put off {command}{f' for {about}' if about else ''} ({reply}); it is tried again later."
        )
    return later(f"{server} answered {command} with something that is not SMTP ({reply}); it is tried again later.")


def unreachable(server: str, error: Exception, *, at: str = "") -> SendError:
    """The error for a connection that could not be made, or broke ``at`` a command before the dot."""
    if isinstance(error, aiosmtplib.SMTPResponseException) and error.code in _LOGIN_CODES:
        return refusal(server, "EHLO", error.code, error.message, "")
    if at:
        return Broken(f"{server} broke off at {at} ({_cause(error)}); it is tried again later.")
    return Unreachable(f"{server} cannot be used ({_cause(error)}); check smtp_host, smtp_port and smtp_security.")


def _cause(error: Exception) -> str:
    root: BaseException = error
    while isinstance(root, aiosmtplib.SMTPException) and root.__cause__ is not None:
        root = root.__cause__
    match root:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {plain(root.verify_message, limit=200)}"
        case ssl.SSLError():
            return "the TLS handshake failed"
        case socket.gaierror() | UnicodeError():
            return "its name is not known"
        case ConnectionRefusedError():
            return "connection refused"
        case aiosmtplib.SMTPResponseException():
            return plain(f"{root.code} {_once(root.message)}", limit=200)
        case aiosmtplib.SMTPServerDisconnected() | ConnectionError():
            return "the connection broke"
        case TimeoutError():
            return "it did not answer in time"
        case OSError() if str(root).startswith("Multiple exceptions"):
            return "no address of it took the connection"
    return plain(str(root), limit=200) or type(root).__name__


def _advice(command: str, text: str) -> tuple[Cause | None, str]:
    enhanced = _ENHANCED.match(text)
    said = (enhanced[0], f"{command} {enhanced[0]}") if enhanced else ()
    found = ((c, f": {advice}") for prefix, c, advice in _ADVICE if any(each.startswith(prefix) for each in said))
    return next(found, (None, ""))


def _is_about_domain(text: str, recipient: str) -> bool:
    """Whether it would be said to all of the recipient's domain: not of this mailbox, nor because it is new."""
    if _GREYLIST.search(text) or _MAILBOX_STATUS.match(text):
        return False
    domain = re.escape(recipient.rpartition("@")[2])
    # By itself: a server repeats the address it was given, and many have the domain in their own name.
    named = re.search(rf"(?<![\w.@/-]){domain}(?![\w-]|\.\w)", text, re.IGNORECASE)
    return bool(named or _DOMAIN_STATUS.match(text))


def _once(text: str) -> str:
    """A reply of several lines repeats its enhanced code on each; once is enough."""
    first, *rest = text.split("\n")
    prefix = first.split(" ", 1)[0]
    return " ".join([first, *(line.removeprefix(prefix) if _ENHANCED.fullmatch(prefix) else line for line in rest)])
