"""What mail that came back says of an address, and the signature that it is known by. Pure.

    hard       counts 1      unknown user, no such domain, mailbox closed (5.1.x, 5.2.1)
    complaint  counts 1
    soft       counts 1/4    full, too big, away, all other 4.x and 5.x; at most one a day

An address whose bounces of the last 14 days come to 1 gets nothing more, until it is released. 5.7.x is about us
and counts for nothing: who sends is to be looked at, not who receives.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice

from pydantic import SecretStr

from notifier.model import Bounce, BounceKind, Suppression
from notifier.tokens import Keys, mac_of

COUNTED = timedelta(days=14)
_SOFT_IN_ALL = 4
# By the first letter of an id what a signature in an address is good for.
_PURPOSES = {"d": "bounce", "l": "bounce", "s": "unsubscribe-by-mail"}
# 50 bits: enough against guessing, since each guess is a mail.
_MAC = 10
# A mail has one, or a few in what it quotes; each that is looked at costs.
_MOST_MARKS = 100
_SIGNED = re.compile(r"\+([dls]_[a-z0-9]{1,24})-([a-z2-7]{10})@", re.IGNORECASE)
_GONE = re.compile(
    r"user unknown|unknown user|no such user|no such (mailbox|recipient|account)|does(n't| not) exist"
    r"|mailbox (unavailable|not found|disabled)|account (is )?(disabled|inactive|closed)"
    r"|invalid (recipient|mailbox|address)|address rejected|recipient (not found|unknown)"
    r"|unrouteable address|no mailbox here by that name",
    re.IGNORECASE,
)
_OURS = re.compile(r"\bspam\b|\bblocked\b|blacklist|blocklist|\bdkim\b|\bdmarc\b|\bspf\b|reputation", re.IGNORECASE)
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


def kind_of(status: str, said: str, *, permanent: bool) -> BounceKind | None:
    """None where it is about the sender. ``status`` may be empty; ``said`` is what the server wrote."""
    found = _STATUS.search(status) or _STATUS.search(said)
    level, subject, detail = found.groups() if found else ("5" if permanent else "4", "0", "0")
    if subject == "7" or (level == "5" and (subject, detail) in (("1", "7"), ("1", "8"))):
        return None
    if level != "5":
        return BounceKind.SOFT
    if subject == "1" or (subject, detail) == ("2", "1"):
        return BounceKind.HARD
    if subject in ("0", "5") and _GONE.search(said):
        return BounceKind.HARD
    return None if subject == "0" and _OURS.search(said) else BounceKind.SOFT


def is_telling(line: str) -> bool:
    """Whether a line of a report says what was wrong, among greetings and explanations."""
    return bool(_STATUS.search(line) or _GONE.search(line))


def verdict(bounces: Iterable[Bounce], *, now: datetime) -> Suppression | None:
    """Whether one address, whose bounces these are, is to get nothing more."""
    counted = sorted((each for each in bounces if now - COUNTED < each.at <= now), key=lambda each: each.at)
    if not counted:
        return None
    last = counted[-1]
    for each in reversed(counted):
        if each.kind is not BounceKind.SOFT:
            return Suppression(address=each.address, since=now, reason=_sentence(each), kind=each.kind)
    days = {each.at.date() for each in counted}
    if len(days) < _SOFT_IN_ALL:
        return None
    reason = f"Mail came back on {len(days)} days. The last answer: {_said(last)}."
    return Suppression(address=last.address, since=now, reason=reason, kind=BounceKind.SOFT)


def _sentence(bounce: Bounce) -> str:
    if bounce.kind is BounceKind.COMPLAINT:
        return "Its owner reported our mail as spam."
    return f"The address takes no mail: {_said(bounce)}."


def _said(bounce: Bounce) -> str:
    return " ".join(each for each in (bounce.status, bounce.reason.rstrip(".")) if each) or "no reason given"


def marked(address: str, id: str, keys: Keys) -> str:
    """``bounces+d_….mac@example.org``: a delivery, letter (``l_…``) or subscription (``s_…``) and the proof that we
    wrote it. The first two are return paths (VERP), to the last one mails go that unsubscribe.
    """
    local, _, domain = address.rpartition("@")
    return f"{local}+{id}-{_mac(id, keys.current)}@{domain}"


def signed_delivery(text: str, keys: Keys) -> str | None:
    """The delivery or letter that the first address with our signature in ``text`` belongs to."""
    return _signed(text, "dl", keys)


def signed_subscription(text: str, keys: Keys) -> str | None:
    """The subscription that the first address with our signature in ``text`` ends."""
    return _signed(text, "s", keys)


def _signed(text: str, kinds: str, keys: Keys) -> str | None:
    for found in islice(_SIGNED.finditer(text), _MOST_MARKS):
        id, mac = found.groups()
        known = (hmac.compare_digest(mac.lower(), _mac(id.lower(), key)) for key in keys.all)
        if id[0].lower() in kinds and any(known):
            return str(id).lower()
    return None


def _mac(id: str, key: SecretStr) -> str:
    # Lower case, as mail servers on the way may make it.
    return b32encode(mac_of(key, _PURPOSES[id[0]], id)).decode().lower()[:_MAC]
