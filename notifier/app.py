"""The one place where everything is put together from the settings."""

from __future__ import annotations

import os
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import structlog
from pydantic import SecretStr

from notifier.channels import open_channels
from notifier.delivery import Limits
from notifier.errors import StoreError
from notifier.library import load_packs, load_topics
from notifier.matching import Topics
from notifier.ports import Channel, InStore, Store
from notifier.render import Composer, Dkim, FeedWriter, Links, load_dkim
from notifier.settings import AfterUnknown, Settings
from notifier.sources import Http, Paces, Turns
from notifier.store import SqliteStore
from notifier.tokens import Keys
from notifier.topics import Pack, queries

Clock = Callable[[], datetime]

log = structlog.get_logger()


def system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(kw_only=True)
class App:
    """Notifier as configured. Holds no connection: what it opens, the caller closes."""

    settings: Settings
    clock: Clock = field(default=system_clock)

    @contextmanager
    def store(self) -> Iterator[Store]:
        store = self.open_store()
        try:
            with store.in_words():
                yield store
        finally:
            store.close()

    def open_store(self) -> Store:
        _make_folder(self.settings.data_dir)
        return SqliteStore(self.settings.database)

    @cached_property
    def topics(self) -> Topics:
        return queries(load_topics(self.settings.topics_dir).values())

    @property
    def packs(self) -> dict[str, Pack]:
        return load_packs(self.settings.packs_dir, topics=self.topics)

    def renderer(self) -> Composer:
        settings = self.settings
        return Composer(
            links=self.links,
            overrides=settings.templates_dir,
            summaries=settings.ai_summaries,
            threads=settings.slack_threads,
            menus=settings.answers_slack,
            dkim=self.dkim,
            conversations=settings.mail_threads,
        )

    @cached_property
    def keys(self) -> Keys:
        return Keys(self._secret(), self.settings.old_secret_keys)

    def feed_writer(self) -> FeedWriter:
        settings = self.settings
        return FeedWriter(links=self.links, overrides=settings.templates_dir, summaries=settings.ai_summaries)

    @cached_property
    def dkim(self) -> Dkim:
        return load_dkim(self.settings.dkim_domain, self.settings.dkim_keys)

    @cached_property
    def links(self) -> Links:
        return Links(
            base_url=self.settings.base_url,
            sender=self.settings.mail_from,
            contact=self.settings.contact,
            bounce_address=self.settings.bounce_address,
            keys=self.keys,
        )

    def http(self, paces: Paces | None = None) -> Http:
        settings = self.settings
        return Http(
            contact=settings.contact,
            timeout=settings.fetch_timeout,
            max_bytes=settings.fetch_max_bytes,
            allow_networks=settings.allow_networks,
            paces=paces,
            turns=Turns(settings.host_pause),
        )

    @property
    def limits(self) -> Limits:
        hold = self.settings.after_unknown is AfterUnknown.HOLD
        return Limits(give_up_after=self.settings.give_up_after, lease=self.settings.lease, hold_unknown=hold)

    def channels(self, in_store: InStore) -> Mapping[str, Channel]:
        """What is not set up writes to the outbox. The caller closes them."""
        return open_channels(self.settings, self._secrets_in(in_store))

    def _secrets_in(self, in_store: InStore) -> Callable[[str], Awaitable[Sequence[str]]]:
        async def secrets_of(delivery_id: str) -> Sequence[str]:
            return await in_store(lambda store: store.signing.of_delivery(delivery_id, now=self.clock()))

        return secrets_of

    def installed_tokens(self, store: Store) -> dict[str, SecretStr]:
        """The tokens of the Slack workspaces that were installed from the web, by their names in targets."""
        kept = {each.token_name: each.token for each in store.slack.workspaces() if each.token and not each.gone_at}
        if not kept:
            return {}
        # Only who has them needs the package for it.
        from notifier.vault import Vault

        vault = Vault(self.keys.all)
        return {name: token for name, text in kept.items() if (token := vault.open(text))}

    def _secret(self) -> SecretStr:
        """The key that signs links: the operator's, else one made once and kept beside the database."""
        if self.settings.secret_key.get_secret_value():
            return self.settings.secret_key
        _make_folder(self.settings.data_dir)
        file = self.settings.data_dir / "secret.key"
        try:
            with open(file, "x", encoding="ascii", opener=_private) as fresh:
                fresh.write(secrets.token_urlsafe(32))
        except FileExistsError:
            pass
        return SecretStr(file.read_text("ascii").strip())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The data folder {folder} cannot be made ({error.strerror}): name another with --data-dir."
        ) from error
