"""Take in mail to us: what came back, and wishes to unsubscribe by mail. Nothing is ever answered.

A wish is known by our signature in the address it was sent to, the one that ``List-Unsubscribe`` names. Mail of
lists, our own too, is none, and no reply that a machine wrote; what is returned to us only quotes that address.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32

import structlog

from notifier import account, bounced
from notifier.bounce import signed_subscription
from notifier.bounced import HEADERS, Taken
from notifier.ports import Mailbox, Store
from notifier.tokens import Keys

log = structlog.get_logger()

_TO = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "Resent-To")
_LISTS = frozenset({"bulk", "list", "junk"})


def take(store: Store, raw: bytes, *, keys: Keys, now: datetime) -> Taken:
    """``raw`` is a mail, or the first ``LONGEST_MAIL`` bytes of one."""
    id = unsubscribing(raw, keys)
    return bounced.take(store, raw, keys=keys, now=now) if id is None else _unsubscribe(store, id)


def read(store: Store, mailbox: Mailbox, *, keys: Keys, now: datetime) -> Counter[Taken]:
    """Every new mail of ``mailbox``, which is marked when what it said was written. Raises MailboxError."""
    total: Counter[Taken] = Counter()

    def one(raw: bytes) -> bool:
        taken = take(store, raw, keys=keys, now=now)
        total[taken] += 1
        return taken is not Taken.OTHER

    mailbox.each(one)
    return total


def unsubscribing(raw: bytes, keys: Keys) -> str | None:
    """The subscription that a mail wants to end."""
    try:
        headers = BytesHeaderParser(policy=compat32).parsebytes(raw[:HEADERS])
        if _is_written_by_machine(headers):
            return None
        return signed_subscription(" ".join(str(each) for name in _TO for each in headers.get_all(name, [])), keys)
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError):
        # As in ``bounced``: what is built to break the parser is nobody's wish.
        return None


def _is_written_by_machine(headers: Message) -> bool:
    """A mail client that unsubscribes somebody may say auto-generated, but it replies to nothing (RFC 3834)."""
    reply = str(headers.get("Auto-Submitted", "")).strip().lower().startswith(("auto-replied", "auto-notified"))
    returned = str(headers.get("Return-Path", "")).strip() == "<>"
    report = headers.get_content_type() == "multipart/report"
    listed = str(headers.get("Precedence", "")).strip().lower() in _LISTS or headers.get("List-Id") is not None
    return reply or returned or report or listed


def _unsubscribe(store: Store, id: str) -> Taken:
    if account.leave(store, id, via="mail") is None:
        return Taken.GONE
    log.info("unsubscribed by mail", subscription=id)
    return Taken.UNSUBSCRIBED
