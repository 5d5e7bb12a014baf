"""What the owner of a subscription is told by mail when nothing arrives at its channel any more. Pure."""

from __future__ import annotations

from datetime import timedelta

from notifier.model import Letter, LetterKind, Outcome, Subscription

_WORTH_TELLING = timedelta(days=14)


def farewell(subscription: Subscription, outcome: Outcome) -> Letter:
    """One letter for each delivery that could stop ``subscription``, whoever records its ``outcome`` how often."""
    owner = subscription.subscriber
    return Letter(
        id=f"l_{outcome.delivery_id.removeprefix('d_')}",
        to=owner.email,
        kind=LetterKind.CHANNEL_GONE,
        language=owner.language,
        values=(
            ("channel", str(subscription.address)),
            ("reason", outcome.reason or ""),
            ("subscription", subscription.id),
            ("timezone", owner.timezone),
        ),
        created_at=outcome.at,
        expires_at=outcome.at + _WORTH_TELLING,
    )
