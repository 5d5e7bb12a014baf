"""What every mail of ours has to be, whoever made it for whatever reason: RFC 5322, RFC 8058 and what mailboxes ask.

The test server and the outbox hand over each mail that a test produced; ``checked`` counts them. A mail that a test
wrote by hand says so in a header of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from pathlib import Path

from notifier.render.text import columns

BY_HAND = b"X-Made-By: hand"
checked: Counter[str] = Counter()

_LONGEST_LINE = 998
_HTML_LIMIT = 90_000
_COLUMNS = 72
_EVERY = ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type")
_OF_LISTS = ("List-Id", "List-Unsubscribe")
_ACTIVE = frozenset({"script", "iframe", "object", "embed", "form", "link", "base", "input", "button", "svg", "img"})
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_UNBREAKABLE = re.compile(rf"\S{{{_COLUMNS - 10},}}|https?://|mailto:")


def demand(mails: Iterable[bytes]) -> None:
    """Raises AssertionError that says what is wrong with which."""
    for raw in mails:
        if BY_HAND in raw:
            continue
        if wrong := list(faults_of(raw)):
            raise AssertionError(f"a mail is not as mails have to be: {'; '.join(wrong)}\n{raw[:2000]!r}")
        checked["mails"] += 1


def demand_in(folder: Path) -> None:
    """Of every mail in an outbox below ``folder``."""
    demand(file.read_bytes() for file in folder.rglob("outbox/*.eml"))


def faults_of(raw: bytes) -> Iterator[str]:
    yield from _lines(raw)
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        yield from (f"{part.get_content_type()} has {defect!r}" for defect in part.defects)
    yield from _headers(message)
    if is_digest := not str(message["Message-ID"]).startswith("<l_"):
        yield from _list_headers(message, raw)
    elif any(name in message for name in _OF_LISTS):
        yield "a letter has headers of lists"
    if [part.get_content_type() for part in message.iter_parts()] != ["text/plain", "text/html"]:
        yield f"its parts are {[part.get_content_type() for part in message.iter_parts()]}"
        return
    text, html = (str(part.get_content()) for part in message.iter_parts())  # type: ignore[attr-defined]
    yield from _text(text)
    yield from _html(html)
    if is_digest and "nsubscribe" not in text + html and "bestell" not in text + html:
        yield "nobody is told how to end it"


def _lines(raw: bytes) -> Iterator[str]:
    if not raw.count(b"\r\n") == raw.count(b"\r") == raw.count(b"\n"):
        yield "a line does not end in CR LF"
    if longest := max((len(line) for line in raw.split(b"\r\n") if len(line) > _LONGEST_LINE), default=0):
        yield f"a line has {longest} bytes"
    if b"\x00" in raw:
        yield "it holds a NUL"


def _headers(message: EmailMessage) -> Iterator[str]:
    for name in _EVERY:
        if len(message.get_all(name, [])) != 1:
            yield f"it has {len(message.get_all(name, []))} {name}"
    for name in ("From", "To"):
        if len(message[name].addresses) != 1 if name in message else False:
            yield f"{name} is {message[name]}"
    if not re.fullmatch(r"<[\w.+-]+@[\w.-]+>", str(message["Message-ID"])):
        yield f"its Message-ID is {message['Message-ID']}"
    if message["Auto-Submitted"] != "auto-generated":
        yield f"Auto-Submitted is {message['Auto-Submitted']}"
    if not str(message["Subject"] or "").strip():
        yield "its subject is empty"
    if parsedate_to_datetime(str(message["Date"])).tzinfo is None:
        yield f"its date is {message['Date']}"
    if "Bcc" in message:
        yield "it has a Bcc"


def _list_headers(message: EmailMessage, raw: bytes) -> Iterator[str]:
    """RFC 2919, 2369 and 8058; the whole of List-Unsubscribe on one line, because some mailboxes read no more."""
    for name in _OF_LISTS:
        if len(message.get_all(name, [])) != 1:
            yield f"it has {len(message.get_all(name, []))} {name}"
    line = re.search(rb"(?m)^List-Unsubscribe: ((?:<[\x21-\x7e]+>)(?:, <[\x21-\x7e]+>)*)\r$", raw)
    if line is None:
        yield "List-Unsubscribe is folded or encoded"
        return
    by_page, one_click = b"<https://" in line[1], message["List-Unsubscribe-Post"]
    if b"mailto:" not in line[1]:
        yield "nobody can unsubscribe by mail"
    if one_click != ("List-Unsubscribe=One-Click" if by_page else None) and b"<http://" not in line[1]:
        yield f"List-Unsubscribe-Post is {one_click}"


def _text(text: str) -> Iterator[str]:
    """Readable as it is, by a person with a narrow window."""
    lines = text.splitlines()
    if not text.strip():
        yield "its text is empty"
    if unreadable := _CONTROL.search(text.replace("\r\n", "\n")):
        yield f"its text holds {unreadable[0]!r}"
    for line in lines:
        if columns(line) > _COLUMNS and not _UNBREAKABLE.search(line):
            yield f"a line of its text has {columns(line)} columns: {line}"


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _ACTIVE:
            self.wrong.append(f"its HTML has <{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name in ("src", "srcdoc", "action", "formaction"):
                self.wrong.append(f"its HTML has {name}")
            if name == "href" and not (value or "").startswith(("https://", "http://", "mailto:")):
                self.wrong.append(f"its HTML links to {value!r}")


def _html(html: str) -> Iterator[str]:
    if len(html.encode()) > _HTML_LIMIT:
        yield f"its HTML has {len(html.encode())} bytes"
    page = _Page()
    page.feed(html)
    yield from page.wrong
    if "<html" not in html or "lang=" not in html:
        yield "its HTML says no language"
