"""Frozen messages: what every attempt sends, kept until the delivery has its end.

Digests of one day have most of their bytes in common. Of a body only its own bytes are written for each delivery, and
which fragments stand where in it; a fragment is written once. What is read is put together again and compared with a
hash of all of it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from notifier.errors import DamagedDatabase
from notifier.model import Message, Shared
from notifier.store import delivery_rows, rows
from notifier.store.statements import queries

SQL = queries("messages")

_HASH_BYTES = 16
_REMEMBERED = 20_000
SWEPT_UPTO = 1_000
"""Frozen messages that are looked through for the fragments they need. With more of them nothing is thrown away."""


class _Kept(NamedTuple):
    pk: int
    hash: bytes


class MessageRows:
    """``remembered`` are fragments that are known to be there, as long as nobody has swept since."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._remembered: dict[bytes, _Kept] = {}
        self._sweeps = -1

    def put(self, fresh: Sequence[tuple[int, Message]]) -> None:
        """Each under the key of its delivery."""
        self._remember({shared.text for _, message in fresh for shared in message.shared})
        self._conn.executemany(
            SQL["put"],
            [(pk, m.format, m.subject, m.target, m.sender, rows.stamp(m.created_at)) for pk, m in fresh],
        )
        self._conn.executemany(
            SQL["put_part"],
            [(pk, k, *self._apart(message, k)) for pk, message in fresh for k in range(len(message.parts))],
        )

    def get(self, delivery_ids: Iterable[str]) -> dict[str, Message]:
        """Raises DamagedDatabase where what is put together is not what was frozen."""
        wanted = {"ids": rows.array(delivery_ids)}
        parts: dict[str, list[rows.Row]] = {}
        for row in self._conn.execute(SQL["parts"], wanted):
            parts.setdefault(row["id"], []).append(row)
        fragments = self._fragments([row["pieces"] for some in parts.values() for row in some])
        return {
            row["id"]: delivery_rows.message(row, [_together(part, fragments) for part in parts[row["id"]]])
            for row in self._conn.execute(SQL["of_deliveries"], wanted)
        }

    def thaw(self, delivery_ids: Sequence[str]) -> None:
        if delivery_ids:
            self._conn.execute(SQL["thaw"], {"ids": rows.array(delivery_ids)})

    def sweep(self) -> int:
        """Delete the fragments that no frozen message needs any more; how many they were."""
        found = self._conn.execute(SQL["pieces"], (SWEPT_UPTO + 1,)).fetchall()
        if len(found) > SWEPT_UPTO:
            return 0
        needed = {pk for row in found for pk in json.loads(row["pieces"])[1::2]}
        gone = self._conn.execute(SQL["forget_others"], (rows.array(needed),)).rowcount
        if gone:
            self._conn.execute(SQL["swept"])
        return gone

    def forget(self) -> None:
        """What was written last was rolled back."""
        self._remembered.clear()

    def _remember(self, texts: set[bytes]) -> None:
        sweeps: int = self._conn.execute(SQL["sweeps"]).fetchone()[0]
        if sweeps != self._sweeps or len(self._remembered) > _REMEMBERED:
            self._remembered.clear()
            self._sweeps = sweeps
        new = [(text, _hash(text)) for text in texts if text not in self._remembered]
        self._conn.executemany(SQL["add_fragments"], new)
        for text, hash in new:
            self._remembered[text] = _Kept(self._conn.execute(SQL["keys"], (hash,)).fetchone()[0], hash)

    def _apart(self, message: Message, k: int) -> tuple[bytes, str | None, bytes | None]:
        """A part as its own bytes, its pieces, and the hash; whole where it has nothing in common with others."""
        body = message.parts[k]
        own, pieces, hashes, at = [], [], [], 0
        for shared in message.shared:
            if shared.part == k and _is_there(shared, body, at):
                kept = self._remembered[shared.text]
                own.append(body[at : shared.start])
                pieces += [shared.start, kept.pk]
                hashes.append(kept.hash)
                at = shared.start + len(shared.text)
        if not pieces:
            return body, None, None
        rest = b"".join([*own, body[at:]])
        written = rows.array(pieces)
        return rest, written, _check(rest, written, hashes)

    def _fragments(self, pieces: Sequence[str | None]) -> dict[int, tuple[bytes, bytes]]:
        wanted = {pk for each in pieces if each for pk in json.loads(each)[1::2]}
        if not wanted:
            return {}
        found = self._conn.execute(SQL["fragments"], (rows.array(wanted),))
        return {row["pk"]: (row["body"], row["hash"]) for row in found}


def _is_there(shared: Shared, body: bytes, at: int) -> bool:
    """Behind what was taken out so far. It is a hint of another part of the program, and bytes may have been added."""
    return shared.start >= at and body.startswith(shared.text, shared.start)


def _together(row: rows.Row, fragments: Mapping[int, tuple[bytes, bytes]]) -> bytes:
    rest: bytes = row["body"]
    if row["pieces"] is None:
        return rest
    numbers = json.loads(row["pieces"])
    found = [fragments.get(pk, (b"", b"")) for pk in numbers[1::2]]
    whole = all(_hash(text) == hash for text, hash in found)
    if not whole or _check(rest, row["pieces"], [hash for _, hash in found]) != row["hash"]:
        raise DamagedDatabase(
            f"The message of delivery {row['id']} is not what was written: the database is damaged. Nothing was sent; "
            "restore a copy."
        )
    taken, shared, done = 0, 0, []
    for start, (text, _) in zip(numbers[::2], found, strict=True):
        own = start - taken - shared
        done += [rest[taken : taken + own], text]
        taken, shared = taken + own, shared + len(text)
    return b"".join([*done, rest[taken:]])


def _hash(text: bytes) -> bytes:
    return blake2b(text, digest_size=_HASH_BYTES).digest()


def _check(rest: bytes, pieces: str, hashes: Iterable[bytes]) -> bytes:
    return _hash(b"\x00".join([pieces.encode(), *hashes, rest]))
