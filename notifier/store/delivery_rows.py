"""Deliveries and what belongs to them, as rows and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from notifier.consent import nothing_goes_there
from notifier.delivery import Standing
from notifier.errors import Cause
from notifier.model import (
    Attempt,
    Delivery,
    DeliveryItem,
    DeliveryState,
    Followed,
    FollowUp,
    FollowUpKind,
    Message,
    Reason,
    Sending,
    Slot,
)
from notifier.store import rows


def sending_params(sending: Sending) -> rows.Params:
    """What the record of every message on its way has."""
    return {
        "id": sending.id,
        "state": str(sending.state),
        "created_at": rows.stamp(sending.created_at),
        "attempts": sending.attempts,
        "next_attempt_at": rows.stamp(sending.next_attempt_at),
        "lease_until": rows.stamp_or_none(sending.lease_until),
        "fence": sending.fence,
        "reason": sending.reason,
        "cause": sending.cause,
        "failing_since": rows.stamp_or_none(sending.failing_since),
        "unknowns": sending.unknowns,
        "sent_at": rows.stamp_or_none(sending.sent_at),
        "accepted": rows.array(sending.accepted),
    }


def sending(row: rows.Row) -> dict[str, Any]:
    """The fields of ``Sending``."""
    return {
        "id": row["id"],
        "state": DeliveryState(row["state"]),
        "created_at": datetime.fromisoformat(row["created_at"]),
        "attempts": row["attempts"],
        "next_attempt_at": datetime.fromisoformat(row["next_attempt_at"]),
        "lease_until": rows.instant_or_none(row["lease_until"]),
        "fence": row["fence"],
        "reason": row["reason"],
        "cause": Cause(row["cause"]) if row["cause"] else None,
        "failing_since": rows.instant_or_none(row["failing_since"]),
        "unknowns": row["unknowns"],
        "sent_at": rows.instant_or_none(row["sent_at"]),
        "accepted": tuple(json.loads(row["accepted"])),
    }


def move_params(before: Sending, after: Sending) -> rows.Params:
    """Compare and set: ``after`` where the row is still as ``before``."""
    return {**sending_params(after), "was_state": str(before.state), "was_fence": before.fence}


def delivery_params(delivery: Delivery) -> rows.Params:
    return {
        **sending_params(delivery),
        "subscription": delivery.subscription_id,
        "slot": delivery.slot.key,
        "due_at": rows.stamp(delivery.slot.due_at),
        "zone": delivery.slot.zone,
        "period_start": rows.stamp(delivery.period_start),
        "period_end": rows.stamp(delivery.period_end),
        "checked": delivery.checked,
        "late": delivery.late,
    }


def delivery(row: rows.Row) -> Delivery:
    return Delivery(
        **sending(row),
        subscription_id=row["s_id"],
        slot=Slot(key=row["slot"], due_at=datetime.fromisoformat(row["due_at"]), zone=row["zone"]),
        period_start=datetime.fromisoformat(row["period_start"]),
        period_end=datetime.fromisoformat(row["period_end"]),
        checked=row["checked"],
        late=bool(row["late"]),
    )


def standing(row: rows.Row) -> Standing:
    why = row["suppressed"]
    return Standing(
        unwanted=bool(row["unwanted"]),
        begun=bool(row["begun"]),
        obstacle=nothing_goes_there(why) if why else None,
    )


def attempt(row: rows.Row) -> Attempt:
    return Attempt(
        fence=row["fence"],
        began_at=datetime.fromisoformat(row["began_at"]),
        ended_at=rows.instant_or_none(row["ended_at"]),
        state=DeliveryState(row["state"]) if row["state"] else None,
        unknown=bool(row["unknown"]),
        reason=row["reason"],
    )


@lru_cache(maxsize=2**12)
def reasons_text(reasons: tuple[Reason, ...]) -> str:
    """Reasons as JSON, without their evidence: ``[[rule, label, query, version], …]``."""
    return json.dumps([[r.rule_id, r.label, r.query, r.version] for r in reasons], ensure_ascii=False)


@lru_cache(maxsize=2**12)
def reasons(text: str) -> tuple[Reason, ...]:
    return tuple(
        Reason(rule_id=rule_id, label=label, query=query, version=version)
        for rule_id, label, query, version in json.loads(text)
    )


def message(row: rows.Row, parts: Iterable[bytes]) -> Message:
    return Message(
        delivery_id=row["id"],
        format=row["format"],
        subject=row["subject"],
        target=row["target"],
        sender=row["sender"],
        parts=tuple(parts),
        accepted=tuple(json.loads(row["accepted"])),
        created_at=datetime.fromisoformat(row["created_at"]),
    )


def item(row: rows.Row) -> DeliveryItem:
    return DeliveryItem(
        entry_id=row["entry"], rank=row["rank"], shown=bool(row["shown"]), reasons=reasons(row["reasons"])
    )


def followed(row: rows.Row) -> Followed:
    return Followed(
        subscription_id=row["s_id"],
        entry_id=row["entry_id"],
        since=datetime.fromisoformat(row["since"]),
        version=row["version"],
        had_code=bool(row["has_code"]),
        upvotes=row["upvotes"],
        now_version=row["now_version"],
        now_code_url=row["now_code_url"],
        now_upvotes=row["now_upvotes"],
    )


def follow_up_params(delivery_id: str, each: FollowUp) -> rows.Params:
    return {
        "delivery": delivery_id,
        "entry": each.entry_id,
        "kind": str(each.kind),
        "value": each.value,
        "since": rows.stamp(each.since),
        "before": each.before,
        "after": each.after,
    }


def follow_up(row: rows.Row) -> FollowUp:
    return FollowUp(
        entry_id=row["entry_id"],
        kind=FollowUpKind(row["kind"]),
        value=row["value"],
        since=datetime.fromisoformat(row["since"]),
        before=row["before"],
        after=row["after"],
    )
