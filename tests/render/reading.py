"""What a receiving program sees: mails read by the standard library, HTML by its parser, Slack as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from notifier.model import Digest, Message
from notifier.render import Composer, Links
from tests.compliance import demand
from tests.render.samples import NOW

NO_PAGES = Links()
VOID = {"meta", "br", "link", "img", "hr"}


@lru_cache
def composer(links: Links, overrides: Path | None) -> Composer:
    """One for all tests with the same settings: its templates are compiled once."""
    return Composer(links=links, overrides=overrides)


def mail(digest: Digest, links: Links = NO_PAGES, *, overrides: Path | None = None) -> EmailMessage:
    message = composer(links, overrides).render(digest, "email", now=NOW)
    if overrides is None:
        demand(message.parts)
    return parsed(message)


def parsed(message: Message) -> EmailMessage:
    (raw,) = message.parts
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


def text(message: EmailMessage) -> str:
    return _body(message, "plain")


def html(message: EmailMessage) -> str:
    return _body(message, "html")


def _body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content


@dataclass
class Page(HTMLParser):
    """The elements of a page with their attributes, its text, and whether its tags close as they opened."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.data.append(data)

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    @property
    def hrefs(self) -> list[str]:
        return [attributes["href"] or "" for _, attributes in self.elements if "href" in attributes]

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.data))


def page(markup: str) -> Page:
    found = Page()
    found.feed(markup)
    found.close()
    assert found.open == []
    return found


def slack(digest: Digest, links: Links = NO_PAGES, *, overrides: Path | None = None) -> list[dict[str, Any]]:
    message = composer(links, overrides).render(digest, "slack", now=NOW)
    return [json.loads(part) for part in message.parts]


def texts(part: dict[str, Any]) -> list[str]:
    """Every text of every block, in order."""
    out = []
    for block in part["blocks"]:
        objects = [block["text"]] if "text" in block else block.get("elements", [])
        out += [each["text"] if isinstance(each["text"], str) else each["text"]["text"] for each in objects]
    return out
