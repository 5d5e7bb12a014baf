"""The Friday summary: what was saved in a channel in the last seven days, posted there once a week, where it is set.

It goes through the inbox like anything else, under a key that names the week: posted once, whoever is first.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from notifier.model import Keeping, Workspace
from notifier.ports import Store
from notifier.render.blocks import header, section
from notifier.render.mrkdwn import Mrkdwn, escape
from notifier.slack import answers
from notifier.slack.asking import Ask
from notifier.slack.calls import Call
from notifier.slack.home import reacted
from notifier.slack.work import Result, Tools

KIND = "notifier_friday"
_FRIDAY, _AT = 4, time(16)
_WEEK = timedelta(days=7)
_SHOWN = 20


def note_due(store: Store, workspaces: list[Workspace], *, now: datetime) -> int:
    """Put into the inbox what is due; how many are new."""
    new = 0
    for workspace in workspaces:
        channels = {each.channel for each in store.slack.kept(workspace.team, since=now - _WEEK)}
        for channel in sorted(channels):
            found = store.subscriptions.addressed("slack", [workspace.target(channel)])
            # A subscription by the channel's name is not found by its id: its week ends by UTC.
            zone = found[0].subscriber.timezone if found else "UTC"
            if channel.startswith(("C", "G")) and (week := _week(zone, now)):
                payload = {"type": KIND, "team_id": workspace.team, "channel_id": channel}
                new += store.slack_inbox.take(f"{KIND}:{workspace.team}:{channel}:{week}", json.dumps(payload), now=now)
    return new


def _week(zone: str, now: datetime) -> str:
    """The week whose summary is due, by the clock of the channel; empty at any other time."""
    local = now.astimezone(ZoneInfo(zone))
    if local.weekday() != _FRIDAY or local.time() < _AT:
        return ""
    year, week, _ = local.isocalendar()
    return f"{year}-{week:02}"


def summary(store: Store, ask: Ask, tools: Tools, body: dict[str, Any]) -> Result:
    team, channel = ask.workspace.team, ask.origin.channel
    kept = store.slack.kept(team, channel=channel, since=ask.now - _WEEK)
    counts = Counter(each.entry_id for each in kept)
    readers = Counter(each.entry_id for each in kept if each.what is Keeping.READING)
    entries = store.entries.get(counts)
    lines = [
        Mrkdwn(f"{answers.paper(entries[id], ask.words)}{escape(_counted(ask, number - readers[id], readers[id]))}")
        for id, number in counts.most_common(_SHOWN)
        if id in entries
    ]
    if not lines:
        return []
    heading = ask.words.say("Saved here this week")
    blocks = [header(heading), section(answers.listed(lines)), *_reactions(store, ask)]
    message = {"channel": channel, "text": heading, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}
    return [Call(method="chat.postMessage", arguments=message)]


def _counted(ask: Ask, saved: int, readers: int) -> str:
    count = ask.words.count
    parts = [
        count("saved by %(num)s", "saved by %(num)s", saved) if saved else "",
        count("%(num)s will read it", "%(num)s will read it", readers) if readers else "",
    ]
    return "".join(f" · {part}" for part in parts if part)


def _reactions(store: Store, ask: Ask) -> list[dict[str, Any]]:
    """To the digests of the week, by name."""
    digests = [
        delivery
        for each in store.subscriptions.addressed("slack", ask.places)
        for delivery in store.deliveries.all(subscription_id=each.id, since=ask.now - _WEEK, limit=50)
    ]
    counts = reacted(store, ask, digests)
    return [section(escape(ask.words.say("Reactions: %(counts)s", counts=counts)))] if counts else []
