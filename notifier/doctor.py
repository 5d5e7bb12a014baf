"""What is configured, what is not, what is wrong, and what to do about it. Sends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from notifier.app import App
from notifier.cadence import next_slot
from notifier.channels import open_channels
from notifier.checkup import checkup
from notifier.digest import compose
from notifier.errors import NotifierError
from notifier.health import Known, behind, state
from notifier.lookup import examined
from notifier.mailboxes import open_mailboxes
from notifier.matching import Topics
from notifier.model import (
    Address,
    Cadence,
    Delivery,
    DeliveryItem,
    DeliveryState,
    Digest,
    Entry,
    Every,
    Evidence,
    Health,
    Mode,
    Reason,
    Subscriber,
    Subscription,
)
from notifier.ports import Store
from notifier.settings import Settings
from notifier.settings_file import config_file

_TROUBLES = (DeliveryState.FAILED, DeliveryState.HELD)
_OVERDUE = timedelta(hours=2)
"""So late a source may be asked before nobody seems to ask at all."""


class Level(StrEnum):
    OK = "ok"
    HINT = "hint"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the examination: ``topic`` is what was looked at, ``text`` a sentence with what to do."""

    topic: str
    level: Level
    text: str


def _looked_up(name: str) -> str | None:
    """A TXT record. Raises OSError or what dkimpy raises where no name server answers."""
    from dkim.dnsplug import get_txt

    found = get_txt(name.encode("ascii"), timeout=5)
    return found.decode("ascii", "replace") if found else None


async def examine(app: App, *, look_up: Callable[[str], str | None] = _looked_up) -> list[Finding]:
    """Look at everything; one thing that is wrong does not hide the next. ``look_up`` asks for TXT records."""
    return [
        *_settings(app),
        *_database(app),
        *_topics(app),
        *_templates(app),
        *_pages(app.settings.base_url),
        *[finding async for finding in _channels(app)],
        *_inside_slack(app.settings),
        *await asyncio.to_thread(lambda: [*_mailboxes(app), *_dkim(app, look_up)]),
    ]


def _settings(app: App) -> Iterator[Finding]:
    file = config_file(app.settings.data_dir)
    if file.is_file():
        yield Finding(topic="settings", level=Level.OK, text=f"Read from {file} and the environment.")
    else:
        hint = f"No {file}: 'notifier init' writes one with every setting explained."
        yield Finding(topic="settings", level=Level.HINT, text=hint)


def _database(app: App) -> Iterator[Finding]:
    try:
        with app.store() as store:
            store.verify()
            facts = store.facts()
            counts = f"{facts['entry']} papers, {facts['subscription']} subscriptions, {facts['rule']} rules"
            yield Finding(topic="database", level=Level.OK, text=f"{app.settings.database} is sound: {counts}.")
            yield from _sources(store, app.clock())
            yield from _subscriptions(store, _topics_if_sound(app))
            yield from _deliveries(store)
            yield from _operators(store, app.settings.operators)
    except NotifierError as error:
        yield Finding(topic="database", level=Level.WRONG, text=str(error))


def _sources(store: Store, now: datetime) -> Iterator[Finding]:
    found = checkup(store)
    if not found:
        hint = "None: 'notifier source add huggingface' reads Hugging Face's Daily Papers."
        yield Finding(topic="sources", level=Level.HINT, text=hint)
    for known in found:
        record = known.record
        if record.moved_from:
            text = f"'{record.name}' has moved from {record.moved_from} to {record.url}, where it is read now."
            yield _finding(Level.HINT, text)
        yield _source(known, now)
        if known.gaps and not record.paused_at:
            yield _finding(Level.HINT, _gaps(known))
        if late := behind(known, now):
            text = f"'{record.name}' has brought nothing new in {', '.join(late)} for a week of announcements"
            yield _finding(Level.HINT, f"{text}: 'notifier source show {record.name}' has the days.")


def _source(known: Known, now: datetime) -> Finding:
    how, name = state(known, now), known.record.name
    since = f"{how.since:%Y-%m-%d %H:%M} UTC" if how.since else "it is read"
    resume, look = f"'notifier source resume {name}' reads it again.", f"'notifier source show {name}' tells more"
    match how.health:
        case Health.PAUSED:
            return _finding(Level.HINT, f"'{name}' is paused since {since}: somebody paused it. {resume}")
        case Health.GONE:
            return _finding(Level.WRONG, f"'{name}' is paused since {since}: {known.record.paused_reason} {resume}")
        case Health.FAILING:
            text = f"'{name}' has not answered since {since}: {known.record.last_error} It is asked again by itself"
            return _finding(Level.WRONG, f"{text}; {look}.")
        case Health.STALE:
            text = f"'{name}' answers, but has brought nothing new since {since}, which is longer than usual"
            return _finding(Level.WRONG, f"{text}: see whether its address {known.record.url} is still right; {look}.")
        case Health.NOT_READ:
            text = f"'{name}' was not read yet: 'notifier source fetch {name}' or 'notifier serve' does."
            return _finding(Level.HINT, text)
    return _answering(known, now, is_announced=how.health is not Health.NOT_ANNOUNCED)


def _answering(known: Known, now: datetime, *, is_announced: bool) -> Finding:
    record = known.record
    if now - record.next_fetch_at > max(record.every, _OVERDUE):
        text = f"'{record.name}' was to be asked at {record.next_fetch_at:%Y-%m-%d %H:%M} UTC, and nobody did"
        return _finding(Level.WRONG, f"{text}: 'notifier serve' has to run, or 'notifier run --once' from a timer.")
    today = "" if is_announced else " It announces nothing today."
    return _finding(Level.OK, f"'{record.name}' answered at {record.last_success_at:%Y-%m-%d %H:%M} UTC.{today}")


def _gaps(known: Known) -> str:
    name, gap = known.record.name, known.gaps[0]
    why = f" {gap.last_error}" if gap.last_error else ""
    return (
        f"'{name}': what it announced from {gap.first} on is not complete yet and comes by itself.{why} "
        f"'notifier source gaps {name}' shows how far that is."
    )


def _finding(level: Level, text: str) -> Finding:
    return Finding(topic="sources", level=level, text=text)


def _topics_if_sound(app: App) -> Topics | None:
    """None where they are not: that is a finding of its own, and no rule's fault."""
    try:
        return app.topics
    except NotifierError:
        return None


def _operators(store: Store, operators: Sequence[str]) -> Iterator[Finding]:
    for address in operators:
        if not any(each.email.lower() == address for each in store.subscribers.page(text=address, limit=100)):
            text = f"{address} is no subscriber and cannot log in: notifier subscriber add {address}"
            yield Finding(topic="operators", level=Level.HINT, text=text)


def _subscriptions(store: Store, topics: Topics | None) -> Iterator[Finding]:
    subscriptions = store.subscriptions.all()
    if not subscriptions:
        hint = "None: 'notifier subscriber add EMAIL', then 'notifier subscription add EMAIL …'."
        yield Finding(topic="subscriptions", level=Level.HINT, text=hint)
    rules = store.rules.of(each.id for each in subscriptions)
    for each in subscriptions:
        own = rules.get(each.id, [])
        if not any(rule.mode is Mode.INCLUDE for rule in own):
            text = f"{each.id} of {each.subscriber.email} gets nothing: notifier rule add {each.id} 'QUERY'"
            yield Finding(topic="subscriptions", level=Level.HINT, text=text)
        for rule in own if topics is None else examined(own, topics):
            if rule.broken:
                text = f"Rule {rule.id} of {each.subscriber.email} is off: {rule.broken}"
                yield Finding(topic="rules", level=Level.WRONG, text=text)


def _deliveries(store: Store) -> Iterator[Finding]:
    counts = store.deliveries.counts()
    troubles = [state for state in _TROUBLES if counts.get(state)]
    if troubles:
        (newest,) = store.deliveries.all(states=troubles, limit=1)
        numbers = ", ".join(f"{counts[state]} {state}" for state in troubles)
        text = f"{numbers}, the newest: {newest.reason} See 'notifier deliveries --failed'."
        yield Finding(topic="deliveries", level=Level.WRONG, text=text)
    if unsent := store.letters.all(states=_TROUBLES, limit=1):
        text = f"A letter was not sent, the newest: {unsent[0].reason} See 'notifier letters --failed'."
        yield Finding(topic="letters", level=Level.WRONG, text=text)
    if unknowns := store.deliveries.unknowns():
        attempts = "1 attempt" if unknowns == 1 else f"{unknowns} attempts"
        text = f"{attempts} so far ended where nobody can know whether the message arrived (see after_unknown)."
        yield Finding(topic="deliveries", level=Level.HINT, text=text)


def _topics(app: App) -> Iterator[Finding]:
    try:
        yield Finding(topic="topics", level=Level.OK, text=f"{len(app.topics)} topics can be used in rules.")
    except NotifierError as error:
        yield Finding(topic="topics", level=Level.WRONG, text=str(error))
        return
    try:
        yield Finding(topic="packs", level=Level.OK, text=f"{len(app.packs)} packs can be put into subscriptions.")
    except NotifierError as error:
        yield Finding(topic="packs", level=Level.WRONG, text=str(error))


def _templates(app: App) -> Iterator[Finding]:
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


def _pages(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    if not url:
        hint = "No base_url is set: mails link to no page. Set it to the public address of the pages."
        yield Finding(topic="pages", level=Level.HINT, text=hint)
    elif parts.path:
        text = f"base_url {url} names a path: the pages need a host of their own."
        yield Finding(topic="pages", level=Level.WRONG, text=text)
    elif parts.scheme != "https":
        hint = f"Links lead to {url}, where anybody on the way can read along: put https in front and into base_url."
        yield Finding(topic="pages", level=Level.HINT, text=hint)
    else:
        yield Finding(topic="pages", level=Level.OK, text=f"Links in mails lead to {url}.")


async def _channels(app: App) -> AsyncIterator[Finding]:
    settings = app.settings
    unset = {
        "email": None if settings.smtp_host else "No mail server: set smtp_host; until then mails go to the outbox.",
        "slack": None if settings.has_slack else "No Slack: set slack_token; until then its messages go to the outbox.",
    }
    for kind, channel in open_channels(settings).items():
        if hint := unset.get(kind):
            yield Finding(topic=kind, level=Level.HINT, text=hint)
            continue
        try:
            yield Finding(topic=kind, level=Level.OK, text=await channel.check())
        except NotifierError as error:
            yield Finding(topic=kind, level=Level.WRONG, text=str(error))
        finally:
            await channel.close()


def _inside_slack(settings: Settings) -> Iterator[Finding]:
    """How people are answered there; nothing where they are not."""
    roads = [
        "over a socket" if settings.slack_app_token.get_secret_value() else "",
        f"at {settings.web_url}/slack/events" if settings.slack_signing_secret.get_secret_value() else "",
    ]
    if any(roads):
        text = f"/papers is answered {' and '.join(filter(None, roads))}, while 'notifier serve' runs."
        yield Finding(topic="slack", level=Level.OK, text=text)
    if bool(settings.slack_client_id) != bool(settings.slack_client_secret.get_secret_value()):
        text = "slack_client_id and slack_client_secret belong together: set both to let others install the app."
        yield Finding(topic="slack", level=Level.WRONG, text=text)
    elif settings.slack_client_id and not (settings.base_url and roads[1]):
        text = "Others cannot install the app: slack_client_id needs base_url and slack_signing_secret as well."
        yield Finding(topic="slack", level=Level.WRONG, text=text)


def _mailboxes(app: App) -> Iterator[Finding]:
    for box in open_mailboxes(app.settings):
        try:
            yield Finding(topic="bounces", level=Level.OK, text=box.check())
        except NotifierError as error:
            yield Finding(topic="bounces", level=Level.WRONG, text=str(error))


def _dkim(app: App, look_up: Callable[[str], str | None]) -> Iterator[Finding]:
    try:
        signers = app.dkim.signers
    except NotifierError as error:
        yield Finding(topic="dkim", level=Level.WRONG, text=str(error))
        return
    for each in signers:
        name, record = each.record
        try:
            found = look_up(name)
        except Exception as error:
            text = f"Whether {name} is published could not be looked up ({type(error).__name__}); it has to be {record}"
            yield Finding(topic="dkim", level=Level.HINT, text=text)
            continue
        if _public_key(found) == _public_key(record):
            yield Finding(topic="dkim", level=Level.OK, text=f"Mails are signed, and {name} has the key.")
        else:
            text = f"{'Another key' if found else 'No key'} is published: make {name} a TXT record of {record}"
            yield Finding(topic="dkim", level=Level.WRONG, text=text)
    from_domain = app.links.domain
    if signers and not f".{from_domain}".endswith(f".{signers[0].domain}"):
        text = f"Mails come from {from_domain} and are signed for {signers[0].domain}: receivers want these to agree."
        yield Finding(topic="dkim", level=Level.WRONG, text=text)


def _public_key(record: str | None) -> str | None:
    tags = dict(tag.strip().partition("=")[::2] for tag in (record or "").split(";"))
    return "".join(tags["p"].split()) if "p" in tags else None


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
