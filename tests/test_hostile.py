"""Hostile text through the whole path, from a file to the mail and the blocks, and read again as a client would."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Iterator
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.conftest import Shell
from tests.servers.slack import SlackServer
from tests.servers.slack_limits import problem
from tests.servers.smtp import MailServer

FIVE = "2025-12-16T05:00:00+00:00"
EIGHT = "2025-12-16T08:00:00+00:00"
COUNT = 300

SEEDS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "=?UTF-8?Q?=0D=0ABcc:_eve@example.org?=",
    "=?utf-8?B?DQpCY2M6IGV2ZUBleGFtcGxlLm9yZw==?=",
    "line\r\nBcc: eve@example.org",
    "line\nSubject: other",
    "\ud800 lone \udfff",
    "<!channel> <!here> <!everyone>",
    "<@U0ADA> <#C0LAB> <!subteam^S1>",
    "@here @channel @everyone",
    "<https://evil.example|click>",
    "&lt;script&gt; &amp;amp; &#x3c;b&#x3e;",
    "{{ 7*7 }} {% include 'x' %}",
    "\x00\x08\x0b\x0c\x1b[31m\x85\u2028\u2029",
    "\u202egnp.exe \u2066x\u2069 \u200b",
    "a" * 3000,
    "." * 50 + "\n.\n",
    "From here to there",
    "💩" * 400,
    "$\\alpha$ \\textbf{x} $\\frac{1}{",
    '"; DROP TABLE entry; --',
    "'><svg/onload=alert(1)>",
    "--boundary--",
    "*bold* _it_ ~s~ `c` ```p```",
]


def titles() -> Iterator[str]:
    rng = random.Random(11)
    yield from SEEDS
    for _ in range(COUNT - len(SEEDS)):
        yield " ".join(rng.sample(SEEDS, 2)) + chr(rng.randrange(1, 0x2FFF))


class Active(HTMLParser):
    """Collects what could act: scripts, event handlers, links to other schemes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "iframe", "object", "embed", "form", "svg", "img", "base"}:
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (name in {"href", "src"} and not (value or "").startswith(("http", "mailto:"))):
                self.found.append(f"{name}={value}")


@pytest.fixture
def hostile_papers() -> Path:
    file = Path("hostile.jsonl")
    lines = [
        {
            "id": f"x:{number}",
            "title": f"reward {title}",
            "abstract": f"reward. {title}",
            "authors": [title, "Ada"],
            "organization": title if number % 3 else None,
            "url": ["https://example.org/a|b<c>", "javascript:alert(1)", title][number % 3],
        }
        for number, title in enumerate(titles())
    ]
    lines = [{key: value for key, value in line.items() if value is not None} for line in lines]
    file.write_text("\n".join(map(json.dumps, lines)), "ascii")
    return file


def digest_to(notifier: Shell, channel: str, papers: Path, *, goes_on: bool = False) -> None:
    """``goes_on``: it is of more parts than go out at once, so the next passes send the rest."""
    notifier("subscriber", "add", "ada@example.org", "--name", SEEDS[2], "--now", FIVE)
    add = ["ada@example.org", "--channel", channel, "--every", "daily", "--max", "200", "--now", FIVE]
    id = notifier("subscription", "add", *add).id
    notifier("rule", "add", id, "reward", "--label", "<!channel> =?UTF-8?Q?=0D=0ABcc:x?= <b>", "--now", FIVE)
    assert notifier("import", str(papers), "--json", "--now", FIVE).json["new"] >= COUNT - 10
    passes = ["08:00:00", *(f"08:00:{second:02}" for second in range(5, 60, 5))] if goes_on else ["08:00:00"]
    said = [notifier("run", "--once", "--now", f"2025-12-16T{clock}+00:00").out for clock in passes]
    assert [line for line in said if "1 sent" in line]


def test_hundreds_of_hostile_papers_arrive_as_harmless_mail(
    notifier: Shell, hostile_papers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MailServer() as server:
        monkeypatch.setenv("NOTIFIER_SMTP_HOST", server.host)
        monkeypatch.setenv("NOTIFIER_SMTP_PORT", str(server.port))
        monkeypatch.setenv("NOTIFIER_SMTP_SECURITY", "none")
        digest_to(notifier, "email", hostile_papers)
        (mail,) = server.mails
    assert max(map(len, mail.content.split(b"\r\n"))) <= 998
    parsed = message_from_bytes(mail.content, policy=policy.default)
    assert not parsed.defects
    assert parsed["Bcc"] is None
    assert [len(parsed.get_all(name)) for name in ("From", "To", "Subject", "Message-ID", "Date")] == [1] * 5
    page = parsed.get_body(("html",)).get_content()
    active = Active()
    active.feed(page)
    assert active.found == []
    assert len(page.encode()) < 90_000
    assert "49" not in parsed["Subject"]


def test_hundreds_of_hostile_papers_arrive_as_harmless_blocks(
    notifier: Shell, hostile_papers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SlackServer() as server:
        server.add_channel("C0LAB", "papers")
        monkeypatch.setenv("NOTIFIER_SLACK_API_URL", server.api_url)
        monkeypatch.setenv("NOTIFIER_SLACK_TOKEN", server.token)
        digest_to(notifier, "slack:C0LAB", hostile_papers, goes_on=True)
        posts = server.posts("C0LAB")
    assert len(posts) > 3
    for post in posts:
        assert problem(post.arguments) is None
        said = json.dumps(post.arguments["blocks"], ensure_ascii=False) + post.arguments["text"]
        assert not [mention for mention in ("<!", "<@", "<#", "javascript:") if mention in said]


def test_a_shell_prints_hostile_titles_without_control_characters(notifier: Shell, hostile_papers: Path) -> None:
    notifier("import", str(hostile_papers), "--now", FIVE)
    shown = notifier("match", "reward", "--now", EIGHT).out
    assert not [char for char in shown if unicodedata.category(char) in {"Cc", "Cf", "Cs"} and char != "\n"]
