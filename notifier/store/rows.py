"""Between rows and nouns: how instants, lists and reasons are written down."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from notifier.followup import format_follow_ups, parse_follow_ups
from notifier.merging import PRECEDENCE
from notifier.model import (
    NO_FOLLOW_UPS,
    Address,
    Cadence,
    Entry,
    Every,
    Mode,
    Moving,
    Point,
    Quiet,
    Rule,
    Saying,
    SourceRecord,
    SourceState,
    Subscriber,
    Subscription,
)
from notifier.ports import StoredSighting

Row = sqlite3.Row
Params = Mapping[str, Any]


# json.dumps would make an encoder for each list.
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
_ENCODE_TIGHTLY = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


# Ten of an entry's instants are the one of its fetch.
@lru_cache(64)
def stamp(instant: datetime) -> str:
    """UTC text of one width, so that it sorts as text."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def stamp_or_none(instant: datetime | None) -> str | None:
    return None if instant is None else stamp(instant)


def instant_or_none(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def json_text(value: object) -> str:
    return _ENCODE(value)


def array(values: Iterable[str | int]) -> str:
    return _ENCODE(list(values))


def entry_params(entry: Entry, now: datetime) -> Params:
    return {
        "id": entry.id,
        "title": entry.title,
        "abstract": entry.abstract,
        "authors": array(entry.authors),
        "num_authors": entry.num_authors,
        "organization": entry.organization,
        "categories": array(entry.categories),
        "keywords": array(entry.keywords),
        "published_at": stamp_or_none(entry.published_at),
        "url": entry.url,
        "pdf_url": entry.pdf_url,
        "code_url": entry.code_url,
        "project_url": entry.project_url,
        "thumbnail": entry.thumbnail,
        "upvotes": entry.upvotes,
        "comments": entry.comments,
        "stars": entry.stars,
        "version": entry.version,
        "extra": entry.extra,
        "first_seen_at": stamp(entry.first_seen_at or now),
        "new_at": stamp_or_none(entry.new_at),
        "changed_at": stamp(now),
    }


def entry(row: Row) -> Entry:
    return Entry(
        id=row["id"],
        title=row["title"],
        abstract=row["abstract"],
        authors=tuple(json.loads(row["authors"])),
        num_authors=row["num_authors"],
        organization=row["organization"],
        categories=tuple(json.loads(row["categories"])),
        keywords=tuple(json.loads(row["keywords"])),
        published_at=instant_or_none(row["published_at"]),
        url=row["url"],
        pdf_url=row["pdf_url"],
        code_url=row["code_url"],
        project_url=row["project_url"],
        thumbnail=row["thumbnail"],
        upvotes=row["upvotes"],
        comments=row["comments"],
        stars=row["stars"],
        version=row["version"],
        extra=row["extra"],
        sources=tuple(json.loads(row["sources"])),
        announce=row["announce"],
        first_seen_at=instant_or_none(row["first_seen_at"]),
        new_at=instant_or_none(row["new_at"]),
    )


def sighting_params(entry_id: str, sighting: StoredSighting) -> Params:
    return {
        "id": entry_id,
        "source": sighting.source,
        "first_at": stamp(sighting.first_at),
        "last_at": stamp(sighting.last_at),
        "announce": sighting.announce,
        "is_news": sighting.is_news,
        "sayings": _ENCODE_TIGHTLY([_said(each) for each in sighting.said]),
    }


def sighting(row: Row) -> StoredSighting:
    return StoredSighting(
        source=row["source"],
        first_at=datetime.fromisoformat(row["first_at"]),
        last_at=datetime.fromisoformat(row["last_at"]),
        announce=row["announce"],
        is_news=bool(row["is_news"]),
        said=tuple(map(_saying, json.loads(row["sayings"] or "[]"))),
    )


def _said(saying: Saying) -> dict[str, Any]:
    """Only what was said: most sources leave most fields out."""
    given = {name: getattr(saying.entry, name) for name in PRECEDENCE}
    given["published_at"] = stamp_or_none(saying.entry.published_at)
    given["extra"] = None if saying.entry.extra == "{}" else saying.entry.extra
    return {"at": stamp(saying.at)} | {name: value for name, value in given.items() if value not in (None, "", ())}


def _saying(said: dict[str, Any]) -> Saying:
    at = datetime.fromisoformat(said.pop("at"))
    lists = {name: tuple(said[name]) for name in ("authors", "categories", "keywords") if name in said}
    published = {"published_at": datetime.fromisoformat(said["published_at"])} if "published_at" in said else {}
    return Saying(at=at, entry=Entry(**{"id": ""} | said | lists | published))


def point(row: Row) -> Point:
    return Point(
        at=datetime.fromisoformat(row["at"]), upvotes=row["upvotes"], comments=row["comments"], stars=row["stars"]
    )


def source_params(record: SourceRecord) -> Params:
    return {
        "name": record.name,
        "kind": record.kind,
        "url": record.url,
        "every_seconds": int(record.every.total_seconds()),
        "etag": record.state.etag,
        "last_modified": record.state.last_modified,
        "content_hash": record.state.content_hash,
        "cursor": record.state.cursor,
        "added_at": stamp(record.added_at),
        "next_fetch_at": stamp(record.next_fetch_at),
        "last_success_at": stamp_or_none(record.last_success_at),
        "last_new_at": stamp_or_none(record.last_new_at),
        "failing_since": stamp_or_none(record.failing_since),
        "failures": record.failures,
        "last_error": record.last_error,
        "missing_since": stamp_or_none(record.missing_since),
        "paused_at": stamp_or_none(record.paused_at),
        "paused_reason": record.paused_reason,
        "moving_to": record.moving.to if record.moving else None,
        "moving_since": stamp(record.moving.since) if record.moving else None,
        "moving_times": record.moving.times if record.moving else 0,
        "moved_from": record.moved_from,
    }


def source(row: Row) -> SourceRecord:
    return SourceRecord(
        name=row["name"],
        kind=row["kind"],
        url=row["url"],
        every=timedelta(seconds=row["every_seconds"]),
        state=SourceState(
            etag=row["etag"],
            last_modified=row["last_modified"],
            content_hash=row["content_hash"],
            cursor=row["cursor"],
        ),
        added_at=datetime.fromisoformat(row["added_at"]),
        next_fetch_at=datetime.fromisoformat(row["next_fetch_at"]),
        last_success_at=instant_or_none(row["last_success_at"]),
        last_new_at=instant_or_none(row["last_new_at"]),
        failing_since=instant_or_none(row["failing_since"]),
        failures=row["failures"],
        last_error=row["last_error"],
        missing_since=instant_or_none(row["missing_since"]),
        paused_at=instant_or_none(row["paused_at"]),
        paused_reason=row["paused_reason"],
        moving=_moving(row),
        moved_from=row["moved_from"],
    )


def _moving(row: Row) -> Moving | None:
    if row["moving_to"] is None:
        return None
    return Moving(to=row["moving_to"], since=datetime.fromisoformat(row["moving_since"]), times=row["moving_times"])


def subscriber(row: Row) -> Subscriber:
    return Subscriber(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        timezone=row["timezone"],
        language=row["language"],
        created_at=datetime.fromisoformat(row["created_at"]),
    )


def subscription_params(subscription: Subscription) -> Params:
    return {
        "id": subscription.id,
        "subscriber": subscription.subscriber.id,
        "channel": subscription.address.kind,
        "target": subscription.address.target,
        "every": str(subscription.cadence.every),
        "at": subscription.cadence.at.isoformat("minutes"),
        "days": json.dumps(sorted(subscription.cadence.days)),
        "quiet": _quiet_text(subscription.cadence.quiet),
        "weekends": subscription.cadence.weekends,
        "max_entries": subscription.max_entries,
        "send_empty": subscription.send_empty,
        "follow_ups": format_follow_ups(subscription.follow_ups),
        "created_at": stamp(subscription.created_at),
        "paused": subscription.paused,
        "paused_until": stamp_or_none(subscription.paused_until),
        "stopped_reason": subscription.stopped_reason,
        "next_due_at": stamp(subscription.next_due_at),
        "planned_until": stamp_or_none(subscription.planned_until),
        "last_slot": subscription.last_slot,
        "last_checked": subscription.last_checked,
    }


def subscription(row: Row) -> Subscription:
    return Subscription(
        id=row["id"],
        subscriber=Subscriber(
            id=row["p_id"],
            email=row["email"],
            name=row["name"],
            timezone=row["timezone"],
            language=row["language"],
            created_at=datetime.fromisoformat(row["p_created_at"]),
        ),
        address=Address(kind=row["channel"], target=row["target"]),
        cadence=_cadence(row["every"], row["at"], row["days"], row["quiet"], row["weekends"]),
        max_entries=row["max_entries"],
        send_empty=bool(row["send_empty"]),
        follow_ups=parse_follow_ups(row["follow_ups"]) if row["follow_ups"] else NO_FOLLOW_UPS,
        created_at=datetime.fromisoformat(row["created_at"]),
        paused=bool(row["paused"]),
        paused_until=instant_or_none(row["paused_until"]),
        stopped_reason=row["stopped_reason"],
        next_due_at=datetime.fromisoformat(row["next_due_at"]),
        planned_until=instant_or_none(row["planned_until"]),
        last_slot=row["last_slot"],
        last_checked=row["last_checked"],
    )


@lru_cache(maxsize=2**12)
def _cadence(every: str, at: str, days: str, quiet: str | None, weekends: int) -> Cadence:
    return Cadence(
        every=Every(every),
        at=time.fromisoformat(at),
        days=frozenset(json.loads(days)),
        quiet=Quiet(start=time.fromisoformat(quiet[:5]), end=time.fromisoformat(quiet[6:])) if quiet else None,
        weekends=bool(weekends),
    )


def _quiet_text(quiet: Quiet | None) -> str | None:
    return f"{quiet.start:%H:%M}-{quiet.end:%H:%M}" if quiet else None


def rule_params(rule: Rule) -> Params:
    return {
        "id": rule.id,
        "subscription": rule.subscription_id,
        "query": rule.query,
        "label": rule.label,
        "mode": str(rule.mode),
        "until": stamp_or_none(rule.until),
        "version": rule.version,
        "broken": rule.broken,
        "created_at": stamp(rule.created_at),
    }


def rule(row: Row) -> Rule:
    return Rule(
        id=row["id"],
        subscription_id=row["s_id"],
        query=row["query"],
        label=row["label"],
        mode=Mode(row["mode"]),
        until=instant_or_none(row["until"]),
        version=row["version"],
        broken=row["broken"],
        created_at=datetime.fromisoformat(row["created_at"]),
    )


def rule_text(rule: Rule) -> str:
    """A rule's state in its history: a JSON object of what a person can change."""
    return json.dumps(
        {
            "query": rule.query,
            "label": rule.label,
            "mode": rule.mode,
            "until": stamp_or_none(rule.until),
            "broken": rule.broken,
        },
        ensure_ascii=False,
    )
