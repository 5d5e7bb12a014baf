"""Hostile titles, names, labels and links through mail, HTML, text, Slack, chats, webhooks and letters.

``python -m tests.torture.torture_hostile [--texts N] [--seed N] [--first N]`` puts made-up texts that try to become
something else into every place of a digest where a text from outside can stand, each a different one, renders it in
every format, and reads what came out as its receiver does: the mail by the standard library, its HTML by Chromium
where that is installed (and by Python's parser always), Slack's JSON by the limits and the markup that Slack documents.
A digest depends on seed and number alone: ``--first`` goes straight to the one that failed.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes, policy
from functools import lru_cache
from itertools import cycle
from typing import Any

from pydantic import SecretStr

from notifier.clean import data
from notifier.model import (
    Address,
    Digest,
    DigestFollowUp,
    DigestItem,
    Evidence,
    FollowUp,
    FollowUpKind,
    Health,
    Letter,
    LetterKind,
    Message,
    Reason,
    SourceHealth,
)
from notifier.render import Composer, Links
from notifier.render.text import plain
from notifier.tokens import Keys
from tests.builders import rule
from tests.compliance import faults_of
from tests.render.reading import page
from tests.render.samples import DUE, NOW, digest, entry, subscription
from tests.servers.slack_limits import problem
from tests.tools import tool
from tests.torture import hostile_texts

_PAGES_AT_ONCE = 40
_HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
    "Auto-Submitted", "Content-Language", "MIME-Version", "Content-Type",
]  # fmt: skip
_TAGS = frozenset({
    "html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td", "h1", "h2", "h3", "p", "a",
    "mark", "span", "br", "strong", "em", "ul", "li", "hr",
})  # fmt: skip
# Slack's own markup is <…>; of it only links to the web are ours (docs.slack.dev, Formatting message text).
_SLACK_LINK = re.compile(r"<https?://[^<>|\s]+\|[^<>|]+>")
_SLACK_ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")
_CHAT_ACTIVE = re.compile(r"<[@!#]|@(?:everyone|here|channel|all)\b|\]\(")
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_LOOK = """pages => pages.map(markup => {
    const seen = new DOMParser().parseFromString(markup, "text/html"), wrong = [];
    for (const each of seen.querySelectorAll("*")) {
        if (!TAGS.includes(each.localName)) wrong.push(`<${each.localName}>`);
        if (each.namespaceURI !== "http://www.w3.org/1999/xhtml") wrong.push(each.namespaceURI);
        for (const { name } of each.attributes)
            if (/^on|^(src|srcdoc|action|formaction|autofocus|http-equiv)$/.test(name) && each.localName !== "meta")
                wrong.push(`${each.localName} ${name}`);
        if (each.localName === "a" && !["https:", "http:", "mailto:"].includes(each.protocol))
            wrong.push(`a link to ${each.getAttribute("href")}`);
        if (each.localName === "meta" && /refresh/i.test(each.httpEquiv)) wrong.push("a refresh");
    }
    const walker = seen.createTreeWalker(seen, NodeFilter.SHOW_COMMENT);
    while (walker.nextNode()) {
        const { data } = walker.currentNode;
        if (!/^\\[if mso\\]>.*<!\\[endif\\]$/s.test(data)) wrong.push(`a comment ${data}`);
    }
    return wrong;
})""".replace("TAGS", json.dumps(sorted(_TAGS)))


@dataclass(slots=True)
class Report:
    """``seen`` counts what was looked at; ``faults`` tell the number of the digest and what was wrong."""

    texts: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class Poison:
    """One digest's texts and links, each made when it is asked for, and counted."""

    def __init__(self, seed: int, number: int) -> None:
        self.rng = random.Random(f"{seed}:{number}")
        self.made = 0

    def text(self) -> str:
        self.made += 1
        return hostile_texts.text(self.rng)

    def link(self) -> str:
        self.made += 1
        return hostile_texts.link(self.rng)

    def item(self) -> DigestItem:
        abstract = self.text()
        made = entry(
            self.rng.randrange(10**5), title=f"paper{self.made} {self.text()}", abstract=abstract,
            authors=(self.text(), self.text()), organization=self.rng.choice((None, self.text())),
            categories=(self.text(),), url=self.link(), pdf_url=self.link(), code_url=self.link(),
            project_url=self.link(), extra=json.dumps({"ai_summary": self.text()}),
        )  # fmt: skip
        start = self.rng.randint(-3, len(abstract))
        spans = ((start, start + self.rng.randint(0, 30)), (0, 3), (5, 10_000))
        seen = Evidence(field="abstract", spans=spans, text=self.text())
        evidence = (seen, Evidence(field="title", text=self.text()))
        reason = Reason(rule_id="r", label=self.text(), query=self.text(), evidence=evidence)
        return DigestItem(entry=made, reasons=(reason,))

    def digest(self) -> Digest:
        person = {"name": self.text(), "language": self.rng.choice(("en", "de"))}
        items = [self.item() for _ in range(self.rng.choice((1, 2, 4)))]
        what = FollowUp(entry_id="e", kind=FollowUpKind.CODE, value=self.link(), since=NOW - timedelta(days=3))
        health = SourceHealth(
            name=self.text(), title=self.text(), last_success_at=DUE, health=self.rng.choice(list(Health)), since=DUE
        )
        made = digest(*items, more=(self.item(),), subscription=subscription(subscriber=person))
        return replace(
            made,
            follow_ups=(DigestFollowUp(entry=self.item().entry, what=what),),
            sources=(health,),
            warnings=(rule(self.text(), broken=self.text()),),
        )

    def letter(self) -> Letter:
        names = ("summary", "reason", "channel", "subscription")
        return Letter(
            id="l_3k9m2x",
            to="ada@example.org",
            kind=self.rng.choice(list(LetterKind)),
            language=self.rng.choice(("en", "de")),
            values=(("link", "https://papers.example.org/go"), *((name, self.text()) for name in names)),
            created_at=NOW,
            expires_at=NOW + timedelta(minutes=15),
        )


@lru_cache
def composer(base_url: str, threads: bool) -> Composer:
    keys = Keys(SecretStr("k"))
    links = Links(base_url=base_url, sender="Papers <p@example.org>", contact="o@example.org", keys=keys)
    return Composer(links=links, summaries=True, threads=threads)


def torture(*, texts: int, seed: int, first: int = 0, browser: bool = True) -> Report:
    """As many digests as it takes for so many texts."""
    report = Report()
    with pages_by_chromium(report) if browser else pages_by_nobody() as look:
        for number, with_pages in zip(range(first, sys.maxsize), cycle((True, False)), strict=False):
            if report.texts >= texts:
                break
            poison = Poison(seed, number)
            try:
                base_url = "https://papers.example.org" if with_pages else ""
                one(poison, composer(base_url, with_pages), report, look, number)
            except Exception as error:
                report.faults.append(f"digest {number}: {type(error).__name__}: {error}")
            report.texts += poison.made
    return report


Look = Callable[[int, str], None]


def one(poison: Poison, writer: Composer, report: Report, look: Look, number: int) -> None:
    """One digest in all formats; what is wrong with it goes into the report."""
    made = poison.digest()
    for kind, read in READERS.items():
        shown = replace(made, subscription=replace(made.subscription, address=Address(kind=kind, target="C1")))
        message = writer.render(made if kind == "email" else shown, kind, now=NOW)
        report.faults += [f"digest {number} as {kind}: {wrong}" for wrong in read(message, made)]
        report.seen[kind] += 1
        if kind == "email":
            look(number, html_of(message.parts[0]))
    (raw,) = writer.write(poison.letter(), now=NOW).parts
    report.faults += [f"letter {number}: {wrong}" for wrong in (*faults_of(raw), *markup(html_of(raw)))]
    report.seen["letter"] += 1
    look(number, html_of(raw))


def read_mail(message: Message, made: Digest) -> Iterator[str]:
    (raw,) = message.parts
    yield from faults_of(raw)
    parsed = message_from_bytes(raw, policy=policy.default)
    pages = "List-Unsubscribe-Post" in parsed
    if parsed.keys() != [name for name in _HEADERS if pages or name != "List-Unsubscribe-Post"]:
        yield f"its headers are {parsed.keys()}"
    if str(parsed["Subject"]) != message.subject:
        yield f"its subject is {parsed['Subject']!r}, not {message.subject!r}"
    (to,) = parsed["To"].addresses
    # Between encoded words Python's parser of addresses keeps a space that counts for nothing (RFC 2047, 6.2).
    meant = plain(made.subscription.subscriber.name, 80)
    names = [plain(each, 500).replace(" ", "") for each in (to.display_name, meant)]
    if to.addr_spec != "ada@example.org" or names[0] != names[1]:
        yield f"it goes to {to!r}"
    yield from markup(html_of(raw))
    yield from lost(html_of(raw), made)
    yield from lost(body_of(raw, "plain"), made)


def html_of(raw: bytes) -> str:
    return body_of(raw, "html")


def body_of(raw: bytes, kind: str) -> str:
    part = message_from_bytes(raw, policy=policy.default).get_body((kind,))  # type: ignore[attr-defined]
    return str(part.get_content())


def lost(shown: str, made: Digest) -> Iterator[str]:
    """The first words of titles, which are harmless, of which nothing is left."""
    words = [item.entry.title.split()[0] for item in made.items]
    yield from (f"{word} is not in it" for word in words if word not in shown)


def markup(html: str) -> Iterator[str]:
    """By Python's own parser."""
    found = page(html)
    if strange := set(found.tags) - _TAGS:
        yield f"its HTML has {sorted(strange)}"
    if unreadable := _UNREADABLE.search(html.replace("\r\n", "\n")):
        yield f"its HTML holds {unreadable[0]!r}"


def read_slack(message: Message, made: Digest) -> Iterator[str]:
    for number, raw in enumerate(message.parts):
        part = json.loads(raw)
        if wrong := problem(part):
            yield f"Slack would not take it: {wrong}"
        if {"link_names", "parse"} & part.keys() or part["unfurl_links"] or part["unfurl_media"]:
            yield "Slack would look for names and links in it"
        if part["metadata"]["event_payload"]["part"] != number:
            yield f"part {number} is keyed {part['metadata']}"
        for shown, verbatim in [(part["text"], True), *mrkdwn(part["blocks"])]:
            if "<" in _SLACK_LINK.sub("", shown) or _SLACK_ENTITY.search(shown):
                yield f"live markup in Slack: {shown!r}"
            if not verbatim:
                yield f"Slack would make links of {shown!r}"
        yield from unreadable(raw)
    yield from lost(b" ".join(message.parts).decode(), made)


def mrkdwn(value: Any) -> Iterator[tuple[str, bool]]:
    """Every text that Slack reads as markup, however deep, and whether it is to be taken word by word."""
    if isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            yield value["text"], value.get("verbatim") is True
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from mrkdwn(each)


def read_json(message: Message, made: Digest) -> Iterator[str]:
    for raw in message.parts:
        body = json.loads(raw)
        if body != data(body) and _UNREADABLE.search(json.dumps(body, ensure_ascii=False)):
            yield "its JSON holds what no screen should get"
        for url in links_in(body):
            if not re.match(r"https?://[^\s<>\"]+$", url):
                yield f"its JSON links to {url!r}"
    yield from lost(b" ".join(message.parts).decode(), made)


def links_in(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, str) and (name == "url" or name.endswith("_url")):
        yield value
    if isinstance(value, dict):
        for key, each in value.items():
            yield from links_in(each, key)
    if isinstance(value, list):
        for each in value:
            yield from links_in(each, name)


def read_chat(message: Message, made: Digest) -> Iterator[str]:
    for raw in message.parts:
        if active := _CHAT_ACTIVE.search(raw.decode()):
            yield f"a chat would act on {active[0]!r}"
        if len(raw) > 4_000:
            yield f"a chat message has {len(raw)} bytes"
        yield from unreadable(raw)
    yield from lost(b" ".join(message.parts).decode(), made)


def unreadable(raw: bytes) -> Iterator[str]:
    if found := _UNREADABLE.search(raw.decode()):
        yield f"it holds {found[0]!r}"


READERS: dict[str, Callable[[Message, Digest], Iterator[str]]] = {
    "email": read_mail,
    "slack": read_slack,
    "json": read_json,
    "text": read_chat,
}


@contextmanager
def pages_by_nobody() -> Iterator[Look]:
    yield lambda number, html: None


@contextmanager
def pages_by_chromium(report: Report) -> Iterator[Look]:
    """Every page through a browser's own parser; and of each lot one shown in it, where a script would run."""
    program = tool("chromium")
    if program is None:
        report.seen["pages by Chromium, which is not installed"] = 0
        with pages_by_nobody() as look:
            yield look
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.on("dialog", lambda dialog: (report.faults.append(f"a script ran: {dialog.message}"), dialog.dismiss()))
        tab.on("request", lambda request: report.faults.append(f"a page asked for {request.url}"))
        tab.context.set_offline(True)
        waiting: list[tuple[int, str]] = []

        def flush() -> None:
            for (number, _), wrong in zip(waiting, tab.evaluate(_LOOK, [html for _, html in waiting]), strict=True):
                report.faults.extend(f"digest {number} in Chromium: {each}" for each in wrong)
            if waiting:
                tab.set_content(waiting[0][1])
            report.seen["pages by Chromium"] += len(waiting)
            waiting.clear()

        def look(number: int, html: str) -> None:
            waiting.append((number, html))
            if len(waiting) >= _PAGES_AT_ONCE:
                flush()

        yield look
        flush()
        browser.close()


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first digest")
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    report = torture(texts=options.texts, seed=options.seed, first=options.first)
    minutes = (time.monotonic() - begun) / 60
    print(f"  {report.texts:,} texts and links (seed {options.seed}), {minutes:.1f} min")
    print("  " + ", ".join(f"{count:,} {kind}" for kind, count in report.seen.items()))
    print(f"  faults: {len(report.faults)}")
    for each in report.faults[:20]:
        print(f"    {each[:1_000]}")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
