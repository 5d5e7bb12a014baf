"""Ids that leave the program: random, short enough to paste, and saying what they name."""

from __future__ import annotations

import base64
import secrets

# No 0/o, 1/l/i, u: what is read aloud or copied by hand stays what it was.
_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 10


def new_id(prefix: str) -> str:
    """``prefix`` (``s`` subscription, ``r`` rule, ``d`` delivery, ``l`` letter, ``p`` subscriber), an underscore, and
    10 characters of 30 (49 bits).
    """
    drawn = secrets.randbelow(len(_ALPHABET) ** _LENGTH)
    letters = []
    for _ in range(_LENGTH):
        drawn, rest = divmod(drawn, len(_ALPHABET))
        letters.append(_ALPHABET[rest])
    return f"{prefix}_{''.join(letters)}"


def new_secret() -> str:
    """256 bits, as the Standard Webhooks specification writes them."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
