"""A folder on an IMAP server, over the standard library's client, which blocks: for a thread.

Mail for us is marked as seen, other mail with a keyword of ours where the server takes one; either only after what it
said was written. Every answer is bounded in size and all of a visit in time: a server that drips is hung up on.
"""

from __future__ import annotations

import imaplib
import re
import shlex
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pydantic import SecretStr

from notifier.clean import plain
from notifier.errors import MailboxError
from notifier.ports import LONGEST_MAIL
from notifier.settings import Security

_PORTS = {Security.TLS: 993, Security.STARTTLS: 143, Security.NONE: 143}
_REPLY_SECONDS = 10.0
VISIT_SECONDS = 25.0
"""Shorter than the time in which ``serve`` has to end after SIGTERM."""
_MAILS = 200
"""Mails of one visit; what is left comes with the next."""
_LONGEST_ANSWER = LONGEST_MAIL + 64 * 1024
_READ = "NotifierRead"
_KEYWORDS_TAKEN = re.compile(rb"\\\*|\b" + _READ.encode() + rb"\b", re.IGNORECASE)
_BROKEN = (imaplib.IMAP4.error, OSError, ValueError, IndexError, TypeError, AttributeError)
"""What imaplib raises, also at answers that are no IMAP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapAccount:
    """``port`` None is the security's own (993, 143). ``token_command`` prints an access token, used in place of a
    password. Every certificate is verified against the system's store, or against ``tls_context``.
    """

    host: str
    port: int | None = None
    security: Security = Security.TLS
    username: str
    password: SecretStr
    token_command: str = ""
    folder: str = "INBOX"
    tls_context: ssl.SSLContext | None = None

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port or _PORTS[self.security]}"


class ImapFolder:
    """``reply_seconds`` bound each answer, ``visit_seconds`` a whole visit."""

    def __init__(
        self, account: ImapAccount, *, reply_seconds: float = _REPLY_SECONDS, visit_seconds: float = VISIT_SECONDS
    ) -> None:
        self._account = account
        self._reply_seconds = reply_seconds
        self._visit_seconds = visit_seconds

    @property
    def name(self) -> str:
        return f"{self._account.folder} at {self._account.name}"

    def each(self, take: Callable[[bytes], bool]) -> None:
        with self._visit() as imap:
            keyword = self._select(imap)
            with self._in_words():
                uids = _uids(imap, ("UNSEEN", "UNKEYWORD", _READ) if keyword else ("UNSEEN",))
            for uid in uids:
                with self._in_words():
                    raw = _fetched(imap, uid)
                # Outside: what goes wrong with the record is no fault of the server's.
                flag = r"\Seen" if raw is None or take(raw) or not keyword else _READ
                with self._in_words():
                    imap.uid("STORE", uid, "+FLAGS.SILENT", f"({flag})")

    def check(self) -> str:
        with self._visit() as imap:
            self._select(imap)
        account = self._account
        return f"{account.name} takes the login of {account.username} and has the folder {account.folder}."

    @contextmanager
    def _visit(self) -> Iterator[imaplib.IMAP4]:
        with self._in_words():
            imap = _Connection(self._account, self._reply_seconds, self._visit_seconds)
        try:
            with self._in_words():
                _encrypt(imap, self._account)
            self._log_in(imap)
            yield imap
        finally:
            with suppress(*_BROKEN):
                imap.logout()
            imap.hang_up()

    def _log_in(self, imap: imaplib.IMAP4) -> None:
        account = self._account
        secret = _printed_by(account.token_command) if account.token_command else account.password
        word = secret.get_secret_value()
        try:
            if account.token_command:
                said = f"user={account.username}\x01auth=Bearer {word}\x01\x01"
                imap.authenticate("XOAUTH2", lambda _: said.encode())
            elif "AUTH=PLAIN" in imap.capabilities:
                imap.authenticate("PLAIN", lambda _: f"\0{account.username}\0{word}".encode())
            else:
                imap.login(account.username, word)
        except imaplib.IMAP4.abort as error:
            raise self._away(error) from None
        except imaplib.IMAP4.error as error:
            answer = plain(str(error).replace(word, "…") if word else str(error), limit=200)
            raise MailboxError(
                f"{account.name} does not take the login of {account.username} ({answer}): set imap_username and "
                "imap_password right."
            ) from None
        except _BROKEN as error:
            raise self._away(error) from None

    def _select(self, imap: imaplib.IMAP4) -> bool:
        """Whether mails there take our keyword. Raises MailboxError where there is no such folder."""
        quoted = self._account.folder.replace("\\", "\\\\").replace('"', '\\"')
        with self._in_words():
            status, _ = imap.select(f'"{quoted}"')
            if status != "OK":
                raise MailboxError(f"{self._account.name} has no folder {self._account.folder}: set imap_folder right.")
            flags = imap.response("PERMANENTFLAGS")[1] or []
        return any(_KEYWORDS_TAKEN.search(each) for each in flags if isinstance(each, bytes))

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except _BROKEN as error:
            raise self._away(error) from error

    def _away(self, error: Exception) -> MailboxError:
        said = plain(str(error) or type(error).__name__, limit=200)
        return MailboxError(f"{self.name} cannot be read ({said}); it is tried again later.")


class _Connection(imaplib.IMAP4):
    """Encrypted from the first byte where the account says so; hung up on when the visit took too long."""

    def __init__(self, account: ImapAccount, reply_seconds: float, visit_seconds: float) -> None:
        self._account = account
        self._wire: socket.socket | None = None
        self._clock = threading.Timer(visit_seconds, self._cut)
        self._clock.daemon = True
        self._clock.start()
        try:
            super().__init__(account.host, account.port or _PORTS[account.security], reply_seconds)
        except BaseException:
            self._clock.cancel()
            raise

    def _create_socket(self, timeout: float | None) -> socket.socket:
        self._wire = wire = socket.create_connection((self.host, self.port), timeout)
        if self._account.security is Security.TLS:
            context = _context(self._account)
            self._wire = wire = context.wrap_socket(
                wire, server_hostname=self._account.host, do_handshake_on_connect=False
            )
            wire.do_handshake()
        return wire

    def read(self, size: int) -> bytes:
        if size > _LONGEST_ANSWER:
            raise self.abort(f"it announced {size} bytes at once")
        return super().read(size)

    def hang_up(self) -> None:
        self._clock.cancel()
        self._cut()

    def _cut(self) -> None:
        for wire in {self._wire, getattr(self, "sock", None)}:
            if wire is not None:
                with suppress(OSError):
                    wire.shutdown(socket.SHUT_RDWR)


def _context(account: ImapAccount) -> ssl.SSLContext:
    return account.tls_context or ssl.create_default_context()


def _encrypt(imap: imaplib.IMAP4, account: ImapAccount) -> None:
    if account.security is Security.STARTTLS:
        imap.starttls(_context(account))


def _uids(imap: imaplib.IMAP4, criteria: tuple[str, ...]) -> list[str]:
    _, found = imap.uid("SEARCH", *criteria)
    texts = [each.decode("ascii", "replace") for each in found if isinstance(each, bytes)]
    return [uid for text in texts for uid in text.split() if uid.isascii() and uid.isdigit()][:_MAILS]


def _fetched(imap: imaplib.IMAP4, uid: str) -> bytes | None:
    """The first bytes of a mail; None for one that is not there any more."""
    _, found = imap.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LONGEST_MAIL}>)")
    return next((each[1] for each in found if isinstance(each, tuple)), None)


def _printed_by(command: str) -> SecretStr:
    try:
        done = subprocess.run(shlex.split(command), capture_output=True, timeout=_REPLY_SECONDS, check=False)  # noqa: S603 - the operator's own
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise MailboxError(f"imap_token_command cannot be run: {plain(str(error), limit=200)}.") from None
    token = done.stdout.decode("ascii", "replace").partition("\n")[0].strip()
    if done.returncode or not token:
        said = plain(done.stderr.decode("utf-8", "replace"), limit=200)
        raise MailboxError(
            f"imap_token_command printed no token: {said or 'it said nothing'}. Run it by hand, mend it."
        )
    return SecretStr(token)
