"""Messages as the renderer freezes them, small."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from notifier.model import Message
from tests.compliance import BY_HAND

CREATED = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
MAIL = b"\r\n".join(
    [
        b"From: Papers <papers@example.org>",
        b"To: ada@example.org",
        b"Subject: 2 papers",
        b"Message-ID: <d_abc123@example.org>",
        BY_HAND,
        b"List-Unsubscribe: <https://papers.example.org/" + b"u" * 200 + b">",
        b"MIME-Version: 1.0",
        b'Content-Type: multipart/alternative; boundary="cut"',
        b"",
        b"--cut",
        b"Content-Type: text/plain; charset=utf-8",
        b"",
        b".a line that begins with a dot",
        b"..and one with two",
        b".",
        b"--cut",
        b"Content-Type: text/html; charset=utf-8",
        b"Content-Transfer-Encoding: quoted-printable",
        b"",
        b"<p>caf=C3=A9</p>",
        b"--cut--",
        b"",
    ]
)


def mail(
    target: str = "ada@example.org", *, content: bytes = MAIL, sender: str = "papers@example.org", **more: Any
) -> Message:
    return Message(
        **{"delivery_id": "d_abc123", "subject": "2 papers", "created_at": CREATED}
        | {"format": "email", "target": target, "sender": sender, "parts": (content,)}
        | more
    )


def slack(target: str = "C0PAPERS1", *, parts: int = 1, **more: Any) -> Message:
    bodies = tuple(json.dumps(part_arguments(number)).encode() for number in range(parts))
    return Message(
        **{"delivery_id": "d_abc123", "subject": "2 papers", "created_at": CREATED}
        | {"format": "slack", "target": target, "parts": bodies}
        | more
    )


def part_arguments(number: int) -> dict[str, Any]:
    return {
        "text": f"part {number} — <https://arxiv.org/abs/2512.01234|a paper>",
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": f"*part {number}*"}}],
        "unfurl_links": False,
        "metadata": {"event_type": "digest", "event_payload": {"delivery": "d_abc123", "part": number}},
    }
