"""Tokens of the API: made, shown once, believed, taken back.

A token reads ``notifier_ID_SECRET``. The store keeps the hash of the secret only: 32 random bytes need no slow one.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from notifier.clean import plain
from notifier.errors import NotFound, UsageError
from notifier.ids import new_id
from notifier.lookup import subscriber_of
from notifier.model import ApiToken, Scope
from notifier.ports import Store

PERSONAL = frozenset({Scope.ENTRIES, Scope.SUBSCRIPTIONS, Scope.RULES})
"""What a subscriber may ask for; the others concern everybody and are the operator's."""
LASTS = timedelta(days=90)
MOST_TOKENS = 50
"""Of one owner."""
_TOKEN = re.compile(r"notifier_(t_[0-9a-z]{10})_([A-Za-z0-9_-]{43})")
_NAME_LIMIT = 80
_SEEN_EVERY = timedelta(hours=1)


def make_token(
    store: Store,
    name: str,
    scopes: Iterable[Scope],
    *,
    owner: str = "",
    made_by: str = "",
    lasts: timedelta | None = LASTS,
    now: datetime,
) -> tuple[ApiToken, str]:
    """The token and its text, which is never to be seen again; without ``lasts`` it does not expire.

    An empty ``owner`` makes one of the operator's. Raises UsageError where a subscriber asks for what is not theirs.
    """
    token = ApiToken(
        id=new_id("t"),
        name=_named(name),
        scopes=_scoped(scopes, owner),
        owner=owner,
        made_by=made_by,
        created_at=now,
        expires_at=now + lasts if lasts else None,
    )
    secret = secrets.token_urlsafe(32)
    with store.write():
        if owner:
            subscriber_of(store, owner)
        if len(store.api_tokens.all(owner)) >= MOST_TOKENS:
            raise UsageError(f"There are {MOST_TOKENS} tokens, the most there can be: revoke one first.")
        store.api_tokens.add(token, digest=_digest(secret))
    return token, f"notifier_{token.id}_{secret}"


def believed(store: Store, text: str, *, operators: Collection[str], now: datetime) -> ApiToken | None:
    """The token that ``text`` is; None where it is none, has expired, or its maker is no operator any more.

    ``operators`` are addresses in lower case.
    """
    parts = _TOKEN.fullmatch(text)
    found = parts and store.api_tokens.get(parts[1])
    # Compared in any case, so that an unknown id takes as long as a wrong secret.
    is_right = hmac.compare_digest(_digest(parts[2] if parts else ""), found[1] if found else "")
    if not (found and is_right):
        return None
    token = found[0]
    has_ended = token.expires_at is not None and token.expires_at <= now
    was_operators = bool(token.made_by) and not token.owner
    return None if has_ended or (was_operators and token.made_by.lower() not in operators) else token


def is_use_to_note(token: ApiToken, *, now: datetime) -> bool:
    """At most once an hour, so that reading does not become writing."""
    return token.used_at is None or now - token.used_at >= _SEEN_EVERY


def revoke(store: Store, id: str, *, owner: str | None = None) -> ApiToken:
    """From now on it opens nothing. With an ``owner``, only one of theirs. Raises NotFound."""
    with store.write():
        found = store.api_tokens.get(id)
        if found is None or owner not in (None, found[0].owner):
            raise NotFound(f"There is no token {plain(id, limit=40)}: 'notifier token list' shows them.")
        store.api_tokens.remove(id)
    return found[0]


def _named(name: str) -> str:
    if not (clean := plain(name, limit=_NAME_LIMIT)):
        raise UsageError("A token needs a name that says what it is for.")
    return clean


def _scoped(scopes: Iterable[Scope], owner: str) -> frozenset[Scope]:
    wanted = frozenset(scopes)
    if not wanted:
        raise UsageError(f"Say what the token is good for: {', '.join(Scope)}.")
    if owner and (more := wanted - PERSONAL):
        raise UsageError(
            f"{', '.join(sorted(more))} is only for tokens of the operator: leave the person out, or choose among "
            f"{', '.join(sorted(PERSONAL))}."
        )
    return wanted


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
