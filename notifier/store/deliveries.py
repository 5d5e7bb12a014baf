"""Deliveries, the ledger of what each subscription got, and the frozen messages on their way."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta

from notifier import delivery as life
from notifier.delivery import ENDS, OPEN, Event, Standing
from notifier.gone import farewell
from notifier.model import (
    Attempt,
    Contents,
    Delivery,
    DeliveryItem,
    DeliveryState,
    Earlier,
    Followed,
    FollowUp,
    FollowUps,
    Message,
    Outcome,
    Planned,
    Start,
)
from notifier.store import delivery_rows, rows
from notifier.store.bounces import BounceRows
from notifier.store.letters import LetterRows
from notifier.store.messages import MessageRows
from notifier.store.people import SubscriptionRows
from notifier.store.statements import queries

SQL = queries("deliveries")
ATTEMPTS_KEPT = 20
_UNSENT = frozenset({DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.CANCELLED, DeliveryState.SUPERSEDED})
# A partial index is used only where the statement says the same as it does.
_INDEXED = (
    (_UNSENT, ("INDEXED BY delivery_unsent", "d.state IN ('failed', 'held', 'cancelled', 'superseded')")),
    (OPEN, ("INDEXED BY delivery_open", "d.state IN ('planned', 'deferred', 'claimed')")),
)

_Ended = list[str | int | None]
"""An attempt by the id and the fence of its delivery, and its end, as ``end_attempts`` takes it."""


class DeliveryRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._bounces = BounceRows(conn)
        self._letters = LetterRows(conn)
        self._subscriptions = SubscriptionRows(conn)
        self._messages = MessageRows(conn)

    def record(self, planned: Sequence[Planned]) -> list[str]:
        items_of = {each.delivery.id: each.items for each in planned if each.delivery is not None}
        self._conn.executemany(
            SQL["add"], [delivery_rows.delivery_params(each.delivery) for each in planned if each.delivery]
        )
        # Ids are random: those that are there now are those that were new.
        added = self._conn.execute(SQL["keys_of_deliveries"], {"ids": rows.array(items_of)}).fetchall()
        self._supersede(planned, {row["id"] for row in added})
        self._add_items(items_of, added)
        self._add_follow_ups(planned, {row["id"] for row in added})
        self._conn.executemany(
            SQL["advance"],
            [
                {
                    "id": each.subscription_id,
                    "next_due_at": rows.stamp(each.next_due_at),
                    "planned_until": rows.stamp(each.planned_until),
                    "last_slot": str(each.slot),
                    "last_checked": each.checked,
                }
                for each in planned
            ],
        )
        return [row["id"] for row in added]

    def _add_items(self, items_of: Mapping[str, Sequence[DeliveryItem]], added: Sequence[rows.Row]) -> None:
        wanted = {item.entry_id for items in items_of.values() for item in items}
        entries = dict(self._conn.execute(SQL["keys_of_entries"], {"ids": rows.array(wanted)}).fetchall())
        self._conn.executemany(
            SQL["add_item"],
            # In the order of the table's key, so that neighbours are written together.
            sorted(
                (
                    entries[item.entry_id],
                    subscription,
                    delivery,
                    item.rank,
                    item.shown,
                    delivery_rows.reasons_text(item.reasons),
                )
                for id, delivery, subscription in added
                for item in items_of[id]
                if item.entry_id in entries
            ),
        )

    def _add_follow_ups(self, planned: Sequence[Planned], added: Set[str]) -> None:
        new = [(each.delivery.id, each) for each in planned if each.delivery and each.delivery.id in added]
        told = [delivery_rows.follow_up_params(id, one) for id, each in new for one in each.follow_ups]
        self._conn.executemany(SQL["add_follow_up"], told)
        self._conn.executemany(SQL["move_on"], told)
        if follows := [id for id, each in new if each.follows]:
            self._conn.execute(SQL["follow_items"], {"ids": rows.array(follows)})

    def follow(self, subscription_ids: Iterable[str], *, since: datetime, now: datetime) -> None:
        wanted = {"ids": rows.array(subscription_ids), "since": rows.stamp(since), "now": rows.stamp(now)}
        self._conn.execute(SQL["unfollow"], wanted)
        self._conn.execute(SQL["follow_sent"], wanted)

    def followed(
        self, wanted: Mapping[str, FollowUps], *, since: datetime, changed_after: datetime
    ) -> dict[str, list[Followed]]:
        found: dict[str, list[Followed]] = {}
        wishes = json.dumps({id: [each.version, each.code, each.votes] for id, each in wanted.items()})
        bounds = {"since": rows.stamp(since), "changed_after": rows.stamp(changed_after)}
        for row in self._conn.execute(SQL["followed"], {"wanted": wishes} | bounds):
            found.setdefault(row["s_id"], []).append(delivery_rows.followed(row))
        return found

    def follow_ups(self, delivery_id: str) -> list[FollowUp]:
        return list(self.contents([delivery_id])[delivery_id].follow_ups)

    def ledger(self, subscription_ids: Iterable[str], *, since: datetime) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        wanted = {"ids": rows.array(subscription_ids), "since": rows.stamp(since)}
        for name in ("ledger", "shared_ledger"):
            for subscription, entry in self._conn.execute(SQL[name], wanted):
                found.setdefault(subscription, set()).add(entry)
        return {subscription: frozenset(entries) for subscription, entries in found.items()}

    def _supersede(self, planned: Sequence[Planned], added: Set[str]) -> None:
        """Before the items of the new ones are written: an entry stands in one delivery of a subscription."""
        for each in planned:
            if each.delivery is not None and each.delivery.id in added:
                for id in each.supersedes:
                    before = self.get(id)
                    after = before and life.superseded(before, each.delivery)
                    if before and after and self._move(before, after):
                        self._conn.execute(SQL["release"], {"id": id})
                        self._conn.execute(SQL["release_follow_ups"], {"id": id})

    def deferred(self, subscription_ids: Iterable[str]) -> dict[str, list[Delivery]]:
        found: dict[str, list[Delivery]] = {}
        for row in self._conn.execute(SQL["deferred"], {"ids": rows.array(subscription_ids)}):
            found.setdefault(row["s_id"], []).append(delivery_rows.delivery(row))
        return found

    def claim(self, now: datetime, *, lease: timedelta, limit: int, hold_unknown: bool = False) -> list[Delivery]:
        due = self._conn.execute(SQL["due"], {"now": rows.stamp(now), "limit": limit}).fetchall()
        touched, plain, until = [], [], rows.stamp(now + lease)
        for row in due:
            before, standing = delivery_rows.delivery(row), delivery_rows.standing(row)
            after = life.claim(before, standing, now=now, lease=lease, hold_unknown=hold_unknown)
            if after is None:
                continue
            touched.append(after)
            if after.state is DeliveryState.CLAIMED and not standing.begun:
                plain.append([after.id, before.fence, after.attempts, after.fence, until])
            else:
                self._take_over(before, after, standing, now)
        # Read and written under one lock, so each of them is as it was read.
        self._conn.execute(SQL["take"], {"claims": rows.json_text(plain)})
        return touched

    def _take_over(self, before: Delivery, after: Delivery, standing: Standing, now: datetime) -> None:
        """A claim of which more is to tell than that it was made."""
        self._move(before, after)
        if standing.begun:
            state = DeliveryState.DEFERRED if after.state is DeliveryState.CLAIMED else after.state
            self._end_attempts([_lost(before, state, at=now)])
        if after.state is DeliveryState.CANCELLED and life.never_arrived(after):
            self._conn.execute(SQL["release"], {"id": after.id})

    def _move(self, before: Delivery, after: Delivery) -> bool:
        if self._conn.execute(SQL["move"], delivery_rows.move_params(before, after)).rowcount == 0:
            return False
        if after.state in ENDS:
            self._messages.thaw([after.id])
        return True

    def items(self, delivery_id: str) -> list[DeliveryItem]:
        return list(self.contents([delivery_id])[delivery_id].items)

    def message(self, delivery_id: str) -> Message | None:
        return self.contents([delivery_id])[delivery_id].message

    def earlier(self, delivery_ids: Iterable[str]) -> dict[str, Earlier]:
        wanted = {"ids": rows.array(delivery_ids)}
        followed: dict[str, list[tuple[str, str]]] = {}
        references: dict[str, str] = {}
        for row in self._conn.execute(SQL["followed_up"], wanted):
            followed.setdefault(row["delivery_id"], []).append((row["id"], row["slot"]))
            references[row["delivery_id"]] = next(iter(json.loads(row["accepted"])), "")
        found = self._conn.execute(SQL["last_before"], wanted)
        last = {row["delivery_id"]: (row["id"], row["slot"]) for row in found}
        ids = last.keys() | followed.keys()
        return {
            id: Earlier(last=last.get(id), followed=tuple(followed.get(id, ())), reference=references.get(id, ""))
            for id in ids
        }

    def contents(self, delivery_ids: Iterable[str]) -> dict[str, Contents]:
        ids = list(delivery_ids)
        wanted = {"ids": rows.array(ids)}
        items, follow_ups = (self._by_delivery(name, wanted) for name in ("items", "follow_ups"))
        messages = self._messages.get(ids)
        return {
            id: Contents(
                items=tuple(map(delivery_rows.item, items.get(id, ()))),
                follow_ups=tuple(map(delivery_rows.follow_up, follow_ups.get(id, ()))),
                message=messages.get(id),
            )
            for id in ids
        }

    def _by_delivery(self, name: str, wanted: Mapping[str, str]) -> dict[str, list[rows.Row]]:
        found: dict[str, list[rows.Row]] = {}
        for row in self._conn.execute(SQL[name], wanted):
            found.setdefault(row["delivery_id"], []).append(row)
        return found

    def begin(self, starts: Sequence[Start]) -> list[str]:
        written = [[each.delivery_id, each.fence, rows.stamp(each.lease_until), each.accepted] for each in starts]
        ours = dict(self._conn.execute(SQL["begin"], {"starts": rows.json_text(written)}).fetchall())
        begun = [(ours[each.delivery_id], each) for each in starts if each.delivery_id in ours]
        self._messages.put([(pk, each.message) for pk, each in begun if each.message is not None])
        attempts = [[pk, each.fence, rows.stamp(each.at)] for pk, each in begun]
        self._conn.execute(SQL["begin_attempts"], {"attempts": rows.json_text(attempts)})
        many = [{"delivery": pk, "fence": each.fence, "kept": ATTEMPTS_KEPT} for pk, each in begun]
        self._conn.executemany(SQL["forget_attempts"], [each for each in many if each["fence"] > ATTEMPTS_KEPT])
        return list(ours)

    def finish(self, outcomes: Sequence[Outcome]) -> list[str]:
        plain = [each for each in outcomes if life.is_plain(each)]
        return self._accept(plain) + self._conclude([each for each in outcomes if not life.is_plain(each)])

    def _accept(self, outcomes: Sequence[Outcome]) -> list[str]:
        """Those that arrived, all at once."""
        if not outcomes:
            return []
        written = [[each.delivery_id, each.fence, rows.stamp(each.at), each.accepted] for each in outcomes]
        found = self._conn.execute(SQL["accept"], {"outcomes": rows.json_text(written)}).fetchall()
        sent = {row["id"] for row in found}
        self._messages.thaw(list(sent))
        self._end_attempts(
            _ended(each.delivery_id, each.fence, DeliveryState.SENT, at=each.at)
            for each in outcomes
            if each.delivery_id in sent
        )
        return list(sent)

    def _conclude(self, outcomes: Sequence[Outcome]) -> list[str]:
        if not outcomes:
            return []
        before = self._get(outcome.delivery_id for outcome in outcomes)
        found = [(before[each.delivery_id], each) for each in outcomes if each.delivery_id in before]
        moves = [(old, new, each) for old, each in found if (new := life.concluded(old, each))]
        # Read and written under one lock, so each of them is as it was read.
        self._conn.executemany(SQL["move"], [delivery_rows.move_params(old, new) for old, new, _ in moves])
        self._messages.thaw([new.id for _, new, _ in moves if new.state in ENDS])
        self._end_attempts(
            _ended(old.id, old.fence, new.state, at=each.at, reason=each.reason, unknown=each.unknown)
            for old, new, each in moves
        )
        for old, _, each in moves:
            if life.stops_subscription(each):
                self._stop(old.subscription_id, each)
            if life.is_hard_bounce(each):
                self._bounces.refuse(old.id, reason=each.reason or "", at=each.at)
        return [new.id for _, new, _ in moves]

    def _stop(self, id: str, outcome: Outcome) -> None:
        """Tells its owner, unless it was stopped before."""
        if self._conn.execute(SQL["stop_subscription"], {"id": id, "reason": outcome.reason}).rowcount:
            (subscription,) = self._subscriptions.get([id]).values()
            # One for each delivery that could stop it, whoever records its outcome how often.
            letter = f"l_{outcome.delivery_id.removeprefix('d_')}"
            self._letters.put(farewell(subscription, id=letter, reason=outcome.reason or "", at=outcome.at))

    def _end_attempts(self, ended: Iterable[_Ended]) -> None:
        self._conn.execute(SQL["end_attempts"], {"attempts": rows.json_text(list(ended))})

    def sweep(self) -> int:
        return self._messages.sweep()

    def forget(self) -> None:
        """What was written last was rolled back."""
        self._messages.forget()

    def recompose(self, subscription_id: str) -> None:
        waiting = self._conn.execute(SQL["never_arrived"], {"id": subscription_id}).fetchall()
        self._messages.thaw([row["id"] for row in waiting])

    def retry(self, id: str, *, at: datetime) -> bool:
        return self._tell(id, Event.RETRY, at)

    def cancel(self, id: str, *, at: datetime) -> bool:
        return self._tell(id, Event.CANCEL, at)

    def _tell(self, id: str, word: Event, at: datetime) -> bool:
        before = self.get(id)
        after = before and life.told(before, word, at=at)
        if before is None or after is None or not self._move(before, after):
            return False
        if before.state is DeliveryState.CLAIMED:
            self._end_attempts([_lost(before, after.state, at=at)])
        return True

    def get(self, id: str) -> Delivery | None:
        return self._get([id]).get(id)

    def _get(self, ids: Iterable[str]) -> dict[str, Delivery]:
        found = self._conn.execute(SQL["get"], {"ids": rows.array(ids)})
        return {each.id: each for each in map(delivery_rows.delivery, found)}

    def all(
        self,
        *,
        states: Iterable[DeliveryState] = (),
        subscription_id: str | None = None,
        since: datetime | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[Delivery]:
        states = frozenset(states)
        if subscription_id is not None:
            by, among = "", "d.subscription = (SELECT pk FROM subscription WHERE id = :subscription)"
        else:
            by, among = next((how for some, how in _INDEXED if states and states <= some), ("", "1"))
        wanted = {
            "states": rows.array(states),
            "subscription": subscription_id,
            "since": rows.stamp_or_none(since),
            "after": after,
            "limit": limit,
        }
        return [
            delivery_rows.delivery(row) for row in self._conn.execute(SQL["all"].format(by=by, among=among), wanted)
        ]

    def past(self, subscription_id: str, *, limit: int) -> list[Delivery]:
        found = self._conn.execute(SQL["past"], {"id": subscription_id, "limit": limit})
        return [delivery_rows.delivery(row) for row in found]

    def attempts(self, delivery_id: str) -> list[Attempt]:
        return [delivery_rows.attempt(row) for row in self._conn.execute(SQL["attempts"], {"id": delivery_id})]

    def counts(self) -> Mapping[DeliveryState, int]:
        return {DeliveryState(row["state"]): row["number"] for row in self._conn.execute(SQL["counts"])}

    def unknowns(self) -> int:
        number: int = self._conn.execute(SQL["unknowns"]).fetchone()[0]
        return number

    def of_entry(self, subscription_id: str, entry_id: str) -> tuple[Delivery, DeliveryItem] | None:
        wanted = {"subscription": subscription_id, "entry": entry_id}
        row = self._conn.execute(SQL["of_entry"], wanted).fetchone()
        return (delivery_rows.delivery(row), delivery_rows.item(row)) if row else None


def _lost(delivery: Delivery, state: DeliveryState, *, at: datetime) -> _Ended:
    return _ended(delivery.id, delivery.fence, state, at=at, reason=life.LOST, unknown=True)


def _ended(
    id: str, fence: int, state: DeliveryState, *, at: datetime, reason: str | None = None, unknown: bool = False
) -> _Ended:
    return [id, fence, rows.stamp(at), str(state), int(unknown), reason]
