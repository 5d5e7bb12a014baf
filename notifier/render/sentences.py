"""What a digest says about itself: counts, dates, silence, health, why it was sent. One wording for every channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from notifier.model import Digest, Every, Health
from notifier.render.catalog import LONG_DAY, SHORT_DAY, Catalog, message
from notifier.render.entries import title
from notifier.render.followups import LISTED_FOLLOW_UPS, follow_up_views
from notifier.render.healths import health, healths, local_time, trouble, troubled
from notifier.render.links import Links
from notifier.render.text import plain, web_url
from notifier.render.view import DigestView, FooterView, Link, MoreView

SUBJECT_LABELS = 2
LISTED_MORE = 30
"""Titles that stand for "+ n more" where no page can show them."""
LISTED_WARNINGS = 5
_USUAL = timedelta(hours=26)
"""A day, and an hour of daylight saving, and slack: longer than that the period is shown above the entries."""


def digest_view(digest: Digest, catalog: Catalog, links: Links) -> DigestView:
    found = len(digest.items) + len(digest.more)
    day = _day(digest, catalog, SHORT_DAY)
    followed = follow_up_views(digest, catalog)
    others = len(followed) - LISTED_FOLLOW_UPS
    papers = _papers(digest, catalog, found)
    return DigestView(
        language=catalog.language,
        subject=" · ".join([papers, *_top_labels(digest), day]),
        heading=f"{papers} · {day}",
        preheader=_preheader(digest, catalog),
        date=_day(digest, catalog, LONG_DAY),
        found=_found(digest, catalog, found),
        period=_period(digest, catalog) if digest.late or _length(digest) > _USUAL else "",
        next=_next(digest, catalog),
        notices=tuple(_notices(digest, catalog)),
        more=_more(digest, catalog, links),
        follow_ups=followed[:LISTED_FOLLOW_UPS],
        other_follow_ups=catalog.count("and %(num)s other", "and %(num)s others", others) if others > 0 else "",
        footer=_footer(digest, catalog, links),
    )


def _papers(digest: Digest, catalog: Catalog, found: int) -> str:
    """What the digest is about, be it without papers."""
    if found:
        return catalog.count("%(num)s paper", "%(num)s papers", found)
    if told := len({each.entry.id for each in digest.follow_ups}):
        return catalog.count("%(num)s follow-up", "%(num)s follow-ups", told)
    if broken := len(digest.warnings):
        return catalog.count("%(num)s rule to be mended", "%(num)s rules to be mended", broken)
    return catalog.say("Nothing new")


def _day(digest: Digest, catalog: Catalog, pattern: str) -> str:
    local = digest.slot.local
    day = catalog.date(local, pattern)
    often = digest.subscription.cadence.every in (Every.HOURLY, Every.INSTANT)
    return f"{day}, {local:%H:%M}" if often else day


def _top_labels(digest: Digest) -> list[str]:
    """The labels that brought most, in one subject-sized text."""
    counts = Counter(
        plain(reason.label or reason.query, 40) for item in (*digest.items, *digest.more) for reason in item.reasons
    )
    top = [label for label, _ in counts.most_common(SUBJECT_LABELS) if label]
    return [", ".join(top)] if top else []


def _preheader(digest: Digest, catalog: Catalog) -> str:
    papers = [each.entry for each in (*digest.items, *digest.more)]
    papers = papers or list(dict.fromkeys(each.entry for each in digest.follow_ups))
    if not papers:
        return next(_warnings(digest, catalog), "") or next(_notices(digest, catalog), "")
    first, others = title(papers[0], catalog, 90), len(papers) - 1
    if not others:
        return first
    return catalog.count("%(title)s and %(num)s more", "%(title)s and %(num)s more", others, title=first)


def _found(digest: Digest, catalog: Catalog, found: int) -> str:
    if not digest.checked:
        return catalog.say("no new papers")
    return catalog.count(
        "%(found)s of %(num)s new paper", "%(found)s of %(num)s new papers", digest.checked, found=catalog.number(found)
    )


def _length(digest: Digest) -> timedelta:
    return digest.period_end - digest.period_start


def _period(digest: Digest, catalog: Catalog) -> str:
    start, end = local_time(digest, digest.period_start), local_time(digest, digest.period_end)
    first = f"{catalog.date(start, SHORT_DAY)} {start:%H:%M}"
    if start.date() == end.date():
        return f"{first} – {catalog.clock(end)}"
    return f"{first} – {catalog.date(end, SHORT_DAY)} {catalog.clock(end)}"


def _next(digest: Digest, catalog: Catalog) -> str:
    due = digest.subscription.next_due_at
    if digest.subscription.cadence.every is Every.INSTANT or due <= digest.slot.due_at:
        return ""
    local = local_time(digest, due)
    return catalog.say("next: %(when)s", when=f"{catalog.date(local, SHORT_DAY)} {catalog.clock(local)}")


def _notices(digest: Digest, catalog: Catalog) -> Iterator[str]:
    if not digest.items and not digest.more:
        yield _silence(digest, catalog)
    if digest.late:
        yield catalog.say(
            "Catching up: this digest stands for everything since %(when)s.", when=_since(digest, catalog)
        )
    yield from _warnings(digest, catalog)


def _warnings(digest: Digest, catalog: Catalog) -> Iterator[str]:
    for rule in digest.warnings[:LISTED_WARNINGS]:
        yield catalog.say(
            "The rule “%(rule)s” no longer parses and is left out until it is mended: %(reason)s.",
            rule=plain(rule.name, 80),
            reason=plain(rule.broken or "", 200).rstrip("."),
        )
    rest = len(digest.warnings) - LISTED_WARNINGS
    if rest > 0:
        yield catalog.count("%(num)s more rule does not parse.", "%(num)s more rules do not parse.", rest)


def _since(digest: Digest, catalog: Catalog) -> str:
    start = local_time(digest, digest.period_start)
    return f"{catalog.date(start, LONG_DAY)}, {catalog.clock(start)}"


def _silence(digest: Digest, catalog: Catalog) -> str:
    """Each silence has its sentence: nobody looked, nothing matched, nobody answered, nothing was announced."""
    if digest.blind:
        return catalog.say("No rule that includes papers can be read, so none were looked for.")
    if digest.checked:
        return catalog.count(
            "Nothing matched: %(num)s new paper, none for your rules.",
            "Nothing matched: %(num)s new papers, none for your rules.",
            digest.checked,
        )
    if troubled(digest):
        said = " ".join(trouble(digest, catalog))
        return catalog.say("%(health)s There may be new papers that could not be read.", health=said)
    silent = [each for each in digest.sources if each.health is Health.NOT_ANNOUNCED]
    if silent:
        return " ".join(health(each, digest, catalog) for each in silent)
    return catalog.say("No new papers were announced.")


def _more(digest: Digest, catalog: Catalog, links: Links) -> MoreView | None:
    if not digest.more:
        return None
    page = links.delivery(digest.delivery_id)
    listed = () if page else digest.more[:LISTED_MORE]
    rest = len(digest.more) - len(listed)
    return MoreView(
        text=catalog.count("+ %(num)s more in this digest", "+ %(num)s more in this digest", len(digest.more)),
        url=page,
        entries=tuple(
            Link(text=title(each.entry, catalog, 120), url=web_url(each.entry.url) or web_url(each.entry.pdf_url))
            for each in listed
        ),
        rest=catalog.count("and %(num)s other: %(how)s", "and %(num)s others: %(how)s", rest, how="notifier deliveries")
        if rest and not page
        else "",
    )


def _footer(digest: Digest, catalog: Catalog, links: Links) -> FooterView:
    id = digest.subscription.id
    return FooterView(
        checked=_checked(digest, catalog),
        health=tuple(healths(digest, catalog)),
        why=_why(digest, catalog),
        subscription=id,
        rules_url=links.rules(id),
        pause_url=links.pause(id),
        unsubscribe_url=links.unsubscribe(id) or links.unsubscribe_mail(id),
        rules_command=f"notifier rule list {id}",
        pause_command=f"notifier subscription pause {id}",
    )


def _checked(digest: Digest, catalog: Catalog) -> str:
    if digest.blind:
        return catalog.say("No papers were checked (%(period)s).", period=_period(digest, catalog))
    papers = catalog.count("%(num)s paper", "%(num)s papers", digest.checked)
    if not digest.sources:
        return catalog.say("%(papers)s checked (%(period)s).", papers=papers, period=_period(digest, catalog))
    return catalog.say(
        "%(papers)s checked from %(sources)s (%(period)s).",
        papers=papers,
        sources=catalog.count("%(num)s source", "%(num)s sources", len(digest.sources)),
        period=_period(digest, catalog),
    )


_CADENCES = {
    Every.INSTANT: message("You get this because %(who)s has instant alerts here (%(subscription)s)."),
    Every.HOURLY: message("You get this because %(who)s has an hourly digest here (%(subscription)s)."),
    Every.DAILY: message("You get this because %(who)s has a daily digest here (%(subscription)s)."),
    Every.WEEKLY: message("You get this because %(who)s has a weekly digest here (%(subscription)s)."),
    Every.MONTHLY: message("You get this because %(who)s has a monthly digest here (%(subscription)s)."),
}


def _why(digest: Digest, catalog: Catalog) -> str:
    subscription = digest.subscription
    return catalog.say(
        _CADENCES[subscription.cadence.every],
        who=plain(subscription.subscriber.shown, 100),
        subscription=subscription.id,
    )
