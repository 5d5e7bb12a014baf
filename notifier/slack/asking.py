"""Who asks, from where, and what they may touch.

A person's subscriptions follow the person; those of a channel belong to whoever is in it. Nothing else is in reach,
and what is not in reach is not there: a wrong id says no more than one that never was.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from notifier.clean import plain
from notifier.edit import Author
from notifier.errors import NotFound, UsageError
from notifier.model import Subscriber, Subscription, Workspace
from notifier.ports import Store
from notifier.render.catalog import Catalog
from notifier.slack.grammar import Command, Whose

VIA = "slack"
FORM = "slack form"
"""What a form changes is one change."""

# What Slack writes instead of a name.
_NAMELESS = frozenset({"", "directmessage", "privategroup", "mpdm"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a payload itself says of where it comes from."""

    team: str
    user: str
    name: str = ""
    home_team: str = ""
    """The workspace of the person's own account, where it is told: in a shared channel it may be another one."""
    channel: str = ""
    channel_name: str = ""
    trigger: str = ""
    response_url: str = ""
    on_answer: bool = False
    """Whether a button was pressed on an answer of ours that only the asker sees."""


def origin(body: dict[str, Any]) -> Origin:
    """Of a slash command, an interaction or an event, whichever it is; texts that are none are empty.

    A form knows where it was opened by what we wrote into it.
    """
    event = _dict(body, "event")
    user, channel = _dict(body, "user"), _dict(body, "channel") or _dict(memory(body), "channel")
    return Origin(
        team=_text(body.get("team_id")) or _text(_dict(body, "team").get("id")) or _text(user.get("team_id")),
        user=_text(body.get("user_id")) or _text(user.get("id")) or _text(event.get("user")),
        name=_text(body.get("user_name")) or _text(user.get("username")) or _text(user.get("name")),
        home_team=_text(user.get("team_id")),
        channel=_text(body.get("channel_id")) or _text(channel.get("id")) or _text(event.get("channel")),
        channel_name=_text(body.get("channel_name")) or _text(channel.get("name")),
        trigger=_text(body.get("trigger_id")),
        response_url=_text(body.get("response_url")),
        on_answer=_dict(body, "container").get("is_ephemeral") is True,
    )


def memory(body: dict[str, Any]) -> dict[str, Any]:
    """What a form of ours carries along; only Slack has had it in between."""
    text = _dict(body, "view").get("private_metadata")
    try:
        kept = json.loads(text) if isinstance(text, str) and text else {}
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def _dict(body: dict[str, Any], key: str) -> dict[str, Any]:
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return plain(value, limit=2_000) if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What Slack says of a person. ``email`` is empty unless Slack has confirmed it."""

    email: str = ""
    zone: str = "UTC"
    language: str = ""
    name: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    workspace: Workspace
    origin: Origin
    profile: Profile
    subscriber: Subscriber | None
    words: Catalog
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.subscriber.timezone if self.subscriber else self.profile.zone)

    @property
    def author(self) -> Author:
        return Author(name=f"{self.origin.name or self.profile.name or 'somebody'} ({self.origin.user})", via=VIA)

    @property
    def is_channel(self) -> bool:
        """Whether it is asked in a channel, and not in a conversation of two."""
        return self.origin.channel.startswith(("C", "G"))

    @property
    def is_stranger(self) -> bool:
        """Somebody of another workspace, in a channel that both share."""
        home = self.origin.home_team or self.profile.team
        return bool(home) and home != self.workspace.team

    @property
    def places(self) -> list[str]:
        """The targets that mean this channel; outside of one, the asker's own messages."""
        if not self.is_channel:
            return [self.workspace.target(self.origin.user)]
        named = self.origin.channel_name
        places = [self.origin.channel, *([] if named in _NAMELESS else [f"#{named.lower()}"])]
        return [self.workspace.target(place) for place in places]


def carried(ask: Ask, **more: object) -> str:
    """What ``memory`` reads back."""
    return json.dumps({"channel": {"id": ask.origin.channel, "name": ask.origin.channel_name}, **more})


def mine(store: Store, ask: Ask) -> list[Subscription]:
    return store.subscriptions.all(ask.subscriber.email) if ask.subscriber else []


def here(store: Store, ask: Ask) -> list[Subscription]:
    """Those of the channel, for who is in it and of this workspace."""
    return [] if ask.is_stranger else store.subscriptions.addressed("slack", ask.places)


def reach(store: Store, ask: Ask, whose: Whose = Whose.ANY) -> list[Subscription]:
    """The channel's where it has any, else the asker's own; each once."""
    own = list({each.id: each for each in (*mine(store, ask), *(() if ask.is_channel else here(store, ask)))}.values())
    if whose is Whose.ME or not ask.is_channel:
        return own
    return here(store, ask) or ([] if whose is Whose.HERE else own)


def by_id(store: Store, ask: Ask, id: str) -> Subscription:
    """Raises NotFound for one that is not the asker's, nor the channel's."""
    for each in (*here(store, ask), *mine(store, ask)):
        if each.id == id:
            return each
    raise NotFound(ask.words.say("%(id)s is no subscription of this channel, nor one of yours.", id=id))


def chosen(store: Store, ask: Ask, command: Command) -> Subscription:
    """The one that a command is about. Raises UsageError where there is none, or it has to be said which."""
    if command.subscription:
        return by_id(store, ask, command.subscription)
    found = reach(store, ask, command.whose)
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(each.id for each in found)
        raise UsageError(
            ask.words.say(
                "There are several subscriptions here: say which, such as /papers %(verb)s %(id)s … (%(ids)s).",
                verb=command.verb,
                id=found[0].id,
                ids=ids,
            )
        )
    raise UsageError(nothing_yet(ask, command.whose))


def nothing_yet(ask: Ask, whose: Whose) -> str:
    say = ask.words.say
    if ask.is_channel and whose is not Whose.ME:
        return say("This channel has no subscription yet: /papers subscribe this channel daily 9:00 makes one.")
    if ask.subscriber is None and not ask.profile.email:
        return say("Your address is not known here: /papers link you@example.org mails you a code.")
    return say("You have no subscription yet: /papers subscribe me daily 9:00 makes one.")
