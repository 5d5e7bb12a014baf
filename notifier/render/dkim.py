"""DKIM (RFC 6376, RFC 8463): each mail signed for the operator's domain, one signature a key.

Headers are canonicalised ``relaxed``, the body ``simple``: ours has no line that anything on the way rewrites, and so
its hash is that of the bytes as they were joined. Signing is done with cryptography, because dkimpy's own arithmetic
takes 20 ms for a key of 2,048 bits, a dozen times as long.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from notifier.errors import SettingsError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_OVERSIGNED = ("from", "subject", "list-unsubscribe", "list-unsubscribe-post", "content-type")
"""Named once more than they occur, so that nobody can add another one to a signed mail."""
_SMALLEST = 1024
"""Bits of an RSA key that receivers still take (RFC 8301, 3.2)."""
_COLUMNS = 72
_SPACE = re.compile(rb"[ \t\r\n]+")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """One key; ``selector`` and ``domain`` say where its public half is published."""

    domain: str
    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey

    @property
    def record(self) -> tuple[str, str]:
        """Name and content of the TXT record that receivers look up."""
        kind, public = _published(self.key)
        return f"{self.selector}._domainkey.{self.domain}", f"v=DKIM1; k={kind}; p={b64encode(public).decode()}"

    def signature(self, headers: Sequence[bytes], body_hash: str, at: datetime) -> bytes:
        """The whole header, ended. ``headers`` are whole lines without their ends, unfolded or not."""
        fields = [_relaxed(each) for each in headers]
        names = [each.partition(b":")[0].decode("ascii") for each in fields]
        algorithm = "rsa-sha256" if hasattr(self.key, "key_size") else "ed25519-sha256"
        tags = (
            f"v=1; a={algorithm}; c=relaxed/simple; t={int(at.timestamp())};\r\n"
            f" d={self.domain}; s={self.selector};\r\n"
            f" h={_folded(':'.join([*names, *_OVERSIGNED]), ':')};\r\n bh={body_hash};\r\n b="
        )
        unsigned = f"DKIM-Signature: {tags}".encode("ascii")
        signed = b"\r\n".join([*fields, _relaxed(unsigned)])
        return unsigned + _in_lines(b64encode(_signed(self.key, signed))) + b"\r\n"


@dataclass(frozen=True, slots=True)
class Dkim:
    signers: tuple[Signer, ...] = ()

    def signatures(self, headers: Sequence[bytes], body: bytes, at: datetime) -> bytes:
        """What comes before the first header; ``body`` ends in one line end and no empty line."""
        if not self.signers:
            return b""
        body_hash = b64encode(sha256(body).digest()).decode()
        return b"".join(each.signature(headers, body_hash, at) for each in self.signers)


UNSIGNED = Dkim()


def load(domain: str, keys: Mapping[str, Path]) -> Dkim:
    """By selector the file of a private key in PEM. Raises SettingsError that names what is wrong with it."""
    if not keys:
        return UNSIGNED
    if not _NAME.fullmatch(domain):
        raise SettingsError("dkim_keys are set, but dkim_domain is no domain: set it to that of mail_from.")
    return Dkim(tuple(Signer(domain=domain, selector=name, key=_key(name, file)) for name, file in keys.items()))


def _key(selector: str, file: Path) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise SettingsError("dkim_keys need the extra notifier[dkim]: install it, or unset them.") from None
    if not _NAME.fullmatch(selector):
        raise SettingsError(f"dkim_keys: '{selector}' is no selector: use letters and digits, such as mail2026.")
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except OSError as error:
        raise SettingsError(f"dkim_keys: {file} cannot be read ({error.strerror}).") from None
    except (ValueError, TypeError):
        raise SettingsError(f"dkim_keys: {file} holds no private key in PEM without a password.") from None
    if isinstance(key, RSAPrivateKey) and key.key_size < _SMALLEST:
        raise SettingsError(f"dkim_keys: {file} has {key.key_size} bits, too few for receivers: make one of 2048.")
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise SettingsError(f"dkim_keys: {file} is neither an RSA nor an Ed25519 key.")
    return key


def _published(key: RSAPrivateKey | Ed25519PrivateKey) -> tuple[str, bytes]:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if isinstance(key, RSAPrivateKey):
        return "rsa", key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "ed25519", key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _signed(key: RSAPrivateKey | Ed25519PrivateKey, text: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256

    if isinstance(key, RSAPrivateKey):
        return key.sign(text, PKCS1v15(), SHA256())
    # RFC 8463, 3: the signature is over the hash.
    return key.sign(sha256(text).digest())


def _relaxed(line: bytes) -> bytes:
    """RFC 6376, 3.4.2."""
    name, _, value = line.partition(b":")
    return name.strip().lower() + b":" + _SPACE.sub(b" ", value).strip()


def _folded(text: str, at: str) -> str:
    lines, line = [], ""
    for piece in text.split(at):
        if line and len(line) + len(piece) > _COLUMNS:
            lines.append(line)
            line = ""
        line += piece + at
    return "\r\n  ".join([*lines, line.removesuffix(at)])


def _in_lines(word: bytes) -> bytes:
    return b"".join(b"\r\n " + word[at : at + _COLUMNS] for at in range(0, len(word), _COLUMNS))
