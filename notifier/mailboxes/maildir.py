"""A Maildir: what is in ``new`` has not been read, what is in ``cur`` has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from notifier.errors import MailboxError
from notifier.ports import LONGEST_MAIL


class Maildir:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        return str(self._folder)

    def each(self, take: Callable[[bytes], bool]) -> None:
        try:
            new = self._folder / "new"
            for file in sorted(new.iterdir()) if new.is_dir() else ():
                with file.open("rb") as mail:
                    ours = take(mail.read(LONGEST_MAIL))
                (self._folder / "cur").mkdir(exist_ok=True)
                file.rename(self._folder / "cur" / f"{file.name}:2,{'S' if ours else ''}")
        except OSError as error:
            raise MailboxError(f"The Maildir {self._folder} cannot be read: {error.strerror}. Mend it.") from error

    def check(self) -> str:
        if not (self._folder / "new").is_dir():
            raise MailboxError(f"{self._folder} is no Maildir: it has no folder 'new'. Set bounce_maildir right.")
        return f"{self._folder} is a Maildir."
