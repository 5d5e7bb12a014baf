"""Whether mail may go to an address: it is free, suppressed, or its owner was asked whether it may be used again. Pure.

    event      from                 to
    suppress   free suppressed asked  suppressed
    ask        suppressed asked     asked
    confirm    asked                free
    lapse      asked                suppressed
    release    suppressed asked     free

A question lapses by itself when it is not answered in time, and is void when mail comes back again meanwhile. The
owner answers with the signed link of the question that was asked last; an operator may release without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from notifier.model import BounceKind, Letter, LetterKind, Question, Suppression

CONFIRM = "confirm-address"
"""What the token in the link of a question is good for, and nothing else."""
ANSWERED_WITHIN = timedelta(days=7)
ASKED_EVERY = timedelta(days=1)
"""So often at most is an address asked because somebody entered it, who need not be its owner."""


class State(StrEnum):
    FREE = "free"
    SUPPRESSED = "suppressed"
    ASKED = "asked"


class Event(StrEnum):
    SUPPRESS = "suppress"
    ASK = "ask"
    CONFIRM = "confirm"
    LAPSE = "lapse"
    RELEASE = "release"


TABLE: Mapping[Event, tuple[frozenset[State], State]] = MappingProxyType(
    {
        Event.SUPPRESS: (frozenset(State), State.SUPPRESSED),
        Event.ASK: (frozenset({State.SUPPRESSED, State.ASKED}), State.ASKED),
        Event.CONFIRM: (frozenset({State.ASKED}), State.FREE),
        Event.LAPSE: (frozenset({State.ASKED}), State.SUPPRESSED),
        Event.RELEASE: (frozenset({State.SUPPRESSED, State.ASKED}), State.FREE),
    }
)


def state(suppression: Suppression | None, now: datetime) -> State:
    if suppression is None:
        return State.FREE
    question = suppression.question
    return State.ASKED if question and question.at <= now < question.until else State.SUPPRESSED


def suppressed(before: Suppression | None, new: Suppression) -> Suppression:
    """What holds after ``new``: the first reason stays, but one that came after a question makes that void."""
    if before is None:
        return new
    question = before.question
    if question is None or question.until <= question.at:
        return before
    return replace(new, question=replace(question, until=question.at))


def asked(before: Suppression, id: str, *, now: datetime, by_operator: bool) -> Suppression | None:
    """``before`` with a new question; None where somebody who need not be its owner may not have it asked.

    That is once a day, and not at all after a complaint or where an operator suppressed it.
    """
    if not by_operator:
        last = before.question
        if before.kind not in (BounceKind.HARD, BounceKind.SOFT) or (last and now - last.at < ASKED_EVERY):
            return None
    return replace(before, question=Question(id=id, at=now, until=now + ANSWERED_WITHIN))


def is_answer(suppression: Suppression | None, question_id: str, *, now: datetime) -> bool:
    """Whether a confirmation of this question sets the address free."""
    question = suppression.question if suppression else None
    return state(suppression, now) is State.ASKED and question is not None and question.id == question_id


def nothing_goes_there(reason: str) -> str:
    return f"Nothing is sent to this address any more. {reason}"


def obstacle(letter: Letter, suppressed: str | None, *, last: str | None, now: datetime) -> str | None:
    """Why a letter may not go out: ``suppressed`` is the reason that holds for its address, ``last`` why it waited."""
    if letter.expires_at <= now:
        waited = f" Last attempt: {last}" if last else ""
        return f"It was good until {letter.expires_at:%Y-%m-%d %H:%M} UTC only.{waited}"
    if letter.kind is LetterKind.CONFIRM_ADDRESS:
        return None if suppressed else "The address is in use again: there is nothing to ask."
    return nothing_goes_there(suppressed) if suppressed else None
