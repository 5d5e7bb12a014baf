"""What lies in the database: sources, subscriptions, deliveries, operators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from notifier.app import App
from notifier.checkup import checkup
from notifier.doctor.finding import Finding, Level
from notifier.errors import NotifierError
from notifier.health import Known, behind, state
from notifier.lookup import examined
from notifier.matching import Topics
from notifier.model import (
    DeliveryState,
    Health,
    Mode,
)
from notifier.ports import Store

_TROUBLES = (DeliveryState.FAILED, DeliveryState.HELD)
_OVERDUE = timedelta(hours=2)
"""So late a source may be asked before nobody seems to ask at all."""


def database(app: App) -> Iterator[Finding]:
    try:
        with app.store() as store:
            store.verify()
            facts = store.facts()
            counts = f"{facts['entry']} papers, {facts['subscription']} subscriptions, {facts['rule']} rules"
            yield Finding(topic="database", level=Level.OK, text=f"{app.settings.database} is sound: {counts}.")
            yield from _sources(store, app.clock())
            yield from _subscriptions(store, _topics_if_sound(app))
            yield from _deliveries(store)
            yield from _operators(store, app.settings.operators)
    except NotifierError as error:
        yield Finding(topic="database", level=Level.WRONG, text=str(error))


def _sources(store: Store, now: datetime) -> Iterator[Finding]:
    found = checkup(store)
    if not found:
        hint = "None: 'notifier source add huggingface' reads Hugging Face's Daily Papers."
        yield Finding(topic="sources", level=Level.HINT, text=hint)
    for known in found:
        record = known.record
        if record.moved_from:
            text = f"'{record.name}' has moved from {record.moved_from} to {record.url}, where it is read now."
            yield _finding(Level.HINT, text)
        yield _source(known, now)
        if known.gaps and not record.paused_at:
            yield _finding(Level.HINT, _gaps(known))
        if late := behind(known, now):
            text = f"'{record.name}' has brought nothing new in {', '.join(late)} for a week of announcements"
            yield _finding(Level.HINT, f"{text}: 'notifier source show {record.name}' has the days.")


def _source(known: Known, now: datetime) -> Finding:
    how, name = state(known, now), known.record.name
    since = f"{how.since:%Y-%m-%d %H:%M} UTC" if how.since else "it is read"
    resume, look = f"'notifier source resume {name}' reads it again.", f"'notifier source show {name}' tells more"
    match how.health:
        case Health.PAUSED:
            return _finding(Level.HINT, f"'{name}' is paused since {since}: somebody paused it. {resume}")
        case Health.GONE:
            return _finding(Level.WRONG, f"'{name}' is paused since {since}: {known.record.paused_reason} {resume}")
        case Health.FAILING:
            text = f"'{name}' has not answered since {since}: {known.record.last_error} It is asked again by itself"
            return _finding(Level.WRONG, f"{text}; {look}.")
        case Health.STALE:
            text = f"'{name}' answers, but has brought nothing new since {since}, which is longer than usual"
            return _finding(Level.WRONG, f"{text}: see whether its address {known.record.url} is still right; {look}.")
        case Health.NOT_READ:
            text = f"'{name}' was not read yet: 'notifier source fetch {name}' or 'notifier serve' does."
            return _finding(Level.HINT, text)
    return _answering(known, now, is_announced=how.health is not Health.NOT_ANNOUNCED)


def _answering(known: Known, now: datetime, *, is_announced: bool) -> Finding:
    record = known.record
    if now - record.next_fetch_at > max(record.every, _OVERDUE):
        text = f"'{record.name}' was to be asked at {record.next_fetch_at:%Y-%m-%d %H:%M} UTC, and nobody did"
        return _finding(Level.WRONG, f"{text}: 'notifier serve' has to run, or 'notifier run --once' from a timer.")
    today = "" if is_announced else " It announces nothing today."
    return _finding(Level.OK, f"'{record.name}' answered at {record.last_success_at:%Y-%m-%d %H:%M} UTC.{today}")


def _gaps(known: Known) -> str:
    name, gap = known.record.name, known.gaps[0]
    why = f" {gap.last_error}" if gap.last_error else ""
    return (
        f"'{name}': what it announced from {gap.first} on is not complete yet and comes by itself.{why} "
        f"'notifier source gaps {name}' shows how far that is."
    )


def _finding(level: Level, text: str) -> Finding:
    return Finding(topic="sources", level=level, text=text)


def _topics_if_sound(app: App) -> Topics | None:
    """None where they are not: that is a finding of its own, and no rule's fault."""
    try:
        return app.topics
    except NotifierError:
        return None


def _operators(store: Store, operators: Sequence[str]) -> Iterator[Finding]:
    for address in operators:
        if not any(each.email.lower() == address for each in store.subscribers.page(text=address, limit=100)):
            text = f"{address} is no subscriber and cannot log in: notifier subscriber add {address}"
            yield Finding(topic="operators", level=Level.HINT, text=text)


def _subscriptions(store: Store, topics: Topics | None) -> Iterator[Finding]:
    subscriptions = store.subscriptions.all()
    if not subscriptions:
        hint = "None: 'notifier subscriber add EMAIL', then 'notifier subscription add EMAIL …'."
        yield Finding(topic="subscriptions", level=Level.HINT, text=hint)
    rules = store.rules.of(each.id for each in subscriptions)
    for each in subscriptions:
        own = rules.get(each.id, [])
        if not any(rule.mode is Mode.INCLUDE for rule in own):
            text = f"{each.id} of {each.subscriber.email} gets nothing: notifier rule add {each.id} 'QUERY'"
            yield Finding(topic="subscriptions", level=Level.HINT, text=text)
        for rule in own if topics is None else examined(own, topics):
            if rule.broken:
                text = f"Rule {rule.id} of {each.subscriber.email} is off: {rule.broken}"
                yield Finding(topic="rules", level=Level.WRONG, text=text)


def _deliveries(store: Store) -> Iterator[Finding]:
    counts = store.deliveries.counts()
    troubles = [state for state in _TROUBLES if counts.get(state)]
    if troubles:
        (newest,) = store.deliveries.all(states=troubles, limit=1)
        numbers = ", ".join(f"{counts[state]} {state}" for state in troubles)
        text = f"{numbers}, the newest: {newest.reason} See 'notifier deliveries --failed'."
        yield Finding(topic="deliveries", level=Level.WRONG, text=text)
    if unsent := store.letters.all(states=_TROUBLES, limit=1):
        text = f"A letter was not sent, the newest: {unsent[0].reason} See 'notifier letters --failed'."
        yield Finding(topic="letters", level=Level.WRONG, text=text)
    if unknowns := store.deliveries.unknowns():
        attempts = "1 attempt" if unknowns == 1 else f"{unknowns} attempts"
        text = f"{attempts} so far ended where nobody can know whether the message arrived (see after_unknown)."
        yield Finding(topic="deliveries", level=Level.HINT, text=text)
