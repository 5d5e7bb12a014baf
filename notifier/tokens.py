"""Words that prove something: signed ones, and random ones of which only a hash is kept.

A signed word is bound to one purpose: what proves the right to unsubscribe opens nothing else. It is signed with the
newest key and read with every key, so that links in old mails live on when the key is changed.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

from pydantic import SecretStr

UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Keys:
    """``current`` signs; it and ``old`` ones read."""

    current: SecretStr
    old: tuple[SecretStr, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.current.get_secret_value())

    @property
    def all(self) -> tuple[SecretStr, ...]:
        return (self.current, *self.old)


NO_KEYS = Keys(SecretStr(""))


def sign(keys: Keys, purpose: str, value: str) -> str:
    """``value.mac``."""
    return f"{value}.{_mac(keys.current, purpose, value)}"


def signed(keys: Keys, purpose: str, token: str) -> str | None:
    """The value of a token that we signed for this purpose; None for any other text."""
    value, _, mac = token.rpartition(".")
    given = mac.encode("utf-8", "surrogatepass")
    known = [hmac.compare_digest(given, _mac(key, purpose, value).encode()) for key in keys.all if keys]
    return value if any(known) else None


def mac_of(key: SecretStr, purpose: str, value: str) -> bytes:
    message = purpose.encode() + b"\0" + value.encode("utf-8", "surrogatepass")
    return hmac.digest(key.get_secret_value().encode(), message, "sha256")


def fresh() -> str:
    """A random word of 256 bits, for a link or a cookie."""
    return secrets.token_urlsafe(32)


def hashed(word: str) -> str:
    """What is kept of a random word. A plain hash is enough for 256 random bits."""
    return sha256(word.encode("utf-8", "surrogatepass")).hexdigest()


def _mac(key: SecretStr, purpose: str, value: str) -> str:
    return urlsafe_b64encode(mac_of(key, purpose, value)).rstrip(b"=").decode()
