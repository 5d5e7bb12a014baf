"""The mail that a mailbox gets is one that it lets in; who looks at every mail notices what is wrong with one."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from notifier.render import Links
from notifier.tokens import Keys
from tests.compliance import demand, faults_of
from tests.render.reading import composer
from tests.render.samples import NOW, digest, entry, found, german
from tests.tools import need

WEB = Links(
    base_url="https://papers.example.org",
    sender="Papers <papers@example.org>",
    contact="operator@example.org",
    bounce_address="bounces@example.org",
    keys=Keys(SecretStr("k")),
)
# The line that every filter has to know: https://spamassassin.apache.org/gtube/
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def sample(*, in_german: bool = False) -> bytes:
    papers = [found(entry(number)) for number in range(1, 9)]
    fields = {"subscription": german()} if in_german else {}
    return composer(WEB, None).render(digest(*papers, checked=143, **fields), "email", now=NOW).parts[0]


def score(raw: bytes, home: Path) -> float:
    """What SpamAssassin gives it by its rules alone, without asking the network."""
    command = [need("spamassassin"), "-L", "-t"]
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, input=raw, capture_output=True, timeout=120, env=environment)
    found = re.search(rb"Content analysis details: +\((-?[\d.]+) points", done.stdout)
    assert found, done.stderr.decode()
    return float(found[1])


def test_a_spam_filter_gives_the_sample_digest_less_than_two_points(tmp_path: Path) -> None:
    assert score(sample(), tmp_path) < 2
    assert score(sample().replace(b"Falling Well", GTUBE, 1), tmp_path) > 900


@pytest.mark.parametrize("in_german", [False, True])
def test_the_sample_digest_is_as_mails_have_to_be(in_german: bool) -> None:
    demand([sample(in_german=in_german)])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda raw: raw.replace(b"List-Id:", b"X-List-Id:"), "0 List-Id"),
        (lambda raw: raw.replace(b"Date:", b"Bcc: eve@example.net\r\nDate:"), "Bcc"),
        (lambda raw: raw.replace(b"Subject:", b"Subject: one\r\nSubject:"), "2 Subject"),
        (lambda raw: raw.replace(b">, <mailto:", b">,\r\n <mailto:"), "folded"),
        (lambda raw: raw.replace(b"List-Unsubscribe-Post:", b"X-Post:"), "List-Unsubscribe-Post is None"),
        (lambda raw: raw.replace(b"Auto-Submitted:", b"X-Auto:"), "0 Auto-Submitted"),
        (lambda raw: raw.replace(b"humanoid", b"x" * 1_000), "a line has"),
        (lambda raw: raw.replace(b"humanoid", b"humanoid\n"), "CR LF"),
        (lambda raw: raw.replace(b"</body>", b"<script>1</script></body>"), "<script>"),
        (lambda raw: raw.replace(b'href=3D"https://', b'href=3D"javascript:'), "links to"),
        (lambda raw: raw.replace(b"</body>", b"<p>fill=</p>\r\n" * 9_000), "its HTML has"),
        (lambda raw: raw.replace(b"text/plain", b"text/x-plain"), "its parts are"),
        (lambda raw: raw.replace(b"Falling Well, Part 1\r\n", b"word " * 20 + b"\r\n"), "columns"),
    ],
)
def test_who_looks_at_every_mail_notices_what_is_wrong(spoil: Callable[[bytes], bytes], said: str) -> None:
    assert said in "; ".join(faults_of(spoil(sample())))
