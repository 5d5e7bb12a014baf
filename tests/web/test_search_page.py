"""Search on a page, and what becomes of it."""

from __future__ import annotations

import re

from notifier.model import Every
from tests.web.conftest import SiteServer
from tests.web.reading import bring, shown


def test_what_was_found_is_marked_counted_and_put_in_words(reading: SiteServer) -> None:
    bring(reading, "Reward models", "Plants", "On rewards", abstract="A reward <model>.")
    page = reading.client().get("/search", params={"q": "reward title:models"}).text
    assert shown(page) == ["Reward models"]
    assert "<mark>models</mark>" in page and "A <mark>reward</mark> &lt;model&gt;." in page
    assert "1 of 3 papers matches." in page
    assert "title contains models" in page


def test_a_rule_that_cannot_be_read_says_why_under_its_column(reading: SiteServer) -> None:
    answer = reading.client().get("/search", params={"q": 'reward "model'})
    assert answer.status_code == 400
    assert "A quotation mark is not closed" in answer.text
    text, caret = re.search(r"<pre[^>]*>([^\n]*)\n([^<]*)</pre>", answer.text).groups()  # type: ignore[union-attr]
    assert text.replace("&#34;", '"')[caret.index("^")] == '"'
    assert 'value="reward &#34;model"' in answer.text


def test_more_than_a_page_goes_on_with_older_ones(reading: SiteServer) -> None:
    bring(reading, *(f"Reward {number}" for number in range(30)))
    client = reading.client()
    first = client.get("/search?q=reward").text
    more = re.search(r'<a rel="next" href="([^"]+)"', first)
    assert more and "30 of 30 papers match" in first
    second = client.get(more[1].replace("&amp;", "&")).text
    assert (len(shown(first)), len(shown(second))) == (25, 5)
    assert not set(shown(first)) & set(shown(second))


def test_nothing_found_says_what_finds_more(reading: SiteServer) -> None:
    assert "No paper matches." in reading.client().get("/search?q=unheardof").text


def test_one_button_keeps_a_search_as_a_daily_mail(reading: SiteServer) -> None:
    client = reading.logged_in()
    answer = client.post("/search/keep", data={"q": '"reward model"'})
    with reading.store() as store:
        (made,) = store.subscriptions.all("ada@example.org")
        (rule,) = store.rules.of([made.id])[made.id]
    assert (answer.status_code, answer.headers["location"]) == (303, f"/s/{made.id}")
    assert (made.cadence.every, str(made.address), rule.query) == (
        Every.DAILY,
        "email:ada@example.org",
        '"reward model"',
    )


def test_a_search_that_cannot_be_read_makes_no_subscription(reading: SiteServer) -> None:
    client = reading.logged_in()
    assert client.post("/search/keep", data={"q": "("}).status_code == 400
    with reading.store() as store:
        assert store.subscriptions.all() == []


def test_who_is_not_logged_in_keeps_nothing_but_is_offered_a_mail(reading: SiteServer) -> None:
    bring(reading, "Reward models")
    client = reading.client()
    assert 'action="/subscribe"' in client.get("/search?q=reward").text
    assert client.post("/search/keep", data={"q": "reward"}).status_code == 401


def test_no_text_breaks_the_page(reading: SiteServer) -> None:
    client = reading.client()
    for query in ("a" * 2_001, "(" * 60, "\x00", "𝔘" * 300, "'; DROP TABLE entry; --"):
        assert client.get("/search", params={"q": query}).status_code in (200, 400)
