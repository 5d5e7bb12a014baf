"""Which channel a kind opens, and which targets it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from notifier.channels import FORMATS, OPENERS, check_address, format_of, open_channels
from notifier.channels.addresses import CHECKS
from notifier.errors import UsageError
from notifier.render import FORMATS as RENDERED
from notifier.settings import Settings


def kinds(tmp_path: Path, **more: Any) -> dict[str, str]:
    opened = open_channels(Settings(data_dir=tmp_path, **more))
    return {kind: type(channel).__name__ for kind, channel in opened.items()}


def test_what_is_not_set_up_goes_to_the_outbox(tmp_path: Path) -> None:
    assert kinds(tmp_path) == {
        "email": "Outbox",
        "slack": "Outbox",
        "webhook": "WebhookChannel",
        "apprise": "AppriseChannel",
        "outbox": "Outbox",
    }


def test_what_is_set_up_goes_out(tmp_path: Path) -> None:
    opened = kinds(tmp_path, smtp_host="mx.example.org", slack_token=SecretStr("xoxb-1"))
    assert (opened["email"], opened["slack"], opened["outbox"]) == ("EmailChannel", "SlackChannel", "Outbox")
    assert kinds(tmp_path, slack_webhook=SecretStr("https://hooks.example.org/1"))["slack"] == "SlackChannel"


def test_every_kind_has_a_format_and_an_address_check() -> None:
    assert set(OPENERS) == set(FORMATS) == set(CHECKS)
    assert {format_of(kind) for kind in OPENERS} == RENDERED


@pytest.mark.parametrize(
    ("kind", "target", "stored"),
    [
        ("email", " Ada.L+papers@Example.ORG ", "Ada.L+papers@example.org"),
        ("email", "ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("email", "ada@lab.test", "ada@lab.test"),
        ("slack", "C0123456789", "C0123456789"),
        ("slack", "G0123", "G0123"),
        ("slack", "U0123", "U0123"),
        ("slack", "#Papers-2_x", "#papers-2_x"),
        ("slack", "papers", "#papers"),
        ("slack", "#論文", "#論文"),
        ("slack", "ada@Example.org", "ada@example.org"),
        ("slack", "webhook", "webhook"),
        ("webhook", " https://example.org/hook?key=ä#x ", "https://example.org/hook?key=%C3%A4#x"),
        ("webhook", "HTTPS://bücher.example:8443", "https://xn--bcher-kva.example:8443"),
        ("outbox", "", ""),
    ],
)
def test_a_good_target_gets_its_one_form(kind: str, target: str, stored: str) -> None:
    assert check_address(kind, target) == stored
    assert check_address(kind, stored) == stored


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("email", ""),
        ("email", "ada"),
        ("email", "ada@"),
        ("email", "ada@gmail"),
        ("email", "root@localhost"),
        ("email", "Ada <ada@example.org>"),
        ("email", "ada@example.org, bob@example.org"),
        ("email", "ada@example.org\r\nBcc: eve@example.org"),
        ("email", "ada@exa mple.org"),
        ("email", "jörg@example.org"),
        ("email", "a" * 70 + "@example.org"),
        ("slack", ""),
        ("slack", "#"),
        ("slack", "two words"),
        ("slack", "@ada"),
        ("slack", "<!channel>"),
        ("slack", "#" + "x" * 81),
        ("webhook", "https://ada:key@example.org/"),
        ("webhook", "file:///etc/passwd"),
        ("webhook", "https://exa mple.org/"),
        ("webhook", "https://example.org/\r\nHost: inside"),
        ("outbox", "/etc"),
        ("pigeon", "loft 3"),
    ],
)
def test_a_bad_target_is_one_sentence(kind: str, target: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_address(kind, target)
    sentence = str(caught.value)
    assert sentence.endswith(".") and sentence.isprintable() and len(sentence) < 400


@given(kind=st.sampled_from(["email", "slack", "webhook", "apprise"]), target=st.text(max_size=60))
def test_any_text_is_taken_in_its_one_form_or_refused(kind: str, target: str) -> None:
    try:
        stored = check_address(kind, target)
    except UsageError:
        return
    assert check_address(kind, stored) == stored
    assert not any(character.isspace() or not character.isprintable() for character in stored)


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="email, slack, webhook, apprise, outbox"):
        format_of("pigeon")
