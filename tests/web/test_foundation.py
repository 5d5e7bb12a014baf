"""What holds for every page."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from notifier import resources
from tests.web.conftest import SiteServer

# Versions as their packages name them; the licences (0BSD, MIT) lie beside the files.
VENDORED = {
    "htmx.min.js": ("2.0.11", "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"),
    "pico.min.css": ("2.1.1", "fbc9a63fc9fc9f72d12fd7fc9806e11fa9f77ae4f9cad146b27003a1119ba3db"),
}


@pytest.mark.parametrize("name", VENDORED)
def test_a_vendored_file_is_the_published_one_with_its_licence_beside_it(name: str) -> None:
    folder = resources.folder("templates") / "web" / "static" / "vendor"
    version, digest = VENDORED[name]
    content = (folder / name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == digest
    assert version.encode() in content
    assert (folder / f"{name.partition('.')[0]}.LICENSE").stat().st_size > 500


def test_no_page_runs_or_styles_anything_that_is_not_a_file_of_ours(site: SiteServer) -> None:
    answer = site.client().get("/")
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert not re.search(r"<script(?! src=)|<style|\son\w+=|\sstyle=", answer.text)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_a_page_refers_to_is_kept_for_good_by_browsers(site: SiteServer) -> None:
    client = site.client()
    names = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/").text)
    assert len(names) >= 4
    for each in names:
        answer = client.get(each)
        assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True), each


def test_head_answers_as_get_without_a_body(site: SiteServer) -> None:
    answer = site.client().head("/")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[", ""])
def test_another_host_name_is_not_answered(site: SiteServer, host: str) -> None:
    assert site.client(host=host).get("/").status_code in (400, 421)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
    ids=str,
)
def test_nothing_is_changed_from_another_site(site: SiteServer, headers: dict[str, str]) -> None:
    assert site.client(**headers).post("/").status_code == 403


def test_a_body_that_is_too_large_is_refused(site: SiteServer) -> None:
    assert site.client().post("/", content=b"x" * 300_000).status_code == 413


def test_what_is_not_there_is_said_in_words_and_in_the_browsers_language(site: SiteServer) -> None:
    answer = site.client().get("/nowhere")
    assert answer.status_code == 404 and "There is nothing here." in answer.text
    german = site.client(**{"accept-language": "de-AT,en;q=0.5"}).get("/nowhere")
    assert "Hier ist nichts." in german.text and '<html lang="de">' in german.text


def test_who_is_logged_in_sees_their_own_way_round(site: SiteServer) -> None:
    assert 'href="/account"' in site.logged_in().get("/").text
    assert 'href="/account"' not in site.client().get("/").text


def test_behind_https_cookies_and_browsers_are_told_so_and_proxies_are_believed(tmp_path: Path) -> None:
    server = SiteServer(
        tmp_path / "data", base_url="https://papers.example.org", trusted_proxies="127.0.0.1", thumbnails=True
    )
    try:
        client = server.client(host="papers.example.org", **{"x-forwarded-for": "192.0.2.7"})
        assert client.get("/").headers["strict-transport-security"].startswith("max-age=31536000")
        assert "img-src 'self' data: https://cdn-" in client.get("/").headers["content-security-policy"]
        server.person()
        client.post("/login", data={"email": "ada@example.org"}, headers={"origin": "https://papers.example.org"})
        with server.store() as store:
            ((_, link), *_) = store.letters.all()[0].letter.values
        path = link.removeprefix("https://papers.example.org")
        assert client.post(path, headers={"origin": "http://papers.example.org"}).status_code == 403
        cookie = client.post(path).headers["set-cookie"]
        assert cookie.startswith("__Host-session=") and "; Secure" in cookie and "Domain" not in cookie
        # Each behind the proxy is counted by itself.
        for number in range(30):
            client.post("/login", data={"email": f"a{number}@example.org"})
        other = server.client(host="papers.example.org", **{"x-forwarded-for": "198.51.100.7"})
        assert client.post("/login", data={"email": "b@example.org"}).status_code == 429
        assert other.post("/login", data={"email": "b@example.org"}).status_code == 200
    finally:
        server.close()
