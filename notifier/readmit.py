"""Use an address again to which nothing goes: ask its owner by letter, take the answer."""

from __future__ import annotations

from datetime import datetime

from notifier import consent
from notifier.consent import CONFIRM
from notifier.errors import NotFound, UsageError
from notifier.ids import new_id
from notifier.model import Letter, LetterKind, Suppression
from notifier.ports import Store
from notifier.render import Links, message
from notifier.tokens import Keys, signed

_WORKS_NO_MORE = message("This link works no more: the address is in use again, or has to be asked anew.")


def ask(store: Store, address: str, *, by_operator: bool, links: Links, now: datetime) -> Suppression | None:
    """Put a letter that asks the owner of ``address``; in the caller's transaction or one of its own.

    None where it is not suppressed, or may not be asked now (see ``consent.asked``).
    """
    with store.write():
        before = store.bounces.get(address)
        after = before and consent.asked(before, new_id("q"), now=now, by_operator=by_operator)
        if after is None or after.question is None:
            return None
        link = links.confirm_address(after.question.id)
        if link is None:
            return None
        store.bounces.put(after)
        store.letters.put([_letter(store, address, after, link, now)])
    return after


def _letter(store: Store, address: str, asked: Suppression, link: str, now: datetime) -> Letter:
    assert asked.question is not None  # noqa: S101 - it was just asked
    person = store.subscribers.get(address)
    return Letter(
        id=new_id("l"),
        to=address,
        kind=LetterKind.CONFIRM_ADDRESS,
        language=person.language if person else "en",
        values=(("link", link), ("reason", asked.reason), ("timezone", person.timezone if person else "UTC")),
        created_at=now,
        expires_at=asked.question.until,
    )


def question(store: Store, token: str, *, keys: Keys, now: datetime) -> Suppression:
    """What the link of a letter asks, for a page to show. Raises NotFound for one that works no more, or never did."""
    id = signed(keys, CONFIRM, token)
    found = store.bounces.asked(id) if id else None
    if found is None or id is None or not consent.is_answer(found, id, now=now):
        raise NotFound(_WORKS_NO_MORE)
    return found


def confirm(store: Store, token: str, *, keys: Keys, now: datetime) -> str:
    """The owner's yes: the address that is free from now on. Raises NotFound as ``question`` does."""
    with store.write():
        address = question(store, token, keys=keys, now=now).address
        store.bounces.release(address)
    return address


def release(store: Store, address: str) -> None:
    """An operator's word that the owner wants it. Raises NotFound where it is not suppressed."""
    with store.write():
        _suppressed(store, address)
        store.bounces.release(address)


def ask_for(store: Store, address: str, *, links: Links, now: datetime) -> Suppression:
    """An operator's wish to use it again. Raises NotFound where it is not suppressed, UsageError without pages."""
    _suppressed(store, address)
    asked = ask(store, address, by_operator=True, links=links, now=now)
    if asked is None:
        raise UsageError(
            "There are no pages on which its owner could confirm: set base_url, or, where the owner has told you, "
            f"give 'notifier bounces release {address} --confirmed'."
        )
    return asked


def _suppressed(store: Store, address: str) -> Suppression:
    found = store.bounces.get(address)
    if found is None:
        raise NotFound(f"{address} is not suppressed: see 'notifier bounces list'.")
    return found
