"""The store as a whole, and the thread it lives on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from notifier.ports.access import Members, Sessions, Tickets
from notifier.ports.api import Answers, ApiTokens, Operations
from notifier.ports.deliveries import Deliveries
from notifier.ports.figures import Figures
from notifier.ports.letters import Letters
from notifier.ports.papers import Entries, Gaps, Services, Sources
from notifier.ports.people import Bounces, Feeds, Rules, Signing, Subscribers, Subscriptions
from notifier.ports.slack import SlackInbox, SlackPlaces

T = TypeVar("T")


class Store(Protocol):
    """Everything that is kept. Reads may stand alone; writes happen inside ``write()``."""

    @property
    def sources(self) -> Sources: ...

    @property
    def entries(self) -> Entries: ...

    @property
    def subscribers(self) -> Subscribers: ...

    @property
    def subscriptions(self) -> Subscriptions: ...

    @property
    def rules(self) -> Rules: ...

    @property
    def deliveries(self) -> Deliveries: ...

    @property
    def bounces(self) -> Bounces: ...

    @property
    def api_tokens(self) -> ApiTokens: ...

    @property
    def answers(self) -> Answers: ...

    @property
    def operations(self) -> Operations: ...

    @property
    def signing(self) -> Signing: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def tickets(self) -> Tickets: ...

    @property
    def members(self) -> Members: ...

    @property
    def feeds(self) -> Feeds: ...

    @property
    def letters(self) -> Letters: ...

    @property
    def figures(self) -> Figures: ...

    @property
    def gaps(self) -> Gaps: ...

    @property
    def services(self) -> Services: ...

    @property
    def slack_inbox(self) -> SlackInbox: ...

    @property
    def slack(self) -> SlackPlaces: ...

    def write(self) -> AbstractContextManager[None]:
        """One transaction: everything inside, or nothing."""
        ...

    def facts(self) -> Mapping[str, int]:
        """How many rows of each noun there are, for ``doctor``."""
        ...

    def clock_set_back(self, now: datetime) -> int:
        """Make due what a clock that was ahead has put off far beyond ``now``; how many rows that were."""
        ...

    def verify(self) -> None:
        """Check the whole of it. Raises DamagedDatabase."""
        ...

    def in_words(self) -> AbstractContextManager[None]:
        """What goes wrong with the database itself in the block, reads included, is raised as a StoreError."""
        ...

    def close(self) -> None: ...


class InStore(Protocol):
    """How async steps reach the store: a piece of work, run whole on the store's own thread."""

    async def __call__(self, work: Callable[[Store], T]) -> T: ...
