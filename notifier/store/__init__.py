"""Where everything is kept: one SQLite file behind ``ports.Store``."""

from notifier.store.sqlite import SqliteStore
from notifier.store.thread import StoredLedger, StoreThread

__all__ = ["SqliteStore", "StoreThread", "StoredLedger"]
