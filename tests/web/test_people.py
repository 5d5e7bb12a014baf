"""People come, log in, set up what they get, and leave."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest
import yaml

from notifier import account, edit, readmit
from notifier.collect import absorb
from notifier.model import Cadence, Every, LetterKind, Subscription, Suppression
from notifier.tokens import UNSUBSCRIBE, sign
from tests.builders import sighting
from tests.web.conftest import SiteServer


def subscribed(
    site: SiteServer, email: str = "ada@example.org", *, query: str = "diffusion", **wish: object
) -> Subscription:
    site.person(email)
    with site.store() as store:
        given = {"channel": "email", "cadence": Cadence(every=Every.DAILY), "max_entries": 20} | wish
        made = account.subscribe(store, email, account.Wish(**given), now=site.app.clock())  # type: ignore[arg-type]
        author = edit.Author(name=email, via="test")
        edit.add_rule(store, site.app.topics, made.id, query, author=author, now=site.app.clock())
        return made


def kept(site: SiteServer, id: str) -> Subscription:
    with site.store() as store:
        return store.subscriptions.get([id])[id]


def links(site: SiteServer, kind: LetterKind) -> list[str]:
    """The paths of the links in letters that wait to be sent, newest first."""
    with site.store() as store:
        letters = [each.letter for each in store.letters.all() if each.letter.kind is kind]
    found = [dict(each.values)["link"] for each in letters]
    assert all(each.startswith(site.url) for each in found)
    return [each.removeprefix(site.url) for each in found]


def links_in_letters(site: SiteServer) -> tuple[str, str]:
    """The newest to log in, and to confirm."""
    return links(site, LetterKind.LOGIN)[0], links(site, LetterKind.CONFIRM_SUBSCRIPTION)[0]


def test_a_mailed_link_logs_in_once_by_its_button_and_not_by_being_fetched(site: SiteServer) -> None:
    site.person()
    client = site.client(**{"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
    assert client.get("/account").headers["location"] == "/login?next=%2Faccount"
    asked = client.post("/login", data={"email": "ada@example.org", "next": "/account"})
    assert "on its way" in asked.text
    (path,) = links(site, LetterKind.LOGIN)
    assert "Log in as ada@example.org" in client.get(path).text and not client.cookies
    used = client.post(path)
    assert (used.status_code, used.headers["location"]) == (303, "/account")
    assert re.search(r"HttpOnly; .*SameSite=lax", used.headers["set-cookie"])
    assert "Firefox on Linux" in client.get("/account").text
    assert site.client().post(path).status_code == 404


def test_an_address_that_nobody_knows_is_answered_alike_and_gets_no_mail(site: SiteServer) -> None:
    site.person()
    client = site.client()
    known = client.post("/login", data={"email": "ada@example.org"})
    unknown = client.post("/login", data={"email": "eve@example.org"})
    assert known.text.replace("ada@", "eve@") == unknown.text
    assert len(links(site, LetterKind.LOGIN)) == 1


def test_one_address_gets_no_more_than_five_links_in_a_while(site: SiteServer) -> None:
    site.person()
    client = site.client()
    answers = {client.post("/login", data={"email": "ada@example.org"}).text for _ in range(8)}
    assert len(answers) == 1 and len(links(site, LetterKind.LOGIN)) == 5


def test_who_asks_too_often_has_to_wait(site: SiteServer) -> None:
    client = site.client()
    codes = [client.post("/login", data={"email": f"a{number}@example.org"}).status_code for number in range(25)]
    assert codes == [200] * 20 + [429] * 5


@pytest.mark.parametrize("next", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:x"])
def test_logging_in_leads_nowhere_else(site: SiteServer, next: str) -> None:
    assert site.logged_in().get("/login", params={"next": next}).headers["location"] == "/"


def test_a_link_to_log_in_ends_after_fifteen_minutes(site: SiteServer) -> None:
    site.person()
    site.client().post("/login", data={"email": "ada@example.org"})
    (path,) = links(site, LetterKind.LOGIN)
    site.move(timedelta(minutes=16))
    assert site.client().get(path).status_code == 404
    assert site.client().post(path).status_code == 404


def test_logging_out_everywhere_ends_every_session(site: SiteServer) -> None:
    here, there = site.logged_in(), site.logged_in()
    assert here.post("/account/sessions/end").status_code == 303
    assert [each.get("/account").status_code for each in (here, there)] == [303, 303]


def test_subscribing_needs_the_mailbox_and_shows_the_first_digest(site: SiteServer) -> None:
    client = site.client()
    wish = {"email": "new@example.org", "query": "diffusion OR RLHF", "timezone": "Asia/Tokyo", "packs": "nlp"}
    assert "on its way to new@example.org" in client.post("/subscribe", data=wish).text
    (path,) = links(site, LetterKind.CONFIRM_SUBSCRIPTION)
    shown = client.get(path).text
    assert "diffusion OR RLHF" in shown and "08:00 JST" in shown
    with site.store() as store:
        assert store.subscribers.all() == []
    assert client.post(path).headers["location"].startswith("/subscriptions")
    with site.store() as store:
        (made,) = store.subscriptions.all("new@example.org")
        rules = store.rules.of([made.id])[made.id]
    assert made.subscriber.timezone == "Asia/Tokyo" and "diffusion OR RLHF" in [each.query for each in rules]
    assert len(rules) > 1
    assert "It is set up." in client.get(f"/subscriptions?new={made.id}").text
    assert site.client().post(path).status_code == 404


def test_a_wish_that_does_not_parse_is_said_beside_the_form(site: SiteServer) -> None:
    answer = site.client().post("/subscribe", data={"email": "a@example.org", "query": '"reward model'})
    assert answer.status_code == 400 and "(column 1)" in answer.text and "&#34;reward model" in answer.text


def test_one_click_unsubscribes_without_cookie_or_redirect_and_keeps_the_rules(site: SiteServer) -> None:
    made = subscribed(site)
    token = sign(site.app.keys, UNSUBSCRIBE, made.id)
    answer = site.client().post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200 and "Unsubscribed" in answer.text
    left = kept(site, made.id)
    assert left.paused and left.paused_until is None
    with site.store() as store:
        assert store.subscriptions.due(site.app.clock() + timedelta(days=2), limit=9) == []
        assert len(store.rules.of([made.id])[made.id]) == 1


def test_a_token_that_we_did_not_sign_changes_nothing(site: SiteServer) -> None:
    made = subscribed(site)
    for token in (made.id, f"{made.id}.x", sign(site.app.keys, "login", made.id)):
        assert site.client().post(f"/u/{token}").status_code == 404
    assert not kept(site, made.id).paused


def test_instead_of_leaving_one_may_pause_or_get_fewer_or_leave_all(site: SiteServer) -> None:
    one, other = subscribed(site), subscribed(site)
    path = f"/u/{sign(site.app.keys, UNSUBSCRIBE, one.id)}"
    client = site.client()
    assert "Unsubscribe from this and 1 other" in client.get(path).text
    assert "at most 5 papers" in client.post(f"{path}/fewer").text
    assert kept(site, one.id).max_entries == 5
    day = (site.app.clock() + timedelta(days=3)).date()
    assert "Paused until" in client.post(f"{path}/pause", data={"until": f"{day}"}).text
    assert kept(site, one.id).paused_until is not None and not kept(site, other.id).paused
    client.post(f"{path}/all")
    assert kept(site, one.id).paused_until is None and kept(site, other.id).paused


def test_a_subscription_is_set_up_changed_paused_and_removed(site: SiteServer) -> None:
    client = site.logged_in()
    form = {
        "channel": "email",
        "every": "weekly",
        "at": "07:30",
        "days": ["0", "3"],
        "max_entries": "7",
        "packs": "nlp",
    }
    assert client.post("/subscriptions", data=form).status_code == 303
    (made,) = _mine(site)
    assert (made.cadence.every, made.cadence.days, made.max_entries) == (Every.WEEKLY, {0, 3}, 7)
    assert "Every week on Monday and Thursday at 07:30" in client.get("/subscriptions").text
    settings = f"/s/{made.id}/settings"
    assert client.get(settings).status_code == 200
    changed = {"channel": "email:ada@example.org", "every": "daily", "at": "09:00", "max_entries": "7"}
    quiet = {"quiet_from": "22:00", "quiet_to": "07:00", "free_weekends": "true", "votes": "100"}
    assert client.post(settings, data=changed | quiet).status_code == 303
    assert "Every day at 09:00, not between 22:00 and 07:00, not on weekends" in client.get(settings).text
    (after,) = _mine(site)
    assert after.follow_ups.votes == 100
    client.post(f"/s/{made.id}/pause")
    assert "Paused until you resume it" in client.get("/subscriptions").text
    client.post(f"/s/{made.id}/resume")
    assert "Next: " in client.get("/subscriptions").text
    assert "cannot be taken back" in client.get(f"/s/{made.id}/remove").text
    client.post(f"/s/{made.id}/remove")
    assert _mine(site) == []


def test_nobody_can_send_digests_to_another_persons_mailbox(site: SiteServer) -> None:
    form = {"channel": "email:eve@example.org", "every": "daily", "at": "08:00", "max_entries": "20"}
    assert site.logged_in().post("/subscriptions", data=form).status_code == 400
    assert _mine(site) == []


def test_a_test_is_sent_at_once_and_counts_as_nothing(site: SiteServer) -> None:
    made = subscribed(site)
    answer = site.logged_in().post(f"/s/{made.id}/test")
    assert answer.status_code == 200 and "0 papers" in answer.text
    assert len(list(site.app.settings.outbox.glob("*.eml"))) == 1
    with site.store() as store:
        assert store.deliveries.all() == []


def test_who_owns_an_address_that_was_left_alone_has_it_used_again_by_a_link(site: SiteServer) -> None:
    made = subscribed(site)
    address, now = made.address.target, site.app.clock()
    with site.store() as store, store.write():
        store.bounces.suppress(Suppression(address=address, since=now, reason="Its mailbox was not there."))
        readmit.ask_for(store, address, links=site.app.links, now=now)
    (path,) = links(site, LetterKind.CONFIRM_ADDRESS)
    client = site.client()
    before = site.dump()
    assert "Its mailbox was not there." in client.get(path).text
    assert site.dump() == before
    assert "gets mail again" in client.post(path).text
    with site.store() as store:
        assert store.bounces.suppressed() == []
    assert client.post(path).status_code == client.get(path).status_code == 404


def test_what_is_shared_is_seen_and_changed_by_its_members_until_they_leave(site: SiteServer) -> None:
    made = subscribed(site)
    ada, bob = site.logged_in(), site.logged_in("bob@example.org")
    assert bob.get(f"/s/{made.id}/settings").status_code == 404
    assert ada.post(f"/s/{made.id}/members", data={"email": "bob@example.org"}).status_code == 303
    assert bob.get(f"/s/{made.id}/settings").status_code == 200
    assert "shared by ada@example.org" in bob.get("/subscriptions").text
    assert bob.post(f"/s/{made.id}/remove").status_code == 400
    assert bob.post(f"/s/{made.id}/members", data={"email": "eve@example.org"}).status_code == 400
    assert bob.post(f"/s/{made.id}/members/remove", data={"email": "bob@example.org"}).status_code == 303
    assert bob.get(f"/s/{made.id}/settings").status_code == 404


def test_what_a_shared_subscription_showed_is_left_out_of_the_private_ones_of_who_asked_for_that(
    site: SiteServer,
) -> None:
    shared = subscribed(site, channel="outbox", cadence=Cadence(every=Every.INSTANT))
    own = {email: subscribed(site, email) for email in ("ada@example.org", "bob@example.org", "eve@example.org")}
    with site.store() as store, store.write():
        for email in ("bob@example.org", "eve@example.org"):
            store.members.add(shared.id, email, now=site.app.clock())
    for email in ("ada@example.org", "bob@example.org"):
        assert site.logged_in(email).post(f"/s/{shared.id}/ledger", data={"shares": "true"}).status_code == 303
    assert "checked> Leave out" in site.logged_in("bob@example.org").get(f"/s/{shared.id}/settings").text
    with site.store() as store, store.write():
        absorb(store, [sighting(1, title="Diffusion")], source="lab", baseline=False, now=site.app.clock())
    site.pass_once()
    site.move(timedelta(days=1))
    site.pass_once()
    with site.store() as store:
        got = {email: bool(store.deliveries.all(subscription_id=each.id)) for email, each in own.items()}
        assert len(store.deliveries.all(subscription_id=shared.id)) == 1
    assert got == {"ada@example.org": False, "bob@example.org": False, "eve@example.org": True}


@pytest.mark.parametrize(("format", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_everything_that_is_kept_of_a_person_can_be_taken_along(site: SiteServer, format: str, read: object) -> None:
    made = subscribed(site)
    subscribed(site, "bob@example.org")
    answer = site.logged_in().get(f"/account/export.{format}")
    whole = read(answer.text)  # type: ignore[operator]
    assert whole["email"] == "ada@example.org" and "attachment" in answer.headers["content-disposition"]
    assert [each["id"] for each in whole["subscriptions"]] == [made.id]
    assert whole["subscriptions"][0]["rules"][0]["query"] == "diffusion"
    assert "bob" not in answer.text


def test_deleting_everything_says_what_is_lost_and_leaves_nothing(site: SiteServer) -> None:
    subscribed(site)
    client = site.logged_in()
    page = client.get("/account/delete").text
    assert "1 subscription" in page and "1 rule with its history" in page
    client.post("/login", data={"email": "ada@example.org"})
    assert "Deleted" in client.post("/account/delete").text
    with site.store() as store:
        assert store.facts()["subscriber"] == store.facts()["subscription"] == store.facts()["rule"] == 0
    assert client.get("/account").status_code == 303
    assert "ada@example.org" not in site.dump()


def test_pages_are_german_for_who_chose_german(site: SiteServer) -> None:
    site.person(language="de")
    made = subscribed(site)
    shown = site.logged_in().get("/subscriptions").text
    assert "Jeden Tag um 08:00" in shown and "Nächste: " in shown and made.id in shown


def test_a_time_that_has_been_paused_until_is_said_in_the_persons_zone(site: SiteServer) -> None:
    made = subscribed(site)
    client = site.logged_in()
    client.post(f"/s/{made.id}/pause", data={"until": "2099-07-01"})
    shown = client.get("/subscriptions").text
    assert "Paused until Wed 1 Jul, 00:00 CEST" in shown
    assert kept(site, made.id).paused_until == datetime.fromisoformat("2099-07-01T00:00+02:00")


def _mine(site: SiteServer) -> list[Subscription]:
    with site.store() as store:
        return store.subscriptions.all("ada@example.org")
