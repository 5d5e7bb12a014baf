"""What lies in files: settings, topics, packs, templates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time

from notifier.app import App
from notifier.cadence import next_slot
from notifier.digest import compose
from notifier.doctor.finding import Finding, Level
from notifier.errors import NotifierError
from notifier.model import (
    Address,
    Cadence,
    Delivery,
    DeliveryItem,
    Digest,
    Entry,
    Every,
    Evidence,
    Reason,
    Subscriber,
    Subscription,
)
from notifier.settings_file import config_file


def settings(app: App) -> Iterator[Finding]:
    file = config_file(app.settings.data_dir)
    if file.is_file():
        yield Finding(topic="settings", level=Level.OK, text=f"Read from {file} and the environment.")
    else:
        hint = f"No {file}: 'notifier init' writes one with every setting explained."
        yield Finding(topic="settings", level=Level.HINT, text=hint)


def topics(app: App) -> Iterator[Finding]:
    try:
        yield Finding(topic="topics", level=Level.OK, text=f"{len(app.topics)} topics can be used in rules.")
    except NotifierError as error:
        yield Finding(topic="topics", level=Level.WRONG, text=str(error))
        return
    try:
        yield Finding(topic="packs", level=Level.OK, text=f"{len(app.packs)} packs can be put into subscriptions.")
    except NotifierError as error:
        yield Finding(topic="packs", level=Level.WRONG, text=str(error))


def templates(app: App) -> Iterator[Finding]:
    now = app.clock()
    try:
        renderer = app.renderer()
        for format in ("email", "slack"):
            renderer.render(_specimen(now), format, now=now)
    except NotifierError as error:
        yield Finding(topic="templates", level=Level.WRONG, text=str(error))
    else:
        place = app.settings.templates_dir
        yield Finding(
            topic="templates", level=Level.OK, text=f"Bundled, with yours of {place}." if place else "Bundled ones."
        )


def _specimen(now: datetime) -> Digest:
    """A digest with something in every field, to try templates on."""
    entry = Entry(
        id="arxiv:2512.00001",
        title="A specimen",
        abstract="It stands in for a paper.",
        authors=("Ada Lovelace",),
        organization="Analytical Engines",
        categories=("cs.LG",),
        published_at=now,
        url="https://example.org/abs",
        pdf_url="https://example.org/pdf",
        code_url="https://example.org/code",
        upvotes=1,
        comments=1,
        first_seen_at=now,
        new_at=now,
    )
    person = Subscriber(id="p_specimen", email="ada@example.org", created_at=now)
    subscription = Subscription(
        id="s_specimen",
        subscriber=person,
        address=Address(kind="email", target=person.email),
        cadence=Cadence(every=Every.DAILY, at=time(8)),
        created_at=now,
        next_due_at=now,
    )
    evidence = (Evidence(field="title", spans=((2, 10),), text="specimen"),)
    reason = Reason(
        rule_id="r_specimen",
        label="specimens",
        query="specimen",
    )
    delivery = Delivery(
        id="d_specimen",
        subscription_id=subscription.id,
        slot=next_slot(subscription.cadence, "UTC", after=now),
        created_at=now,
        period_start=now,
        period_end=now,
        checked=1,
        next_attempt_at=now,
    )
    items = [DeliveryItem(entry_id=entry.id, rank=0, shown=True, reasons=(reason,))]
    return compose(delivery, items, entries={entry.id: entry}, evidence=lambda *_: evidence, subscription=subscription)
