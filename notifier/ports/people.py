"""What the store keeps of people, their subscriptions and rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from notifier.model import Bounce, Rule, Subscriber, Subscription, Suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """One line of a rule's history; ``before`` and ``after`` are None at its two ends."""

    rule_id: str
    at: datetime
    actor: str
    via: str
    before: str | None
    after: str | None


class Bounces(Protocol):
    """Addresses in lower case."""

    def note(self, bounce: Bounce) -> None:
        """Of one delivery each kind is kept once."""
        ...

    def of(self, address: str, *, since: datetime) -> list[Bounce]: ...

    def newest(self, *, limit: int = 100) -> list[Bounce]: ...

    def suppress(self, suppression: Suppression) -> None:
        """As ``consent`` says: the first reason stays, but where its owner was asked meanwhile."""
        ...

    def put(self, suppression: Suppression) -> None:
        """Write it as it is."""
        ...

    def get(self, address: str) -> Suppression | None: ...

    def asked(self, question_id: str) -> Suppression | None:
        """The address that this question was asked of last."""
        ...

    def release(self, address: str) -> bool:
        """With all that is noted of it; whether it was suppressed."""
        ...

    def suppressed(self) -> list[Suppression]: ...

    def address_of(self, delivery_id: str) -> str | None:
        """Where a delivery by mail, or a letter, went."""
        ...


class Signing(Protocol):
    """The secrets that webhooks are signed with; of each subscription's the newest comes first."""

    def put(self, subscription_id: str, secret: str, *, now: datetime, old_until: datetime) -> None:
        """The one that signs from now on; what signed before signs along until ``old_until``."""
        ...

    def of(self, subscription_id: str, *, now: datetime) -> list[str]: ...

    def of_delivery(self, delivery_id: str, *, now: datetime) -> list[str]: ...


class Subscribers(Protocol):
    def add(self, subscriber: Subscriber) -> None: ...

    def put(self, subscriber: Subscriber) -> None:
        """Change one that is there; the email stays."""
        ...

    def get(self, email: str) -> Subscriber | None: ...

    def all(self) -> list[Subscriber]: ...

    def page(self, *, text: str = "", after: str = "", limit: int) -> list[Subscriber]:
        """By email, from behind ``after`` on; with ``text``, those in whose email or name it stands."""
        ...

    def subscriptions_of(self, ids: Iterable[str]) -> dict[str, int]:
        """How many subscriptions each made; one without any is absent."""
        ...

    def remove(self, email: str) -> bool:
        """Forget the person with everything that is theirs."""
        ...


class Subscriptions(Protocol):
    def get(self, ids: Iterable[str]) -> dict[str, Subscription]: ...

    def all(self, email: str | None = None) -> list[Subscription]: ...

    def page(self, *, after: str = "", limit: int) -> list[Subscription]:
        """Everybody's in the order of their ids, from behind ``after`` on."""
        ...

    def addressed(self, kind: str, targets: Iterable[str]) -> list[Subscription]:
        """Those that go to any of ``targets``, oldest first."""
        ...

    def due(self, now: datetime, *, limit: int) -> list[Subscription]:
        """Those whose slot has come and which are not paused, longest due first."""
        ...

    def put(self, subscription: Subscription) -> None:
        """Add it, or change what a person can change of it; what planning wrote stays."""
        ...

    def remove(self, id: str) -> bool: ...


class Rules(Protocol):
    def put(self, changed: Sequence[Rule], *, actor: str, via: str, now: datetime) -> None:
        """Add or change rules, each with a line of history that says who, and through what."""
        ...

    def get(self, id: str) -> Rule | None: ...

    def of(self, subscription_ids: Iterable[str]) -> dict[str, list[Rule]]:
        """The rules of each subscription in its owner's order, else that of creation; one without any is absent."""
        ...

    def arrange(self, ids: Sequence[str]) -> None:
        """Give the rules of one subscription their order; one that is added later comes last."""
        ...

    def queries(self) -> list[str]:
        """Each different query there is, once."""
        ...

    def naming_categories(self) -> list[str]:
        """Each different query of a rule that includes and may name a category, itself or through a topic."""
        ...

    def remove(self, id: str, *, actor: str, via: str, now: datetime) -> bool: ...

    def history(self, subscription_id: str) -> list[RuleChange]: ...


class Feeds(Protocol):
    """The secret addresses under which subscriptions can be read as feeds."""

    def secret(self, subscription_id: str) -> str | None:
        """None where there is no feed."""
        ...

    def subscription(self, secret: str) -> str | None: ...

    def put(self, subscription_id: str, secret: str, *, now: datetime) -> None:
        """Another secret takes the place of the first."""
        ...

    def remove(self, subscription_id: str) -> bool: ...
