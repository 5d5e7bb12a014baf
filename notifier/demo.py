"""The main job on bundled entries: ten days lived through in seconds, into an outbox, with no network."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path

from notifier.account import Wish, add_subscriber, subscribe
from notifier.app import App
from notifier.cadence import describe
from notifier.collect import absorb
from notifier.edit import Author, add_rule
from notifier.engine import open_engine
from notifier.errors import UsageError
from notifier.model import Cadence, DeliveryState, Every, Mode, Sighting, Subscription
from notifier.ports import Store
from notifier.settings import Settings
from notifier.sources import read_lines

_SAMPLES = Path(__file__).resolve().parent / "samples" / "entries.jsonl"
# When a day's papers come in: before the earliest morning digest of the three.
_ARRIVAL = time(5, 0, tzinfo=UTC)
# Its presence is what lets a folder be emptied and used again.
_MARK = "notifier-demo"


@dataclass(frozen=True, slots=True)
class Person:
    """An example subscriber; ``rules`` are (query, label, mode)."""

    email: str
    name: str
    timezone: str
    language: str
    wish: Wish
    rules: tuple[tuple[str, str, Mode], ...]


_INCLUDE, _MUTE = Mode.INCLUDE, Mode.MUTE

PEOPLE = (
    Person(
        "ada@example.org",
        "Ada",
        "Europe/London",
        "en",
        Wish(channel="email", cadence=Cadence(every=Every.DAILY, at=time(8)), max_entries=6),
        (
            ('topic:preference-optimization OR "reward model"~2', "preference learning", _INCLUDE),
            ("agent* (tool OR planning OR benchmark)", "agents", _INCLUDE),
            ("topic:reasoning", "reasoning", _INCLUDE),
            ("survey", "surveys", _MUTE),
        ),
    ),
    Person(
        "emmy@example.org",
        "Emmy",
        "Europe/Berlin",
        "de",
        Wish(
            channel="email",
            cadence=Cadence(every=Every.WEEKLY, at=time(7, 30), days=frozenset({0})),
            max_entries=8,
        ),
        (
            ("topic:medical-imaging", "Bildgebung", _INCLUDE),
            ("topic:scientific-machine-learning OR topic:learning-theory", "Theorie", _INCLUDE),
            ("topic:climate", "Klima", _INCLUDE),
        ),
    ),
    Person(
        "lab@example.org",
        "Robotics lab",
        "America/New_York",
        "en",
        Wish(channel="slack:#papers", cadence=Cadence(every=Every.DAILY, at=time(9)), max_entries=10),
        (
            ("topic:legged-robots OR humanoid", "legs", _INCLUDE),
            ("topic:robot-manipulation", "hands", _INCLUDE),
            ("topic:robotics", "robots", _INCLUDE),
            ('"autonomous driving"', "driving", _MUTE),
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonTold:
    """What became of one person: ``last`` are (title, because) of the newest digest."""

    name: str
    wish: str
    rules: str
    digests: int
    last: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    entries: int
    days: int
    people: tuple[PersonTold, ...]
    outbox: Path
    showpiece: Path
    """The mail to open first."""


def replay(out: Path) -> Told:
    """Empty ``out`` (only if an earlier demo made it), live through the bundled days, tell what happened."""
    _make_way(out)
    days = list(_days())
    clock = _Clock(datetime.combine(days[0][0], _ARRIVAL) - timedelta(days=1))
    app = App(settings=_settings(out), clock=clock)
    with app.store() as store:
        subscriptions = [_join(store, app, person, clock()) for person in PEOPLE]
    asyncio.run(_live(app, clock, days))
    with app.store() as store:
        return Told(
            entries=store.entries.count(),
            days=len(days),
            people=tuple(_tell(store, person, each) for person, each in zip(PEOPLE, subscriptions, strict=True)),
            outbox=app.settings.outbox,
            showpiece=_showpiece(store, subscriptions[0], app.settings.outbox),
        )


class _Clock:
    """The demo's own time, moved by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def _make_way(out: Path) -> None:
    if out.exists() and any(out.iterdir()):
        if not (out / _MARK).exists():
            raise UsageError(f"{out} holds files that no demo made: name an empty folder with --out.")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARK).touch()


def _settings(out: Path) -> Settings:
    """The bare defaults, whatever the environment says: the demo must not send anything anywhere."""
    bare = {name: each.get_default(call_default_factory=True) for name, each in Settings.model_fields.items()}
    bare |= {
        "data_dir": out.resolve(),
        "base_url": "https://papers.example.org",
        "mail_from": "Papers <papers@example.org>",
    }
    return Settings.model_construct(None, **bare)


def _days() -> Iterator[tuple[date, list[Sighting]]]:
    """The bundled entries by the day they were announced, oldest first."""
    sightings = read_lines(_SAMPLES).sightings
    for day, group in groupby(sorted(sightings, key=_announced), key=_announced):
        yield date.fromisoformat(day), list(group)


def _announced(sighting: Sighting) -> str:
    return str(json.loads(sighting.entry.extra)["announced_at"])


def _join(store: Store, app: App, person: Person, now: datetime) -> Subscription:
    add_subscriber(store, person.email, name=person.name, timezone=person.timezone, language=person.language, now=now)
    subscription = subscribe(store, person.email, person.wish, now=now)
    for query, label, mode in person.rules:
        add_rule(
            store,
            app.topics,
            subscription.id,
            query,
            label=label,
            mode=mode,
            author=Author(name="demo", via="cli"),
            now=now,
        )
    return subscription


async def _live(app: App, clock: _Clock, days: Sequence[tuple[date, Sequence[Sighting]]]) -> None:
    async with open_engine(app) as engine:
        arriving = dict(days)
        end = datetime.combine(days[-1][0], _ARRIVAL) + timedelta(days=1)
        while clock.now < end:
            if clock.now.time() == _ARRIVAL.replace(tzinfo=None) and clock.now.date() in arriving:
                with app.store() as store:
                    absorb(store, arriving[clock.now.date()], source="samples", baseline=False, now=clock.now)
            await engine.plan()
            await engine.deliver()
            clock.now += timedelta(minutes=30)


def _tell(store: Store, person: Person, subscription: Subscription) -> PersonTold:
    deliveries = store.deliveries.all(subscription_id=subscription.id, states=[DeliveryState.SENT])
    items = store.deliveries.items(deliveries[0].id) if deliveries else []
    entries = store.entries.get(item.entry_id for item in items)
    return PersonTold(
        name=person.name,
        wish=f"{describe(person.wish.cadence, person.timezone)} to {subscription.address}",
        rules=" · ".join(f"{'not ' if mode is Mode.MUTE else ''}{query}" for query, _, mode in person.rules),
        digests=len(deliveries),
        last=tuple(
            (_cut(entries[item.entry_id].title), ", ".join(f"“{reason.label}”" for reason in item.reasons))
            for item in items
        ),
    )


def _showpiece(store: Store, subscription: Subscription, outbox: Path) -> Path:
    """The fullest of the first person's mails."""
    deliveries = store.deliveries.all(subscription_id=subscription.id, states=[DeliveryState.SENT])
    fullest = max(deliveries, key=lambda each: len(store.deliveries.items(each.id)))
    return next(outbox.glob(f"*{fullest.id}*.html"))


def _cut(title: str, width: int = 72) -> str:
    return title if len(title) <= width else title[: width - 1].rstrip() + "…"
