"""Where mail to us comes in: a Maildir, a folder on an IMAP server. One file a kind."""

from __future__ import annotations

from notifier.mailboxes.imap import ImapAccount, ImapFolder
from notifier.mailboxes.maildir import Maildir
from notifier.ports import Mailbox
from notifier.settings import Settings

__all__ = ["ImapAccount", "ImapFolder", "Maildir", "open_mailboxes"]


def open_mailboxes(settings: Settings) -> list[Mailbox]:
    """Those that are set; nothing is connected before it is used."""
    boxes: list[Mailbox] = []
    if settings.bounce_maildir:
        boxes.append(Maildir(settings.bounce_maildir))
    if settings.imap_host:
        boxes.append(ImapFolder(_account(settings)))
    return boxes


def _account(settings: Settings) -> ImapAccount:
    return ImapAccount(
        host=settings.imap_host,
        port=settings.imap_port,
        security=settings.imap_security,
        username=settings.imap_username,
        password=settings.imap_password,
        token_command=settings.imap_token_command,
        folder=settings.imap_folder,
    )
