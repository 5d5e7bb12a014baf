"""Follow-ups: what became of a paper after it was sent. Which a person asks for, and which have come to pass."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from notifier.errors import UsageError
from notifier.model import (
    NO_FOLLOW_UPS,
    Delivery,
    DeliveryItem,
    Entry,
    Followed,
    FollowUp,
    FollowUpKind,
    FollowUps,
    Growth,
    Point,
    Subscription,
)
from notifier.ports import Deliveries

KEPT = timedelta(days=180)
"""How long a paper is followed after it was sent: a camera-ready version can take half a year."""
OFF = "off"
_WEEK = timedelta(days=7)
_HOW = "name version, code and votes:NUMBER, divided by commas, or off"
_LARGEST_BAR = 1_000_000


def parse_follow_ups(text: str) -> FollowUps:
    """``version,code,votes:100`` in any order; ``off`` or nothing for none. Raises UsageError."""
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    if words in ([], [OFF]):
        return NO_FOLLOW_UPS
    if len({word.split(":")[0] for word in words}) < len(words):
        raise UsageError(f"Follow-ups '{text}' name one kind twice: {_HOW}.")
    votes = next((_bar(word) for word in words if word.startswith("votes")), None)
    if unknown := [word for word in words if word not in ("version", "code") and not word.startswith("votes")]:
        raise UsageError(f"'{unknown[0]}' is no follow-up: {_HOW}.")
    return FollowUps(version="version" in words, code="code" in words, votes=votes)


def _bar(word: str) -> int:
    found = re.fullmatch(r"votes:(\d{1,7})", word)
    if not found or not 1 <= int(found[1]) <= _LARGEST_BAR:
        raise UsageError(f"'{word}' names no bar of votes: write it like votes:100.")
    return int(found[1])


def format_follow_ups(wanted: FollowUps) -> str:
    """The canonical text, which ``parse_follow_ups`` reads; empty for none."""
    bar = f"votes:{wanted.votes}" if wanted.votes is not None else ""
    return ",".join(filter(None, ("version" if wanted.version else "", "code" if wanted.code else "", bar)))


def follow_ups(wanted: FollowUps, paper: Followed) -> Iterator[FollowUp]:
    """What came to pass of ``paper`` since it was sent, of that which is wanted.

    Where no source told a version when it was sent, it is taken to have been the first.
    """
    before = paper.version or 1
    if wanted.version and (paper.now_version or 1) > before:
        yield _follow_up(paper, FollowUpKind.VERSION, str(paper.now_version), before, paper.now_version)
    if wanted.code and paper.now_code_url and not paper.had_code:
        yield _follow_up(paper, FollowUpKind.CODE, paper.now_code_url)
    votes, now = paper.upvotes or 0, paper.now_upvotes or 0
    if wanted.votes is not None and votes < wanted.votes <= now:
        yield _follow_up(paper, FollowUpKind.VOTES, str(wanted.votes), votes, now)


def _follow_up(
    paper: Followed, kind: FollowUpKind, value: str, before: int | None = None, after: int | None = None
) -> FollowUp:
    return FollowUp(entry_id=paper.entry_id, kind=kind, value=value, since=paper.since, before=before, after=after)


def pending(
    subscriptions: Sequence[Subscription], deliveries: Deliveries, *, look_back: timedelta, now: datetime
) -> dict[str, tuple[FollowUp, ...]]:
    """What is to be told in the next digest of each subscription; one without any is absent.

    As with entries the look-back is looked at whole: what a slot could not tell the next one does.
    """
    wanted = {each.id: each.follow_ups for each in subscriptions if each.follow_ups}
    if not wanted:
        return {}
    planned = [each.planned_until for each in subscriptions if each.planned_until and each.id in wanted]
    since = min([*planned, now - look_back])
    followed = deliveries.followed(wanted, since=now - KEPT, changed_after=since)
    told = {
        id: tuple(one for paper in papers for one in follow_ups(wanted[id], paper)) for id, papers in followed.items()
    }
    return {id: each for id, each in told.items() if each}


def passed_over(delivery: Delivery, items: Sequence[DeliveryItem], entries: Mapping[str, Entry]) -> list[str]:
    """Ids of the entries that were news before the digest's own time: they grew since, or a rule is new."""
    found = [entries[item.entry_id] for item in items if item.entry_id in entries]
    return [entry.id for entry in found if entry.new_at and entry.new_at <= delivery.period_start]


def growth_of(entry: Entry, points: Sequence[Point], delivery: Delivery) -> Growth | None:
    """What came since the first point of the last six days, the longest in which a weekday's name is no riddle."""
    zone, today = ZoneInfo(delivery.slot.zone), delivery.slot.local
    days = [(each, each.at.astimezone(zone)) for each in points if each.upvotes is not None]
    near = [(each, at) for each, at in days if timedelta(0) < today.date() - at.date() < _WEEK]
    gained = (entry.upvotes or 0) - (near[0][0].upvotes or 0) if near else 0
    return Growth(gained=gained, since=near[0][1], today=today) if gained > 0 else None
