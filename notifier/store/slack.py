"""What came in from Slack, and who is where there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from notifier.model import Code, Keeping, Kept, Subscriber, Work, Workspace
from notifier.store import rows
from notifier.store.statements import queries

SQL = queries("slack")


class SlackInboxRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def take(self, key: str, payload: str, *, now: datetime) -> bool:
        new = {"key": key, "payload": payload, "now": rows.stamp(now)}
        return self._conn.execute(SQL["take"], new).rowcount > 0

    def claim(self, now: datetime, *, lease: timedelta, limit: int) -> list[Work]:
        wanted = {"now": rows.stamp(now), "lease_until": rows.stamp(now + lease), "limit": limit}
        return sorted(map(_work, self._conn.execute(SQL["claim"], wanted).fetchall()), key=lambda work: work.id)

    def answered(self, id: int, fence: int, calls: str) -> bool:
        return self._conn.execute(SQL["answered"], {"id": id, "fence": fence, "calls": calls}).rowcount > 0

    def put_off(self, id: int, fence: int, until: datetime) -> None:
        self._conn.execute(SQL["put_off"], {"id": id, "fence": fence, "until": rows.stamp(until)})

    def done(self, id: int, fence: int, outcome: str, *, now: datetime) -> None:
        self._conn.execute(SQL["done"], {"id": id, "fence": fence, "outcome": outcome, "now": rows.stamp(now)})

    def due(self, now: datetime) -> int:
        return int(self._conn.execute(SQL["due"], {"now": rows.stamp(now)}).fetchone()["number"])

    def forget(self, before: datetime) -> None:
        self._conn.execute(SQL["forget"], {"before": rows.stamp(before)})
        self._conn.execute(SQL["forget_told"], {"before": rows.stamp(before)})


class SlackPlaceRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def put(self, workspace: Workspace) -> None:
        self._conn.execute(
            SQL["put_workspace"],
            {
                "team": workspace.team,
                "name": workspace.name,
                "token_name": workspace.token_name,
                "bot_user": workspace.bot_user,
                "token": workspace.token,
                "installed_at": rows.stamp(workspace.installed_at),
            },
        )

    def workspaces(self) -> list[Workspace]:
        return [_workspace(row) for row in self._conn.execute(SQL["workspaces"])]

    def gone(self, team: str, reason: str, *, now: datetime) -> bool:
        what = {"team": team, "reason": reason, "now": rows.stamp(now)}
        return self._conn.execute(SQL["gone"], what).rowcount > 0

    def link(self, team: str, user: str, subscriber_id: str, *, now: datetime) -> None:
        what = {"team": team, "user": user, "subscriber": subscriber_id, "now": rows.stamp(now)}
        self._conn.execute(SQL["link"], what)

    def subscriber(self, team: str, user: str) -> Subscriber | None:
        row = self._conn.execute(SQL["subscriber"], {"team": team, "user": user}).fetchone()
        return rows.subscriber(row) if row else None

    def put_code(self, team: str, user: str, code: Code) -> None:
        self._conn.execute(
            SQL["put_code"],
            {
                "team": team,
                "user": user,
                "email": code.email,
                "digest": code.digest,
                "expires_at": rows.stamp(code.expires_at),
                "tries": code.tries,
            },
        )

    def code(self, team: str, user: str) -> Code | None:
        row = self._conn.execute(SQL["code"], {"team": team, "user": user}).fetchone()
        return row and Code(
            email=row["email"],
            digest=row["digest"],
            expires_at=datetime.fromisoformat(row["expires_at"]),
            tries=row["tries"],
        )

    def drop_code(self, team: str, user: str) -> None:
        self._conn.execute(SQL["drop_code"], {"team": team, "user": user})

    def keep(self, kept: Kept) -> bool:
        new = _named(kept.team, kept.user, kept.entry_id, kept.what)
        more = {"channel": kept.channel, "at": rows.stamp(kept.at)}
        return self._conn.execute(SQL["keep"], new | more).rowcount > 0

    def drop(self, team: str, user: str, entry_id: str, what: Keeping) -> bool:
        return self._conn.execute(SQL["drop"], _named(team, user, entry_id, what)).rowcount > 0

    def kept(self, team: str, *, user: str | None = None, channel: str | None = None, since: datetime) -> list[Kept]:
        wanted = {"team": team, "user": user, "channel": channel, "since": rows.stamp(since)}
        return [_kept(row) for row in self._conn.execute(SQL["kept"], wanted)]

    def react(self, team: str, channel: str, ts: str, user: str, name: str, *, added: bool, now: datetime) -> None:
        what = {"team": team, "channel": channel, "ts": ts, "user": user, "name": name, "now": rows.stamp(now)}
        self._conn.execute(SQL["react" if added else "unreact"], what)

    def reactions(self, team: str, ts: Iterable[str]) -> Mapping[str, int]:
        wanted = {"team": team, "ts": rows.array(ts)}
        return {row["name"]: row["number"] for row in self._conn.execute(SQL["reactions"], wanted)}

    def delivery_of(self, targets: Iterable[str], ts: str) -> str | None:
        row = self._conn.execute(SQL["delivery_of"], {"targets": rows.array(targets), "ts": ts}).fetchone()
        return row["id"] if row else None

    def told(self, key: str, *, now: datetime) -> bool:
        return self._conn.execute(SQL["told"], {"key": key, "now": rows.stamp(now)}).rowcount > 0


def _named(team: str, user: str, entry_id: str, what: Keeping) -> dict[str, str]:
    return {"team": team, "user": user, "entry": entry_id, "what": str(what)}


def _work(row: rows.Row) -> Work:
    return Work(
        id=row["pk"],
        payload=row["payload"],
        received_at=datetime.fromisoformat(row["received_at"]),
        attempts=row["attempts"],
        fence=row["fence"],
        calls=row["calls"],
    )


def _workspace(row: rows.Row) -> Workspace:
    return Workspace(
        team=row["team"],
        name=row["name"],
        token_name=row["token_name"],
        bot_user=row["bot_user"],
        token=row["token"],
        installed_at=datetime.fromisoformat(row["installed_at"]),
        gone_at=rows.instant_or_none(row["gone_at"]),
        gone_reason=row["gone_reason"],
    )


def _kept(row: rows.Row) -> Kept:
    return Kept(
        team=row["team"],
        user=row["user"],
        entry_id=row["entry_id"],
        what=Keeping(row["what"]),
        channel=row["channel"],
        at=datetime.fromisoformat(row["at"]),
    )
