"""The steps over open connections, as `serve` and a single pass run them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

import structlog

from notifier import incoming, rulecache
from notifier.app import App, system_clock
from notifier.asked import categories_of
from notifier.bounced import Taken
from notifier.catchup import backfill, catch_up
from notifier.channels import format_of
from notifier.collect import Collected, absorb, collect
from notifier.deliver import deliver
from notifier.errors import MailboxError, UsageError
from notifier.feeds import FeedFiles
from notifier.fold import Counts
from notifier.letters import send_letters
from notifier.mailboxes import open_mailboxes
from notifier.matching import RuleSet
from notifier.model import DeliveryState, Gap, Outcome, SourceRecord
from notifier.plan import Plans, plan
from notifier.ports import Archive, Channel, LooksUp, Mailbox, Source, Store
from notifier.sources import Http, Paces, asks_for_categories, open_source
from notifier.store import StoredLedger, StoreThread

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass over the three steps came to."""

    collected: tuple[Collected, ...]
    plans: Plans
    sent: Mapping[DeliveryState, int]
    letters: Mapping[DeliveryState, int]


@asynccontextmanager
async def open_engine(app: App) -> AsyncIterator[Engine]:
    """The three steps, ready to run, with their connections."""
    stores = {step: StoreThread(app.open_store) for step in ("collect", "plan", "deliver", "letters", "receive")}
    # What services ask for is in real time, whatever the clock of a replay says.
    async with app.http(Paces(StoredLedger(stores["collect"]), clock=system_clock)) as http:
        engine = Engine(app, http, app.channels(stores["deliver"]), stores)
        try:
            await engine.set_back()
            yield engine
        finally:
            await engine.close()


class Engine:
    """Collect, plan and deliver over open connections. Each step has a store thread of its own."""

    def __init__(
        self, app: App, http: Http, channels: Mapping[str, Channel], stores: Mapping[str, StoreThread]
    ) -> None:
        self._app = app
        self._http = http
        self._channels = channels
        self._renderer = app.renderer()
        folder = app.settings.feeds_dir
        self._retries: set[datetime] = set()
        self._feeds = FeedFiles(folder, app.feed_writer(), app.topics) if folder else None
        self._rules: RuleSet | None = None
        self.stores = stores
        self._categories: dict[str, frozenset[str]] = {}

    async def collect(self, *, only: str | None = None, due_only: bool = True) -> list[Collected]:
        now = self._app.clock()
        in_store = self.stores["collect"]
        records = await in_store(lambda store: store.sources.due(now) if due_only else store.sources.all())
        # A paused source is read only where it is named.
        wanted = [each for each in records if each.name == only or (only is None and not each.paused_at)]
        opened = await self._opener(wanted)
        sources: dict[str, Source] = {}

        def open_source(record: SourceRecord) -> Source:
            return sources.setdefault(record.name, opened(record))

        collected = await collect(wanted, open_source, in_store, clock=self._app.clock)
        by_name = {record.name: record for record in wanted}
        return [await self._caught_up(each, by_name[each.source], sources.get(each.source), now) for each in collected]

    async def backfill(
        self, record: SourceRecord, first: date, last: date, *, is_news: bool, progress: Callable[[float], None]
    ) -> Gap:
        """Fill up days from the source's archive. Raises UsageError where it has none, or not of those days."""
        now = self._app.clock()
        source = (await self._opener([record]))(record)
        if not isinstance(source, Archive):
            raise UsageError(f"Source '{record.name}' ({record.kind}) shows what is new only: it has no days gone by.")
        settled = source.settled(record.state, now=now)
        if last > settled and not is_news:
            raise UsageError(
                f"Papers later than {settled} may still come as news, and a backfill would take that from them: "
                f"end with --to {settled}, or make all of it news with --news."
            )
        return await backfill(
            record,
            source,
            self.stores["collect"],
            first=first,
            last=last,
            is_news=is_news,
            now=now,
            progress=progress,
        )

    async def look_up(self, record: SourceRecord, ids: Sequence[str]) -> tuple[list[str], Counts]:
        """Ask for single papers and keep them, as no news; their ids, and what became of them."""
        now = self._app.clock()
        source = (await self._opener([record]))(record)
        if not isinstance(source, LooksUp):
            raise UsageError(f"Source '{record.name}' ({record.kind}) cannot be asked for single papers.")
        found = await source.look_up(ids, now=now)

        def keep(store: Store) -> tuple[list[str], Counts]:
            # Not under the source's name: what it is first to show later is still to be news.
            nameless = [replace(each, entry=replace(each.entry, sources=())) for each in found]
            counts = absorb(store, nameless, source="lookup", baseline=True, now=now)
            entries = store.entries.by_keys(each.keys[0] for each in found)
            return [entry.id for entry in entries.values()], counts

        return await self.stores["collect"](keep)

    async def plan(self) -> Plans:
        return await self.stores["plan"](self._plan)

    async def deliver(self, stop: asyncio.Event | None = None) -> Counter[DeliveryState]:
        """Send what is due."""
        self._retries.clear()
        if self._app.settings.slack_client_id:
            await self._know_workspaces()
        done = await deliver(
            self.stores["deliver"],
            self._channels,
            format_of,
            self._renderer,
            topics=self._app.topics,
            clock=self._app.clock,
            limits=self._app.limits,
            stop=stop,
            heard=self._hear,
        )
        if self._feeds:
            await self._feeds.write(self.stores["deliver"], now=self._app.clock())
        return done

    def next_try(self, after: datetime) -> datetime | None:
        """When something that the latest delivering put off is due again, the first such instant ``after`` another."""
        return min((each for each in self._retries if each > after), default=None)

    def _hear(self, outcomes: Sequence[Outcome]) -> None:
        self._retries.update(each.next_attempt_at for each in outcomes if each.next_attempt_at)
        if self._feeds:
            self._feeds.heard(outcomes)

    async def letters(self, stop: asyncio.Event | None = None) -> Counter[DeliveryState]:
        """Send the letters that are due."""
        return await send_letters(
            self.stores["letters"],
            self._channels["email"],
            self._renderer,
            self._app.links,
            clock=self._app.clock,
            limits=self._app.limits,
            stop=stop,
        )

    async def receive(self) -> Counter[Taken]:
        """Take in the mail to us: what came back, and who unsubscribes. A mailbox that cannot be read waits."""
        boxes = open_mailboxes(self._app.settings)
        return await self.stores["receive"](partial(self._receive, boxes)) if boxes else Counter()

    def _receive(self, boxes: Sequence[Mailbox], store: Store) -> Counter[Taken]:
        total: Counter[Taken] = Counter()
        for box in boxes:
            try:
                total += incoming.read(store, box, keys=self._app.keys, now=self._app.clock())
            except MailboxError as error:
                log.warning("mail cannot be read", mailbox=box.name, error=str(error))
        return total

    async def _know_workspaces(self) -> None:
        from notifier.channels.slack import SlackChannel

        if isinstance(slack := self._channels["slack"], SlackChannel):
            slack.know(await self.stores["deliver"](self._app.installed_tokens))

    async def set_back(self) -> None:
        """Put right what was written under a clock that was ahead of the one there is now, if it was."""
        now = self._app.clock()

        def work(store: Store) -> int:
            with store.write():
                return store.clock_set_back(now)

        if rows := await self.stores["plan"](work):
            log.warning("the clock was ahead", rows=rows)

    async def once(self) -> Pass:
        """One pass: take in what came back, collect what is due, plan, deliver, send letters."""
        await self.receive()
        collected = await self.collect()
        plans = await self.plan()
        sent = await self.deliver()
        # Last, since the end of a delivery may be told by letter.
        return Pass(collected=tuple(collected), plans=plans, sent=sent, letters=await self.letters())

    async def close(self) -> None:
        for channel in {id(channel): channel for channel in self._channels.values()}.values():
            await channel.close()
        for thread in self.stores.values():
            await thread.close()

    def _plan(self, store: Store) -> Plans:
        """On the thread of planning, to which the rule set belongs."""
        settings = self._app.settings
        if self._rules is None:
            self._rules = rulecache.load(settings.data_dir, self._app.topics)
        plans = plan(store, self._rules, look_back=settings.look_back, now=self._app.clock())
        self._rules = rulecache.refreshed(settings.data_dir, self._rules, store.rules.queries)
        return plans

    async def _opener(self, records: Sequence[SourceRecord]) -> Callable[[SourceRecord], Source]:
        """Opens sources so that they also ask for the categories that rules speak of now."""
        is_asked = any(map(asks_for_categories, records))
        categories = await self.stores["collect"](self._named_categories) if is_asked else frozenset()

        def opened(record: SourceRecord) -> Source:
            return open_source(record.kind, record.url, http=self._http, name=record.name, categories=categories)

        return opened

    def _named_categories(self, store: Store) -> frozenset[str]:
        queries = store.rules.naming_categories()
        self._categories = {text: self._categories[text] for text in queries if text in self._categories}
        return categories_of(queries, self._app.topics, self._categories)

    async def _caught_up(
        self, collected: Collected, record: SourceRecord, source: Source | None, now: datetime
    ) -> Collected:
        if collected.error or not isinstance(source, Archive):
            return collected
        gaps = await catch_up(record, source, self.stores["collect"], now=now)
        return replace(collected, gaps=tuple(gaps))
