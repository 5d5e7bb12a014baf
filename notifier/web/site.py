"""What all pages share: the store on its threads, the templates, the clock; and how a request reaches them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from starlette.requests import HTTPConnection

from notifier.app import App
from notifier.library import load_topics
from notifier.ports import Channel, Store
from notifier.render import Composer, FeedWriter
from notifier.store import StoreThread
from notifier.tokens import Keys
from notifier.topics import Pack, Topic
from notifier.web.oidc import Provider
from notifier.web.paces import Paces
from notifier.web.pages import Pages
from notifier.web.recent import Recent
from notifier.web.rendered import Rendered
from notifier.web.safety import Rules

T = TypeVar("T")
_READERS = 2


class Site:
    """One per process. Reads go to the reader with the least to do, writes one after the other to one thread."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.paces = Paces()
        self.pages = Pages(app.settings.templates_dir)
        self.rendered = Rendered()
        self.recent = Recent(app.open_store, lambda: app.topics)
        self._readers = [StoreThread(app.open_store) for _ in range(_READERS)]
        self._waiting = [0] * _READERS
        self._writer = StoreThread(app.open_store)
        self._channels: Mapping[str, Channel] | None = None

    @cached_property
    def rules(self) -> Rules:
        settings = self.app.settings
        return Rules.of(settings.web_url, settings.web_hosts)

    @cached_property
    def renderer(self) -> Composer:
        return self.app.renderer()

    @cached_property
    def feed_writer(self) -> FeedWriter:
        return self.app.feed_writer()

    @cached_property
    def packs(self) -> dict[str, Pack]:
        return self.app.packs

    @cached_property
    def topics(self) -> dict[str, Topic]:
        """With their titles and descriptions, by name."""
        return load_topics(self.app.settings.topics_dir)

    @cached_property
    def provider(self) -> Provider | None:
        """The operator's identity provider, where there is one."""
        settings = self.app.settings
        if not (settings.oidc_issuer and settings.oidc_client_id):
            return None
        callback = self.url("/sso/back")
        return Provider(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, callback=callback)

    def channel(self, kind: str) -> Channel:
        """Opened with the first message that is sent from a page."""
        if self._channels is None:
            self._channels = self.app.channels(self.read)
        return self._channels[kind]

    @property
    def keys(self) -> Keys:
        return self.app.keys

    @property
    def is_https(self) -> bool:
        return self.app.settings.web_url.startswith("https://")

    def now(self) -> datetime:
        return self.app.clock()

    def url(self, path: str) -> str:
        """The whole address of a page, for mails."""
        return f"{self.app.settings.web_url}{path}"

    async def read(self, work: Callable[[Store], T]) -> T:
        number = self._waiting.index(min(self._waiting))
        self._waiting[number] += 1
        try:
            return await self._readers[number](work)
        finally:
            self._waiting[number] -= 1

    async def write(self, work: Callable[[Store], T]) -> T:
        """``work`` as one transaction."""

        def whole(store: Store) -> T:
            with store.write():
                return work(store)

        return await self._writer(whole)

    async def close(self) -> None:
        await self.recent.close()
        for channel in {id(each): each for each in (self._channels or {}).values()}.values():
            await channel.close()
        for thread in (*self._readers, self._writer):
            await thread.close()


def site(request: HTTPConnection) -> Site:
    found = request.app.state.site
    assert isinstance(found, Site)  # noqa: S101 - the state of an ASGI application is untyped
    return found
