"""What Slack tells of by itself: a home tab that is opened, a reaction, a link of ours, the app's own end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from notifier import account
from notifier.errors import NotFound
from notifier.gone import farewell
from notifier.ids import new_id
from notifier.lookup import entry_of
from notifier.model import Entry, Subscription, Workspace
from notifier.ports import Store
from notifier.render.blocks import Block, context, section
from notifier.render.catalog import SHORT_DATE
from notifier.render.entries import surname
from notifier.render.mrkdwn import Mrkdwn, cut, escape
from notifier.slack import answers
from notifier.slack.asking import Ask
from notifier.slack.calls import Call
from notifier.slack.work import Result, Tools

_PAPER = "/e/"
_EXCERPT = 300
_UNFURLED = 5


def reaction(store: Store, ask: Ask, tools: Tools, body: dict[str, Any]) -> Result:
    """Counted where it is to a digest of ours."""
    event = body["event"]
    item = event.get("item") or {}
    channel, ts, name = str(item.get("channel")), str(item.get("ts")), str(event.get("reaction"))[:100]
    if event.get("item_user") != ask.workspace.bot_user:
        return []
    # The event names the channel by its id only; a subscription may go to its name.
    named = [each.address.target for each in _of(store, ask.workspace) if "#" in each.address.target]
    targets = [*(ask.workspace.target(place) for place in (channel, ask.origin.user)), *named]
    added = event.get("type") == "reaction_added"

    def change() -> list[Call]:
        if store.slack.delivery_of(targets, ts) is not None:
            store.slack.react(ask.workspace.team, channel, ts, ask.origin.user, name, added=added, now=ask.now)
        return []

    return change


def unfurl(store: Store, ask: Ask, tools: Tools, body: dict[str, Any]) -> Result:
    """Links to papers on our own pages, shown as papers; our other pages say nothing to who only has their link."""
    event = body["event"]
    shown: dict[str, Any] = {}
    for link in (event.get("links") or [])[:_UNFURLED]:
        url = str(link.get("url", ""))
        if tools.base_url and (entry := _paper_at(store, url, tools.base_url)):
            shown[url] = {"blocks": _card(entry, ask)}
    if not shown:
        return []
    place = (
        {"unfurl_id": event["unfurl_id"], "source": event.get("source")}
        if event.get("unfurl_id")
        else {"channel": event.get("channel"), "ts": event.get("message_ts")}
    )
    return [Call(method="chat.unfurl", arguments={**place, "unfurls": shown})]


def _paper_at(store: Store, url: str, base_url: str) -> Entry | None:
    parts = urlsplit(url.replace("&amp;", "&"))
    if f"{parts.scheme}://{parts.netloc}" != base_url or not parts.path.startswith(_PAPER):
        return None
    try:
        return entry_of(store, unquote(parts.path.removeprefix(_PAPER)))
    except NotFound:
        return None


def _card(entry: Entry, ask: Ask) -> list[Block]:
    names = [surname(each) for each in entry.authors[:3]]
    day = ask.words.date(entry.published_at, SHORT_DATE) if entry.published_at else ""
    facts = " · ".join(filter(None, [", ".join(names), ", ".join(entry.categories[:3]), day]))
    abstract = escape(cut(escape(entry.abstract), _EXCERPT)) if entry.abstract else ""
    return [
        section(Mrkdwn(f"*{answers.paper(entry, ask.words)}*")),
        *([context(escape(facts))] if facts else []),
        *([section(abstract)] if abstract else []),
    ]


def stopped_reason(workspace: Workspace) -> str:
    return f"The app is no longer in the Slack workspace {workspace.name}: install it there again."


def left(store: Store, workspace: Workspace, why: str, *, now: datetime) -> list[Subscription]:
    """The app is no longer in a workspace: its subscriptions stop with that reason, and keep everything.

    Their owners are told by mail, where they are people. Empty where it was known already.
    """
    if not store.slack.gone(workspace.team, why, now=now):
        return []
    stopped = [each for each in _of(store, workspace) if not each.paused]
    reason = stopped_reason(workspace)
    for each in stopped:
        store.subscriptions.put(replace(each, paused=True, paused_until=None, stopped_reason=reason))
        store.letters.put(farewell(each, id=new_id("l"), reason=reason, at=now))
    return stopped


def back(store: Store, workspace: Workspace, *, now: datetime) -> list[Subscription]:
    """It is there again: what had stopped for that goes on."""
    reason = stopped_reason(workspace)
    waiting = [each for each in _of(store, workspace) if each.paused and each.stopped_reason == reason]
    return [account.resume(store, each.id, now=now) for each in waiting]


def _of(store: Store, workspace: Workspace) -> list[Subscription]:
    def is_there(target: str) -> bool:
        name, slash, _ = target.partition("/")
        return target != "webhook" and (name if slash else "") == workspace.token_name

    in_slack = (each for each in store.subscriptions.all() if each.address.kind == "slack")
    return [each for each in in_slack if is_there(each.address.target)]
