"""The papers of a day on the first page."""

from __future__ import annotations

import re
from pathlib import Path

from tests.builders import NOW
from tests.web.conftest import SiteServer
from tests.web.reading import bring, shown


def test_the_first_page_has_the_papers_of_the_latest_day(reading: SiteServer) -> None:
    bring(reading, "Old one", days=3, first=9)
    bring(reading, "A paper", abstract="What it says.", authors=("Ada Lovelace",), organization=None, upvotes=7, days=1)
    page = reading.client().get("/").text
    assert shown(page) == ["A paper"]
    assert "Monday 15 December" in page and "1 paper<" in page
    assert "Ada Lovelace" in page and "7 votes" in page and "What it says." in page
    assert "Get the papers you care about in your inbox" in page


def test_a_hostile_title_is_text(reading: SiteServer) -> None:
    bring(reading, "<script>alert(1)</script><img src=x onerror=y>", abstract="<b>x</b>", url="javascript:alert(1)")
    page = reading.client().get("/").text
    assert "<script>alert" not in page and "<img src=x" not in page and "javascript:" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_links_lead_to_the_day_before_the_week_and_the_newest(reading: SiteServer) -> None:
    bring(reading, "Old one", days=3, first=9)
    bring(reading, "Loved", "Fresh")
    client = reading.client()
    page = client.get("/").text
    links = {
        re.sub("<[^>]+>", "", text): url for url, text in re.findall(r'<a[^>]*href="(/\?[^"]+)"[^>]*>(.*?)</a>', page)
    }
    assert shown(client.get(links["← Sat 13 Dec"]).text) == ["Old one"]
    assert "Week of Monday 15 December" in client.get(links["Week"]).text
    assert shown(client.get(links["Newest"]).text)
    assert "Tue 16 Dec →" in client.get(links["← Sat 13 Dec"]).text


def test_a_long_day_goes_on_behind_its_first_page(reading: SiteServer) -> None:
    bring(reading, *(f"Paper {number}" for number in range(70)))
    client, pages, url = reading.client(), list[list[str]](), "/"
    while url:
        page = client.get(url).text
        pages.append(shown(page))
        more = re.search(r'<a rel="next" href="([^"]+)">More', page)
        url = more[1].replace("&amp;", "&") if more else ""
    assert [len(each) for each in pages] == [30, 30, 10]
    assert len({title for each in pages for title in each}) == 70


def test_a_list_that_nobody_links_to_is_not_found(reading: SiteServer) -> None:
    for query in ("span=year", "day=2025-13-01", "day=0001-01-01", "day=9999-12-31", "by=luck"):
        assert reading.client().get(f"/?{query}").status_code == 404


def test_who_has_the_page_already_gets_none_until_a_paper_changes(reading: SiteServer) -> None:
    bring(reading, "A paper", upvotes=1)
    client = reading.client()
    tag = client.get("/").headers["etag"]
    assert client.get("/", headers={"if-none-match": tag}).status_code == 304
    bring(reading, "A paper", upvotes=2)
    again = client.get("/", headers={"if-none-match": tag})
    assert (again.status_code, "2 votes" in again.text) == (200, True)


def test_one_language_or_one_person_never_gets_anothers_page(reading: SiteServer) -> None:
    bring(reading, "A paper")
    assert "Get the papers you care about" in reading.client().get("/").text
    assert "Die passenden Paper" in reading.client(**{"accept-language": "de"}).get("/").text
    assert "Get the papers you care about" not in reading.logged_in().get("/").text
    assert "Get the papers you care about" in reading.client().get("/").text


def test_a_thumbnail_is_shown_where_the_operator_allows_it(reading: SiteServer, tmp_path: Path) -> None:
    picture = "https://cdn-thumbnails.huggingface.co/x.png"
    bring(reading, "A paper", thumbnail=picture)
    assert picture not in reading.client().get("/").text
    allowing = SiteServer(tmp_path / "data", clock=lambda: NOW, thumbnails=True)
    page = allowing.client().get("/").text
    allowing.close()
    assert f'<img src="{picture}"' in page


def test_an_archive_without_papers_says_so(reading: SiteServer) -> None:
    assert "No papers have been announced yet." in reading.client().get("/").text
