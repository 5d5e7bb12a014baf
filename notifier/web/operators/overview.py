"""How it goes, at a glance: what waits or failed, sources in trouble, the last thirty days."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from notifier import health
from notifier.checkup import checkup
from notifier.delivery import OPEN
from notifier.model import DeliveryState, Health
from notifier.ports import DayCount, Store
from notifier.serve import last_beat
from notifier.web.base import page, words
from notifier.web.operators.chart import of_digests, of_papers
from notifier.web.operators.rights import Operator
from notifier.web.site import site

router = APIRouter(include_in_schema=False, prefix="/operator")

_SHOWN = timedelta(days=29)
_ILL = frozenset({Health.FAILING, Health.STALE, Health.GONE})
_LATE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    waiting: int
    held: int
    failed: int
    unknowns: int
    late_slots: int
    ill: tuple[str, ...]
    """Names of sources that cannot be relied on."""
    suppressed: int
    subscribers: int
    subscriptions: int
    papers: int
    days: tuple[DayCount, ...]


@router.get("")
async def show(request: Request, operator: Operator) -> Response:
    house, said = site(request), words(request)
    now = house.now()
    found = await house.read(lambda store: _overview(store, now))
    beat = last_beat(house.app.settings.data_dir)
    return page(
        request,
        "web/operators/overview.html",
        found=found,
        beat=said.moment(beat, operator.timezone) if beat else None,
        charts=[of_digests(found.days, said), of_papers(found.days, said)],
    )


def _overview(store: Store, now: datetime) -> Overview:
    facts, today = store.facts(), now.date()
    counts: Counter[DeliveryState] = Counter()
    for (_, state), number in store.figures.deliveries().items():
        counts[state] += number
    return Overview(
        waiting=sum(counts[state] for state in OPEN),
        held=counts[DeliveryState.HELD],
        failed=counts[DeliveryState.FAILED],
        unknowns=store.deliveries.unknowns(),
        late_slots=store.figures.late_slots(now - _LATE),
        ill=tuple(known.record.name for known in checkup(store) if health.state(known, now).health in _ILL),
        suppressed=len(store.bounces.suppressed()),
        subscribers=facts["subscriber"],
        subscriptions=facts["subscription"],
        papers=facts["entry"],
        days=tuple(store.figures.days(today - _SHOWN, today)),
    )
