"""Whether what came in was signed by Slack (docs.slack.dev, Verifying requests). Pure.

Over the bytes as they came, before anything reads them; whatever is malformed is no signature, and no failure of ours.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from pydantic import SecretStr

WINDOW = 300
"""Seconds that a request may be old, or ahead of our clock."""
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


def is_signed(body: bytes, timestamps: Sequence[str], signatures: Sequence[str], key: SecretStr, now: datetime) -> bool:
    """``timestamps`` and ``signatures`` are the values of their headers, of which there has to be one each."""
    if not (len(timestamps) == len(signatures) == 1 and key.get_secret_value()):
        return False
    (timestamp,), (given,) = timestamps, signatures
    if not (_TIMESTAMP.fullmatch(timestamp) and _SIGNATURE.fullmatch(given)):
        return False
    if abs(now.timestamp() - int(timestamp)) > WINDOW:
        return False
    return hmac.compare_digest(given, signature(body, timestamp, key))


def signature(body: bytes, timestamp: str, key: SecretStr) -> str:
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(key.get_secret_value().encode(), signed, sha256).hexdigest()
