"""The pages for reading as a person uses them: in Chromium, with and without scripts, on a phone and a desk."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from notifier.model import Mode
from tests.tools import need
from tests.web.conftest import SiteServer
from tests.web.reading import bring, delivered, rules_of, subscribed

WRONG, MENDED = 'robot "legs', 'robot "legs"'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = need("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def digest(reading: SiteServer) -> str:
    """Of a subscription whose one rule brought a paper; its address."""
    bring(reading, "Robot legs", "Robot arms", "Legs of a robot", "Plants", abstract="We walk. " * 30)
    (rule,) = subscribed(reading, "robot")
    return f"{reading.url}/d/{delivered(reading, rule)}"


def opened(browser: Browser, site: SiteServer, *, scripts: bool = True, width: int = 1280, dark: bool = False) -> Page:
    """A window of a person who is logged in."""
    context = browser.new_context(
        java_script_enabled=scripts,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if dark else "light",
    )
    client: httpx2.Client = site.logged_in()
    context.add_cookies([{"name": "session", "value": client.cookies["session"], "url": site.url}])
    page = context.new_page()
    page.set_default_timeout(20_000)
    return page


def write(page: Page, text: str, *, scripts: bool) -> None:
    field = page.get_by_label("Words, or a rule")
    field.fill("")
    if scripts:
        field.press_sequentially(text)
    else:
        field.fill(text)
        page.get_by_role("button", name="Check").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_wrong_rule_is_read_mended_and_saved_and_a_word_muted_from_a_digest(
    browser: Browser, reading: SiteServer, digest: str, scripts: bool
) -> None:
    page = opened(browser, reading, scripts=scripts)
    page.goto(f"{reading.url}/s/s_ada")
    write(page, WRONG, scripts=scripts)
    preview = page.locator("#preview")
    expect(preview.get_by_role("alert")).to_contain_text("A quotation mark is not closed", timeout=20_000)
    write(page, MENDED, scripts=scripts)
    expect(preview).to_contain_text("2 of 4 papers of the last 30 days match.", timeout=20_000)
    expect(preview.locator("mark").first).to_be_visible()
    expect(preview.get_by_role("img")).to_have_attribute("aria-label", re.compile("Papers a day"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text(f"Saved: {MENDED}", timeout=20_000)
    page.goto(digest)
    page.get_by_role("link", name="“robot”").click()
    page.get_by_role("link", name="Mute robot").click()
    expect(page.locator("#preview")).to_contain_text("It takes 3 papers from these digests", timeout=20_000)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved: robot", timeout=20_000)
    assert [(each.query, each.mode) for each in rules_of(reading)] == [
        ("robot", Mode.INCLUDE),
        (MENDED, Mode.INCLUDE),
        ("robot", Mode.MUTE),
    ]
    page.context.close()


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False)], ids=["phone, dark", "desk, light"])
def test_pages_fit_the_screen_and_have_no_serious_fault_for_those_who_cannot_see_them(
    browser: Browser, reading: SiteServer, digest: str, width: int, dark: bool
) -> None:
    page, rule = opened(browser, reading, width=width, dark=dark), rules_of(reading)[0].id
    failed: list[str] = []
    page.on("console", lambda said: failed.append(said.text))
    paths = ("/", "/search?q=robot", "/search", "/e/arxiv:2512.00001", "/s/s_ada", f"/s/s_ada?rule={rule}")
    more = ("/s/s_ada/topics", "/s/s_ada/history", "/s/s_ada/digests", "/s/s_ada/feed", f"/s/s_ada/rules/{rule}/drop")
    for path in (*paths, *more, digest.removeprefix(reading.url)):
        page.goto(reading.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        found = Axe().run(page).response["violations"]
        serious = [
            (each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")
        ]
        assert not serious, (path, serious)
    assert failed == []
    page.context.close()
