"""The life of a delivery or a letter: which state follows which, by what, and when it is due again. Pure.

    planned ──┐                ┌─ accept ─▶ sent
              ├─ claim ─▶ claimed ─ fail ──▶ failed ─┐
    deferred ─┘                ├─ hold ───▶ held ───┤
       ▲ ▲                     └─ defer ─┐          │
       │ └───────────────────────────────┘          │
       └──────────────────── retry ─────────────────┘

What is not in this table does not happen; the store moves a delivery by these functions alone.

    event      from                                      to
    claim      planned deferred claimed                  claimed
    accept     claimed                                   sent
    defer      claimed                                   deferred
    fail       claimed                                   failed
    hold       claimed                                   held
    supersede  deferred                                  superseded
    cancel     planned deferred claimed failed held      cancelled
    retry      deferred failed held                      deferred

A claim is taken over, and a claimed delivery cancelled, only when its lease has run out. Sent, superseded
and cancelled are ends; failed and held wait for a person. An attempt counts from its claim on, and is given
back only where nothing was wrong with the delivery itself: its channel was away or stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from notifier.errors import Broken, Cause, ChannelStopped, Paced, Refused, SendError, Unknown, Unreachable
from notifier.model import Delivery, DeliveryState, Outcome, Sending

R = TypeVar("R", bound=Sending)

# A greylisting server wants five minutes or more; later tries double up to an hour.
_FIRST_RETRY = timedelta(minutes=5)
_LONGEST_RETRY = timedelta(hours=1)
# A stopped channel (login, token) waits for its operator; a faulty template for its author.
_STOPPED_RETRY = timedelta(minutes=15)

MOST_UNKNOWN = 5
"""So often may a message go out of which nobody knows whether it arrived; then a person looks, whatever is set."""

HANDED_ON_AFTER = timedelta(minutes=50)
"""The age at which what is still unsent goes out with the next digest: an instant or hourly one has had its first
retries by then. Short of the hour, because slots are planned some seconds late, not always the same."""

LOST = "The program ended while it was being sent: it may have gone out."
_UNWANTED = "None of the rules it was made for is there any more, so it was not sent."


class Event(StrEnum):
    CLAIM = "claim"
    ACCEPT = "accept"
    DEFER = "defer"
    FAIL = "fail"
    HOLD = "hold"
    SUPERSEDE = "supersede"
    CANCEL = "cancel"
    RETRY = "retry"


_S = DeliveryState
TABLE: Mapping[Event, tuple[frozenset[DeliveryState], DeliveryState]] = MappingProxyType(
    {
        Event.CLAIM: (frozenset({_S.PLANNED, _S.DEFERRED, _S.CLAIMED}), _S.CLAIMED),
        Event.ACCEPT: (frozenset({_S.CLAIMED}), _S.SENT),
        Event.DEFER: (frozenset({_S.CLAIMED}), _S.DEFERRED),
        Event.FAIL: (frozenset({_S.CLAIMED}), _S.FAILED),
        Event.HOLD: (frozenset({_S.CLAIMED}), _S.HELD),
        Event.SUPERSEDE: (frozenset({_S.DEFERRED}), _S.SUPERSEDED),
        Event.CANCEL: (frozenset({_S.PLANNED, _S.DEFERRED, _S.CLAIMED, _S.FAILED, _S.HELD}), _S.CANCELLED),
        Event.RETRY: (frozenset({_S.DEFERRED, _S.FAILED, _S.HELD}), _S.DEFERRED),
    }
)
OPEN = frozenset({_S.PLANNED, _S.DEFERRED, _S.CLAIMED})
"""On its way: it moves by itself."""
ENDS = frozenset({_S.SENT, _S.SUPERSEDED, _S.CANCELLED})

_CONCLUDES = MappingProxyType(
    {_S.SENT: Event.ACCEPT, _S.DEFERRED: Event.DEFER, _S.FAILED: Event.FAIL, _S.HELD: Event.HOLD}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How deliveries are claimed, and how long they are tried."""

    give_up_after: timedelta = timedelta(days=4.5)
    """RFC 5321 (4.5.4.1) asks for four to five days of trying."""
    lease: timedelta = timedelta(minutes=15)
    hold_unknown: bool = False
    batch: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a claim finds in its own transaction, beside the delivery itself."""

    unwanted: bool = False
    """None of its rules is there any more."""
    begun: bool = False
    """The claim it takes over had begun to send, and its end was never written."""
    obstacle: str | None = None
    """Why it may not go out any more, in words."""


def moved(delivery: R, event: Event, **changes: Any) -> R:
    """``delivery`` after ``event``. Raises ValueError for a transition that is not drawn."""
    sources, target = TABLE[event]
    if delivery.state not in sources:
        raise ValueError(f"{delivery.id} is {delivery.state}: no {event} from there")
    return replace(delivery, state=target, **changes)


def is_due(delivery: Sending, now: datetime) -> bool:
    """Whether it may be claimed: its time has come, and nobody holds it."""
    if delivery.state not in OPEN or delivery.next_attempt_at > now:
        return False
    return delivery.state is not _S.CLAIMED or _lapsed(delivery, now)


def _lapsed(delivery: Sending, now: datetime) -> bool:
    return delivery.lease_until is None or delivery.lease_until <= now


def claim(delivery: R, standing: Standing, *, now: datetime, lease: timedelta, hold_unknown: bool) -> R | None:
    """What a claim makes of it: claimed, or ended with its reason (cancelled, held); None where it is not due."""
    if not is_due(delivery, now):
        return None
    begun = standing.begun and delivery.state is _S.CLAIMED
    if begun:
        delivery = replace(delivery, unknowns=delivery.unknowns + 1, reason=LOST, cause=Cause.UNKNOWN)
    if obstacle := standing.obstacle or (_UNWANTED if standing.unwanted else None):
        return moved(delivery, Event.CANCEL, reason=obstacle, cause=None, lease_until=None)
    if begun and (hold_unknown or delivery.unknowns >= MOST_UNKNOWN):
        return moved(delivery, Event.HOLD, lease_until=None)
    return moved(
        delivery,
        Event.CLAIM,
        attempts=delivery.attempts + 1,
        fence=delivery.fence + 1,
        lease_until=now + lease,
    )


def arrived(delivery: Sending, accepted: tuple[str, ...], *, at: datetime) -> Outcome:
    """The channel took all of it."""
    return Outcome(delivery_id=delivery.id, fence=delivery.fence, state=_S.SENT, at=at, accepted=accepted)


def is_plain(outcome: Outcome) -> bool:
    """It arrived, and there is nothing to tell of it: many of these may be written as one."""
    told = outcome.reason or outcome.cause or outcome.unknown or outcome.give_back_attempt
    return outcome.state is _S.SENT and not told


def failure(delivery: Sending, error: SendError, *, at: datetime, limits: Limits) -> Outcome:
    """What a failed attempt makes of it: given back, tried again later, held, or failed for good."""
    match error:
        # Broken may be about this message: it waits ever longer, so that the others come first.
        case ChannelStopped() | Unreachable() | Paced() if not isinstance(error, Broken):
            return given_back(delivery, str(error), at=at, after=pause(error), error=error)
        case Refused():
            return _failed(delivery, error, _S.FAILED, at=at)
        case Unknown() if limits.hold_unknown or delivery.unknowns + 1 >= MOST_UNKNOWN:
            return _failed(delivery, error, _S.HELD, at=at)
        case Unknown():
            return _deferred(delivery, error, at=at)
    since = delivery.failing_since or at
    if at - since < limits.give_up_after:
        return _deferred(delivery, error, at=at)
    given_up = _failed(delivery, error, _S.FAILED, at=at)
    return replace(given_up, reason=f"{error} Given up: it has been put off since {since:%Y-%m-%d %H:%M} UTC.")


def _failed(delivery: Sending, error: SendError, state: DeliveryState, *, at: datetime) -> Outcome:
    return Outcome(
        delivery_id=delivery.id,
        fence=delivery.fence,
        state=state,
        at=at,
        reason=str(error),
        cause=error.cause,
        unknown=isinstance(error, Unknown),
        accepted=error.accepted,
    )


def _deferred(delivery: Sending, error: SendError, *, at: datetime) -> Outcome:
    wait = max(backoff(delivery.attempts), error.retry_after or timedelta(0))
    return replace(_failed(delivery, error, _S.DEFERRED, at=at), next_attempt_at=at + wait)


def given_back(
    delivery: Sending,
    reason: str,
    *,
    at: datetime,
    after: timedelta = _STOPPED_RETRY,
    error: SendError | None = None,
    cause: Cause | None = None,
) -> Outcome:
    """It waits for ``after`` and loses no attempt: what went wrong was not about it."""
    return Outcome(
        delivery_id=delivery.id,
        fence=delivery.fence,
        state=_S.DEFERRED,
        at=at,
        reason=reason,
        cause=error.cause if error else cause,
        next_attempt_at=at + after,
        accepted=error.accepted if error else (),
        give_back_attempt=True,
    )


def pause(error: SendError) -> timedelta:
    """How long a channel is left alone that is away or stopped: as long as it says, if it does."""
    usual = _STOPPED_RETRY if isinstance(error, ChannelStopped) else _FIRST_RETRY
    return usual if error.retry_after is None else error.retry_after


def backoff(attempts: int) -> timedelta:
    """The wait after ``attempts`` (1 or more) attempts: 5, 10, 20, 40 minutes, then an hour each."""
    return min(_FIRST_RETRY * float(2 ** min(attempts - 1, 10)), _LONGEST_RETRY)


def concluded(delivery: R, outcome: Outcome) -> R | None:
    """``delivery`` with the outcome of its claim; None where the fence is stale or nothing of the kind can follow."""
    event = _CONCLUDES.get(outcome.state)
    if event is None or delivery.state is not _S.CLAIMED or delivery.fence != outcome.fence:
        return None
    put_off = event is Event.DEFER and not outcome.give_back_attempt
    return moved(
        delivery,
        event,
        attempts=delivery.attempts - outcome.give_back_attempt,
        next_attempt_at=outcome.next_attempt_at or delivery.next_attempt_at,
        lease_until=None,
        reason=outcome.reason,
        cause=outcome.cause,
        failing_since=delivery.failing_since or (outcome.at if put_off else None),
        unknowns=delivery.unknowns + outcome.unknown,
        sent_at=outcome.at if event is Event.ACCEPT else None,
        accepted=max(outcome.accepted, delivery.accepted, key=len),
    )


def stops_subscription(outcome: Outcome) -> bool:
    """Whether nothing more can arrive where it went: the place itself is gone, or closed to us."""
    return outcome.state is _S.FAILED and outcome.cause is Cause.CHANNEL


def is_hard_bounce(outcome: Outcome) -> bool:
    """Whether the server said in the conversation itself that the address is not there."""
    return outcome.state is _S.FAILED and outcome.cause is Cause.ADDRESS


def told(delivery: R, word: Event, *, at: datetime) -> R | None:
    """An operator's word, RETRY or CANCEL; None where it cannot follow, or a claim still holds the delivery.

    Whoever says RETRY gives it the whole time again; attempts and unknowns stay counted.
    """
    held = delivery.state is _S.CLAIMED and not _lapsed(delivery, at)
    if held or delivery.state not in TABLE[word][0]:
        return None
    if word is Event.RETRY:
        return moved(delivery, word, next_attempt_at=at, failing_since=None)
    return moved(delivery, word, reason="Cancelled by the operator.", cause=None, lease_until=None)


def may_be_handed_on(delivery: Delivery, *, now: datetime) -> bool:
    """Whether its entries may go out with a later digest: it has waited, and nothing of it can have arrived."""
    deferred = delivery.state in TABLE[Event.SUPERSEDE][0]
    return deferred and never_arrived(delivery) and now - delivery.created_at >= HANDED_ON_AFTER


def never_arrived(delivery: Sending) -> bool:
    """Whether it is certain that no part of it, in no attempt so far, was accepted."""
    return not delivery.unknowns and not delivery.accepted


def superseded(delivery: Delivery, by: Delivery) -> Delivery | None:
    """``delivery`` when its entries went over into ``by``; None where that cannot be."""
    if not may_be_handed_on(delivery, now=by.created_at):
        return None
    last = f" Last attempt: {delivery.reason}" if delivery.reason else ""
    return moved(delivery, Event.SUPERSEDE, reason=f"Its papers went into the digest of {by.slot} ({by.id}).{last}")
