"""Points in time as callers write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema


def _instant(text: object) -> object:
    """pydantic itself would take a number for seconds since 1970."""
    if not isinstance(text, str):
        return text
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("write it like 2025-12-16 or 2025-12-16T08:00:00+01:00") from None


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema(
        {
            "type": "string",
            "description": "A date or a time (ISO 8601); without a zone it is UTC.",
            "examples": ["2025-12-16", "2025-12-16T08:00:00+01:00"],
        }
    ),
]
