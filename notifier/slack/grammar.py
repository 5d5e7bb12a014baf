"""The words of ``/papers``. Pure: text in, a command out; what the words mean is decided elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from notifier.cadence import parse_days, parse_time
from notifier.errors import UsageError
from notifier.model import Cadence, Every


class Whose(StrEnum):
    """Whose subscription is meant; ``ANY`` is the channel's where it has one, else the asker's."""

    ANY = "any"
    ME = "me"
    HERE = "here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """``/papers [me|here] VERB [s_…] REST``. ``subscription`` is an id that was named, or empty."""

    verb: str
    rest: str = ""
    whose: Whose = Whose.ANY
    subscription: str = ""


VERBS = frozenset(
    {"help", "list", "add", "mute", "remove", "test", "search", "why", "preview", "pause", "resume", "undo", "history"}
    | {"subscribe", "unsubscribe", "edit", "saved", "link", "confirm"}
)
_OTHER_NAMES = {
    "": "help",
    "ls": "list",
    "rules": "list",
    "settings": "edit",
    "find": "search",
    "delete": "remove",
}
_NAMED = re.compile(r"(s_[0-9a-z]{4,40})(?:\s+|$)")
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'"})
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_MARKED_LINK = re.compile(r"<(https?://[^<>|\s]+)(?:\|[^<>]*)?>")


def typed(text: str) -> str:
    """What a person typed, from what Slack made of it: entities, links in brackets, quotes that phones curl."""
    text = _MARKED_LINK.sub(lambda found: found[1], text)
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return " ".join(text.translate(_QUOTES).split())


def read(text: str) -> Command:
    """The command in ``text``. Raises UsageError for a verb that is none."""
    words = typed(text)
    whose, words = _whose(words)
    verb, _, rest = words.partition(" ")
    verb = _OTHER_NAMES.get(verb.lower(), verb.lower())
    if verb not in VERBS:
        raise UsageError(f"'{verb}' is no command of /papers: '/papers help' lists them.")
    named = _NAMED.match(rest.strip())
    subscription = named[1] if named else ""
    return Command(
        verb=verb,
        rest=rest.strip()[named.end() :].strip() if named else rest.strip(),
        whose=whose,
        subscription=subscription,
    )


def _whose(text: str) -> tuple[Whose, str]:
    first, _, rest = text.partition(" ")
    match first.lower():
        case "me" | "my" | "mine":
            return Whose.ME, rest.strip()
        case "here":
            return Whose.HERE, rest.strip()
    return Whose.ANY, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A subscription as it is asked for in words."""

    whose: Whose
    cadence: Cadence


_HERE = re.compile(r"^(?:this channel|this conversation|channel|here)\b", re.IGNORECASE)
_ME = re.compile(r"^(?:me|myself|my dm)\b", re.IGNORECASE)


def subscription(text: str, whose: Whose = Whose.ANY) -> Wanted:
    """``[this channel|me] [daily|weekly|…] [mon,thu] [9:00]``. Raises UsageError."""
    rest = text.strip()
    if found := _HERE.match(rest):
        whose, rest = Whose.HERE, rest[found.end() :]
    elif found := _ME.match(rest):
        whose, rest = Whose.ME, rest[found.end() :]
    every, at, days = Every.DAILY, time(8), frozenset[int]()
    for word in rest.lower().replace(" at ", " ").removeprefix("at ").split():
        if word in list(Every):
            every = Every(word)
        elif ":" in word or word.isdigit():
            at = parse_time(word if ":" in word else f"{word}:00")
        elif word not in ("on", "every", "at", "and"):
            days |= _days(word)
    return Wanted(whose=whose, cadence=Cadence(every=every, at=at, days=days))


def _days(word: str) -> frozenset[int]:
    if word == "weekdays":
        return frozenset(range(5))
    try:
        return parse_days(word.strip(","))
    except UsageError:
        raise UsageError(
            f"'{word}' is neither a rhythm nor a weekday nor a time: write it like 'daily 9:00' or 'weekly mon 8:00'."
        ) from None


_SPAN = re.compile(r"(?:for )?(\d{1,3}) ?(d|days?|w|weeks?)")


def instant(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """``friday``, ``tomorrow``, ``2 weeks`` or ``2026-01-31``: the beginning of that day. Raises UsageError."""
    said = text.strip().lower().removeprefix("until ").strip()
    today = now.astimezone(zone).date()
    if said == "tomorrow":
        return _morning(today + timedelta(days=1), zone)
    if found := _SPAN.fullmatch(said):
        return _morning(today + timedelta(days=int(found[1]) * (7 if found[2][0] == "w" else 1)), zone)
    try:
        return _morning(date.fromisoformat(said), zone)
    except ValueError:
        pass
    try:
        (weekday,) = parse_days(said.removeprefix("next "))
    except (UsageError, ValueError):
        raise UsageError(
            f"'{text.strip()}' is no day: write it like friday, tomorrow, 2 weeks or 2026-01-31."
        ) from None
    return _morning(today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1), zone)


def _morning(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone)


_UNTIL = re.compile(r"\s+until\s+(?P<day>[^\s\"]+(?:\s+[^\s\"]+)?)$", re.IGNORECASE)


def mute(text: str, zone: ZoneInfo, now: datetime) -> tuple[str, datetime | None]:
    """A mute's query and its end: ``survey until friday``. What follows ``until`` and is no day is the query's."""
    if found := _UNTIL.search(text):
        try:
            return text[: found.start()].strip(), instant(found["day"], zone, now)
        except UsageError:
            pass
    return text.strip(), None
