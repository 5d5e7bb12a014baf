"""arXiv's query API: how to ask for days and ids, and its Atom answers as sightings.

https://info.arxiv.org/help/api/user-manual.html. ``submittedDate`` is that of version 1 and not of the announcement.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from notifier.clean import plain
from notifier.errors import SourceError
from notifier.identity import arxiv_id
from notifier.model import Announce, Rejected, Sighting
from notifier.sources.arxiv_categories import covers
from notifier.sources.build import Said, sighting
from notifier.sources.http import Reply, failure, host_of
from notifier.sources.xml_tree import text, tree

PAGE = 500
"""Results of one request: up to 2,000 are allowed, but large pages come empty more often."""
MOST = 30_000
"""Results of one query that can be paged through."""
_AT_ONCE = 40
"""Categories of one query, so that its address stays short."""
_DIVIDED = frozenset("astro-ph cond-mat cs econ eess math nlin physics q-bio q-fin stat".split())  # noqa: SIM905
_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_TOTAL = "{http://a9.com/-/spec/opensearch/1.1/}totalResults"
_CATEGORY = re.compile(r"[a-z]+(?:-[a-z]+)*(?:\.[A-Za-z-]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``total`` results there are, of which this answer held ``received``."""

    total: int
    received: int
    sightings: tuple[Sighting, ...]
    rejected: tuple[Rejected, ...]


def queries(categories: Sequence[str], start: datetime, end: datetime) -> list[str]:
    """The search queries, one after the other, for what was submitted from ``start`` to ``end``."""
    span = f"submittedDate:[{start.astimezone(UTC):%Y%m%d%H%M} TO {end.astimezone(UTC):%Y%m%d%H%M}]"
    several = [categories[at : at + _AT_ONCE] for at in range(0, len(categories), _AT_ONCE)]
    return [f"({' OR '.join(map(_term, each))}) AND {span}" for each in several]


def _term(category: str) -> str:
    return f"cat:{category}.*" if category in _DIVIDED else f"cat:{category}"


def read(reply: Reply, *, scope: Collection[str] | None, source: str) -> Answer:
    """Raises SourceError for an answer that is an error. ``scope`` are the categories asked for, if any were."""
    host = host_of(reply.url)
    if reply.status == 400 and not reply.body.strip():
        raise failure(reply)
    feed = tree(reply.body, host)
    entries = feed.findall(f"{_ATOM}entry")
    if len(entries) == 1 and _is_error(entries[0]):
        said = plain(text(entries[0], f"{_ATOM}summary"), limit=200)
        raise SourceError(f"{host} does not answer the request ({said}): it is asked again later.")
    if feed.tag != f"{_ATOM}feed" or reply.status == 400:
        raise SourceError(f"{host} answered with something that is no list of papers: it is asked again later.")
    total = text(feed, _TOTAL)
    found = [_read(entry, scope, source) for entry in entries]
    return Answer(
        total=int(total) if total.isdecimal() and len(total) < 10 else len(entries),
        received=len(entries),
        sightings=tuple(each for each in found if each is not None),
        rejected=tuple(
            Rejected(line=number, reason="the paper has no id or no title")
            for number, each in enumerate(found, start=1)
            if each is None
        ),
    )


def _is_error(entry: Any) -> bool:
    return text(entry, f"{_ATOM}title") == "Error" and arxiv_id(text(entry, f"{_ATOM}id")) is None


def _read(entry: Any, scope: Collection[str] | None, source: str) -> Sighting | None:
    named, title = arxiv_id(text(entry, f"{_ATOM}id")), text(entry, f"{_ATOM}title")
    if named is None or not plain(title):
        return None
    paper, version = named
    primary = entry.find(f"{_ARXIV}primary_category")
    terms = [each.get("term", "") for each in entry.findall(f"{_ATOM}category")]
    terms = [primary.get("term", ""), *terms] if primary is not None else terms
    categories = [term for term in terms if _CATEGORY.fullmatch(term)]
    extra = {
        "comment": plain(text(entry, f"{_ARXIV}comment"), limit=500),
        "journal_ref": plain(text(entry, f"{_ARXIV}journal_ref"), limit=500),
    }
    said = Said(
        id=paper,
        title=title,
        doi=text(entry, f"{_ARXIV}doi") or None,
        abstract=text(entry, f"{_ATOM}summary"),
        authors=[text(each, f"{_ATOM}name") for each in entry.findall(f"{_ATOM}author")],
        categories=categories,
        # Also classes of the ACM and the MSC, several in one term.
        keywords=[word.strip() for term in terms if term not in categories for word in re.split("[,;]", term)],
        published_at=_instant(text(entry, f"{_ATOM}published")),
        url=f"https://arxiv.org/abs/{paper}",
        pdf_url=f"https://arxiv.org/pdf/{paper}",
        version=version,
        announce=announce_of(categories, scope) if scope else None,
        extra={name: value for name, value in extra.items() if value},
    )
    return sighting(said, source=source)


def announce_of(categories: Sequence[str], scope: Collection[str]) -> Announce:
    """How a first announcement was: as arXiv has it, new only where the primary category was asked for."""
    is_new = bool(categories) and any(covers(asked, categories[0]) for asked in scope)
    return Announce.NEW if is_new else Announce.CROSS


def _instant(written: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(written)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        return None
