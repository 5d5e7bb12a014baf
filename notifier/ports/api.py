"""What the store keeps of API tokens, of answers to repeated requests, and of what operators did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from notifier.model import Answer, ApiToken, Operation


class ApiTokens(Protocol):
    def add(self, token: ApiToken, *, digest: str) -> None:
        """``digest`` is the hash of its secret."""
        ...

    def get(self, id: str) -> tuple[ApiToken, str] | None:
        """The token, and the hash of its secret."""
        ...

    def all(self, owner: str | None = None) -> list[ApiToken]:
        """Newest first; of one subscriber, of the operator (empty), or of everybody."""
        ...

    def touch(self, id: str, *, at: datetime) -> None:
        """It was used."""
        ...

    def remove(self, id: str) -> bool: ...


class Answers(Protocol):
    def get(self, token_id: str, key: str) -> Answer | None: ...

    def put(self, answer: Answer) -> None: ...

    def forget(self, before: datetime) -> int:
        """Drop older ones; how many."""
        ...


class Operations(Protocol):
    def note(self, operations: Sequence[Operation]) -> None: ...

    def newest(self, *, limit: int = 100) -> list[Operation]: ...
