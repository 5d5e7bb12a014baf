"""A watched folder: what is new in its JSON Lines files, each line once. Files are read and never touched.

The cursor holds, for each file, how far it was read and a hash of what was read. A file whose beginning is as it was
is read on from there; one that was rewritten is read anew, which changes nothing where its lines are the same. A last
line without its end is still being written: it waits until the file has not changed between two looks.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from stat import S_ISREG
from typing import IO, Any

from notifier.clean import plain
from notifier.errors import SourceError
from notifier.model import Fetched, Rejected, Sighting, SourceState
from notifier.sources.http import Http
from notifier.sources.jsonl import MAX_LINE, MAX_LINES, is_address, read_lines
from notifier.sources.kind import Kind

MAX_FILES = 2_000
"""Watched at a time, the last written ones: the cursor has a line for each."""
_BUDGET = 16 * 1024 * 1024
"""Bytes of one answer; what is left is read with the next."""
_BLOCK = 1 << 20
_ENDINGS = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A file as it was at the last look: ``offset`` bytes and ``lines`` lines are read, ``digest`` is their hash."""

    size: int = -1
    written: int = -1
    offset: int = 0
    lines: int = 0
    digest: str = ""


@dataclass(slots=True)
class _Reading:
    """One answer, as it comes together."""

    left: int = _BUDGET
    is_more: bool = False
    sightings: list[Sighting] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


class Folder:
    takes_baseline = False

    def __init__(self, url: str, *, http: Http, name: str) -> None:
        """``url`` is the folder's path; ``http`` is not needed."""
        self._folder = Path(url).expanduser()
        self._name = name

    async def fetch(self, state: SourceState, *, now: datetime) -> Fetched:
        return await asyncio.to_thread(self._fetch, state)

    def _fetch(self, state: SourceState) -> Fetched:
        before, after, reading = _load(state.cursor), {}, _Reading()
        for file, size, written in self._files(reading):
            known = before.get(file.name, _Seen())
            try:
                after[file.name] = self._read(file, known, size, written, reading)
            except OSError as error:
                reading.rejected.append(Rejected(line=1, reason=f"{file.name} cannot be read ({error.strerror})"))
                after[file.name] = known
        return Fetched(
            sightings=tuple(reading.sightings),
            rejected=tuple(reading.rejected),
            state=SourceState(cursor=_dump(after)),
            unchanged=before == after,
            more=reading.is_more,
        )

    def _files(self, reading: _Reading) -> list[tuple[Path, int, int]]:
        """Files with size and time of writing, oldest first; hidden ones are somebody's drafts."""
        try:
            found = list(_regular(self._folder.iterdir()))
        except OSError as error:
            reason = f"{self._folder} cannot be read ({error.strerror}): check the folder of source '{self._name}'."
            raise SourceError(reason) from None
        found.sort(key=lambda each: (each[2], each[0].name))
        if len(found) > MAX_FILES:
            reason = f"the folder has {len(found):,} files: only the {MAX_FILES:,} last written ones are watched"
            reading.rejected.append(Rejected(line=1, reason=reason))
        return found[-MAX_FILES:]

    def _read(self, file: Path, known: _Seen, size: int, written: int, reading: _Reading) -> _Seen:
        is_at_rest = (known.size, known.written) == (size, written)
        if is_at_rest and known.offset == size:
            return known
        if reading.left <= MAX_LINE:
            reading.is_more = True
            return known
        with file.open("rb") as stream:
            hasher, start = _resumed(stream, known)
            stream.seek(start.offset)
            piece = _whole_lines(stream, reading.left, is_at_rest=is_at_rest)
        lines = piece.count(b"\n")
        is_limited = size - start.offset > reading.left or lines == MAX_LINES
        self._take(file.name, piece, start.lines, reading)
        offset = start.offset + len(piece)
        if is_limited and offset < size:
            reading.is_more, reading.left = True, 0
        hasher.update(piece)
        return _Seen(size=size, written=written, offset=offset, lines=start.lines + lines, digest=hasher.hexdigest())

    def _take(self, file: str, piece: bytes, lines: int, reading: _Reading) -> None:
        found = read_lines(io.BytesIO(piece), name=self._name)
        reading.left -= len(piece)
        reading.sightings += found.sightings
        reading.rejected += [
            replace(each, line=each.line + lines, reason=f"in {file}: {each.reason}") for each in found.rejected
        ]


def _regular(files: Iterable[Path]) -> Iterator[tuple[Path, int, int]]:
    for file in files:
        if file.suffix.lower() in _ENDINGS and not file.name.startswith("."):
            try:
                status = file.stat()
            except OSError:
                continue  # It was taken away meanwhile, or is a link to nowhere.
            if S_ISREG(status.st_mode):
                yield file, status.st_size, status.st_mtime_ns


def _resumed(stream: IO[bytes], known: _Seen) -> tuple[Any, _Seen]:
    """Where to read on, with the hash of what comes before: from the start where that is not what was read."""
    hasher = blake2b(digest_size=8)
    left = known.offset
    while left and (block := stream.read(min(left, _BLOCK))):
        hasher.update(block)
        left -= len(block)
    if left == 0 and (not known.offset or hasher.hexdigest() == known.digest):
        return hasher, known
    return blake2b(digest_size=8), _Seen()


def _whole_lines(stream: IO[bytes], limit: int, *, is_at_rest: bool) -> bytes:
    """The next lines that have their end, at most MAX_LINES and about ``limit`` bytes (more than MAX_LINE)."""
    piece = stream.read(limit)
    if piece.count(b"\n") > MAX_LINES:
        return b"".join(islice(io.BytesIO(piece), MAX_LINES))
    if is_at_rest and len(piece) < limit and _is_object(piece.rpartition(b"\n")[2]):
        return piece
    end = piece.rfind(b"\n") + 1
    if end or len(piece) < limit:
        return piece[:end]
    # One line longer than any may be: to its end, so that it is reported once and left behind.
    while block := stream.readline(_BLOCK):
        piece += block
        if block.endswith(b"\n"):
            return piece
    return b""


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _load(cursor: str | None) -> dict[str, _Seen]:
    try:
        rows = json.loads(cursor or "{}")
        return {name: _Seen(size=s, written=w, offset=o, lines=n, digest=d) for name, (s, w, o, n, d) in rows.items()}
    except (ValueError, TypeError, AttributeError):
        # A cursor of another kind of source: everything is read anew, which changes nothing.
        return {}


def _dump(seen: dict[str, _Seen]) -> str:
    return json.dumps({name: astuple(each) for name, each in seen.items()}, separators=(",", ":"))


def _claims(text: str) -> bool:
    text = text.strip()
    if not text or is_address(text) or "://" in text:
        return False
    return text.endswith("/") or (bool(plain(text)) and Path(text).expanduser().is_dir())


KIND = Kind(claims=_claims, open=Folder)
