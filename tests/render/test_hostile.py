"""Everything a source, a person or a rule can say arrives as harmless text."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from notifier.model import Address, Digest, DigestItem, Evidence, Health, Reason, SourceHealth
from notifier.render import Composer, Links
from notifier.render.text import plain
from notifier.tokens import Keys
from tests.builders import rule
from tests.compliance import demand
from tests.render.hostile import LINKS, TEXTS
from tests.render.reading import html, page, parsed, text, texts
from tests.render.samples import DUE, NOW, digest, entry, subscription

COMPOSER = Composer(
    links=Links(base_url="https://papers.example.org", sender="Papers <p@example.org>", keys=Keys(SecretStr("k"))),
    summaries=True,
)
HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
    "Auto-Submitted", "Content-Language", "MIME-Version", "Content-Type",
]  # fmt: skip
TAGS = {
    "html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td", "h1", "h2", "h3", "p", "a",
    "mark", "span", "br",
}  # fmt: skip


def poisoned(words: str, link: str, *, kind: str = "email") -> Digest:
    """A digest in which every text is ``words`` and every link ``link``."""
    evil = entry(
        title=words, abstract=words, authors=(words, words, words), organization=None, categories=(words,),
        url=link, pdf_url=link, code_url=link, project_url=link,
        extra=json.dumps({"ai_summary": words}),
    )  # fmt: skip
    evidence = (
        Evidence(field="abstract", spans=((0, 3), (2, 9), (5, 10_000), (-3, 1)), text=words),
        Evidence(field=words, text=words),
    )
    item = DigestItem(entry=evil, reasons=(Reason(rule_id="r", label=words, query=words, evidence=evidence),))
    target = subscription(
        address=Address(kind=kind, target="C1" if kind == "slack" else ""), subscriber={"name": words}
    )
    base = digest(item, replace(item, entry=replace(evil, organization=words)), more=(item,), subscription=target)
    health = SourceHealth(name=words, title=words, last_success_at=DUE, health=Health.FRESH)
    return replace(base, sources=(health,), warnings=(rule(words, broken=words),))


def check_mail(words: str, link: str) -> None:
    rendered = COMPOSER.render(poisoned(words, link), "email", now=NOW)
    demand(rendered.parts)
    message = parsed(rendered)
    assert message.keys() == HEADERS
    assert message["To"].addresses[0].addr_spec == "ada@example.org"
    assert len(message["To"].addresses) == 1
    assert plain(words, 40) in message["Subject"] or not plain(words, 40)
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    check_page(html(message))
    assert not re.search(r"(?<!x:)javascript:", " ".join(line for line in text(message).split() if "://" in line))


def check_page(markup: str) -> None:
    found = page(markup)
    assert set(found.tags) <= TAGS
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    assert all(href.startswith(("https://", "http://")) for href in found.hrefs)


def check_slack(words: str, link: str) -> None:
    for raw in COMPOSER.render(poisoned(words, link, kind="slack"), "slack", now=NOW).parts:
        part = json.loads(raw)
        assert part["metadata"]["event_type"] == "notifier_digest"
        for shown in [part["text"], *texts(part)]:
            assert all(re.fullmatch(r"<https?://[^<>|\s]+\|[^<>|]+>", each) for each in re.findall(r"<[^>]*>?", shown))
            assert not re.search(r"&(?!(amp|lt|gt);)", shown)


@pytest.mark.parametrize("start", range(0, len(TEXTS), 53))
def test_hostile_text_arrives_as_text_in_mail(start: int) -> None:
    for words in TEXTS[start : start + 53]:
        check_mail(words, "https://example.org/")


@pytest.mark.parametrize("start", range(0, len(TEXTS), 53))
def test_hostile_text_arrives_as_text_in_slack(start: int) -> None:
    for words in TEXTS[start : start + 53]:
        check_slack(words, "https://example.org/")


@pytest.mark.parametrize("link", LINKS)
def test_hostile_links_are_dropped_or_harmless(link: str) -> None:
    check_mail("a title", link)
    check_slack("a title", link)


def test_an_encoded_word_in_a_label_is_shown_as_it_was_written() -> None:
    words = "=?UTF-8?Q?=0D=0ABcc:_x@y?="
    message = parsed(COMPOSER.render(poisoned(words, ""), "email", now=NOW))
    assert message["Subject"] == f"3 papers · {words} · Tue 16 Dec"
    assert message["To"].addresses[0].display_name == words


@settings(max_examples=60)
@given(st.text(alphabet=st.characters(), max_size=120), st.text(max_size=40))
def test_any_text_leaves_mail_and_slack_intact(words: str, tail: str) -> None:
    check_mail(words, f"https://example.org/{tail}")
    check_slack(words, f"https://example.org/{tail}")
