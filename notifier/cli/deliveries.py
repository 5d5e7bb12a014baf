"""What was sent and what was not: ``deliveries``, and ``deliveries show``, ``retry``, ``cancel``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from notifier.app import App
from notifier.cli.base import Json, alone, command, console, group, local, print_json, print_table, say
from notifier.cli.reading import time_span
from notifier.delivery import TABLE, Event
from notifier.errors import NotifierError, UsageError
from notifier.lookup import delivery_of, subscription_of
from notifier.model import Attempt, Delivery, DeliveryItem, DeliveryState, Message, Subscription
from notifier.ports import Store
from notifier.trouble import advice, by_trouble

_FAILED = (DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.DEFERRED)
_WAITING = (DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.DEFERRED)
_COLUMNS = ["ID", "SLOT", "TO", "PAPERS", "STATE", "TRIES", "DETAIL"]
_ALL = 1_000_000

DeliveryId = Annotated[str, typer.Argument(help="The delivery, such as d_k3m9x2tq7p.", metavar="ID")]


def register(app: typer.Typer) -> None:
    deliveries = group("What was sent, to whom, when, and how it went.")
    app.add_typer(deliveries, name="deliveries")
    alone(deliveries)(list_)
    command(deliveries, "show")(show)
    command(deliveries, "retry")(retry)
    command(deliveries, "cancel")(cancel)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A delivery with what a list says of it."""

    delivery: Delivery
    subscription: Subscription
    papers: int

    @property
    def zone(self) -> str:
        return self.subscription.subscriber.timezone


def list_(
    app: App,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that went wrong, and what to do.")] = False,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only those still on their way.")] = False,
    held: Annotated[bool, typer.Option("--held", help="Only those that wait for your word, and what to do.")] = False,
    state: Annotated[DeliveryState | None, typer.Option(help="Only those in this state.")] = None,
    subscription: Annotated[str, typer.Option(help="Only those of this subscription.", metavar="ID")] = "",
    last: Annotated[str, typer.Option(help="Only those due since then, such as 7d.")] = "",
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 50,
    json: Json = False,
) -> None:
    """Show what was sent, to whom, when, and how it went."""
    wanted = [
        *(_FAILED if failed else ()),
        *(_WAITING if waiting else ()),
        *([DeliveryState.HELD] if held else ()),
        *([state] if state else ()),
    ]
    with app.store() as store:
        found = store.deliveries.all(
            states=dict.fromkeys(wanted),
            subscription_id=subscription_of(store, subscription).id if subscription else None,
            since=app.clock() - time_span(last) if last else None,
            limit=limit,
        )
        lines = _lines(store, found)
        unknowns = store.deliveries.unknowns()
    if json:
        print_json([_data(each) for each in lines])
        return
    if failed or held:
        _print_troubles(lines, empty="Nothing went wrong." if failed else "Nothing is held.")
    else:
        empty = "There are none of these." if wanted or subscription or last else _NOTHING_YET
        print_table(_COLUMNS, map(_cells, lines), empty=empty)
    if unknowns:
        say(f"\n{_unknown(unknowns)}")


_NOTHING_YET = "Nothing was planned yet: 'notifier run --once' does one pass."


def _lines(store: Store, found: Sequence[Delivery]) -> list[_Line]:
    subscriptions = store.subscriptions.get({each.subscription_id for each in found})
    return [
        _Line(
            delivery=each,
            subscription=subscriptions[each.subscription_id],
            papers=len(store.deliveries.items(each.id)),
        )
        for each in found
    ]


def _unknown(count: int) -> str:
    attempts = "1 attempt" if count == 1 else f"{count} attempts"
    return f"{attempts} so far ended where nobody can know whether the message arrived."


def _print_troubles(lines: Sequence[_Line], *, empty: str) -> None:
    by_id = {each.delivery.id: each for each in lines}
    troubles = by_trouble(each.delivery for each in lines)
    if not troubles:
        say(empty)
    for number, ((name, what), deliveries) in enumerate(troubles.items()):
        if number:
            say("")
        console().print(Text(f"{name} ({len(deliveries)})", style="bold"))
        say(f"{what}\n")
        print_table(_COLUMNS, [_cells(by_id[each.id]) for each in deliveries], empty="")


def _cells(line: _Line) -> list[str]:
    each = line.delivery
    return [
        each.id,
        str(each.slot),
        str(line.subscription.address),
        str(line.papers),
        each.state,
        str(each.attempts),
        _detail(each, line.zone),
    ]


def _detail(each: Delivery, zone: str) -> str:
    if each.sent_at:
        return f"sent {local(each.sent_at, zone)}"
    if each.state is DeliveryState.DEFERRED:
        return f"{each.reason or ''} Next try {local(each.next_attempt_at, zone)}.".strip()
    return each.reason or "-"


def _data(line: _Line) -> dict[str, object]:
    each = line.delivery
    told = advice(each)
    return {
        "id": each.id,
        "subscription": each.subscription_id,
        "email": line.subscription.subscriber.email,
        "channel": str(line.subscription.address),
        "slot": str(each.slot),
        "due_at": each.slot.due_at,
        "state": each.state,
        "late": each.late,
        "entries": line.papers,
        "checked": each.checked,
        "attempts": each.attempts,
        "unknowns": each.unknowns,
        "next_attempt_at": each.next_attempt_at,
        "sent_at": each.sent_at,
        "reason": each.reason,
        "cause": each.cause,
        "what_to_do": told[1] if told else None,
    }


def show(app: App, id: DeliveryId, json: Json = False) -> None:
    """Show one delivery: what, to whom, and every attempt with its time and reason."""
    with app.store() as store:
        (line,) = _lines(store, [delivery_of(store, id)])
        message, attempts = store.deliveries.message(id), store.deliveries.attempts(id)
        items = store.deliveries.items(id)
        entries = store.entries.get(item.entry_id for item in items)
    titles = {each: entry.title for each, entry in entries.items()}
    if json:
        print_json(_whole_data(line, message, items, titles, attempts))
        return
    for name, value in _facts(line, message):
        say(f"{name:<9} {value}")
    say("")
    papers = [[item.entry_id, titles.get(item.entry_id, "-"), _because(item)] for item in items]
    print_table(["PAPER", "TITLE", "BECAUSE"], papers, empty="It holds no papers.")
    say("")
    tried = [_attempt_cells(each, line.zone) for each in attempts]
    print_table(["TRY", "BEGAN", "ENDED", "BECAME", "REASON"], tried, empty="Nothing was sent so far.")


def _facts(line: _Line, message: Message | None) -> Iterable[tuple[str, str]]:
    each, told = line.delivery, advice(line.delivery)
    yield "Delivery", f"{each.id}, {each.state}"
    yield "To", f"{line.subscription.subscriber.email} through {line.subscription.address} ({each.subscription_id})"
    yield "Slot", f"{each.slot}{', late' if each.late else ''}"
    if message is not None:
        yield "Subject", message.subject
        if len(message.parts) > 1:
            yield "Parts", f"{len(message.accepted)} of {len(message.parts)} accepted"
    yield "Attempts", f"{each.attempts}{f', {each.unknowns} of unknown end' if each.unknowns else ''}"
    yield "Now", _detail(each, line.zone)
    if told:
        yield "To do", f"{told[0]}. {told[1]}"


def _because(item: DeliveryItem) -> str:
    return ", ".join(reason.label or reason.query for reason in item.reasons) or "-"


def _attempt_cells(each: Attempt, zone: str) -> list[str]:
    became = "under way" if each.state is None else f"{each.state}, unknown" if each.unknown else each.state
    return [str(each.fence), local(each.began_at, zone), local(each.ended_at, zone), became, each.reason or "-"]


def _whole_data(
    line: _Line,
    message: Message | None,
    items: Sequence[DeliveryItem],
    titles: Mapping[str, str],
    attempts: Sequence[Attempt],
) -> dict[str, object]:
    return {
        **_data(line),
        "subject": message.subject if message else None,
        "papers": [
            {"id": item.entry_id, "title": titles.get(item.entry_id), "shown": item.shown, "because": _because(item)}
            for item in items
        ],
        "tries": [
            {
                "number": each.fence,
                "began_at": each.began_at,
                "ended_at": each.ended_at,
                "state": each.state,
                "unknown": each.unknown,
                "reason": each.reason,
            }
            for each in attempts
        ],
    }


def retry(
    app: App,
    ids: Annotated[list[str] | None, typer.Argument(help="The deliveries.", metavar="ID…")] = None,
    all_failed: Annotated[bool, typer.Option("--all-failed", help="Every one that has failed.")] = False,
) -> None:
    """Send again what failed, is held or waits: the same message, at the next pass."""
    if bool(ids) == all_failed:
        raise UsageError("Name the deliveries, or all that failed with --all-failed.")
    now = app.clock()
    with app.store() as store, store.write():
        if all_failed:
            ids = [each.id for each in store.deliveries.all(states=[DeliveryState.FAILED], limit=_ALL)]
        lines = _told(store, ids or [], Event.RETRY, lambda id: store.deliveries.retry(id, at=now))
    for each in lines:
        paused = " once its subscription is resumed" if _is_paused(each.subscription, now) else ""
        say(f"{each.delivery.id} is due again: 'notifier serve' or 'notifier run --once' sends it{paused}.")
    if not lines:
        say("Nothing has failed.")


def cancel(app: App, ids: Annotated[list[str], typer.Argument(help="The deliveries.", metavar="ID…")]) -> None:
    """Never send what failed, is held or waits; its papers do not come in another digest."""
    now = app.clock()
    with app.store() as store, store.write():
        lines = _told(store, ids, Event.CANCEL, lambda id: store.deliveries.cancel(id, at=now))
    for each in lines:
        papers = "1 paper is" if each.papers == 1 else f"{each.papers} papers are"
        say(f"Cancelled {each.delivery.id}: its {papers} not sent.")


def _told(store: Store, ids: Sequence[str], word: Event, tell: Callable[[str], bool]) -> list[_Line]:
    """All of them or none: where one does not take the word, nothing is written."""
    lines = _lines(store, [delivery_of(store, id) for id in dict.fromkeys(ids)])
    refused = [each.delivery for each in lines if not tell(each.delivery.id)]
    if refused:
        states = ", ".join(sorted(TABLE[word][0] - {DeliveryState.CLAIMED}))
        which = ", ".join(f"{each.id} is {each.state}" for each in refused)
        raise NotifierError(f"Nothing was changed: {which}; {word} is for what is {states}.")
    return lines


def _is_paused(subscription: Subscription, now: datetime) -> bool:
    return subscription.paused and (subscription.paused_until is None or subscription.paused_until > now)
