"""Sources with their health: read now, left alone, read again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from notifier import health, upkeep
from notifier.checkup import checkup
from notifier.errors import NotFound
from notifier.health import Known
from notifier.model import Health, SourceRecord
from notifier.ports import Store
from notifier.render import Catalog, message
from notifier.settings import written
from notifier.web.base import page, see_other, words
from notifier.web.operators.rights import Operator, do
from notifier.web.site import site

router = APIRouter(include_in_schema=False, prefix="/operator/sources")

_DAYS = 14
_HEALTH = {
    Health.FRESH: message("fresh"),
    Health.QUIET: message("quiet as usual"),
    Health.STALE: message("stale"),
    Health.FAILING: message("failing"),
    Health.NOT_ANNOUNCED: message("not announced today"),
    Health.PAUSED: message("paused"),
    Health.GONE: message("gone"),
    Health.NOT_READ: message("not read yet"),
}
_BAD = frozenset({Health.FAILING, Health.GONE, Health.STALE})
_NO_SUCH = message("There is no such source.")


class Act(StrEnum):
    READ = "read"
    PAUSE = "pause"
    RESUME = "resume"


def _read_now(record: SourceRecord, now: datetime) -> SourceRecord:
    return replace(record, next_fetch_at=now)


_ACTS: Mapping[Act, Callable[[SourceRecord, datetime], SourceRecord]] = {
    Act.READ: _read_now,
    Act.PAUSE: upkeep.pause,
    Act.RESUME: upkeep.resume,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A source as the list shows it; instants are in the operator's zone."""

    name: str
    title: str
    url: str
    every: str
    health: str
    is_bad: bool
    is_paused: bool
    since: str | None
    answered: str | None
    next_at: str | None
    error: str | None
    gaps: int
    brought: int
    """Papers it showed for the first time in the last fortnight."""


@router.get("")
async def list_(request: Request, operator: Operator) -> Response:
    found, said = await site(request).read(checkup), words(request)
    now = site(request).now()
    lines = [_line(each, said, operator.timezone, now) for each in found]
    return page(request, "web/operators/sources.html", lines=lines)


@router.post("/{name:path}/{act}")
async def change(request: Request, operator: Operator, name: str, act: Act) -> Response:
    now = site(request).now()

    def work(store: Store) -> None:
        if (record := store.sources.get(name)) is None:
            raise NotFound(_NO_SUCH)
        store.sources.put(_ACTS[act](record, now))

    await do(request, operator, f"{act} source", [name], work)
    return see_other("/operator/sources")


def _line(known: Known, said: Catalog, zone: str, now: datetime) -> Line:
    record, how = known.record, health.state(known, now)

    def moment(instant: datetime | None) -> str | None:
        return said.moment(instant, zone) if instant else None

    return Line(
        name=record.name,
        title=record.title,
        url=record.url,
        every=written(record.every),
        health=said.say(_HEALTH[how.health]),
        is_bad=how.health in _BAD,
        is_paused=record.paused_at is not None,
        since=moment(how.since),
        answered=moment(record.last_success_at),
        next_at=None if record.paused_at else moment(record.next_fetch_at),
        error=record.paused_reason or record.last_error,
        gaps=len(known.gaps),
        brought=sum(number for _, number in health.by_day(known.news, _DAYS, now)),
    )
