"""An address that gets nothing any more, and the way back: every sequence of events keeps what is promised."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier import consent
from notifier.consent import ANSWERED_WITHIN, ASKED_EVERY, TABLE, Event, State
from notifier.model import BounceKind, Letter, LetterKind, Question, Suppression
from tests.builders import NOW

ADA = "ada@example.org"
DAY = timedelta(days=1)
LATER = timedelta(minutes=1)


def suppressed(kind: BounceKind | None = BounceKind.SOFT, *, asked: timedelta | None = None) -> Suppression:
    """``asked`` so long before NOW."""
    question = Question(id="q_1", at=NOW - asked, until=NOW - asked + ANSWERED_WITHIN) if asked is not None else None
    return Suppression(address=ADA, since=NOW - 9 * DAY, reason="Full.", kind=kind, question=question)


def test_the_table_in_the_docstring_is_the_one_that_counts() -> None:
    lines = re.findall(r"^    (\w+)  +((?:\w+ )+) *(\w+)$", consent.__doc__ or "", flags=re.MULTILINE)
    drawn = {event: (set(sources.split()), target) for event, sources, target in lines if event != "event"}
    assert drawn == {str(event): (set(map(str, sources)), str(target)) for event, (sources, target) in TABLE.items()}


@dataclass(frozen=True, slots=True)
class Step:
    """``question`` is which of the questions asked so far an answer belongs to; -1 is a guess."""

    event: Event
    wait: timedelta
    kind: BounceKind | None
    question: int
    by_operator: bool


steps = st.builds(
    Step,
    st.sampled_from([Event.SUPPRESS, Event.ASK, Event.CONFIRM, Event.RELEASE]),
    st.sampled_from([timedelta(0), timedelta(hours=5), 2 * DAY, 8 * DAY]),
    st.sampled_from([*BounceKind, None]),
    st.integers(-1, 4),
    st.booleans(),
)


@given(st.lists(steps, max_size=25))
def test_an_address_moves_as_drawn_and_only_an_answer_in_time_or_an_operator_sets_it_free(script: list[Step]) -> None:
    held: Suppression | None = None
    now = NOW
    asked: list[str] = []
    for number, step in enumerate(script):
        now += step.wait
        before = consent.state(held, now)
        found = held
        match step.event:
            case Event.SUPPRESS:
                new = Suppression(address=ADA, since=now, reason=f"Reason {number}.", kind=step.kind)
                held = consent.suppressed(held, new)
            case Event.ASK if held:
                if after := consent.asked(held, f"q_{number}", now=now, by_operator=step.by_operator):
                    held, asked = after, [*asked, f"q_{number}"]
            case Event.CONFIRM:
                id = asked[step.question] if 0 <= step.question < len(asked) else "q_guessed"
                if consent.is_answer(held, id, now=now):
                    assert id == asked[-1] and held and held.question and now < held.question.at + ANSWERED_WITHIN
                    held = None
            case Event.RELEASE:
                held = None
        after = consent.state(held, now)
        if held != found:
            sources, target = TABLE[step.event]
            assert before in sources and after is target
        assert (after is State.FREE) == (held is None)
        assert not (held and consent.state(held, now + ANSWERED_WITHIN) is State.ASKED)


@given(st.lists(st.sampled_from([timedelta(hours=1), timedelta(hours=30)]), max_size=12), st.booleans())
def test_who_need_not_be_the_owner_has_it_asked_once_a_day(waits: list[timedelta], comes_back: bool) -> None:
    held, now, times = suppressed(), NOW, []
    for number, wait in enumerate(waits):
        now += wait
        if after := consent.asked(held, f"q_{number}", now=now, by_operator=False):
            times.append(now)
            held = after
            if comes_back:
                held = consent.suppressed(held, Suppression(address=ADA, since=now, reason="Still full."))
    assert all(later - earlier >= ASKED_EVERY for earlier, later in pairwise(times))


@pytest.mark.parametrize("kind", [BounceKind.COMPLAINT, None])
def test_after_a_complaint_or_an_operators_word_only_an_operator_has_it_asked(kind: BounceKind | None) -> None:
    assert consent.asked(suppressed(kind), "q_2", now=NOW, by_operator=False) is None
    assert consent.asked(suppressed(kind), "q_2", now=NOW, by_operator=True) is not None


def test_the_first_reason_stays_until_its_owner_was_asked() -> None:
    new = Suppression(address=ADA, since=NOW, reason="Gone.", kind=BounceKind.HARD)
    assert consent.suppressed(suppressed(), new) == suppressed()
    after = consent.suppressed(suppressed(asked=DAY), new)
    assert (after.reason, consent.state(after, NOW)) == ("Gone.", State.SUPPRESSED)
    assert consent.suppressed(after, replace(new, reason="Later.")).reason == "Gone."


@given(
    st.sampled_from(LetterKind),
    st.none() | st.just("Full."),
    st.timedeltas(-2 * DAY, 2 * DAY).filter(lambda left: left != timedelta(0)),
)
def test_a_suppressed_address_gets_questions_only_and_nothing_that_has_expired(
    kind: LetterKind, why: str | None, left: timedelta
) -> None:
    letter = Letter(id="l_1", to=ADA, kind=kind, created_at=NOW - 3 * DAY, expires_at=NOW + left)
    goes = consent.obstacle(letter, why, last=None, now=NOW) is None
    assert goes == (left > timedelta(0) and (kind is LetterKind.CONFIRM_ADDRESS) == (why is not None))
