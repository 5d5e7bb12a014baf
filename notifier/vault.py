"""Tokens at rest: encrypted with a key drawn from the program's secret, so that a copied database gives none away."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

_PURPOSE = b"notifier slack tokens"


class Vault:
    """``secrets``: the present one first, then those of before, with which older tokens can still be read."""

    def __init__(self, secrets: Sequence[SecretStr]) -> None:
        self._fernets = [_fernet(secret) for secret in secrets]
        self._all = MultiFernet(self._fernets)

    def close(self, token: SecretStr) -> str:
        return self._all.encrypt(token.get_secret_value().encode()).decode("ascii")

    def open(self, kept: str) -> SecretStr | None:
        """None where no secret that is known has closed it."""
        try:
            return SecretStr(self._all.decrypt(kept.encode("ascii")).decode())
        except (InvalidToken, UnicodeError):
            return None

    def is_current(self, kept: str) -> bool:
        """Whether the present secret has closed it."""
        try:
            self._fernets[0].decrypt(kept.encode("ascii"))
        except (InvalidToken, UnicodeError):
            return False
        return True


def _fernet(secret: SecretStr) -> Fernet:
    # No salt: the secret is random already, and every process has to draw the same key.
    drawn = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.get_secret_value().encode())
    return Fernet(base64.urlsafe_b64encode(drawn))
