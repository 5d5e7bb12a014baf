"""OPML (http://opml.org/spec2.opml): lists of feeds, as other readers keep them and as ours are taken elsewhere.

Read with expat alone: it does not recurse and opens nothing. A document that declares entities is refused whole,
because that is what entity bombs and external entities are made of and no list of feeds needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from notifier.clean import link, plain
from notifier.errors import UsageError
from notifier.identity import normal_link
from notifier.model import SourceRecord
from notifier.settings import duration, written
from notifier.sources.naming import name_from

MAX_BYTES = 5 * 1024 * 1024
MAX_OUTLINES = 5_000
_SPACE = "urn:notifier:opml"
_LOCAL = frozenset({"jsonl", "folder"})
"""Kinds that are files of this machine where their address is no link: a list from elsewhere may not name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One outline that is no mere heading: ``line`` is 1-based, all texts are as they stand there."""

    line: int
    text: str
    address: str
    every: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What becomes of one outline: a source to add, or ``why`` it is none, in words."""

    line: int
    text: str
    record: SourceRecord | None = None
    why: str = ""
    is_known: bool = False


def read(body: bytes) -> list[Outline]:
    """The outlines with an address, however deep, in order. Raises UsageError for what is no OPML."""
    if len(body) > MAX_BYTES:
        raise UsageError(f"The list is longer than {MAX_BYTES:,} bytes: divide it.")
    reader = _Reader()
    try:
        reader.parser.Parse(body, True)
    except expat.ExpatError as error:
        why = expat.errors.messages.get(error.code, "not well-formed")
        raise UsageError(f"The list is not well-formed XML (line {error.lineno}: {why}): export it anew.") from None
    except (ValueError, LookupError) as error:
        raise UsageError(f"The list cannot be read ({plain(str(error), limit=80)}): save it as UTF-8.") from None
    if not reader.is_opml:
        raise UsageError("This is no OPML list of feeds: export one from your reader.")
    return reader.outlines


class _Reader:
    def __init__(self) -> None:
        self.is_opml = False
        self.outlines: list[Outline] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self._start
        self.parser.EntityDeclHandler = self._entity
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name.lower() == "opml":
            self.is_opml = True
        if not self.is_opml or name.lower() != "outline":
            return
        said = {key.lower(): value for key, value in attributes.items()}
        address = said.get("xmlurl") or (said.get("url", "") if said.get("type", "").lower() == "rss" else "")
        if not address.strip():
            return
        if len(self.outlines) >= MAX_OUTLINES:
            raise UsageError(f"The list has more than {MAX_OUTLINES:,} feeds: divide it.")
        text = said.get("text") or said.get("title") or ""
        every = said.get(f"{_SPACE} every", "")
        line = self.parser.CurrentLineNumber
        self.outlines.append(Outline(line=line, text=text, address=address.strip(), every=every))

    def _entity(self, *_: object) -> None:
        raise UsageError("The list declares XML entities, which no list of feeds needs: it is not read.")


def choose(
    outlines: Iterable[Outline],
    known: Sequence[SourceRecord],
    *,
    kind_of: Callable[[str], str],
    every: timedelta,
    now: datetime,
) -> list[Listed]:
    """What becomes of each outline, in order; an address that is known, or came before, is not added again.

    ``kind_of`` is the registry's, ``every`` the interval of outlines that name none.
    """
    taken = _Taken({record.name for record in known}, {_address_key(record.url): record.name for record in known})
    return [_listed(outline, taken, kind_of, every, now) for outline in outlines]


@dataclass(slots=True)
class _Taken:
    """Names that are given, and the name of the source at each address; both grow."""

    names: set[str]
    addresses: dict[str, str]


def _listed(outline: Outline, taken: _Taken, kind_of: Callable[[str], str], every: timedelta, now: datetime) -> Listed:
    url = link(outline.address) or plain(outline.address)
    listed = Listed(line=outline.line, text=plain(outline.text, limit=80) or plain(url, limit=80))
    kind, key = _kind(url, kind_of), _address_key(url)
    if not kind:
        return replace(listed, why=_refusal(url))
    if key in taken.addresses:
        return replace(listed, why=f"is read already as '{taken.addresses[key]}'", is_known=True)
    name = taken.addresses[key] = name_from(outline.text, url, taken.names)
    taken.names.add(name)
    interval = _interval(outline.every) or every
    record = SourceRecord(name=name, kind=kind, url=url, every=interval, added_at=now, next_fetch_at=now)
    return replace(listed, record=record)


def _kind(url: str, kind_of: Callable[[str], str]) -> str | None:
    """The kind of source at ``url``; None for what is none, or is a file of this machine."""
    try:
        kind = kind_of(url)
    except UsageError:
        return None
    return None if is_local(kind, url) else kind


def is_local(kind: str, url: str) -> bool:
    return kind in _LOCAL and link(url) is None


def _refusal(url: str) -> str:
    return f"'{plain(url, limit=120)}' is no address of a feed: http:// or https://, without a user name"


def _interval(text: str) -> timedelta | None:
    interval = duration(text)
    return interval if interval and interval >= timedelta(minutes=1) else None


def _address_key(url: str) -> str:
    return normal_link(url) or url


def write(records: Iterable[SourceRecord], *, now: datetime) -> bytes:
    """The feeds among ``records`` as an OPML 2.0 document."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<opml version="2.0" xmlns:notifier="{_SPACE}">',
        "  <head>",
        "    <title>Sources of Notifier</title>",
        f"    <dateCreated>{format_datetime(now)}</dateCreated>",
        "  </head>",
        "  <body>",
        *(_outline(record) for record in records if not is_local(record.kind, record.url)),
        "  </body>",
        "</opml>",
        "",
    ]
    return "\n".join(lines).encode("utf-8", "replace")


def _outline(record: SourceRecord) -> str:
    said = {
        "text": record.name,
        "title": record.title,
        "type": "rss" if link(record.url) else record.kind,
        "xmlUrl": record.url,
        "notifier:every": written(record.every),
    }
    return "    <outline " + " ".join(f"{name}={quoteattr(plain(value))}" for name, value in said.items()) + "/>"
