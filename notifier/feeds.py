"""Feeds of subscriptions as files, ``ID.atom`` and ``ID.json``, written anew where a digest came to its end.

What is there already stays untouched, so that a server of files tells readers that nothing has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from notifier.errors import NotifierError
from notifier.files import write_whole
from notifier.matching import Topics
from notifier.model import DeliveryState, Outcome
from notifier.past import past_digests
from notifier.ports import InStore, Store
from notifier.render import FeedWriter
from notifier.render.feed import KEPT

log = structlog.get_logger()

_ENDS = frozenset({DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.HELD})
_CAUGHT_UP = timedelta(days=2)
"""So far back a new process looks for digests whose feeds the one before may not have written any more."""
_MOST = 100_000
_SWEPT_EVERY = timedelta(hours=1)


def write_feeds(store: Store, topics: Topics, writer: FeedWriter, folder: Path, ids: Iterable[str]) -> list[Path]:
    """The files of these subscriptions, changed or not. Raises NotifierError where one cannot be written."""
    written = []
    for id, subscription in store.subscriptions.get(ids).items():
        feeds = writer.write(subscription, past_digests(store, topics, id, limit=KEPT))
        written += [_write(folder / f"{id}.atom", feeds.atom), _write(folder / f"{id}.json", feeds.json)]
    return written


def _write(file: Path, content: bytes) -> Path:
    with _in_words(file, "written"):
        if not (file.is_file() and file.read_bytes() == content):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, content)
    return file


@contextmanager
def _in_words(file: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise NotifierError(f"The feed {file} cannot be {what}: {reason}. Mend the folder or name another.") from error


class FeedFiles:
    """Keeps the feeds in ``folder`` up to date with what delivery tells."""

    def __init__(self, folder: Path, writer: FeedWriter, topics: Topics) -> None:
        self._folder = folder
        self._writer = writer
        self._topics = topics
        self._ended: set[str] = set()
        self._is_new = True
        self._swept_at: datetime | None = None

    def heard(self, outcomes: Sequence[Outcome]) -> None:
        self._ended.update(each.delivery_id for each in outcomes if each.state in _ENDS)

    async def write(self, in_store: InStore, *, now: datetime) -> None:
        """What was heard of and, the first time, what may have been left. A folder at fault is told and tried again."""
        try:
            await in_store(lambda store: self._write(store, now))
        except NotifierError as error:
            log.warning("feeds cannot be written", reason=str(error))
        else:
            self._ended.clear()
            self._is_new = False

    def _write(self, store: Store, now: datetime) -> None:
        ids = {each.subscription_id for id in self._ended if (each := store.deliveries.get(id))}
        if self._is_new:
            late = store.deliveries.all(states=_ENDS, since=now - _CAUGHT_UP, limit=_MOST)
            ids |= {each.subscription_id for each in late}
        write_feeds(store, self._topics, self._writer, self._folder, ids)
        if self._swept_at is None or now - self._swept_at >= _SWEPT_EVERY:
            sweep(store, self._folder)
            self._swept_at = now


def sweep(store: Store, folder: Path) -> None:
    """Take away the feeds of subscriptions that are gone: who left is forgotten with all that was theirs.

    Raises NotifierError where one cannot be removed.
    """
    files = [file for file in folder.glob("s_*") if file.suffix in (".atom", ".json")]
    known = store.subscriptions.get({file.stem for file in files})
    for file in files:
        if file.stem not in known:
            with _in_words(file, "removed"):
                file.unlink(missing_ok=True)
