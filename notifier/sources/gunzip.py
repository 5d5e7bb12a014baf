"""Decompression that cannot be made to fill the memory."""

from __future__ import annotations

import zlib

_MAX_MEMBERS = 64


class Gunzip:
    """Decompresses at most one byte more than ``limit`` in all, however small the bomb. Raises zlib.error."""

    def __init__(self, limit: int) -> None:
        self._left = limit + 1
        self._members = 1
        self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)

    @property
    def is_complete(self) -> bool:
        return self._member.eof or self._left <= 0

    def feed(self, data: bytes) -> bytes:
        out = bytearray()
        while data and self._left > 0:
            if self._member.eof:
                # Some servers join several gzip members; what follows the last and is none is padding.
                if not data.startswith(b"\x1f\x8b"):
                    break
                self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)
                self._members += 1
                if self._members > _MAX_MEMBERS:
                    raise zlib.error("too many members")
            part = self._member.decompress(data, self._left)
            out += part
            self._left -= len(part)
            data = self._member.unused_data or self._member.unconsumed_tail
        return bytes(out)
