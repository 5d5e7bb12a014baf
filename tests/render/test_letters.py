"""Letters as their readers get them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from notifier.errors import Refused, TemplateError
from notifier.model import Letter, LetterKind, Message
from notifier.render import Composer, Links
from notifier.tokens import Keys
from tests.render.hostile import TEXTS
from tests.render.reading import html, page, parsed, text
from tests.render.samples import NOW

LINKS = Links(
    base_url="https://papers.example.org",
    sender="Papers <papers@example.org>",
    contact="help@example.org",
    bounce_address="bounces@example.org",
    keys=Keys(SecretStr("k")),
)
LINK = "https://papers.example.org/login/abc.def"
VALUES = {
    "link": LINK,
    "timezone": "Europe/Berlin",
    "summary": "daily at 08:00: RLHF",
    "reason": "Mailbox full.",
    "channel": "slack:#papers",
    "subscription": "s_one",
}


def letter(
    kind: LetterKind = LetterKind.LOGIN, *, language: str = "en", to: str = "ada@example.org", **values: str
) -> Letter:
    return Letter(
        id="l_abc",
        to=to,
        kind=kind,
        language=language,
        values=tuple((VALUES | values).items()),
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=15),
    )


COMPOSER = Composer(links=LINKS)


def written(letter: Letter, *, overrides: Path | None = None) -> Message:
    composer = Composer(links=LINKS, overrides=overrides) if overrides else COMPOSER
    return composer.write(letter, now=NOW)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("kind", LetterKind)
def test_each_kind_has_one_link_in_both_its_parts(kind: LetterKind, language: str) -> None:
    mail = parsed(written(letter(kind, language=language)))
    assert page(html(mail)).hrefs == [LINK]
    assert text(mail).count("https://") == 1 and LINK in text(mail).split()
    assert f'<html lang="{language}"' in html(mail)
    assert mail["Subject"] in page(html(mail)).words and mail["Subject"] in text(mail)
    assert all(len(line) <= 72 for line in text(mail).splitlines() if LINK not in line)


@pytest.mark.parametrize("kind", [each for each in LetterKind if each is not LetterKind.CHANNEL_GONE])
def test_it_says_until_when_the_link_works_in_the_readers_zone(kind: LetterKind) -> None:
    assert "16 December, 08:15 CET" in " ".join(text(parsed(written(letter(kind)))).split())
    assert "16 December, 07:15 UTC" in " ".join(text(parsed(written(letter(kind, timezone="")))).split())


def test_what_a_kind_has_to_say_is_in_it() -> None:
    def said(kind: LetterKind, **values: str) -> str:
        return " ".join(text(parsed(written(letter(kind, **values)))).split())

    assert "logs ada@example.org in to Papers" in said(LetterKind.LOGIN)
    assert "daily at 08:00: RLHF" in said(LetterKind.CONFIRM_SUBSCRIPTION)
    assert "stopped sending to ada@example.org: Mailbox full." in said(LetterKind.CONFIRM_ADDRESS)
    assert "The digests for slack:#papers are stopped" in said(LetterKind.CHANNEL_GONE)
    without_pages = Composer(links=replace(LINKS, base_url="")).write(letter(LetterKind.CHANNEL_GONE, link=""), now=NOW)
    assert "notifier subscription resume s_one" in text(parsed(without_pages))


def test_it_is_no_mail_of_a_list_and_comes_back_to_a_signed_address() -> None:
    message = written(letter())
    mail = parsed(message)
    assert not [name for name in mail if name.lower().startswith("list-")]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert (mail["Message-ID"], mail["To"], message.target) == (
        "<l_abc@example.org>",
        "ada@example.org",
        "ada@example.org",
    )
    assert message.sender.startswith("bounces+l_abc-")


def test_written_again_it_is_the_same_bytes() -> None:
    assert written(letter()) == written(letter())


@pytest.mark.parametrize("link", ["", "javascript:alert(1)", "https://ada:pw@example.org/"])
def test_without_a_link_to_a_page_it_is_refused(link: str) -> None:
    with pytest.raises(Refused, match="base_url"):
        written(letter(link=link))


def test_an_address_that_could_break_a_header_is_refused() -> None:
    with pytest.raises(Refused, match="no mail address"):
        written(letter(to="ada@example.org\r\nBcc: eve@example.org"))


@given(st.sampled_from(TEXTS), st.sampled_from(TEXTS) | st.text())
def test_hostile_reasons_and_names_stay_text(reason: str, channel: str) -> None:
    mail = parsed(written(letter(LetterKind.CHANNEL_GONE, reason=reason, channel=channel)))
    shown = page(html(mail))
    assert shown.hrefs == [LINK] and not {"script", "img", "iframe"} & set(shown.tags)
    assert mail["To"] == "ada@example.org" and mail["Bcc"] is None


def test_an_operators_template_replaces_it_and_its_faults_are_named(tmp_path: Path) -> None:
    file = tmp_path / "email" / "letters" / "login.txt"
    file.parent.mkdir(parents=True)
    file.write_text("MINE {{ view.link }}\n", "utf-8")
    assert text(parsed(written(letter(), overrides=tmp_path))).startswith(f"MINE {LINK}")
    file.write_text("\n{{ view.nothing }}\n", "utf-8")
    with pytest.raises(TemplateError, match=r"login.txt, line 2, .*nothing"):
        written(letter(), overrides=tmp_path)
