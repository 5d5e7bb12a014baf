"""As a person does it: a browser, a mailbox on a real SMTP server, with scripts and without."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from datetime import timedelta
from email import policy
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from notifier import account
from notifier.collect import absorb
from notifier.model import Subscription
from notifier.tokens import UNSUBSCRIBE, sign
from tests.builders import sighting
from tests.servers.smtp import MailServer
from tests.tools import need
from tests.web.conftest import SiteServer
from tests.web.test_people import links_in_letters, subscribed

WIDTHS = {"phone": 360, "desktop": 1280}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = need("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def mailbox() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def mailing(tmp_path: Path, mailbox: MailServer) -> Iterator[SiteServer]:
    """A site whose mail goes to that server."""
    server = SiteServer(
        tmp_path / "data",
        smtp_host=mailbox.host,
        smtp_port=mailbox.port,
        smtp_security="none",
        mail_from="Papers <papers@example.org>",
        contact="you@example.org",
    )
    yield server
    server.close()


def publish(site: SiteServer, number: int, title: str) -> None:
    with site.store() as store, store.write():
        absorb(store, [sighting(number, title=title)], source="lab", baseline=False, now=site.app.clock())


def addresses(mail: bytes) -> list[str]:
    """Every address that a mail leads to, in its bodies and headers."""
    message = email.message_from_bytes(mail, policy=policy.default)
    bodies = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    found = re.findall(r"https?://[^\s\"'<>)]+", " ".join([*bodies, *map(str, message.values())]))
    return list(dict.fromkeys(each.replace("&amp;", "&").rstrip(".,") for each in found))


def newest_link(site: SiteServer, mailbox: MailServer, path: str) -> str:
    site.send_letters()
    return next(each for each in addresses(mailbox.mails[-1].content) if each.startswith(site.url + path))


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_person_subscribes_confirms_logs_in_gets_a_digest_and_leaves(
    mailing: SiteServer, mailbox: MailServer, chromium: Browser, scripts: bool
) -> None:
    site = mailing
    publish(site, 1, "Diffusion policies that walk")
    context = chromium.new_context(java_script_enabled=scripts, timezone_id="America/New_York")
    page = context.new_page()
    page.goto(f"{site.url}/subscribe")
    page.get_by_label("Mail address").fill("ada@example.org")
    page.get_by_label("Words to look for").fill('"diffusion policy')
    page.get_by_role("button", name="Subscribe").click()
    assert "not closed" in page.get_by_role("alert").inner_text()
    page.get_by_label("Words to look for").fill("diffusion policy")
    page.get_by_role("button", name="Subscribe").click()
    page.goto(newest_link(site, mailbox, "/confirm/"))
    assert "Diffusion policies that walk" in page.inner_text("main")
    page.get_by_role("button", name="Confirm").click()
    shown = page.inner_text("main")
    assert "It is set up." in shown and "Every day at 08:00" in shown
    assert ("EST" in shown or "EDT" in shown) if scripts else "UTC" in shown

    page.get_by_role("link", name="Account").click()
    page.get_by_role("button", name="Log out everywhere").click()
    page.goto(f"{site.url}/subscriptions")
    page.get_by_label("Mail address").fill("ada@example.org")
    page.get_by_role("button", name="Send the link").click()
    page.goto(newest_link(site, mailbox, "/login/"))
    page.get_by_role("button", name="Log in as ada@example.org").click()
    assert page.url == f"{site.url}/subscriptions"
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Papers shown in full").fill("7")
    page.get_by_role("button", name="Save").click()
    assert "Saved." in page.inner_text("main")
    context.close()

    site.move(timedelta(days=1))
    publish(site, 2, "A diffusion policy for quiet robots")
    site.pass_once()
    digest = mailbox.mails[-1]
    assert b"List-Unsubscribe-Post" in digest.content and digest.recipients == ("ada@example.org",)
    leave = next(each for each in addresses(digest.content) if each.startswith(f"{site.url}/u/"))
    assert site.client().post(leave, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    sent = len(mailbox.mails)
    site.move(timedelta(days=1))
    publish(site, 3, "One more diffusion policy")
    site.pass_once()
    assert len(mailbox.mails) == sent


def test_fetching_every_link_of_every_mail_changes_no_row(mailing: SiteServer, mailbox: MailServer) -> None:
    site, client = mailing, mailing.client()
    subscribed(site)
    client.post("/login", data={"email": "ada@example.org"})
    client.post("/subscribe", data={"email": "eve@example.org", "query": "diffusion"})
    site.send_letters()
    crawled = crawl(site, mailbox)
    site.move(timedelta(days=1))
    publish(site, 1, "Diffusion policies that walk")
    site.pass_once()
    crawled |= crawl(site, mailbox, since=2)
    assert len(mailbox.mails) == 3 and crawled >= {"login", "confirm", "u", "s"}


def crawl(site: SiteServer, mailbox: MailServer, *, since: int = 0) -> set[str]:
    """Fetch what mails lead to here; the kinds of page that were met."""
    mails = mailbox.mails[since:]
    found = [each for mail in mails for each in addresses(mail.content) if each.startswith(site.url)]
    client, before = site.client(), site.dump()
    for each in found:
        for method in ("HEAD", "GET"):
            assert client.request(method, each, follow_redirects=True).status_code == 200, each
    assert site.dump() == before
    return {each.split("/")[3] for each in found}


def pages_of(site: SiteServer, own: Subscription) -> dict[str, str]:
    """The path of each page that people meet, by name."""
    client = site.client()
    client.post("/login", data={"email": "ada@example.org"})
    client.post("/subscribe", data={"email": "eve@example.org", "query": "diffusion"})
    login, confirm = links_in_letters(site)
    return {
        "login": "/login",
        "enter": login,
        "subscribe": "/subscribe",
        "confirm": confirm,
        "leave": f"/u/{sign(site.app.keys, UNSUBSCRIBE, own.id)}",
        "subscriptions": "/subscriptions",
        "new": "/subscriptions/new",
        "settings": f"/s/{own.id}/settings",
        "pause": f"/s/{own.id}/pause",
        "remove": f"/s/{own.id}/remove",
        "account": "/account",
        "delete": "/account/delete",
        "missing": "/nowhere",
    }


@pytest.mark.parametrize(("width", "scheme"), [("phone", "light"), ("desktop", "dark")])
def test_every_page_is_readable_by_everybody_and_fits_its_screen(
    site: SiteServer, chromium: Browser, width: str, scheme: str
) -> None:
    own = subscribed(site)
    with site.store() as store:
        account.change(store, own.id, max_entries=20, now=site.app.clock())
    publish(site, 1, "Diffusion policies that walk " + "x" * 120)
    context = chromium.new_context(viewport={"width": WIDTHS[width], "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    context.add_cookies([{"name": "session", "value": site.session_word(), "url": site.url}])
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if "Content Security" in message.text else None)
    for name, path in pages_of(site, own).items():
        page.goto(site.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width], name
        assert serious(page) == [], name
    assert said == []
    context.close()


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    bad = [each for each in found if each["impact"] in ("serious", "critical")]
    return [f"{each['id']}: {node['html'][:200]}" for each in bad for node in each["nodes"]]
