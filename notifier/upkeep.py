"""How a source is kept: when it is asked again, when a new address is believed, when it is given up. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b

from notifier.errors import SourceError
from notifier.model import Moving, SourceRecord

_FIRST_RETRY = timedelta(minutes=5)
_JITTER = 0.2
_MISSING = timedelta(days=3)
"""How long a server may say 404 before it is believed: shorter is a deployment or a mistake."""
_MOVE_TIME, _MOVE_TIMES = timedelta(days=3), 3
"""A lasting redirect (301, 308) is often a login page or a parked domain of one afternoon."""


def wait_after(record: SourceRecord, error: SourceError) -> timedelta:
    """Back off from 5 minutes, doubling, up to the source's own interval; what the server asks for is kept.

    Up to a fifth is added, so that sources that failed together do not come back together; it follows from the
    source's name and its failures, and is the same each time it is asked for.
    """
    backoff = min(_FIRST_RETRY * (1 << min(record.failures, 10)), max(record.every, _FIRST_RETRY))
    return max(error.retry_after or backoff, backoff) * (1 + _JITTER * _share(f"{record.name}:{record.failures}"))


def _share(text: str) -> float:
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=4).digest()) / 2**32


def pause(record: SourceRecord, now: datetime, reason: str | None = None) -> SourceRecord:
    return record if record.paused_at else replace(record, paused_at=now, paused_reason=reason)


def resume(record: SourceRecord, now: datetime) -> SourceRecord:
    """Read it again from now on, with a clean slate; ``last_error`` stays until it answers."""
    return replace(
        record,
        paused_at=None,
        paused_reason=None,
        missing_since=None,
        failing_since=None,
        failures=0,
        next_fetch_at=now,
    )


def given_up(record: SourceRecord, error: SourceError, now: datetime) -> SourceRecord:
    """``record`` after ``error``: paused where its address is gone, or has been missing for three days."""
    if error.gone:
        return pause(record, now, str(error))
    if not error.missing:
        return replace(record, missing_since=None)
    since = record.missing_since or now
    if now - since < _MISSING:
        return replace(record, missing_since=since)
    return pause(replace(record, missing_since=since), now, f"Missing since {since:%Y-%m-%d}. {error}")


def moved(record: SourceRecord, to: str | None, now: datetime) -> SourceRecord:
    """``record`` after an answer that came from ``to``: with a new address once the move has lasted."""
    if to is None or to == record.url or _is_downgrade(record.url, to):
        return replace(record, moving=None)
    if record.moving is None or record.moving.to != to:
        return replace(record, moving=Moving(to=to, since=now))
    moving = replace(record.moving, times=record.moving.times + 1)
    if moving.times < _MOVE_TIMES or now - moving.since < _MOVE_TIME:
        return replace(record, moving=moving)
    return replace(record, url=to, moved_from=record.url, moving=None)


def _is_downgrade(before: str, after: str) -> bool:
    return before.lower().startswith("https:") and not after.lower().startswith("https:")
