"""arXiv by OAI-PMH: sets, pages by resumption token, and records as sightings.

https://info.arxiv.org/help/oa/index.html. A record's datestamp is that of its latest change, of whatever kind, so a
list from a day on holds the papers of that day and everything that was touched since.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from notifier.clean import plain
from notifier.errors import SourceError
from notifier.identity import arxiv_id
from notifier.model import Announce, Sighting
from notifier.sources.arxiv_api import announce_of
from notifier.sources.arxiv_categories import PHYSICS, archive_of, covers
from notifier.sources.build import Said, sighting
from notifier.sources.http import Reply, host_of
from notifier.sources.xml_tree import text, tree

_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_META = "{http://arxiv.org/OAI/arXiv/}"
_FEW = 3
"""Of more categories in one archive, the archive is asked for, and what was not wanted is left out here."""
_CATEGORY = re.compile(r"[a-z]+(?:-[a-z]+)*(?:\.[A-Za-z-]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """First versions made ``first`` to ``last`` are the gap's own; replacements since ``changed`` are updates."""

    first: date
    last: date
    changed: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """``token`` leads to the next page; ``is_stale`` says that the one we came with leads nowhere any more."""

    sightings: tuple[Sighting, ...] = ()
    token: str = ""
    is_stale: bool = False


def sets(categories: Sequence[str]) -> list[str]:
    """The sets that together hold ``categories``: ``cs:cs:AI``, ``cs:cs`` (an archive), ``physics:hep-th``."""
    count = Counter(map(archive_of, categories))
    names = {name if count[archive_of(name)] <= _FEW else archive_of(name) for name in categories}
    return sorted(map(_set, names))


def _set(name: str) -> str:
    archive = archive_of(name)
    group = "physics" if archive in PHYSICS else archive
    return f"{group}:{name.replace('.', ':')}"


def read(reply: Reply, span: Span, *, scope: Collection[str], source: str) -> Records:
    """Raises SourceError for an answer that is an error; that nothing has changed is none."""
    host = host_of(reply.url)
    root = tree(reply.body, host)
    if root.tag != f"{_OAI}OAI-PMH":
        raise SourceError(f"{host} answered with something that is no list of records: it is asked again later.")
    error = root.find(f"{_OAI}error")
    if error is not None:
        if (code := error.get("code", "")) == "noRecordsMatch":
            return Records()
        if code == "badResumptionToken":
            return Records(is_stale=True)
        said = plain(f"{code} {error.text or ''}", limit=200)
        raise SourceError(f"{host} does not answer the request ({said}): it is asked again later.")
    found = (_read(each, span, scope, source) for each in root.iterfind(f"{_OAI}ListRecords/{_OAI}record"))
    token = text(root, f"{_OAI}ListRecords/{_OAI}resumptionToken")
    return Records(sightings=tuple(each for each in found if each is not None), token=token)


def _read(record: Any, span: Span, scope: Collection[str], source: str) -> Sighting | None:
    """None for what was deleted, was not asked for, or did not change in a way that was announced."""
    meta = record.find(f"{_OAI}metadata/{_META}arXiv")
    header = record.find(f"{_OAI}header")
    if meta is None or (header is not None and header.get("status") == "deleted"):
        return None
    categories = [term for term in text(meta, f"{_META}categories").split() if _CATEGORY.fullmatch(term)]
    if not any(covers(asked, category) for asked in scope for category in categories):
        return None
    announce = _announce(meta, span, categories, scope)
    said = _said(meta, categories, announce) if announce else None
    return sighting(said, source=source) if said else None


def _said(meta: Any, categories: Sequence[str], announce: Announce) -> Said | None:
    named, title = arxiv_id(text(meta, f"{_META}id")), text(meta, f"{_META}title")
    if named is None or not plain(title):
        return None
    paper, created = named[0], _day(text(meta, f"{_META}created"))
    extra = {
        "comment": plain(text(meta, f"{_META}comments"), limit=500),
        "journal_ref": plain(text(meta, f"{_META}journal-ref"), limit=500),
    }
    return Said(
        id=paper,
        title=title,
        doi=text(meta, f"{_META}doi").split(" ")[0] or None,
        abstract=text(meta, f"{_META}abstract"),
        authors=[_author(each) for each in meta.iterfind(f"{_META}authors/{_META}author")],
        categories=categories,
        published_at=datetime.combine(created, time(), UTC) if created else None,
        url=f"https://arxiv.org/abs/{paper}",
        pdf_url=f"https://arxiv.org/pdf/{paper}",
        # This format tells no version; only what was never updated has a certain one.
        version=None if text(meta, f"{_META}updated") else 1,
        announce=announce,
        extra={name: value for name, value in extra.items() if value},
    )


def _announce(meta: Any, span: Span, categories: Sequence[str], scope: Collection[str]) -> Announce | None:
    created, updated = _day(text(meta, f"{_META}created")), _day(text(meta, f"{_META}updated"))
    if created is None or created > span.last:
        return None
    if created >= span.first:
        return announce_of(categories, scope)
    return Announce.REPLACE if updated and updated >= span.changed else None


def _author(author: Any) -> str:
    return " ".join(filter(None, (text(author, f"{_META}{part}") for part in ("forenames", "keyname", "suffix"))))


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written[:10])
    except ValueError:
        return None
