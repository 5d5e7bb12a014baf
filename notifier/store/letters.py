"""Letters on their way. They move as deliveries do; what they say is forgotten at their end."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from notifier import consent
from notifier import delivery as life
from notifier.delivery import ENDS, Event, Standing
from notifier.model import DeliveryState, Letter, LetterKind, Message, Outcome, Posting, Start
from notifier.store import delivery_rows, rows
from notifier.store.bounces import BounceRows
from notifier.store.statements import queries

SQL = queries("letters")


class LetterRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._bounces = BounceRows(conn)

    def put(self, letters: Sequence[Letter]) -> None:
        self._conn.executemany(SQL["put"], [_params(each) for each in letters])

    def is_due(self, now: datetime) -> bool:
        soonest = self._conn.execute(SQL["next_due"], {"now": rows.stamp(now)}).fetchone()[0]
        return soonest is not None and soonest <= rows.stamp(now)

    def claim(self, now: datetime, *, lease: timedelta, limit: int) -> list[Posting]:
        due = self._conn.execute(SQL["due"], {"now": rows.stamp(now), "limit": limit}).fetchall()
        touched = []
        for row in due:
            before = _posting(row)
            after = life.claim(before, _standing(row, before, now), now=now, lease=lease, hold_unknown=False)
            if after is not None and self._move(before, after):
                touched.append(after)
        return touched

    def message(self, id: str) -> Message | None:
        row = self._conn.execute(SQL["message"], {"id": id}).fetchone()
        return _message(row) if row else None

    def begin(self, start: Start) -> bool:
        wanted = {"id": start.delivery_id, "fence": start.fence, "lease_until": rows.stamp(start.lease_until)}
        if self._conn.execute(SQL["begin"], wanted).rowcount == 0:
            return False
        if start.message is not None:
            self._conn.execute(SQL["freeze"], _frozen(start.message))
        return True

    def finish(self, outcome: Outcome) -> bool:
        before = self.get(outcome.delivery_id)
        after = before and life.concluded(before, outcome)
        if before is None or after is None or not self._move(before, after):
            return False
        if life.is_hard_bounce(outcome):
            self._bounces.refuse(before.id, reason=outcome.reason or "", at=outcome.at)
        return True

    def retry(self, id: str, *, at: datetime) -> bool:
        before = self.get(id)
        after = before and life.told(before, Event.RETRY, at=at)
        return bool(before and after and self._move(before, after))

    def get(self, id: str) -> Posting | None:
        row = self._conn.execute(SQL["get"], {"id": id}).fetchone()
        return _posting(row) if row else None

    def all(self, *, states: Iterable[DeliveryState] = (), limit: int = 100) -> list[Posting]:
        wanted = {"states": rows.array(states), "limit": limit}
        return [_posting(row) for row in self._conn.execute(SQL["all"], wanted)]

    def count(self, to: str, *, since: datetime) -> int:
        number: int = self._conn.execute(SQL["count"], {"to": to, "since": rows.stamp(since)}).fetchone()[0]
        return number

    def forget(self, before: datetime) -> None:
        self._conn.execute(SQL["forget"], {"before": rows.stamp(before)})

    def _move(self, before: Posting, after: Posting) -> bool:
        if self._conn.execute(SQL["move"], delivery_rows.move_params(before, after)).rowcount == 0:
            return False
        if after.state in ENDS:
            self._conn.execute(SQL["empty"], {"id": after.id})
        return True


def _standing(row: rows.Row, posting: Posting, now: datetime) -> Standing:
    obstacle = consent.obstacle(posting.letter, row["suppressed"], last=posting.reason, now=now)
    return Standing(begun=row["begun"] == posting.fence, obstacle=obstacle)


def _params(letter: Letter) -> rows.Params:
    return {
        "id": letter.id,
        "recipient": letter.to,
        "kind": str(letter.kind),
        "language": letter.language,
        "content": json.dumps(letter.values, ensure_ascii=False),
        "created_at": rows.stamp(letter.created_at),
        "expires_at": rows.stamp(letter.expires_at),
    }


def _posting(row: rows.Row) -> Posting:
    letter = Letter(
        id=row["id"],
        to=row["recipient"],
        kind=LetterKind(row["kind"]),
        language=row["language"],
        values=tuple((name, text) for name, text in json.loads(row["content"])),
        created_at=datetime.fromisoformat(row["created_at"]),
        expires_at=datetime.fromisoformat(row["expires_at"]),
    )
    return Posting(letter=letter, **delivery_rows.sending(row))


def _frozen(message: Message) -> rows.Params:
    return {
        "id": message.delivery_id,
        "subject": message.subject,
        "sender": message.sender,
        "body": message.parts[0],
        "composed_at": rows.stamp(message.created_at),
    }


def _message(row: rows.Row) -> Message:
    return Message(
        delivery_id=row["id"],
        format="email",
        subject=row["subject"],
        target=row["recipient"],
        sender=row["sender"],
        parts=(row["body"],),
        accepted=tuple(json.loads(row["accepted"])),
        created_at=datetime.fromisoformat(row["composed_at"]),
    )
