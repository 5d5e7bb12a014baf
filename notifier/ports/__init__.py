"""The seams. Each is one or two methods, but for the store, which is cut by aggregate and speaks in batches.

Network is async; the store is sync and belongs to the thread that opened it.
"""

from notifier.ports.access import Members, Sessions, Tickets
from notifier.ports.api import Answers, ApiTokens, Operations
from notifier.ports.deliveries import Deliveries
from notifier.ports.figures import DayCount, Figures
from notifier.ports.letters import Letters
from notifier.ports.outside import (
    LONGEST_MAIL,
    Archive,
    Channel,
    LetterWriter,
    LooksUp,
    Mailbox,
    Renderer,
    Source,
    Turn,
)
from notifier.ports.papers import Entries, Gaps, Order, Services, SightedEntry, Sources, StoredSighting, Titled
from notifier.ports.people import Bounces, Feeds, RuleChange, Rules, Subscribers, Subscriptions
from notifier.ports.slack import SlackInbox, SlackPlaces
from notifier.ports.store import InStore, Store, T

__all__ = [
    "LONGEST_MAIL",
    "Answers",
    "ApiTokens",
    "Archive",
    "Bounces",
    "Channel",
    "DayCount",
    "Deliveries",
    "Entries",
    "Feeds",
    "Figures",
    "Gaps",
    "InStore",
    "LetterWriter",
    "Letters",
    "LooksUp",
    "Mailbox",
    "Members",
    "Operations",
    "Order",
    "Renderer",
    "RuleChange",
    "Rules",
    "Services",
    "Sessions",
    "SightedEntry",
    "SlackInbox",
    "SlackPlaces",
    "Source",
    "Sources",
    "Store",
    "StoredSighting",
    "Subscribers",
    "Subscriptions",
    "T",
    "Tickets",
    "Titled",
    "Turn",
]
