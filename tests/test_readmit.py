"""An address that was suppressed is asked by mail before it is used again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from notifier import readmit
from notifier.app import App
from notifier.bounce import marked
from notifier.bounced import Taken, take
from notifier.engine import open_engine
from notifier.errors import NotFound
from notifier.model import BounceKind, Letter, LetterKind, Suppression
from notifier.ports import Store
from notifier.render import Links
from notifier.settings_file import load
from notifier.store import SqliteStore
from notifier.tokens import UNSUBSCRIBE, Keys, sign
from tests.builders import NOW, subscriber
from tests.conftest import Shell
from tests.test_bounces import report

ADA = "Ada@example.org"
KEYS = Keys(SecretStr("k"))
LINKS = Links(base_url="https://papers.example.org", sender="Papers <p@example.org>", keys=KEYS)
DAY = timedelta(days=1)


def suppress(store: Store, kind: BounceKind | None = BounceKind.SOFT) -> None:
    with store.write():
        store.bounces.suppress(Suppression(address=ADA, since=NOW - DAY, reason="Mailbox full.", kind=kind))


def ask(store: Store, now: datetime = NOW, *, links: Links = LINKS) -> str | None:
    """The token of the link that is sent."""
    asked = readmit.ask(store, ADA, by_operator=True, links=links, now=now)
    return dict(store.letters.all()[0].letter.values)["link"].rpartition("/")[2] if asked else None


def test_its_owner_is_asked_in_their_language_and_says_yes(store: SqliteStore) -> None:
    with store.write():
        store.subscribers.add(subscriber(ADA, language="de", timezone="Europe/Berlin"))
    suppress(store)
    token = ask(store)
    (posting,) = store.letters.all()
    assert (posting.letter.to, posting.letter.language, posting.letter.kind) == (ADA, "de", LetterKind.CONFIRM_ADDRESS)
    assert dict(posting.letter.values)["reason"] == "Mailbox full."
    assert token is not None
    assert readmit.question(store, token, keys=KEYS, now=NOW + DAY).address == "ada@example.org"
    assert store.bounces.get(ADA) is not None
    assert readmit.confirm(store, token, keys=KEYS, now=NOW + DAY) == "ada@example.org"
    assert store.bounces.get(ADA) is None and store.bounces.of(ADA, since=NOW - 9 * DAY) == []


def test_a_link_that_was_used_is_old_or_forged_does_nothing(store: SqliteStore) -> None:
    suppress(store)
    first, second = ask(store), ask(store, NOW + DAY)
    assert first and second
    forged = [
        first,
        second[:-1],
        "",
        "x" * 10_000,
        "q_1.\ud800",
        sign(Keys(SecretStr("other")), "confirm-address", "q"),
    ]
    forged += [sign(KEYS, UNSUBSCRIBE, second.partition(".")[0])]
    for token in forged:
        with pytest.raises(NotFound):
            readmit.confirm(store, token, keys=KEYS, now=NOW + DAY)
    with pytest.raises(NotFound):
        readmit.confirm(store, second, keys=KEYS, now=NOW + 9 * DAY)
    readmit.confirm(store, second, keys=KEYS, now=NOW + 2 * DAY)
    with pytest.raises(NotFound):
        readmit.confirm(store, second, keys=KEYS, now=NOW + 2 * DAY)


def test_a_question_that_comes_back_is_void(store: SqliteStore) -> None:
    suppress(store)
    token = ask(store)
    assert token
    back = marked("bounces@example.org", store.letters.all()[0].id, KEYS)
    assert take(store, report("5.1.1", "unknown", to=back), keys=KEYS, now=NOW + DAY) is Taken.HARD
    with pytest.raises(NotFound):
        readmit.confirm(store, token, keys=KEYS, now=NOW + DAY)
    held = store.bounces.get(ADA)
    assert held is not None and (held.kind, held.reason) == (
        BounceKind.HARD,
        "The address takes no mail: 5.1.1 unknown.",
    )


def test_a_question_that_is_only_put_off_stays_open_whatever_came_back_before(store: SqliteStore) -> None:
    with store.write():
        store.subscribers.add(subscriber(ADA))
        store.letters.put([letter("l_before", LetterKind.LOGIN)])
    back = [marked("bounces@example.org", "l_before", KEYS)]
    take(store, report("5.1.1", "unknown", to=back[0]), keys=KEYS, now=NOW - DAY)
    token = ask(store)
    back.append(marked("bounces@example.org", store.letters.all()[0].id, KEYS))
    take(store, report("4.4.7", "greylisted", to=back[1], action="delayed"), keys=KEYS, now=NOW + DAY)
    assert token and readmit.confirm(store, token, keys=KEYS, now=NOW + DAY)


def letter(id: str, kind: LetterKind) -> Letter:
    return Letter(id=id, to=ADA, kind=kind, created_at=NOW, expires_at=NOW + DAY)


async def sent(store_of: Callable[[], Store], at: datetime) -> list[str]:
    app = App(settings=load(), clock=lambda: at)
    async with open_engine(app) as engine:
        await engine.letters()
    store = store_of()
    kinds = [each.letter.kind.value for each in store.letters.all() if each.sent_at == at]
    store.close()
    return kinds


@pytest.mark.parametrize(
    ("kind", "asks"), [(BounceKind.SOFT, True), (BounceKind.HARD, True), (BounceKind.COMPLAINT, False), (None, False)]
)
async def test_who_wants_to_log_in_with_it_is_asked_instead_once_a_day(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: BounceKind | None, asks: bool
) -> None:
    monkeypatch.setenv("NOTIFIER_BASE_URL", "https://papers.example.org")
    app = App(settings=load())
    with app.store() as store:
        suppress(store, kind)
        with store.write():
            store.letters.put([letter("l_1", LetterKind.LOGIN), letter("l_2", LetterKind.CONFIRM_SUBSCRIPTION)])
    assert await sent(app.open_store, NOW) == ["confirm_address"] * asks


def test_an_operator_has_it_asked_or_releases_it_at_once(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    at = ("--now", NOW.isoformat())
    notifier("bounces", "suppress", "ada@example.org", *at)
    refused = notifier.tried("bounces", "release", "ada@example.org", *at)
    assert refused.code == 2 and "--confirmed" in refused.err
    monkeypatch.setenv("NOTIFIER_BASE_URL", "https://papers.example.org")
    assert "is asked by mail" in notifier("bounces", "release", "ada@example.org", *at).out
    assert "can be confirmed until 2025-12-23 07:00 UTC" in notifier("bounces", "list", *at).out
    assert notifier("bounces", "list", "--json", *at).json["suppressed"][0]["state"] == "asked"
    notifier("run", "--once", *at)
    (mail,) = Path("data/outbox").glob("*.eml")
    assert b"https://papers.example.org/a/q_" in mail.read_bytes()
    assert "not confirmed" in notifier("bounces", "list", "--now", (NOW + 9 * DAY).isoformat()).out
    notifier("bounces", "release", "ada@example.org", "--confirmed", *at)
    assert notifier("bounces", "list", "--json", *at).json["suppressed"] == []


def test_a_new_subscription_to_it_says_that_it_is_asked_first(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFIER_BASE_URL", "https://papers.example.org")
    notifier("bounces", "suppress", "ada@example.org", "--reason", "She asked.")
    notifier("subscriber", "add", "ada@example.org")
    added = notifier("subscription", "add", "ada@example.org", "--channel", "email", "--every", "daily")
    assert "Nothing has been sent to ada@example.org: She asked." in added.err and "is asked by mail" in added.err
    assert [each["kind"] for each in notifier("letters", "--json").json] == ["confirm_address"]
