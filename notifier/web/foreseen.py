"""A digest on a page, as it will be or was; and the zones to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from notifier.model import Digest
from notifier.render import Catalog, DigestView, EntryView, Links, digest_view, entry_view

_EXCERPT = 420


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestShown:
    view: DigestView
    entries: tuple[EntryView, ...]


def digest_shown(digest: Digest, words: Catalog, links: Links, *, summaries: bool = False) -> DigestShown:
    year = digest.slot.local.year
    return DigestShown(
        view=digest_view(digest, words, links),
        entries=tuple(entry_view(item, words, year=year, limit=_EXCERPT, summaries=summaries) for item in digest.items),
    )


@cache
def zones() -> tuple[str, ...]:
    """IANA zones as people know them: by a place, and UTC."""
    regions = (
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    )
    return ("UTC", *sorted(name for name in available_timezones() if name.partition("/")[0] in regions))
