"""Signed mails, verified by dkimpy against a name server that is a table."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_elliptic
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from notifier.app import App
from notifier.doctor import examine
from notifier.errors import SettingsError
from notifier.model import Letter, LetterKind, Message
from notifier.render import Composer, Links
from notifier.render.dkim import Dkim, Signer, load
from notifier.settings import Settings
from notifier.tokens import Keys
from tests.render.hostile import TEXTS
from tests.render.samples import NOW, digest, entry, found

DOMAIN = "example.org"
RSA, ED25519 = generate_private_key(65537, 2048), Ed25519PrivateKey.generate()
SIGNERS = {
    "rsa-sha256": Signer(domain=DOMAIN, selector="r2025", key=RSA),
    "ed25519-sha256": Signer(domain=DOMAIN, selector="e2025", key=ED25519),
}
BOTH = Dkim(tuple(SIGNERS.values()))
LINKS = Links(base_url="https://papers.example.org", sender="Papers <p@example.org>", keys=Keys(SecretStr("k")))
SIGNED, UNSIGNED = Composer(links=LINKS, dkim=BOTH), Composer(links=LINKS)


def pem(key: Any, *, password: bytes = b"") -> bytes:
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    made: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    return made


def looked_up(name: bytes, timeout: int = 5) -> bytes | None:
    records = dict(each.record for each in BOTH.signers)
    found = records.get(name.decode().rstrip("."))
    return found.encode() if found else None


def verified(raw: bytes) -> list[bool]:
    """Whether each signature of the mail holds."""
    count = len(re.findall(rb"(?m)^DKIM-Signature:", raw))
    return [holds(raw, number) for number in range(count)]


def holds(raw: bytes, number: int) -> bool:
    try:
        return bool(dkimpy.DKIM(raw).verify(number, dnsfunc=looked_up))
    except dkimpy.ValidationError:
        return False


def mail(subject: str = "legs") -> Message:
    return SIGNED.render(digest(found(entry(), label=subject), found(entry(2))), "email", now=NOW)


def test_both_signatures_of_a_digest_hold() -> None:
    (raw,) = mail().parts
    assert re.findall(rb"a=([a-z0-9-]+);", raw) == [name.encode() for name in SIGNERS]
    assert verified(raw) == [True, True]


def test_letters_are_signed_too() -> None:
    link = (("link", "https://papers.example.org/x"),)
    expires = NOW + timedelta(minutes=15)
    letter = Letter(id="l_1", to="a@b.org", kind=LetterKind.LOGIN, values=link, created_at=NOW, expires_at=expires)
    assert verified(SIGNED.write(letter, now=NOW).parts[0]) == [True, True]


@settings(max_examples=40)
@given(st.sampled_from(TEXTS) | st.text())
def test_whatever_stands_in_a_mail_its_signatures_hold(text: str) -> None:
    assert verified(mail(text).parts[0]) == [True, True]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"From: Papers <p@", b"From: Eve <eve@"),
        (b"Subject: ", b"Subject: Not "),
        (b"List-Unsubscribe: <https://papers", b"List-Unsubscribe: <https://evil"),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click", b"List-Unsubscribe-Post: x"),
        (b"Falling", b"Rising"),
        (b"\r\nFrom: ", b"\r\nFrom: eve@example.net\r\nFrom: "),
        (b"\r\nDate: ", b"\r\nList-Unsubscribe: <https://evil.example/>\r\nDate: "),
        (b"\r\nDate: ", b"\r\nSubject: other\r\nDate: "),
    ],
)
def test_nothing_can_be_changed_or_added_that_a_reader_would_see(before: bytes, after: bytes) -> None:
    (raw,) = mail().parts
    changed = raw.replace(before, after, 1)
    assert changed != raw
    assert verified(changed) == [False, False]


def test_it_survives_what_servers_do_to_headers() -> None:
    (raw,) = mail().parts
    head, _, body = raw.partition(b"\r\n\r\n")
    handled = head.replace(b"Subject: ", b"SUBJECT:   ").replace(b", <mailto:", b",\r\n\t<mailto:")
    received = b"Received: from a by b; Tue, 16 Dec 2025 07:00:00 +0000\r\n"
    assert verified(received + handled + b"\r\n\r\n" + body) == [True, True]


def test_a_mail_is_the_same_but_for_its_signatures_and_signed_again_the_same() -> None:
    signed, plain = mail(), UNSIGNED.render(digest(found(entry()), found(entry(2))), "email", now=NOW)
    assert signed.parts[0].endswith(plain.parts[0]) and signed == mail()
    assert all(len(line) <= 78 for line in signed.parts[0][: -len(plain.parts[0])].split(b"\r\n"))
    assert signed.shared and all(signed.parts[0].startswith(each.text, each.start) for each in signed.shared)
    assert [each.text for each in signed.shared] == [each.text for each in plain.shared]
    assert replace(signed, parts=plain.parts, shared=plain.shared) == plain


def test_keys_come_from_files_by_selector(tmp_path: Path) -> None:
    for name, key in (("r2025", RSA), ("e2025", ED25519)):
        (tmp_path / name).write_bytes(pem(key))
    loaded = load(DOMAIN, {name: tmp_path / name for name in ("r2025", "e2025")})
    assert [each.record for each in loaded.signers] == [each.record for each in BOTH.signers]
    assert load("", {}).signers == ()


@pytest.mark.parametrize(
    ("content", "domain", "selector", "said"),
    [
        (None, DOMAIN, "s", "cannot be read"),
        (b"no key", DOMAIN, "s", "no private key"),
        (pem(RSA, password=b"x"), DOMAIN, "s", "without a password"),
        (pem(RSA)[:100], DOMAIN, "s", "no private key"),
        (pem(generate_elliptic(SECP256R1())), DOMAIN, "s", "neither"),
        (pem(ED25519), "", "s", "dkim_domain"),
        (pem(ED25519), "example.org; d=evil", "s", "dkim_domain"),
        (pem(ED25519), DOMAIN, "s; b=", "no selector"),
    ],
    # Keys are new in every process, and names of tests have to be the same in all of them.
    ids=["missing", "garbage", "encrypted", "cut", "elliptic", "no_domain", "bad_domain", "bad_selector"],
)
def test_what_is_wrong_with_a_key_is_named(
    tmp_path: Path, content: bytes | None, domain: str, selector: str, said: str
) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(SettingsError, match=said):
        load(domain, {selector: tmp_path / "key"})


def test_doctor_compares_each_key_with_what_is_published(tmp_path: Path) -> None:
    for name, key in (("r2025", RSA), ("e2025", ED25519)):
        (tmp_path / name).write_bytes(pem(key))
    keys = {name: tmp_path / name for name in ("r2025", "e2025")}
    records = dict(each.record for each in BOTH.signers)
    spaced = {name: record.replace("p=", "p= ").replace("; ", ";") for name, record in records.items()}

    def findings(published: dict[str, str], **fields: Any) -> list[tuple[str, str]]:
        given = {"data_dir": tmp_path, "dkim_domain": DOMAIN, "dkim_keys": keys, "mail_from": "p@mail.example.org"}
        found = asyncio.run(examine(App(settings=Settings(**given | fields)), look_up=published.get))
        return [(each.level.value, each.text) for each in found if each.topic == "dkim"]

    assert [level for level, _ in findings(spaced)] == ["ok", "ok"]
    (rsa, _) = findings({"e2025._domainkey.example.org": records["e2025._domainkey.example.org"]})
    assert rsa[0] == "wrong" and records["r2025._domainkey.example.org"] in rsa[1]
    assert [level for level, _ in findings(dict.fromkeys(records, "v=DKIM1; p="))] == ["wrong", "wrong"]
    assert findings(spaced, mail_from="p@elsewhere.example")[-1][0] == "wrong"
    assert "cannot be read" in findings({}, dkim_keys={"s": tmp_path / "none"})[0][1]
