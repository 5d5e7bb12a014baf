"""The section "Since then": what became of papers that were sent before, a line each. One wording for every channel."""

from __future__ import annotations

from collections.abc import Sequence

from notifier.model import Digest, DigestFollowUp, FollowUp, FollowUpKind, Growth
from notifier.render.catalog import Catalog
from notifier.render.entries import title, votes
from notifier.render.text import web_url
from notifier.render.view import Fact, FollowUpView, Link

LISTED_FOLLOW_UPS = 10
_LONGEST_URL = 500
"""Ten lines of ordinary addresses keep a mail within its limit, whatever the papers are."""


def follow_up_views(digest: Digest, catalog: Catalog) -> tuple[FollowUpView, ...]:
    """One view a paper, with all that became of it."""
    papers: dict[str, list[DigestFollowUp]] = {}
    for each in digest.follow_ups:
        papers.setdefault(each.entry.id, []).append(each)
    return tuple(_view(each, digest, catalog) for each in papers.values())


def _view(told: Sequence[DigestFollowUp], digest: Digest, catalog: Catalog) -> FollowUpView:
    entry = told[0].entry
    code = next((_link(each.what.value) for each in told if each.what.kind is FollowUpKind.CODE), None)
    return FollowUpView(
        title=title(entry, catalog, 120),
        url=_link(entry.url) or _link(entry.pdf_url),
        facts=tuple(fact for each in told if (fact := _fact(each.what, digest, catalog))),
        code=Link(text=catalog.say("Code"), url=code) if code else None,
    )


def _fact(what: FollowUp, digest: Digest, catalog: Catalog) -> Fact | None:
    match what.kind:
        case FollowUpKind.VERSION:
            return Fact(text=catalog.say("version %(number)s", number=what.value))
        case FollowUpKind.VOTES:
            today = digest.slot.local
            gained = (what.after or 0) - (what.before or 0)
            return votes(
                what.after or 0, Growth(gained=gained, since=what.since.astimezone(today.tzinfo), today=today), catalog
            )
        case FollowUpKind.CODE:
            # The link says it; an address that is none is left as a word.
            return None if _link(what.value) else Fact(text=catalog.say("Code"))


def _link(url: str | None) -> str | None:
    address = web_url(url)
    return address if address and len(address) <= _LONGEST_URL else None
