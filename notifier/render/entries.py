"""An entry as a reader sees it: who, what, why, and the cut of the abstract. Pure but for the catalogue's words."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from notifier.model import DigestItem, Entry, Evidence, Growth, Reason
from notifier.render.catalog import SHORT_DATE, SHORT_DATE_WITH_YEAR, Catalog, message
from notifier.render.excerpt import Piece, excerpt
from notifier.render.tex import readable
from notifier.render.text import plain, same_length, web_url
from notifier.render.view import Because, EntryView, Fact, Link

SHOWN_AUTHORS = 3
SHOWN_CATEGORIES = 3
SHOWN_REASONS = 2
SHOWN_WORDS = 4
SHOWN_IN_ALL = 4
SUMMARY = 300

_PARTICLES = frozenset(
    "van von der den de di da du del della dos la le el al bin ibn ter ten zu".split()  # noqa: SIM905
)
_SUFFIXES = frozenset({"jr", "jr.", "sr", "sr.", "ii", "iii", "iv"})
_FIELDS = {
    "title": message("%(words)s in the title"),
    "abstract": message("%(words)s in the abstract"),
    "authors": message("%(words)s among the authors"),
    "organization": message("%(words)s as organisation"),
    "categories": message("category %(words)s"),
    "keywords": message("keyword %(words)s"),
}
_NAMED_WHOLE = frozenset({"authors", "categories", "keywords"})
"""Fields of several values: evidence names the value, without a place in a text."""


def entry_view(item: DigestItem, catalog: Catalog, *, year: int, limit: int, summaries: bool) -> EntryView:
    """``limit`` is the length of the excerpt in characters; dates of ``year`` are written without it.

    ``summaries`` says whether a summary that a machine wrote is shown.
    """
    entry = item.entry
    reasons = item.reasons[:SHOWN_REASONS]
    others = len(item.reasons) - len(reasons)
    return EntryView(
        title=title(entry, catalog),
        url=web_url(entry.url) or web_url(entry.pdf_url),
        facts=(*_facts(item, catalog, year), *([_late(catalog)] if item.late else [])),
        because=tuple(_because(each, catalog) for each in reasons),
        other_rules=catalog.count("and %(num)s other rule", "and %(num)s other rules", others) if others else "",
        excerpt=_excerpt(item, limit),
        summary=_summary(entry) if summaries else "",
        links=tuple(_links(entry, catalog)),
    )


def title(entry: Entry, catalog: Catalog, limit: int = 300) -> str:
    return plain(readable(plain(entry.title, 600))[0], limit) or catalog.say("Untitled")


def _facts(item: DigestItem, catalog: Catalog, year: int) -> list[Fact]:
    entry, published = item.entry, item.entry.published_at
    # A publication date is the source's day, not an instant in the reader's: it is never moved into their zone.
    day = published.astimezone(UTC) if published else None
    texts = [
        _people(entry, catalog),
        ", ".join(plain(each, 40) for each in dict.fromkeys(entry.categories[:SHOWN_CATEGORIES])),
        _date(day, catalog, year) if day else "",
    ]
    facts = [Fact(text=text) for text in texts if text]
    if entry.upvotes:
        facts.append(votes(entry.upvotes, item.growth, catalog))
    if entry.comments:
        comments = catalog.count("%(num)s comment", "%(num)s comments", entry.comments)
        facts.append(Fact(text=comments.replace(" ", "\u00a0")))
    return facts


def _date(day: datetime, catalog: Catalog, year: int) -> str:
    """On one line, as narrow as it may be."""
    return catalog.date(day, SHORT_DATE if day.year == year else SHORT_DATE_WITH_YEAR).replace(" ", "\u00a0")


def _late(catalog: Catalog) -> Fact:
    return Fact(text=catalog.say("late"))


def votes(number: int, growth: Growth | None, catalog: Catalog) -> Fact:
    """``▲ 155``, or ``▲ 155 (+120 since Monday)`` of a paper that comes again or late."""
    shown = f"▲\u00a0{catalog.number(number)}"
    spoken = catalog.count("%(num)s vote", "%(num)s votes", number)
    if growth is None or growth.gained <= 0:
        return Fact(text=shown, spoken=spoken)
    since = catalog.say(
        "+%(votes)s since %(when)s",
        votes=catalog.number(growth.gained),
        when=catalog.when(growth.since, growth.today),
    )
    return Fact(text=f"{shown} ({since})", spoken=f"{spoken} ({since})")


def _people(entry: Entry, catalog: Catalog) -> str:
    if entry.organization and (name := plain(entry.organization, 80)):
        return name
    names = [name for name in (plain(readable(each)[0], 60) for each in entry.authors[: SHOWN_AUTHORS + 1]) if name]
    total = max(entry.author_count or 0, len(names))
    if not names:
        return catalog.count("%(num)s author", "%(num)s authors", total) if total else ""
    if total <= 2:
        return catalog.joined(names[:total])
    if total <= len(names):
        return catalog.joined([surname(each) for each in names])
    shown = ", ".join(surname(each) for each in names[:SHOWN_AUTHORS])
    left = total - min(SHOWN_AUTHORS, len(names))
    return catalog.count("%(names)s and %(num)s more", "%(names)s and %(num)s more", left, names=shown)


def surname(name: str) -> str:
    """``van der Berg`` of ``Ada van der Berg``; the part before the comma of ``Berg, Ada``; a single word as it is."""
    if "," in name and name.split(",")[1].strip().lower() not in _SUFFIXES:
        return name.split(",")[0].strip()
    words = name.replace(",", "").split()
    while len(words) > 1 and words[-1].lower() in _SUFFIXES:
        words.pop()
    start = len(words) - 1
    while start > 1 and words[start - 1].lower() in _PARTICLES:
        start -= 1
    return " ".join(words[start:])


def _because(reason: Reason, catalog: Catalog) -> Because:
    """The few most telling words: a topic can match by dozens, and what it excludes tells a reader nothing."""
    positive = tuple(each for each in reason.evidence if each.field) or reason.evidence
    named: list[str] = []
    parts: list[str] = []
    for field, words in _by_field(positive).items():
        fresh = _telling(words, named)[: min(SHOWN_WORDS, SHOWN_IN_ALL - len(named))]
        named += fresh
        if fresh:
            parts.append(catalog.say(_FIELDS.get(field, "%(words)s"), words=catalog.joined(fresh)))
    label = catalog.say("“%(label)s”", label=plain(reason.label or reason.query, 60))
    return Because(label=label, evidence="; ".join(parts))


def _telling(words: list[str], named: list[str]) -> list[str]:
    """Those not said by a longer one: beside “four-legged robot”, “robot” adds nothing."""
    folded = [word.casefold() for word in (*named, *words)]
    return [word for word in words if sum(word.casefold() in other for other in folded) == 1]


def _by_field(evidence: tuple[Evidence, ...]) -> dict[str, list[str]]:
    """The words found in each field, as they stand there; what has no place says itself, under no field."""
    found: dict[str, list[str]] = {}
    for each in evidence:
        field = each.field if each.spans or each.field in _NAMED_WHOLE else ""
        text = plain(readable(plain(each.text, 80))[0], 60)
        words = found.setdefault(field, [])
        if text and text.casefold() not in (word.casefold() for word in words):
            words.append(text)
    return found


def _excerpt(item: DigestItem, limit: int) -> tuple[Piece, ...]:
    spans = tuple(
        span for reason in item.reasons for each in reason.evidence if each.field == "abstract" for span in each.spans
    )
    # Bounded before anything looks at it: longer than every abstract, short enough to cost nothing.
    text, moved = readable(same_length(item.entry.abstract[:20_000]), spans)
    return excerpt(text, moved, limit=limit)


def _summary(entry: Entry) -> str:
    said = json.loads(entry.extra).get("ai_summary")
    return plain(readable(plain(said, 600))[0], SUMMARY) if isinstance(said, str) else ""


def _links(entry: Entry, catalog: Catalog) -> list[Link]:
    named = [
        (message("Paper"), entry.url),
        (message("PDF"), entry.pdf_url),
        (message("Code"), entry.code_url),
        (message("Project"), entry.project_url),
    ]
    return [Link(text=catalog.say(text), url=address) for text, url in named if (address := web_url(url))]
