"""Tokens of the API, answers to requests that may be sent again, and what operators did."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from notifier.model import Answer, ApiToken, Operation, Scope
from notifier.store import rows
from notifier.store.statements import queries

SQL = queries("api")


class ApiTokenRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def add(self, token: ApiToken, *, digest: str) -> None:
        self._conn.execute(
            SQL["add_token"],
            {
                "id": token.id,
                "digest": digest,
                "name": token.name,
                "scopes": rows.array(sorted(token.scopes)),
                "owner": token.owner,
                "made_by": token.made_by,
                "created_at": rows.stamp(token.created_at),
                "expires_at": rows.stamp_or_none(token.expires_at),
                "used_at": rows.stamp_or_none(token.used_at),
            },
        )

    def get(self, id: str) -> tuple[ApiToken, str] | None:
        row = self._conn.execute(SQL["get_token"], {"id": id}).fetchone()
        return (_token(row), row["digest"]) if row else None

    def all(self, owner: str | None = None) -> list[ApiToken]:
        return [_token(row) for row in self._conn.execute(SQL["tokens"], {"owner": owner})]

    def touch(self, id: str, *, at: datetime) -> None:
        self._conn.execute(SQL["touch_token"], {"id": id, "at": rows.stamp(at)})

    def remove(self, id: str) -> bool:
        return self._conn.execute(SQL["remove_token"], {"id": id}).rowcount > 0


class AnswerRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def get(self, token_id: str, key: str) -> Answer | None:
        row = self._conn.execute(SQL["get_answer"], {"token": token_id, "key": key}).fetchone()
        if row is None:
            return None
        return Answer(
            token_id=row["token"],
            key=row["key"],
            request=row["request"],
            status=row["status"],
            body=row["body"],
            at=datetime.fromisoformat(row["at"]),
        )

    def put(self, answer: Answer) -> None:
        self._conn.execute(
            SQL["put_answer"],
            {
                "token": answer.token_id,
                "key": answer.key,
                "request": answer.request,
                "status": answer.status,
                "body": answer.body,
                "at": rows.stamp(answer.at),
            },
        )

    def forget(self, before: datetime) -> int:
        return self._conn.execute(SQL["forget_answers"], {"before": rows.stamp(before)}).rowcount


class OperationRows:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def note(self, operations: Sequence[Operation]) -> None:
        self._conn.executemany(
            SQL["note_operation"],
            [
                {"at": rows.stamp(each.at), "actor": each.actor, "act": each.act, "subject": each.subject}
                for each in operations
            ],
        )

    def newest(self, *, limit: int = 100) -> list[Operation]:
        return [
            Operation(at=datetime.fromisoformat(row["at"]), actor=row["actor"], act=row["act"], subject=row["subject"])
            for row in self._conn.execute(SQL["newest_operations"], {"limit": limit})
        ]


def _token(row: rows.Row) -> ApiToken:
    return ApiToken(
        id=row["id"],
        name=row["name"],
        scopes=frozenset(map(Scope, json.loads(row["scopes"]))),
        owner=row["owner"],
        made_by=row["made_by"],
        created_at=datetime.fromisoformat(row["created_at"]),
        expires_at=rows.instant_or_none(row["expires_at"]),
        used_at=rows.instant_or_none(row["used_at"]),
    )
