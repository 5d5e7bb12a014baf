"""A folder instead of a network: what would have been sent, as files a person can open.

A mail becomes ``.eml`` and its HTML part ``.html``, a Slack message ``.json``. Names begin with the time the
message was made, so that they sort by it; the same message always has the same name and content.
"""

from __future__ import annotations

import asyncio
import email
import errno
import json
import re
from datetime import UTC
from pathlib import Path

from notifier.errors import Refused, TryLater
from notifier.files import write_whole
from notifier.model import Message, Receipt

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_SLUG_LIMIT = 80
"""Characters of one part of a name: three of them and the time stay under the 255 bytes of a file name."""


class Outbox:
    """Writes ``email`` and ``slack`` messages to ``folder``, which is made when it is missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def at_once(self) -> int:
        return 1

    def account(self, target: str) -> str:
        return ""

    async def send(self, message: Message) -> Receipt:
        """References are file names, with ``#k`` (from 1) for the parts of a message that has several.

        The parts that follow accepted ones go into a file of their own, so that those stay as they are.
        """
        name, done, count = file_name(message), len(message.accepted), len(message.parts)
        if done and message.format == "slack":
            name = f"{name.removesuffix('.json')}-{done + 1}.json"
        if done < count:
            files = _email_files(message, name) if message.format == "email" else _slack_files(message, name)
            await asyncio.to_thread(self._write, files)
        names = tuple(f"{name}#{part}" if count > 1 else name for part in range(1, count + 1))
        return Receipt(accepted=message.accepted + names[done:], detail=f"Written to {self._folder / name}.")

    async def check(self) -> str:
        await asyncio.to_thread(self._write, {".check": b""})
        await asyncio.to_thread((self._folder / ".check").unlink, missing_ok=True)
        return f"Messages are written to {self._folder}."

    async def close(self) -> None:
        pass

    def _write(self, files: dict[str, bytes]) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                write_whole(self._folder / name, content)
        except OSError as error:
            raise TryLater(_sentence(self._folder, error)) from error


def file_name(message: Message) -> str:
    """Such as ``20261123T070000Z-d_abc123-ada-at-example.org.eml``; any target gives a plain file name."""
    stamp = f"{message.created_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    parts = [stamp, _slug(message.delivery_id), _slug(message.target.replace("@", "-at-"))]
    return "-".join(part for part in parts if part) + (".eml" if message.format == "email" else ".json")


def _slug(text: str) -> str:
    return _UNSAFE.sub("-", text).strip("-.")[:_SLUG_LIMIT]


def _email_files(message: Message, name: str) -> dict[str, bytes]:
    content = message.parts[0]
    html = _html_part(content)
    # The mail comes last: where it is, its HTML is too.
    return ({} if html is None else {f"{name.removesuffix('.eml')}.html": html}) | {name: content}


def _html_part(content: bytes) -> bytes | None:
    for part in email.message_from_bytes(content).walk():
        if part.get_content_type() == "text/html":
            payload = part.get_payload(decode=True)
            return payload if isinstance(payload, bytes) else None
    return None


def _slack_files(message: Message, name: str) -> dict[str, bytes]:
    try:
        parts = [json.loads(part) for part in message.parts[len(message.accepted) :]]
    except ValueError:
        raise Refused("The Slack message is no JSON object; please report it.") from None
    shown = {"channel": message.target, "messages": parts}
    return {name: (json.dumps(shown, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")}


def _sentence(folder: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The outbox {folder} cannot be written: its disk is full. Make room; it is tried again later."
    reason = error.strerror or type(error).__name__
    return f"The outbox {folder} cannot be written: {reason.lower()}. Mend the folder or set outbox_dir."
