"""The rules of a subscription: write one with its effect before the eyes, save, order, drop, take back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from notifier import edit, entrance
from notifier.edit import Author
from notifier.errors import NotFound, RuleError, UsageError
from notifier.matching import MAX_LENGTH, KeptIndex, parse
from notifier.model import Mode, Rule, Subscriber, Subscription
from notifier.ports import Store
from notifier.web.base import HOUR, MINUTE, Own, Viewer, at_most, page, see_other, words
from notifier.web.editor import (
    Draft,
    Preview,
    Reasoned,
    Standing,
    draft_of,
    lost_without,
    own_rule,
    preview,
    reasoned,
    standings,
)
from notifier.web.site import Site, site

router = APIRouter(include_in_schema=False, prefix="/s/{id}")


class Written(BaseModel):
    """The form of the editor, as it is sent to be checked or saved."""

    query: str | None = Field(None, max_length=2 * MAX_LENGTH)
    label: str = Field("", max_length=200)
    mode: Mode = Mode.INCLUDE
    until: str = Field("", max_length=10)
    rule: str = Field("", max_length=40)
    version: int = 0
    paper: str = Field("", max_length=2_000)
    saved: str = Field("", max_length=40)

    @property
    def draft(self) -> Draft:
        return Draft(
            query=self.query or "",
            label=self.label,
            mode=self.mode,
            until=self.until,
            rule=self.rule,
            version=self.version,
        )


def author_of(viewer: Subscriber) -> Author:
    return Author(name=viewer.email, via="web")


async def recent(house: Site) -> KeptIndex:
    version = await house.read(lambda store: store.entries.version())
    return await house.recent.index(version, house.now())


@router.get("", dependencies=[at_most(240, MINUTE)])
async def editor(request: Request, own: Own, written: Annotated[Written, Query()]) -> Response:
    return await _editor(request, own, written)


async def _editor(request: Request, own: Subscription, written: Written, error: str = "") -> Response:
    house, now, catalog = site(request), site(request).now(), words(request)
    topics, index = house.app.topics, await recent(house)

    def work(store: Store) -> tuple[Draft, Preview | None, list[Standing], Reasoned | None]:
        rules = edit.examined_rules(store, topics, own.id)
        open_rule = own_rule(store, own, written.rule) if written.rule else None
        draft = _draft(open_rule, written, own)
        shown = None
        if draft.query:
            thorough = written.query is not None
            shown = preview(store, topics, own, draft, catalog, index=index, thorough=thorough, now=now)
        told = standings(store, topics, own, rules, index=index, now=now)
        entry = store.entries.get([written.paper]).get(written.paper) if written.paper else None
        about = (
            reasoned(store, topics, own, open_rule, entry, catalog, index=index, now=now)
            if open_rule and entry
            else None
        )
        return draft, shown, told, about

    draft, shown, told, about = await house.read(work)
    return page(
        request,
        "web/rules.html",
        status=400 if error or (shown and shown.fault and written.query is not None) else 200,
        own=own,
        draft=draft,
        preview=shown,
        rules=told,
        about=about,
        error=error,
        saved=next((each.rule for each in told if each.rule.id == written.saved), None),
        today=now.date().isoformat(),
    )


def _draft(open_rule: Rule | None, written: Written, own: Subscription) -> Draft:
    """What was sent; else the rule as it stands."""
    if written.query is None and open_rule is not None:
        return draft_of(open_rule, own.subscriber.timezone)
    return written.draft


@router.get("/preview", dependencies=[at_most(600, MINUTE)])
async def previewed(request: Request, own: Own, written: Annotated[Written, Query()]) -> Response:
    """The right side alone, as somebody types."""
    return await _fragment(request, own, written, "web/preview.html", thorough=False)


@router.get("/advice", dependencies=[at_most(240, MINUTE)])
async def advised(request: Request, own: Own, written: Annotated[Written, Query()]) -> Response:
    return await _fragment(request, own, written, "web/advice.html", thorough=True)


async def _fragment(
    request: Request, own: Subscription, written: Written, template: str, *, thorough: bool
) -> Response:
    house, now, catalog, draft = site(request), site(request).now(), words(request), written.draft
    shown = None
    if draft.query.strip():
        index = await recent(house)
        topics = house.app.topics
        shown = await house.read(
            lambda store: preview(store, topics, own, draft, catalog, index=index, thorough=thorough, now=now)
        )
    return page(request, template, own=own, draft=draft, preview=shown)


@router.post("/rules", dependencies=[at_most(120, HOUR)])
async def add(request: Request, own: Own, viewer: Viewer, written: Annotated[Written, Form()]) -> Response:
    """A new rule, or another text of one that is there."""
    house, now, draft = site(request), site(request).now(), written.draft
    topics, zone = house.app.topics, own.subscriber.timezone

    def work(store: Store) -> Rule:
        until = draft.ends_at(zone)
        wanted = {"query": draft.query, "label": draft.label, "mode": draft.mode, "until": until}
        if not draft.rule:
            return edit.add_rule(store, topics, own.id, **wanted, author=author_of(viewer), now=now)  # type: ignore[arg-type]
        own_rule(store, own, draft.rule)
        return edit.change_rule(
            store,
            topics,
            draft.rule,
            **wanted,  # type: ignore[arg-type]
            version=draft.version,
            author=author_of(viewer),
            now=now,
        )

    try:
        rule = await house.write(work)
    except RuleError:
        return await _editor(request, own, written)
    except NotFound:
        raise
    except UsageError as error:
        return await _editor(request, own, written, error=words(request).translations.gettext(str(error)))
    return see_other(f"/s/{own.id}", saved=rule.id)


@router.post("/rules/{rule}/move", dependencies=[at_most(240, HOUR)])
async def move(request: Request, own: Own, rule: str, by: Annotated[int, Form(ge=-1, le=1)]) -> Response:
    def work(store: Store) -> None:
        edit.move_rule(store, own_rule(store, own, rule).id, by=by)

    await site(request).write(work)
    return see_other(f"/s/{own.id}")


@router.get("/rules/{rule}/drop")
async def ask_to_drop(request: Request, own: Own, rule: str) -> Response:
    house, now, catalog = site(request), site(request).now(), words(request)
    index, topics = await recent(house), house.app.topics
    found = await house.read(lambda store: own_rule(store, own, rule))
    adds, takes = await house.read(lambda store: lost_without(store, topics, found, catalog, index=index, now=now))
    return page(request, "web/drop.html", own=own, rule=found, adds=adds, takes=takes)


@router.post("/rules/{rule}/drop", dependencies=[at_most(120, HOUR)])
async def drop(request: Request, own: Own, viewer: Viewer, rule: str) -> Response:
    now = site(request).now()

    def work(store: Store) -> None:
        edit.remove_rule(store, own_rule(store, own, rule).id, author=author_of(viewer), now=now)

    await site(request).write(work)
    return see_other(f"/s/{own.id}/history")


@router.get("/history")
async def history(request: Request, own: Own) -> Response:
    steps = await site(request).read(lambda store: edit.history(store, own.id))
    zone, catalog = own.subscriber.timezone, words(request)
    lines = [(catalog.moment(step.at, zone), step) for step in reversed(steps[-200:])]
    return page(request, "web/history.html", own=own, lines=lines)


@router.post("/undo", dependencies=[at_most(120, HOUR)])
async def undo(request: Request, own: Own, viewer: Viewer) -> Response:
    house, now = site(request), site(request).now()
    topics = house.app.topics
    await house.write(lambda store: edit.undo(store, topics, own.id, author=author_of(viewer), now=now))
    return see_other(f"/s/{own.id}/history")


@router.get("/topics", dependencies=[at_most(60, MINUTE)])
async def topics(request: Request, own: Own) -> Response:
    """What there is to add: topics with how many papers each matches now, and packs."""
    house = site(request)
    known, queries, index = house.topics, house.app.topics, await recent(house)

    def work(store: Store) -> tuple[list[int], set[tuple[str, Mode]]]:
        rows = index.rows([parse(f"topic:{name}", queries) for name in known])
        counts = [sum(int(word).bit_count() for word in row) for row in rows]
        return counts, {(rule.query, rule.mode) for rule in edit.rules_of(store, own.id)}

    counts, there = await house.read(work)
    packs = [(pack, sum((each.query, each.mode) in there for each in pack.rules)) for pack in house.packs.values()]
    return page(
        request,
        "web/topics.html",
        own=own,
        topics=list(zip(known.values(), counts, strict=True)),
        packs=packs,
        checked=len(index.entries),
    )


@router.post("/packs/{name}", dependencies=[at_most(60, HOUR)])
async def add_pack(request: Request, own: Own, viewer: Viewer, name: str) -> Response:
    house, now = site(request), site(request).now()
    if name not in house.packs:
        raise NotFound("There is no such pack of rules.")
    author = Author(name=viewer.email, via="pack")
    await house.write(
        lambda store: entrance.add_packs(store, house.app.topics, [house.packs[name]], own.id, author=author, now=now)
    )
    return see_other(f"/s/{own.id}")
