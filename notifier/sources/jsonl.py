"""JSON Lines: one object per line, UTF-8, from a file, standard input or an address.

``title`` and one of ``id`` and ``url`` are required. A line that cannot be used is reported with its number and what
to do; the others go in. Keys that are not known here are kept in ``Entry.extra``.
"""

from __future__ import annotations

import asyncio
import io
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from notifier.clean import link, plain
from notifier.errors import SourceError
from notifier.model import Fetched, Rejected, Sighting, SourceState
from notifier.sources.build import NAME_LIMIT, Said, sighting, without_shared_links
from notifier.sources.http import Http
from notifier.sources.kind import Kind

MAX_LINE = 1024 * 1024
MAX_LINES = 20_000
"""Of one answer that comes from elsewhere: a body of short lines would otherwise fill the memory with entries."""
_DEEPEST = 50
_BOM = b"\xef\xbb\xbf"
_LARGEST = 2**53
"""The largest whole number that every JSON reader keeps exact (RFC 8259, section 6)."""


class _Unusable(Exception):
    """Why a line is rejected; ``str`` is the reason."""


def read_lines(stream: BinaryIO | Path, *, name: str = "", limit: int | None = None) -> Fetched:
    """Every line of ``stream`` as a sighting or a rejection, in order; of more than ``limit`` lines the first.

    ``name`` is the source of lines that name none themselves (``source``). Raises OSError as the stream does.
    """
    if isinstance(stream, Path):
        with stream.open("rb") as opened:
            return read_lines(opened, name=name, limit=limit)
    sightings: list[Sighting] = []
    rejected: list[Rejected] = []
    for count, (number, line) in enumerate(_lines(stream)):
        if count == limit:
            rejected.append(Rejected(line=number, reason=f"only the first {limit:,} lines are read: divide the file"))
            break
        try:
            sightings.append(_sighting(_object(line), name))
        except _Unusable as reason:
            rejected.append(Rejected(line=number, reason=str(reason)))
    return Fetched(sightings=without_shared_links(sightings), rejected=tuple(rejected))


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their 1-based numbers; of a huge one only what shows that it is."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        tail = line
        while len(tail) > MAX_LINE and not tail.endswith(b"\n"):
            tail = stream.readline(MAX_LINE + 1)
        if number == 1:
            line = line.removeprefix(_BOM)
        if line.strip():
            yield number, line


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise _Unusable(f"the line is longer than {MAX_LINE:,} bytes: shorten its texts")
    try:
        value = json.loads(line.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise _Unusable(f"byte {error.start + 1} is not UTF-8: save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise _Unusable(f"not valid JSON ({error.msg}, column {error.colno}): mend the line") from None
    except (RecursionError, ValueError) as error:
        raise _Unusable(f"not usable JSON ({plain(str(error), limit=80)}): mend the line") from None
    if not isinstance(value, dict):
        raise _Unusable(f"a JSON object is wanted, this is {_kind(value)}: write one {{…}} per line")
    if line.count(b"{") + line.count(b"[") > _DEEPEST and _is_deep(value, _DEEPEST):
        raise _Unusable(f"lists and objects are nested more than {_DEEPEST} deep: flatten the line")
    return {key: each for key, each in value.items() if each is not None}


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text[:20])


def _is_deep(value: object, left: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    return left == 0 or any(_is_deep(each, left - 1) for each in (value.values() if isinstance(value, dict) else value))


def _sighting(data: dict[str, Any], name: str) -> Sighting:
    for field, value in data.items():
        check = _FIELDS.get(field)
        if check and not check[1](value):
            raise _Unusable(f"'{field}' is {_kind(value)}, but must be {check[0]}")
    said = _said(data)
    if not plain(said.title):
        raise _Unusable("no 'title': give the entry one")
    if not (said.id and plain(said.id)) and not link(said.url):
        raise _Unusable("neither an 'id' nor an http(s) address in 'url': give the entry one of them")
    return sighting(said, source=plain(data.get("source", ""), limit=NAME_LIMIT) or name)


def _said(data: dict[str, Any]) -> Said:
    known = {field: data[field] for field in _FIELDS.keys() & data.keys() - {"source", "published_at"}}
    known["id"] = str(known["id"]) if "id" in known else None
    # An address that cannot be one is kept where nothing makes a link of it.
    extra = {field: value for field, value in data.items() if field not in _FIELDS or field == "doi"}
    extra |= {field: data[field] for field in _LINKS & data.keys() if data[field] and not link(data[field])}
    published = _instant(data["published_at"]) if data.get("published_at") else None
    return replace(Said(title="", extra=extra, published_at=published), **known)


def _instant(text: str) -> datetime:
    """A date is its midnight in UTC, and so is a time without a zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        shown = plain(text, limit=40)
        raise _Unusable(
            f"'published_at' is '{shown}', but must be a date like 2025-12-16, with or without time"
        ) from None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST


def _is_version(value: object) -> bool:
    return _is_whole(value) and value != 0


def _is_id(value: object) -> bool:
    return isinstance(value, str) or _is_whole(value)


_TEXT = ("text", _is_text)
_TEXTS = ('a list of texts, such as ["one", "two"]', _is_texts)
_WHOLE = ("a whole number, 0 or more", _is_whole)
_FIELDS: dict[str, tuple[str, Callable[[object], bool]]] = {
    "id": ("text", _is_id),
    "doi": _TEXT,
    "source": _TEXT,
    "title": _TEXT,
    "abstract": _TEXT,
    "authors": _TEXTS,
    "num_authors": _WHOLE,
    "organization": _TEXT,
    "categories": _TEXTS,
    "keywords": _TEXTS,
    "published_at": ("text with a date like 2025-12-16", _is_text),
    "url": _TEXT,
    "pdf_url": _TEXT,
    "code_url": _TEXT,
    "project_url": _TEXT,
    "thumbnail": _TEXT,
    "upvotes": _WHOLE,
    "comments": _WHOLE,
    "stars": _WHOLE,
    "version": ("a whole number, 1 or more", _is_version),
}
_LINKS = {"url", "pdf_url", "code_url", "project_url", "thumbnail"}


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        shown = f"{value:g}" if abs(value) <= _LARGEST else "out of range"
        return f"a number ({shown})"
    if isinstance(value, str):
        return f"text ('{plain(value, limit=30)}')"
    if isinstance(value, list):
        return "a list" if _is_texts(value) else "a list that holds more than texts"
    return "an object" if isinstance(value, dict) else "null"


class JsonLines:
    """A JSON Lines file of this machine, or at an address, as a source."""

    takes_baseline = False

    def __init__(self, url: str, *, http: Http, name: str) -> None:
        self._url = url
        self._http = http
        self._name = name

    async def fetch(self, state: SourceState, *, now: datetime) -> Fetched:
        if not is_address(self._url):
            return await asyncio.to_thread(self._read_file, state)
        reply = await self._http.get(
            self._url, accept="application/jsonl, */*", etag=state.etag, last_modified=state.last_modified, now=now
        )
        if reply.is_not_modified:
            return Fetched(state=state, unchanged=True, moved_to=reply.moved_to)
        headers = reply.headers
        answered = SourceState(etag=headers.get("etag"), last_modified=headers.get("last-modified"))
        fetched = await asyncio.to_thread(self._read, io.BytesIO(reply.body), state, answered, MAX_LINES)
        return replace(fetched, moved_to=reply.moved_to)

    def _read_file(self, state: SourceState) -> Fetched:
        file = Path(self._url.removeprefix("file://")).expanduser()
        try:
            with file.open("rb") as stream:
                return self._read(stream, state, SourceState())
        except OSError as error:
            raise SourceError(
                f"{file} cannot be read ({error.strerror}): check the file of source '{self._name}'."
            ) from None

    def _read(self, stream: BinaryIO, before: SourceState, state: SourceState, limit: int | None = None) -> Fetched:
        digest = blake2b(digest_size=16)
        while block := stream.read(1 << 16):
            digest.update(block)
        state = replace(state, content_hash=digest.hexdigest())
        if state.content_hash == before.content_hash:
            return Fetched(state=state, unchanged=True)
        stream.seek(0)
        fetched = replace(read_lines(stream, name=self._name, limit=limit), state=state)
        if fetched.rejected and not fetched.sightings:
            first = fetched.rejected[0]
            raise SourceError(f"No line of {self._url} can be used; line {first.line}: {first.reason}.")
        return fetched


def is_address(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))


def _claims(text: str) -> bool:
    path = text.split("?")[0].split("#")[0] if is_address(text) else text
    return path.lower().endswith((".jsonl", ".ndjson"))


KIND = Kind(claims=_claims, open=JsonLines)
