"""What the owner of a subscription is told by mail when nothing arrives at its channel any more. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from notifier.model import Letter, LetterKind, Subscription

_WORTH_TELLING = timedelta(days=14)


def farewell(subscription: Subscription, *, id: str, reason: str, at: datetime) -> list[Letter]:
    """To who owns ``subscription``; none where that is a channel, which has no mail. One letter for each ``id``."""
    owner = subscription.subscriber
    if owner.is_team:
        return []
    letter = Letter(
        id=id,
        to=owner.email,
        kind=LetterKind.CHANNEL_GONE,
        language=owner.language,
        values=(
            ("channel", str(subscription.address)),
            ("reason", reason),
            ("subscription", subscription.id),
            ("timezone", owner.timezone),
        ),
        created_at=at,
        expires_at=at + _WORTH_TELLING,
    )
    return [letter]
