"""Who somebody is, where their Slack account does not say so: a code is mailed, and typed by who asked for it.

A code, and not a link: it can be used only by the member who asked, so that nobody is brought to hand their
subscriptions to a stranger by one careless click; and it needs no public address.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import timedelta

from notifier import account
from notifier.errors import UsageError
from notifier.ids import new_id
from notifier.model import Code, Letter, LetterKind
from notifier.ports import Store
from notifier.slack.asking import Ask
from notifier.slack.calls import Call, tell
from notifier.slack.grammar import Command
from notifier.slack.work import Result, Tools
from notifier.tokens import hashed

LASTS = timedelta(minutes=15)
TRIES = 5
_A_DAY = 5
"""Codes that one address gets in a day, whoever asks."""


def link(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    """The answer is the same for an address that is known here and one that is not."""
    email = account.email_address(command.rest)

    def change() -> list[Call]:
        _demand_room(store, ask, email)
        word = new_id("c").removeprefix("c_")
        code = Code(email=email, digest=_digest(ask, word), expires_at=ask.now + LASTS)
        store.slack.put_code(ask.workspace.team, ask.origin.user, code)
        store.letters.put([_letter(ask, email, word)])
        said = ask.words.say("A code is on its way to %(email)s: type /papers confirm CODE.", email=email)
        return [tell(ask, said)]

    return change


def _demand_room(store: Store, ask: Ask, email: str) -> None:
    """Raises UsageError where the address had its share of the day."""
    keys = (f"code:{hashed(email)}:{ask.now:%Y-%m-%d}:{number}" for number in range(_A_DAY))
    if not any(store.slack.told(key, now=ask.now) for key in keys):
        raise UsageError(ask.words.say("Enough codes were sent to that address today: try again tomorrow."))


def _letter(ask: Ask, email: str, word: str) -> Letter:
    who = f"{ask.origin.name or ask.profile.name} ({ask.workspace.name})"
    return Letter(
        id=new_id("l"),
        to=email,
        kind=LetterKind.SLACK_CODE,
        language=ask.words.language,
        values=(("summary", f"/papers confirm {word}"), ("reason", who), ("timezone", ask.zone.key)),
        created_at=ask.now,
        expires_at=ask.now + LASTS,
    )


def confirm(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    team, user = ask.workspace.team, ask.origin.user

    def change() -> list[Call]:
        code = store.slack.code(team, user)
        if code is None or code.expires_at <= ask.now or code.tries >= TRIES:
            return [tell(ask, ask.words.say("No code is waiting: /papers link you@example.org sends one."))]
        if not hmac.compare_digest(code.digest, _digest(ask, command.rest.strip().lower())):
            store.slack.put_code(team, user, replace(code, tries=code.tries + 1))
            return [tell(ask, ask.words.say("That is not the code that was mailed: check it and type it again."))]
        store.slack.drop_code(team, user)
        person = store.subscribers.get(code.email) or account.add_subscriber(
            store,
            code.email,
            name=ask.profile.name,
            timezone=ask.profile.zone,
            language=ask.words.language,
            now=ask.now,
        )
        store.slack.link(team, user, person.id, now=ask.now)
        return [tell(ask, ask.words.say("You are %(email)s here now: /papers me list.", email=person.email))]

    return change


def _digest(ask: Ask, word: str) -> str:
    return hashed(f"{ask.workspace.team} {ask.origin.user} {word}")
