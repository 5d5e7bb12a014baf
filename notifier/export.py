"""All that is kept of a person, as one document to take along: JSON or YAML."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import yaml

from notifier.errors import NotFound
from notifier.followup import format_follow_ups
from notifier.lookup import subscriber_of
from notifier.model import Delivery, Rule, Session, Subscription
from notifier.ports import RuleChange, Store

FORMATS = ("json", "yaml")
_PAGE = 500


def export(store: Store, email: str, format: str, *, now: datetime) -> str:
    """``format`` is ``json`` or ``yaml``; instants are ISO 8601 in UTC. Raises NotFound for another format."""
    if format not in FORMATS:
        raise NotFound(f"There is no export as '{format}': choose {' or '.join(FORMATS)}.")
    person = subscriber_of(store, email)
    whole = {
        "email": person.email,
        "name": person.name,
        "timezone": person.timezone,
        "language": person.language,
        "since": _instant(person.created_at),
        "sessions": [_session(each) for each in store.sessions.of(email, now=now)],
        "subscriptions": [_subscription(store, each) for each in store.subscriptions.all(email)],
        "shared_with_me": [each.id for each in store.members.subscriptions(email)],
    }
    if format == "json":
        return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"
    return yaml.safe_dump(whole, allow_unicode=True, sort_keys=False, width=120)


def _subscription(store: Store, each: Subscription) -> dict[str, Any]:
    cadence = each.cadence
    return {
        "id": each.id,
        "channel": str(each.address),
        "every": str(cadence.every),
        "at": f"{cadence.at:%H:%M}",
        "days": sorted(cadence.days),
        "quiet": f"{cadence.quiet.start:%H:%M}-{cadence.quiet.end:%H:%M}" if cadence.quiet else None,
        "weekends": cadence.weekends,
        "max": each.max_entries,
        "empty": each.send_empty,
        "follow_ups": format_follow_ups(each.follow_ups),
        "paused": each.paused,
        "paused_until": _instant(each.paused_until),
        "since": _instant(each.created_at),
        "shared_with": [member.email for member in store.members.of(each.id)],
        "rules": [_rule(rule) for rule in store.rules.of([each.id]).get(each.id, ())],
        "rule_history": [_change(change) for change in store.rules.history(each.id)],
        "digests": list(_digests(store, each.id)),
    }


def _digests(store: Store, subscription_id: str) -> Iterator[dict[str, Any]]:
    after: str | None = None
    while True:
        page = store.deliveries.all(subscription_id=subscription_id, after=after, limit=_PAGE)
        if not page:
            return
        contents = store.deliveries.contents(each.id for each in page)
        papers = {item.entry_id for each in contents.values() for item in each.items}
        titles = {id: entry.title for id, entry in store.entries.get(papers).items()}
        for each in page:
            items = contents[each.id].items if each.id in contents else ()
            yield _digest(each, [{"id": item.entry_id, "title": titles.get(item.entry_id, "")} for item in items])
        after = page[-1].id


def _digest(each: Delivery, papers: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "id": each.id,
        "slot": str(each.slot),
        "state": str(each.state),
        "sent_at": _instant(each.sent_at),
        "papers": papers,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "query": rule.query,
        "label": rule.label,
        "mode": str(rule.mode),
        "until": _instant(rule.until),
        "since": _instant(rule.created_at),
    }


def _change(change: RuleChange) -> dict[str, Any]:
    return {
        "rule": change.rule_id,
        "at": _instant(change.at),
        "by": change.actor,
        "via": change.via,
        "before": change.before,
        "after": change.after,
    }


def _session(session: Session) -> dict[str, Any]:
    return {
        "browser": session.browser,
        "since": _instant(session.created_at),
        "until": _instant(session.expires_at),
    }


def _instant(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="seconds") if instant else None
