"""Take in mail that came back: read what it says, believe it only with our signature, and act on it.

    read    a delivery report (RFC 3464), a complaint (RFC 5965), or what flufl.bounce knows of older shapes
    take    note it, and suppress the address where its bounces come to too much

Nothing is ever answered, so no loop can come of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import compat32
from enum import StrEnum

import structlog
from flufl.bounce import all_failures

from notifier.bounce import COUNTED, is_telling, kind_of, signed_delivery, verdict
from notifier.clean import plain
from notifier.model import Bounce, BounceKind
from notifier.ports import LONGEST_MAIL, Store
from notifier.tokens import Keys

log = structlog.get_logger()

PARSED = 128 * 1024
"""Bytes of a mail that are parsed: what is to be known comes first. Python's parser takes minutes for two megabytes
that were built against it, and a second for these."""
HEADERS = 64 * 1024
"""Bytes in which the headers of a mail have to end."""
_FAILED = frozenset({"failed", "delayed"})


class Taken(StrEnum):
    """What became of one mail."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"
    OURS = "about us"
    UNSIGNED = "not signed by us"
    UNSUBSCRIBED = "unsubscribed"
    GONE = "subscription is gone"
    OTHER = "no bounce"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a mail says; ``kind`` None is about the sender."""

    kind: BounceKind | None
    status: str = ""
    reason: str = ""


def read(raw: bytes) -> Report | None:
    """None for a mail that is no bounce, or that cannot be read."""
    try:
        message = BytesParser(policy=compat32).parsebytes(raw[:PARSED])
        return _complaint(message) or _delivery_report(message) or _older(message)
    except (RecursionError, LookupError, ValueError, TypeError, AttributeError):
        # Python's parser and its walk give up in many ways on what is built to break them.
        return None


def take(store: Store, raw: bytes, *, keys: Keys, now: datetime) -> Taken:
    """The signature is looked for first: what is not signed by us costs next to nothing."""
    delivery_id = signed_delivery(raw[:LONGEST_MAIL].decode("ascii", "replace"), keys)
    address = store.bounces.address_of(delivery_id) if delivery_id else None
    if not (delivery_id and address):
        return Taken.UNSIGNED if _seems_returned(raw) else Taken.OTHER
    report = read(raw)
    if report is None:
        return Taken.OTHER
    if report.kind is None:
        log.warning("mail refused because of us", delivery=delivery_id, status=report.status, reason=report.reason)
        return Taken.OURS
    bounce = Bounce(
        address=address,
        kind=report.kind,
        at=now,
        status=report.status,
        reason=report.reason,
        delivery_id=delivery_id,
    )
    with store.write():
        store.bounces.note(bounce)
        before = store.bounces.get(address)
        # What came back before its owner was asked is known; only what came since tells anything.
        since = before.question.at if before and before.question else now - COUNTED
        found = verdict(store.bounces.of(address, since=since), now=now)
        if found:
            store.bounces.suppress(found)
            log.warning("address suppressed", address=address, reason=found.reason)
    return Taken(report.kind.value)


def _seems_returned(raw: bytes) -> bool:
    try:
        headers = BytesHeaderParser(policy=compat32).parsebytes(raw[:HEADERS])
        sender = f"{headers.get('Return-Path', '')} {headers.get('From', '')}".lower()
        return headers.get_content_type() == "multipart/report" or "<>" in sender or "mailer-daemon" in sender
    except (LookupError, ValueError, TypeError, AttributeError):
        return False


def _complaint(message: Message) -> Report | None:
    for part in message.walk():
        if part.get_content_type() == "message/feedback-report":
            return Report(kind=BounceKind.COMPLAINT, reason="reported as spam")
    return None


def _delivery_report(message: Message) -> Report | None:
    """Of several recipients the first that failed: each of our mails has one."""
    for part in message.walk():
        blocks = part.get_payload() if part.get_content_type() == "message/delivery-status" else ()
        for block in blocks if isinstance(blocks, list) else ():
            if not isinstance(block, Message):
                continue
            action = str(block.get("Action", "")).partition(";")[0].strip().lower()
            if action in _FAILED:
                return _report(block, permanent=action == "failed")
    return None


def _report(block: Message, *, permanent: bool) -> Report:
    status = plain(str(block.get("Status", "")).split()[0] if block.get("Status") else "", limit=12)
    said = plain(str(block.get("Diagnostic-Code", "")).partition(";")[2], limit=200)
    return Report(kind=kind_of(status, said, permanent=permanent), status=status, reason=said)


def _older(message: Message) -> Report | None:
    temporary, permanent = all_failures(message)
    if not (temporary or permanent):
        return None
    text = _text(message)[:20_000]
    said = next(filter(is_telling, text.splitlines()), text)
    return Report(kind=kind_of("", text, permanent=bool(permanent)), reason=plain(said, limit=200))


def _text(message: Message) -> str:
    for part in message.walk():
        payload = part.get_payload(decode=True) if part.get_content_maintype() == "text" else None
        if isinstance(payload, bytes):
            return payload.decode("utf-8", "replace")
    return ""
