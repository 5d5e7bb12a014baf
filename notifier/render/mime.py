"""An RFC 5322 message as bytes, serialised here so that nothing from outside can become a header.

Python's email package folds and encodes long ``List-*`` lines and decodes encoded words that hide CR LF; here every
header is one checked line (or encoded words of our own), and what was built is read again before it leaves.
Quoted-printable is local to its lines, so fragments that were encoded long ago can be joined.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import InitVar, dataclass
from email.header import decode_header, make_header
from functools import lru_cache
from hashlib import sha256

from notifier.errors import Refused

Sign = Callable[[Sequence[bytes], bytes], bytes]
LONGEST_LINE = 998
"""RFC 5322, 2.1.1, without CR LF."""
_ENCODED_WORD = 75
"""RFC 2047, 2: no encoded word is longer."""

_PLAIN = re.compile(r"[\x20-\x7e]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_PHRASE = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]+")
_LITERAL = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """``text`` as people read it; ``structured`` lines (addresses, ids, links) go out exactly as they are."""

    name: str
    text: str
    structured: bool = False

    @property
    def line(self) -> bytes:
        value = self.text if self.structured else encoded(self.text, first=len(self.name) + 2)
        return f"{self.name}: {value}".encode()


@dataclass(frozen=True, slots=True)
class Fragment:
    """Whole lines of a body: as UTF-8 with CR LF, and the same as quoted-printable.

    Raises Refused if they do not say the same. That is looked at here and not in the whole message: most fragments
    serve many, and whole lines stay what they are when they are joined.
    """

    raw: bytes
    encoded: bytes
    kept: bool = False
    """It is made for many messages."""
    seen: InitVar[bool] = False
    """It is part of what was looked at as a whole."""

    def __post_init__(self, seen: bool) -> None:
        if seen:
            return
        lines = self.encoded.split(b"\r\n")
        whole = self.encoded.count(b"\r") == self.encoded.count(b"\n") == len(lines) - 1 and not lines[-1]
        if not whole or max(map(len, lines)) > LONGEST_LINE:
            raise Refused("The message has a line that is too long or broken. Nothing was sent.")
        if binascii.a2b_qp(self.encoded) != self.raw:
            raise Refused("The message did not come out as it was meant: its parts do not fit. Nothing was sent.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One alternative, put together from fragments that may have been encoded long ago."""

    subtype: str
    fragments: Sequence[Fragment]


def fragment(text: str, *, kept: bool = False) -> Fragment:
    """``text`` as lines, the last one ended, without empty ones at its end."""
    return whole_lines(text.rstrip("\r\n"), kept=kept)


def whole_lines(text: str, *, kept: bool = False) -> Fragment:
    """``text`` as the lines it is; the last one is ended."""
    return Fragment(*quoted(text), kept)


def split(text: str, mark: str) -> list[Fragment]:
    """Fragments of whole lines of ``text`` that a line which ends in ``mark`` divides; quoted-printable escapes it."""
    whole = Fragment(*quoted(text))
    raw, encoded = f"{mark}\r\n".encode(), b"=%02X\r\n" % ord(mark)
    pairs = zip(whole.raw.split(raw), whole.encoded.split(encoded), strict=True)
    # Line by line they say the same, and at the marks both were cut into whole lines.
    return [Fragment(*pair, seen=True) for pair in pairs]


def quoted(text: str) -> tuple[bytes, bytes]:
    """What a fragment of ``text`` consists of, not yet looked at."""
    lines = "\r\n".join(text.splitlines() or [""]) + "\r\n"
    raw = lines.encode("utf-8", "replace")
    return raw, binascii.b2a_qp(raw)


def alternative(
    headers: Sequence[Header], bodies: Sequence[Body], *, key: str, sign: Sign = lambda *_: b""
) -> tuple[bytes, tuple[tuple[int, bytes], ...]]:
    """A multipart/alternative message, and where in it kept fragments begin. ``key`` makes the boundary, the same on
    every render; ``sign`` makes what comes before the first header, of the lines of the headers and the body.

    Raises Refused if the finished bytes do not say exactly what was meant: then nothing must be sent.
    """
    # "=_" cannot occur in quoted-printable, where two hex digits or a line end follow every "=".
    boundary = f"=_{sha256(key.encode()).hexdigest()[:24]}"
    last = Header(name="Content-Type", text=f'multipart/alternative; boundary="{boundary}"', structured=True)
    head = [*headers, Header(name="MIME-Version", text="1.0", structured=True), last]
    delimiter = f"--{boundary}".encode()
    lines = [header.line for header in head]
    chunks = [line + b"\r\n" for line in lines]
    for body in bodies:
        chunks += [b"\r\n", delimiter, b"\r\n", _part_head(body), *(each.encoded for each in body.fragments)]
    raw = b"".join([*chunks, b"\r\n", delimiter, b"--\r\n"])
    _verify(raw, head, bodies, delimiter)
    signatures = sign(lines, raw[sum(map(len, chunks[: len(head)])) + 2 :])
    return signatures + raw, tuple(_kept(bodies, len(signatures) + sum(map(len, chunks[: len(head)])), delimiter))


def _kept(bodies: Sequence[Body], at: int, delimiter: bytes) -> Iterator[tuple[int, bytes]]:
    """Where kept fragments begin, the headers of the message being ``at`` bytes long."""
    for body in bodies:
        at += len(delimiter) + 4 + len(_part_head(body))
        for each in body.fragments:
            if each.kept:
                yield at, each.encoded
            at += len(each.encoded)


def _part_head(body: Body) -> bytes:
    kind = f"Content-Type: text/{body.subtype}; charset=utf-8"
    return f"{kind}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n".encode()


@lru_cache(1024)
def encoded(text: str, *, first: int = 0) -> str:
    """``text`` as it stands if that is safe, else as RFC 2047 encoded words of at most 75 characters a line.

    Anything that looks like an encoded word is encoded itself, and so arrives as the text it is.
    """
    if _PLAIN.fullmatch(text) and "=?" not in text and first + len(text) <= 78 and text == text.strip():
        return text
    words, word, room = [], "", _ENCODED_WORD - 12 - first
    for character in text:
        piece = "".join(_q(byte) for byte in character.encode("utf-8", "replace"))
        if len(word) + len(piece) > room:
            words.append(word)
            word, room = "", _ENCODED_WORD - 12
        word += piece
    return "\r\n ".join(f"=?utf-8?q?{each}?=" for each in [*words, word])


def _q(byte: int) -> str:
    if byte == 0x20:
        return "_"
    return chr(byte) if byte in _LITERAL else f"={byte:02X}"


def address(name: str, mailbox: str) -> str:
    """``name <mailbox>``, the name quoted or encoded so that it can hold no second address."""
    if not name:
        return mailbox
    if _PHRASE.fullmatch(name) and "=?" not in name:
        return f"{name} <{mailbox}>"
    if _PLAIN.fullmatch(name) and "=?" not in name:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{mailbox}>'
    # In a phrase an encoded word may hold few signs (RFC 2047, 5.3); ours encodes all but letters, digits, !*+-/.
    return f"{encoded(name, first=12)} <{mailbox}>"


def _verify(raw: bytes, headers: Sequence[Header], bodies: Sequence[Body], delimiter: bytes) -> None:
    head, _, rest = raw.partition(b"\r\n\r\n")
    _verify_headers(head, headers)
    meant = [b"".join([_part_head(body), *(each.encoded for each in body.fragments)]) for body in bodies]
    # Each delimiter has the line end before it, and the one after (RFC 2046, 5.1.1).
    if rest.split(delimiter)[1:-1] != [b"\r\n" + part + b"\r\n" for part in meant]:
        raise Refused("The message did not come out as it was meant: its parts do not fit. Nothing was sent.")


def _verify_headers(head: bytes, headers: Sequence[Header]) -> None:
    fields = _fields(head)
    if [name for name, _ in fields] != [header.name for header in headers]:
        raise Refused("The message did not come out as it was meant: its headers do not fit. Nothing was sent.")
    for header, (_, value) in zip(headers, fields, strict=True):
        meant = header.text.replace("\r\n ", " ") if header.structured else header.text
        if (value if header.structured else _read(value)) != meant:
            raise Refused(f"The header {header.name} did not come out as it was meant. Nothing was sent.")


def _fields(head: bytes) -> list[tuple[str, str]]:
    """Names and unfolded values (RFC 5322, 2.2); a line that is none, or too long, has the name ""."""
    fields: list[tuple[str, str]] = []
    for line in head.replace(b"\r\n ", b" ").split(b"\r\n"):
        name, colon, value = line.decode("utf-8", "replace").partition(": ")
        good = colon and _NAME.fullmatch(name) and not _CONTROL.search(value)
        fields.append((name if good else "", value))
    return fields if max(map(len, head.split(b"\r\n"))) <= LONGEST_LINE else []


@lru_cache(1024)
def _read(value: str) -> str:
    return str(make_header(decode_header(value))) if "=?" in value else value
