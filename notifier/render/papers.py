"""A paper as the pages show it: as in a digest, with the matched words of its title marked and a page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from notifier.model import DigestItem, Entry, Evidence, Reason
from notifier.render.catalog import Catalog
from notifier.render.entries import entry_view
from notifier.render.excerpt import Piece, excerpt
from notifier.render.tex import readable
from notifier.render.text import same_length, web_url
from notifier.render.view import EntryView

CUT = 420
"""Characters of an abstract in a list: two or three sentences."""
WHOLE = 20_000
_LONGEST_TITLE = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperView:
    """``path`` leads to its page here, ``view.url`` to the paper itself."""

    id: str
    path: str
    title: tuple[Piece, ...]
    view: EntryView
    thumbnail: str | None


def paper_view(
    item: DigestItem,
    catalog: Catalog,
    *,
    year: int,
    limit: int = CUT,
    summaries: bool = False,
    thumbnails: bool = False,
) -> PaperView:
    """``limit`` is the length of the excerpt in characters; ``thumbnails`` says whether pictures may be shown."""
    view = entry_view(item, catalog, year=year, limit=limit, summaries=summaries)
    return PaperView(
        id=item.entry.id,
        path=paper_path(item.entry.id),
        title=_title(item) or (Piece(text=view.title),),
        view=view,
        thumbnail=web_url(item.entry.thumbnail) if thumbnails else None,
    )


def listed(entry: Entry, evidence: Sequence[Evidence] = ()) -> DigestItem:
    """A paper that no digest brought, with what a search found in it."""
    reason = Reason(rule_id="", label="", query="", evidence=tuple(evidence))
    return DigestItem(entry=entry, reasons=(reason,) if evidence else ())


def paper_path(id: str) -> str:
    """The path of a paper's page. Ids are what sources gave: one that a browser would rewrite stands in the query."""
    name = quote(id, safe=":/")
    parts = id.split("/")
    return f"/e?id={quote(id, safe=':')}" if {"", ".", ".."} & set(parts) else f"/e/{name}"


def _title(item: DigestItem) -> tuple[Piece, ...]:
    spans = tuple(
        span for reason in item.reasons for each in reason.evidence if each.field == "title" for span in each.spans
    )
    text, moved = readable(same_length(item.entry.title[:_LONGEST_TITLE]), spans)
    return excerpt(text.strip(), moved, limit=_LONGEST_TITLE) if text.strip() else ()
