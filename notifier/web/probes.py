"""For machines that watch: ``/healthz`` (it runs), ``/readyz`` (it can answer), ``/metrics`` (Prometheus).

Metrics are about deliveries, sources and slots; no label names a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from notifier import __version__, access, health
from notifier.checkup import checkup
from notifier.errors import StoreError
from notifier.model import Health, Scope
from notifier.ports import Store
from notifier.serve import last_beat
from notifier.settings import Settings
from notifier.web.site import site

router = APIRouter(include_in_schema=False)

# A slot is planned at the next tick; what is later than this has been forgotten, or nothing ticks.
_LATE = timedelta(minutes=5)


@router.get("/healthz")
async def alive() -> Response:
    return PlainTextResponse("ok\n")


@router.get("/readyz")
async def ready(request: Request) -> Response:
    try:
        await site(request).read(lambda store: store.entries.last_change())
    except StoreError:
        return PlainTextResponse("The database cannot be used: see the log.\n", 503)
    return PlainTextResponse("ready\n")


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    house = site(request)
    if not (_is_near(request, house.app.settings) or await _has_token(request)):
        sentence = "Metrics are for metrics_networks, or for a token with the scope metrics.\n"
        return PlainTextResponse(sentence, 401, headers={"WWW-Authenticate": 'Bearer realm="Notifier"'})
    now, beat = house.now(), last_beat(house.app.settings.data_dir)
    registry = CollectorRegistry()
    registry.register(_Told(await house.read(lambda store: list(_families(store, now, beat)))))
    ProcessCollector(registry=registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Told(Collector):
    """What was counted in one look at the database."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _families(store: Store, now: datetime, beat: datetime | None) -> Iterator[Metric]:
    yield InfoMetricFamily("notifier", "Which version runs.", {"version": __version__})
    rows = GaugeMetricFamily("notifier_rows", "How much of what is in the database.", labels=["noun"])
    for noun, number in store.facts().items():
        rows.add_metric([noun], number)
    yield rows
    yield from _deliveries(store, now)
    yield from _sources(store, now)
    suppressed = len(store.bounces.suppressed())
    yield GaugeMetricFamily("notifier_suppressed_addresses", "Addresses that get nothing any more.", suppressed)
    if beat is not None:
        yield GaugeMetricFamily("notifier_last_tick_timestamp_seconds", "When planning last ended.", beat.timestamp())


def _deliveries(store: Store, now: datetime) -> Iterator[Metric]:
    states = GaugeMetricFamily("notifier_deliveries", "Deliveries on record.", labels=["channel", "state"])
    for (channel, state), number in store.figures.deliveries().items():
        states.add_metric([channel, state], number)
    yield states
    oldest = store.figures.oldest_due(now)
    age = (now - oldest).total_seconds() if oldest else 0
    yield GaugeMetricFamily("notifier_queue_age_seconds", "How long the oldest delivery that may be sent waits.", age)
    late = store.figures.late_slots(now - _LATE)
    yield GaugeMetricFamily("notifier_late_slots", "Slots over five minutes old that nobody has planned.", late)
    unknowns = store.deliveries.unknowns()
    yield GaugeMetricFamily("notifier_unknown_attempts", "Attempts that may have arrived: nobody can know.", unknowns)


def _sources(store: Store, now: datetime) -> Iterator[Metric]:
    states = GaugeMetricFamily("notifier_source_health", "1 for how a source is.", labels=["source", "health"])
    answered = GaugeMetricFamily(
        "notifier_source_last_success_timestamp_seconds", "When a source last answered.", labels=["source"]
    )
    failures = GaugeMetricFamily("notifier_source_failures", "Failures in a row.", labels=["source"])
    for known in checkup(store):
        record, now_is = known.record, health.state(known, now).health
        for each in Health:
            states.add_metric([record.name, each], each is now_is)
        failures.add_metric([record.name], record.failures)
        if record.last_success_at:
            answered.add_metric([record.name], record.last_success_at.timestamp())
    yield from (states, answered, failures)


def _is_near(request: Request, settings: Settings) -> bool:
    try:
        caller = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    return any(caller in ip_network(each) for each in settings.metrics_networks)


async def _has_token(request: Request) -> bool:
    house = site(request)
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    now, operators = house.now(), house.app.settings.operators
    token = await house.read(lambda store: access.believed(store, text.strip(), operators=operators, now=now))
    return token is not None and Scope.METRICS in token.scopes
