"""The nouns: one frozen type per stage, Sighting → Entry → Match → Digest → Message → Receipt.

All instants are aware datetimes; what the store hands out is in UTC. Ids that people see are random
and carry a prefix (``s_`` subscription, ``r_`` rule, ``d_`` delivery), an entry's id is its identity
(``arxiv:2512.01234``, ``doi:10.1000/x``, or the id its source gave).
"""

from notifier.model.deliveries import Attempt, Delivery, DeliveryItem, DeliveryState, Outcome, Planned
from notifier.model.digests import (
    Digest,
    DigestFollowUp,
    DigestItem,
    Evidence,
    Followed,
    FollowUp,
    FollowUpKind,
    Growth,
    Message,
    Reason,
    Receipt,
)
from notifier.model.origins import (
    Fetched,
    Gap,
    GapReason,
    Health,
    Missed,
    Moving,
    News,
    Page,
    SourceHealth,
    SourceRecord,
    SourceState,
)
from notifier.model.papers import Announce, Entry, Point, Rejected, Saying, Sighting
from notifier.model.people import (
    NO_FOLLOW_UPS,
    Address,
    Cadence,
    Every,
    FollowUps,
    Mode,
    Rule,
    Slot,
    Subscriber,
    Subscription,
)

__all__ = [
    "NO_FOLLOW_UPS",
    "Address",
    "Announce",
    "Attempt",
    "Cadence",
    "Delivery",
    "DeliveryItem",
    "DeliveryState",
    "Digest",
    "DigestFollowUp",
    "DigestItem",
    "Entry",
    "Every",
    "Evidence",
    "Fetched",
    "FollowUp",
    "FollowUpKind",
    "FollowUps",
    "Followed",
    "Gap",
    "GapReason",
    "Growth",
    "Health",
    "Message",
    "Missed",
    "Mode",
    "Moving",
    "News",
    "Outcome",
    "Page",
    "Planned",
    "Point",
    "Reason",
    "Receipt",
    "Rejected",
    "Rule",
    "Saying",
    "Sighting",
    "Slot",
    "SourceHealth",
    "SourceRecord",
    "SourceState",
    "Subscriber",
    "Subscription",
]
