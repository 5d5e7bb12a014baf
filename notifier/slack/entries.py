"""What people do with one paper, in a digest or in any message: save it, read it, mute a word, more like this, why."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from notifier.errors import NotFound, RuleError, UsageError
from notifier.lookup import entry_of
from notifier.matching import Topics, parse
from notifier.model import Entry, Keeping, Kept, Mode, Subscription
from notifier.ports import Store
from notifier.render.blocks import Block, context, field, modal, option, plain_text, section
from notifier.render.catalog import Catalog, message
from notifier.render.entries import title
from notifier.render.mrkdwn import escape
from notifier.render.slack import MENU, mark_of
from notifier.slack import answers, verbs
from notifier.slack.asking import Ask, by_id, carried, memory, nothing_yet, reach
from notifier.slack.calls import Call, tell
from notifier.slack.fields import value, values
from notifier.slack.grammar import Command, Whose
from notifier.slack.proposing import Proposal, proposals
from notifier.slack.verbs import TRIED
from notifier.slack.work import Result, Tools

TERMS = "notifier_terms"
_LINK = re.compile(r"https?://[^\s<>|\"\\]+")
_LINKS = 20
_SAVED_SHOWN = 20
_ENDS = (("0", message("for good")), ("7", message("for a week")), ("30", message("for 30 days")))

Deed = Callable[[Store, Ask, Tools, Subscription, Entry, dict[str, Any]], Result]


def chosen(store: Store, ask: Ask, tools: Tools, body: dict[str, Any]) -> Result:
    """What was chosen in the menu of a paper in a digest. Its value names the deed, the delivery and the paper."""
    said = str(body["actions"][0]["selected_option"]["value"])
    deed, delivery_id, mark = (*said.split(" "), "", "")[:3]
    delivery = store.deliveries.get(delivery_id)
    if delivery is None or deed not in _DEEDS:
        raise NotFound(ask.words.say("That digest is no longer on record."))
    subscription = by_id(store, ask, delivery.subscription_id)
    wanted = [each.entry_id for each in store.deliveries.items(delivery_id) if mark_of(each.entry_id) == mark]
    entry = store.entries.get(wanted).get(wanted[0]) if wanted else None
    if entry is None:
        raise NotFound(ask.words.say("That paper is no longer on record."))
    return _DEEDS[deed](store, ask, tools, subscription, entry, body)


def _save(
    store: Store, ask: Ask, tools: Tools, subscription: Subscription, entry: Entry, body: dict[str, Any]
) -> Result:
    def change() -> list[Call]:
        say, name = ask.words.say, title(entry, ask.words, 150)
        if store.slack.keep(_kept(ask, entry, Keeping.SAVED)):
            return [tell(ask, say("Saved: %(title)s. /papers saved lists what you saved.", title=escape(name)))]
        store.slack.drop(ask.workspace.team, ask.origin.user, entry.id, Keeping.SAVED)
        return [tell(ask, say("No longer saved: %(title)s.", title=escape(name)))]

    return change


def _read(
    store: Store, ask: Ask, tools: Tools, subscription: Subscription, entry: Entry, body: dict[str, Any]
) -> Result:
    """Told to the channel, in the thread of the digest."""
    at = body.get("container", {}).get("message_ts")
    thread = body.get("message", {}).get("thread_ts") or at

    def change() -> list[Call]:
        name = escape(title(entry, ask.words, 150))
        if not store.slack.keep(_kept(ask, entry, Keeping.READING)):
            return [tell(ask, ask.words.say("That is known already: %(title)s.", title=name))]
        who = escape(ask.profile.name or ask.origin.name)
        said = ask.words.say("%(who)s will read “%(title)s”.", who=who, title=name)
        message = {"channel": ask.origin.channel, "text": said, "unfurl_links": False, "unfurl_media": False}
        return [Call(method="chat.postMessage", arguments=message | ({"thread_ts": thread} if thread else {}))]

    return change


def _kept(ask: Ask, entry: Entry, what: Keeping) -> Kept:
    return Kept(
        team=ask.workspace.team,
        user=ask.origin.user,
        entry_id=entry.id,
        what=what,
        channel=ask.origin.channel,
        at=ask.now,
    )


def _mute(
    store: Store, ask: Ask, tools: Tools, subscription: Subscription, entry: Entry, body: dict[str, Any]
) -> Result:
    return _terms(store, ask, tools, [subscription], entry, Mode.MUTE)


def _more(
    store: Store, ask: Ask, tools: Tools, subscription: Subscription, entry: Entry, body: dict[str, Any]
) -> Result:
    return _terms(store, ask, tools, [subscription], entry, Mode.INCLUDE)


def _why(
    store: Store, ask: Ask, tools: Tools, subscription: Subscription, entry: Entry, body: dict[str, Any]
) -> Result:
    return verbs.why_(store, ask, tools, Command(verb="why", rest=entry.id, subscription=subscription.id))


_DEEDS: Mapping[str, Deed] = MappingProxyType({"save": _save, "read": _read, "mute": _mute, "more": _more, "why": _why})
assert set(_DEEDS) == set(MENU)  # noqa: S101 - the menu is drawn in one room and answered in another


def why_message(store: Store, ask: Ask, tools: Tools, body: dict[str, Any]) -> Result:
    """The shortcut on a message: why the paper in it is, or is not, in the digests here."""
    found = reach(store, ask)
    if not found:
        raise UsageError(nothing_yet(ask, Whose.ANY))
    entry = _paper_in(store, ask, body)
    return verbs.why_(store, ask, tools, Command(verb="why", rest=entry.id))


def rule_from_message(store: Store, ask: Ask, tools: Tools, body: dict[str, Any]) -> Result:
    found = reach(store, ask)
    if not found:
        raise UsageError(nothing_yet(ask, Whose.ANY))
    return _terms(store, ask, tools, found, _paper_in(store, ask, body), Mode.INCLUDE)


def _paper_in(store: Store, ask: Ask, body: dict[str, Any]) -> Entry:
    """The first paper that the message links to and that is known here."""
    text = json.dumps(body.get("message") or {}, ensure_ascii=False)
    links = list(dict.fromkeys(_LINK.findall(text.replace("\\/", "/"))))[:_LINKS]
    for link in links:
        try:
            return entry_of(store, link.rstrip(".,;:!?)]}'").replace("&amp;", "&"))
        except NotFound:
            continue
    say = ask.words.say
    raise NotFound(
        say("None of the papers in that message is known here.") if links else say("That message links to no paper.")
    )


def _terms(
    store: Store, ask: Ask, tools: Tools, subscriptions: Sequence[Subscription], entry: Entry, mode: Mode
) -> list[Call]:
    """Open the form that proposes terms."""
    entries = store.entries.seen(ask.now - TRIED, ask.now)
    found = proposals(entry, entries, tools.topics, now=ask.now)
    view = terms_form(ask, subscriptions, entry, mode, found)
    return [Call(method="views.open", arguments={"trigger_id": ask.origin.trigger, "view": view})]


def terms_form(
    ask: Ask, subscriptions: Sequence[Subscription], entry: Entry, mode: Mode, found: Sequence[Proposal]
) -> Block:
    say, is_mute = ask.words.say, mode is Mode.MUTE
    blocks = [context(escape(title(entry, ask.words, 200)))]
    if len(subscriptions) > 1:
        options = [option(f"{answers.name_of(each, ask)} · {each.id}", each.id) for each in subscriptions[:100]]
        which = {"type": "static_select", "options": options, "initial_option": options[0]}
        blocks.append(field("which", say("For"), which))
    if found:
        options = [option(_proposed(each, ask), each.term) for each in found]
        label = say("Leave out papers with") if is_mute else say("Papers with any of these")
        hint = say("With the number of papers of the last 30 days.")
        blocks.append(field("terms", label, {"type": "checkboxes", "options": options}, hint=hint, is_optional=True))
    own = {"type": "plain_text_input", "max_length": 500, "placeholder": plain_text('"reward model" OR DPO', 150)}
    blocks.append(field("own", say("Or in your own words"), own, is_optional=True))
    if is_mute:
        ends = [option(say(text), days) for days, text in _ENDS]
        how_long = {"type": "static_select", "options": ends, "initial_option": ends[0]}
        blocks.append(field("until", say("How long"), how_long))
    kept = carried(ask, id=subscriptions[0].id, mode=mode)
    heading = say("Mute a word") if is_mute else say("Add a rule")
    return modal(TERMS, heading, say("Mute") if is_mute else say("Add"), say("Cancel"), blocks, kept)


def _proposed(each: Proposal, ask: Ask) -> str:
    papers = ask.words.count("%(num)s paper", "%(num)s papers", each.count)
    return f"{each.term} · {papers}"


def checked(body: dict[str, Any], topics: Topics, now: Any, words: Catalog) -> dict[str, Any] | None:
    query = _query(body)
    try:
        if not query:
            raise UsageError(words.say("Choose at least one, or write your own."))
        # Alone first, so that the column is one of the field.
        for text in filter(None, (value(body, "own").strip(), query)):
            parse(text, topics)
    except (UsageError, RuleError) as error:
        return {"response_action": "errors", "errors": {"own": str(error)}}
    return None


def _query(body: dict[str, Any]) -> str:
    """What was chosen, or written, or either."""
    own = value(body, "own").strip()
    terms = values(body, "terms")
    return " OR ".join([*terms, *([f"({own})" if terms else own] if own else [])])


def added(store: Store, ask: Ask, tools: Tools, body: dict[str, Any]) -> Result:
    kept = memory(body)
    subscription = by_id(store, ask, value(body, "which") or str(kept.get("id")))
    mode = Mode(str(kept.get("mode")))
    days = value(body, "until")
    until = ask.now + timedelta(days=int(days)) if mode is Mode.MUTE and days.isdecimal() and int(days) else None
    return verbs.add_rule(store, ask, tools, subscription, _query(body), mode, until)


def saved(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    """``/papers saved``."""
    kept = [
        each
        for each in store.slack.kept(ask.workspace.team, user=ask.origin.user, since=ask.now - timedelta(days=3650))
        if each.what is Keeping.SAVED
    ][:_SAVED_SHOWN]
    entries = store.entries.get(each.entry_id for each in kept)
    lines = [answers.paper(entries[each.entry_id], ask.words) for each in kept if each.entry_id in entries]
    said = (
        ask.words.say("Papers you saved") if lines else ask.words.say("Nothing is saved yet: use the menu of a paper.")
    )
    return [tell(ask, said, [section(answers.listed(lines))] if lines else [])]
