"""Coming in by a link in a mail: to log in, or to confirm a subscription that was asked for.

Whoever asks, for whatever address, is answered alike, and as much is done: who owns an address learns from their own
mailbox whether it is known here, nobody else does. A link works once; the page it opens changes nothing, its
button does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifier import account, edit, rulefile
from notifier.errors import NotFound, UsageError
from notifier.ids import new_id
from notifier.matching import Topics, parse
from notifier.model import (
    Cadence,
    Every,
    Letter,
    LetterKind,
    Rule,
    Session,
    Subscriber,
    Subscription,
    Ticket,
    TicketKind,
)
from notifier.ports import Store
from notifier.render import message
from notifier.tokens import fresh, hashed
from notifier.topics import Pack

USED_LOGIN = message("This link was used, or is older than 15 minutes: ask for a new one.")
USED_CONFIRMATION = message("This link was used, or is older than two days: subscribe again.")
NO_WISH = message("Nothing to look for: write a few words, or tick a set of topics.")
LOGIN_FOR = timedelta(minutes=15)
CONFIRM_FOR = timedelta(days=2)
SESSION_FOR = timedelta(days=30)
# To one address: more links than that in an hour are somebody's way to annoy its owner.
_LETTERS_AN_HOUR = 5
_HOUR = timedelta(hours=1)
_LONGEST_NAME = 200

Link = Callable[[str], str]
"""From the path of a page to its whole address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A subscription by mail as somebody asks for it: ``query`` in the rule language, and packs by name."""

    email: str
    query: str = ""
    packs: tuple[str, ...] = ()
    timezone: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A subscription that would be, with its rules; its subscriber may be new."""

    subscription: Subscription
    rules: tuple[Rule, ...]
    is_new: bool


def ask_to_log_in(store: Store, email: str, *, next: str, link: Link, now: datetime) -> None:
    """``next`` is the path to go on at. Raises UsageError for what is no address."""
    address = account.email_address(email)
    word = fresh()
    ticket = Ticket(
        kind=TicketKind.LOGIN,
        email=address,
        values=(("next", next),),
        created_at=now,
        expires_at=now + LOGIN_FOR,
    )
    with store.write():
        person = _subscriber(store, address)
        if _has_enough(store, address, now):
            return
        store.tickets.add(ticket, hashed(word))
        if person:
            values = (("link", link(f"/login/{word}")), ("timezone", person.timezone))
            store.letters.put([_letter(ticket, LetterKind.LOGIN, person.language, values)])


def log_in(store: Store, word: str, *, browser: str, now: datetime) -> tuple[str, str]:
    """Use the link: the word for the cookie, and the path to go on at. Raises NotFound where it is used or too old."""
    with store.write():
        ticket = store.tickets.use(hashed(word), TicketKind.LOGIN, now=now)
        person = _subscriber(store, ticket.email) if ticket else None
        if ticket is None or person is None:
            raise NotFound(USED_LOGIN)
        return open_session(store, person, browser=browser, now=now), dict(ticket.values)["next"]


def vouched(store: Store, email: str, *, name: str, timezone: str, language: str, browser: str, now: datetime) -> str:
    """Log in whom the operator's identity provider vouches for, who may be new: the word for the cookie."""
    with store.write():
        address = account.email_address(email)
        person = _subscriber(store, address) or account.add_subscriber(
            store, address, name=name[:_LONGEST_NAME], timezone=timezone, language=language, now=now
        )
        return open_session(store, person, browser=browser, now=now)


def open_session(store: Store, person: Subscriber, *, browser: str, now: datetime) -> str:
    """The word for the cookie; only its hash is kept."""
    word = fresh()
    session = Session(id=new_id("b"), subscriber=person, browser=browser, created_at=now, expires_at=now + SESSION_FOR)
    with store.write():
        store.sessions.add(session, hashed(word))
    return word


def ask_to_subscribe(
    store: Store, topics: Topics, packs: Mapping[str, Pack], wanted: Wanted, *, link: Link, now: datetime
) -> None:
    """Raises UsageError for what is no address or no wish, RuleError where the query does not parse."""
    address = account.email_address(wanted.email)
    account.known_zone(wanted.timezone)
    if wanted.query.strip():
        parse(wanted.query, topics)
    known = [name for name in wanted.packs if name in packs]
    if not known and not wanted.query.strip():
        raise UsageError(NO_WISH)
    word = fresh()
    ticket = Ticket(
        kind=TicketKind.SUBSCRIBE,
        email=address,
        values=(
            ("query", wanted.query.strip()),
            ("packs", ",".join(known)),
            ("timezone", wanted.timezone),
            ("language", wanted.language),
        ),
        created_at=now,
        expires_at=now + CONFIRM_FOR,
    )
    said = [wanted.query.strip(), *(packs[name].title for name in known)]
    values = (
        ("link", link(f"/confirm/{word}")),
        ("timezone", wanted.timezone),
        ("summary", " · ".join(filter(None, said))),
    )
    with store.write():
        if not _has_enough(store, address, now):
            store.tickets.add(ticket, hashed(word))
            store.letters.put([_letter(ticket, LetterKind.CONFIRM_SUBSCRIPTION, wanted.language, values)])


def asked_for(store: Store, packs: Mapping[str, Pack], word: str, *, max_entries: int, now: datetime) -> Waiting:
    """What a link would confirm. Raises NotFound where it is used or too old."""
    ticket = store.tickets.get(hashed(word), TicketKind.SUBSCRIBE, now=now)
    if ticket is None:
        raise NotFound(USED_CONFIRMATION)
    return _waiting(store, packs, ticket, max_entries=max_entries, now=now)


def confirm(
    store: Store,
    topics: Topics,
    packs: Mapping[str, Pack],
    word: str,
    *,
    max_entries: int,
    browser: str,
    now: datetime,
) -> tuple[str, Subscription]:
    """Use the link: the word for a cookie, since the mailbox is theirs, and the subscription. Raises NotFound."""
    with store.write():
        ticket = store.tickets.use(hashed(word), TicketKind.SUBSCRIBE, now=now)
        if ticket is None:
            raise NotFound(USED_CONFIRMATION)
        waiting = _waiting(store, packs, ticket, max_entries=max_entries, now=now)
        person = waiting.subscription.subscriber
        if waiting.is_new:
            store.subscribers.add(person)
        store.subscriptions.put(waiting.subscription)
        author = edit.Author(name=person.email, via="web")
        for rule in waiting.rules:
            edit.add_rule(
                store,
                topics,
                waiting.subscription.id,
                rule.query,
                label=rule.label,
                mode=rule.mode,
                author=author,
                now=now,
            )
        return open_session(store, person, browser=browser, now=now), waiting.subscription


def add_packs(
    store: Store, topics: Topics, packs: Iterable[Pack], subscription_id: str, *, author: edit.Author, now: datetime
) -> None:
    """The rules of these packs that the subscription does not have."""
    with store.write():
        for pack in packs:
            seen = edit.rules_of(store, subscription_id)
            found = rulefile.addition(pack, subscription_id, seen, topics, now=now)
            edit.apply(store, topics, subscription_id, put=found.added, remove=(), seen=seen, author=author, now=now)


def _waiting(store: Store, packs: Mapping[str, Pack], ticket: Ticket, *, max_entries: int, now: datetime) -> Waiting:
    values = dict(ticket.values)
    known = _subscriber(store, ticket.email)
    person = known or Subscriber(
        id=new_id("p"),
        email=ticket.email,
        timezone=values["timezone"],
        language=values["language"],
        created_at=now,
    )
    wish = account.Wish(channel="email", cadence=Cadence(every=Every.DAILY), max_entries=max_entries)
    subscription = account.subscription_for(person, wish, now=now)
    chosen = [packs[name] for name in values["packs"].split(",") if name in packs]
    return Waiting(
        subscription=subscription,
        rules=tuple(_rules(subscription, values["query"], chosen, now)),
        is_new=known is None,
    )


def _rules(subscription: Subscription, query: str, packs: Sequence[Pack], now: datetime) -> list[Rule]:
    """The query's, and those of the packs, each once."""
    wanted = {(str(each.mode), each.query): (each.label, each.mode) for pack in packs for each in pack.rules}
    own = [Rule(id=new_id("r"), subscription_id=subscription.id, query=query, created_at=now)] if query else []
    others = [
        Rule(id=new_id("r"), subscription_id=subscription.id, query=text, label=label, mode=mode, created_at=now)
        for (_, text), (label, mode) in wanted.items()
    ]
    return own + others


def _subscriber(store: Store, address: str) -> Subscriber | None:
    """Whatever case the address is written in."""
    return store.subscribers.get(address) or store.subscribers.get(address.lower())


def _has_enough(store: Store, address: str, now: datetime) -> bool:
    # An unknown address gets no letter, so its tickets count, too.
    waiting = store.tickets.waiting(address, TicketKind.LOGIN, now=now)
    return max(waiting, store.letters.count(address, since=now - _HOUR)) >= _LETTERS_AN_HOUR


def _letter(ticket: Ticket, kind: LetterKind, language: str, values: tuple[tuple[str, str], ...]) -> Letter:
    return Letter(
        id=new_id("l"),
        to=ticket.email,
        kind=kind,
        language=language,
        values=values,
        created_at=ticket.created_at,
        expires_at=ticket.expires_at,
    )
