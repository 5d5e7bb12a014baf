"""The rules of a subscription: read, written, and tried before they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StrictInt
from starlette.requests import Request
from starlette.responses import Response

from notifier import edit
from notifier.errors import NotFound, UsageError
from notifier.library import load_taxonomy
from notifier.matching import MAX_LENGTH, format_query, meaning
from notifier.model import Mode, Rule
from notifier.ports import Store
from notifier.trying import Trial, try_rule
from notifier.web.api.caller import NOT_FOUND, SLOW, Caller, ChangesRules, ReadsSubscriptions, demand_turn
from notifier.web.api.once import IdempotencyKey, once
from notifier.web.api.shapes import HitOut, RuleIn, RuleOut
from notifier.web.site import site

router = APIRouter(tags=["rules"], prefix="/subscriptions/{id}")
_SHOWN = 20
_TITLES = 50


class Rules(BaseModel):
    items: list[RuleOut]


class KeptRuleIn(RuleIn):
    id: str | None = Field(None, description="Of a rule that is there; without one it is new.", max_length=40)


class ChangedRuleIn(RuleIn):
    version: StrictInt | None = Field(
        None, description="Of the rule as it was seen: where it is another by now, nothing is changed."
    )


class RulesIn(BaseModel):
    """All rules that the subscription is to have."""

    model_config = ConfigDict(extra="forbid")

    items: list[KeptRuleIn] = Field(max_length=edit.RULES_A_SUBSCRIPTION)


class TrialIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"query": "legged robot", "days": 30}]})

    query: str = Field(min_length=1, max_length=MAX_LENGTH)
    mode: Mode = Mode.INCLUDE
    days: StrictInt = Field(30, ge=1, le=90, description="How far back to look.")


class DayOut(BaseModel):
    day: date
    matched: int


class NearMissOut(BaseModel):
    entry: str
    title: str
    failed: str = Field(description="The one clause that does not hold.")


class AdviceOut(BaseModel):
    kind: str
    text: str
    instead: str | None


class PaperOut(BaseModel):
    id: str
    title: str


class TrialOut(BaseModel):
    """What a rule would do if it were saved."""

    canonical: str = Field(description="The query in its one normal form.")
    meaning: str = Field(description="In words.")
    checked: int
    matched: int
    days: list[DayOut] = Field(description="In the subscriber's zone.")
    matches: list[HitOut] = Field(description=f"The newest {_SHOWN}.")
    adds: list[PaperOut] = Field(description=f"What digests would have had more, the newest {_TITLES}.")
    takes: list[PaperOut] = Field(description=f"What they would have had less, the newest {_TITLES}.")
    near_misses: list[NearMissOut]
    advice: list[AdviceOut]


@router.get("/rules", summary="The rules of a subscription", responses=NOT_FOUND)
async def list_rules(request: Request, caller: ReadsSubscriptions, id: str) -> Rules:
    topics = site(request).app.topics

    def work(store: Store) -> list[Rule]:
        return edit.examined_rules(store, topics, caller.subscription(store, id).id)

    return Rules(items=[RuleOut.of(each) for each in await site(request).read(work)])


@router.post("/rules", status_code=201, summary="Add a rule", response_model=RuleOut, responses=NOT_FOUND)
async def add_rule(
    request: Request, caller: ChangesRules, id: str, wanted: RuleIn, key: IdempotencyKey = ""
) -> Response:
    house = site(request)
    now, topics = house.now(), house.app.topics

    def work(store: Store) -> RuleOut:
        caller.subscription(store, id)
        return RuleOut.of(
            edit.add_rule(
                store,
                topics,
                id,
                wanted.query,
                label=wanted.label,
                mode=wanted.mode,
                until=wanted.until,
                author=caller.author,
                now=now,
            )
        )

    return await once(request, caller, key, work, status=201)


@router.put("/rules", summary="Give a subscription these rules and no others", responses=NOT_FOUND)
async def replace_rules(request: Request, caller: ChangesRules, id: str, wanted: RulesIn) -> Rules:
    """In one transaction: all of it, or nothing. A rule that is left out is removed."""
    house = site(request)
    now, topics = house.now(), house.app.topics

    def work(store: Store) -> list[Rule]:
        caller.subscription(store, id)
        seen = edit.rules_of(store, id)
        known = {rule.id: rule for rule in seen}
        put = [_wanted(each, id, known, now) for each in wanted.items]
        kept = {each.id for each in put}
        edit.apply(
            store,
            topics,
            id,
            put=[each for each in put if each != known.get(each.id)],
            remove=[rule for rule in seen if rule.id not in kept],
            seen=seen,
            author=caller.author,
            now=now,
        )
        return edit.examined_rules(store, topics, id)

    return Rules(items=[RuleOut.of(each) for each in await house.write(work)])


@router.get("/rules/{rule}", summary="One rule", responses=NOT_FOUND)
async def get_rule(request: Request, caller: ReadsSubscriptions, id: str, rule: str) -> RuleOut:
    topics = site(request).app.topics

    def work(store: Store) -> Rule:
        own = _own_rule(store, caller, id, rule)
        return next(each for each in edit.examined_rules(store, topics, id) if each.id == own.id)

    return RuleOut.of(await site(request).read(work))


@router.put("/rules/{rule}", summary="Give a rule all of it anew", responses=NOT_FOUND)
async def change_rule(request: Request, caller: ChangesRules, id: str, rule: str, wanted: ChangedRuleIn) -> RuleOut:
    house = site(request)
    now, topics = house.now(), house.app.topics

    def work(store: Store) -> Rule:
        _own_rule(store, caller, id, rule)
        return edit.change_rule(
            store,
            topics,
            rule,
            query=wanted.query,
            label=wanted.label,
            mode=wanted.mode,
            until=wanted.until,
            version=wanted.version,
            author=caller.author,
            now=now,
        )

    return RuleOut.of(await house.write(work))


@router.delete("/rules/{rule}", status_code=204, summary="Remove a rule", responses=NOT_FOUND)
async def remove_rule(request: Request, caller: ChangesRules, id: str, rule: str) -> Response:
    now = site(request).now()

    def work(store: Store) -> None:
        _own_rule(store, caller, id, rule)
        edit.remove_rule(store, rule, author=caller.author, now=now)

    await site(request).write(work)
    return Response(status_code=204)


@router.post("/trial", summary="What a rule would do if it were saved; saves nothing", responses=NOT_FOUND | SLOW)
async def try_a_rule(request: Request, caller: ReadsSubscriptions, id: str, wanted: TrialIn) -> TrialOut:
    house = site(request)
    now, topics = house.now(), house.app.topics
    demand_turn(request, caller)

    def work(store: Store) -> Trial:
        caller.subscription(store, id)
        span = timedelta(days=wanted.days)
        return try_rule(store, topics, id, wanted.query, mode=wanted.mode, last=span, most=_SHOWN, now=now)

    return _trial(await house.read(work))


def _own_rule(store: Store, caller: Caller, id: str, rule: str) -> Rule:
    caller.subscription(store, id)
    found = store.rules.get(rule)
    if found is None or found.subscription_id != id:
        raise NotFound("The subscription has no such rule.")
    return found


def _wanted(given: KeptRuleIn, id: str, known: Mapping[str, Rule], now: datetime) -> Rule:
    if given.until is not None and given.mode is not Mode.MUTE:
        raise UsageError("Only a mute can end at a date: make it a mute, or leave the date out.")
    if given.id and given.id not in known:
        raise NotFound("The subscription has no rule with one of these ids: leave an id out to make a new one.")
    new = Rule(id="", subscription_id=id, query="", created_at=now)
    label = " ".join(given.label.split())
    return replace(
        known.get(given.id or "", new),
        query=given.query.strip(),
        label=label,
        mode=given.mode,
        until=given.until,
        broken=None,
    )


def _trial(trial: Trial) -> TrialOut:
    return TrialOut(
        canonical=format_query(trial.query),
        meaning=meaning(trial.query, load_taxonomy().title),
        checked=trial.checked,
        matched=trial.matched,
        days=[DayOut(day=day, matched=count) for day, count in trial.days],
        matches=[HitOut.hit(each.entry, each.evidence) for each in trial.matches],
        adds=[PaperOut(id=each.id, title=each.title) for each in trial.adds[:_TITLES]],
        takes=[PaperOut(id=each.id, title=each.title) for each in trial.takes[:_TITLES]],
        near_misses=[
            NearMissOut(entry=each.entry.id, title=each.entry.title, failed=each.failed) for each in trial.near_misses
        ],
        advice=[AdviceOut(kind=each.advice, text=each.text, instead=each.instead) for each in trial.findings],
    )
