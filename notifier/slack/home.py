"""The home tab: one's own subscriptions, their next digest, the last ones, and what was saved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from notifier import edit
from notifier.model import Delivery, DeliveryState, Keeping, Subscription
from notifier.ports import Store
from notifier.render.blocks import Block, context, divider, header, section
from notifier.render.catalog import SHORT_DAY
from notifier.render.mrkdwn import Mrkdwn, escape
from notifier.slack import answers
from notifier.slack.asking import Ask, nothing_yet, reach
from notifier.slack.calls import Call
from notifier.slack.grammar import Whose
from notifier.slack.work import Result, Tools

_SUBSCRIPTIONS = 12
"""A home has room for 100 blocks; each takes up to six."""
_DIGESTS = 3
_SAVED = 5
_SAVED_FOR = timedelta(days=90)


def published(store: Store, ask: Ask, tools: Tools) -> Result:
    view = {"type": "home", "callback_id": "notifier_home", "blocks": _blocks(store, ask, tools)}
    return [Call(method="views.publish", arguments={"user_id": ask.origin.user, "view": view})]


def _blocks(store: Store, ask: Ask, tools: Tools) -> list[Block]:
    say = ask.words.say
    found = reach(store, ask, Whose.ME)
    blocks = [header(say("Your subscriptions"))]
    if not found:
        blocks.append(section(escape(nothing_yet(ask, Whose.ME))))
    for each in found[:_SUBSCRIPTIONS]:
        rules = edit.examined_rules(store, tools.topics, each.id)
        blocks += [*answers.subscription_blocks(each, rules, ask), *_latest(store, each, ask), divider()]
    if len(found) > _SUBSCRIPTIONS:
        blocks.append(context(escape(say("and %(number)s more", number=len(found) - _SUBSCRIPTIONS))))
    return [*blocks, *_saved(store, ask), context(escape(say("In a channel, /papers help says what can be done.")))]


def _latest(store: Store, subscription: Subscription, ask: Ask) -> list[Block]:
    lines = [
        _digest_line(each, ask, store) for each in store.deliveries.all(subscription_id=subscription.id, limit=_DIGESTS)
    ]
    return [context("\n".join(lines))] if lines else []


def _digest_line(delivery: Delivery, ask: Ask, store: Store) -> Mrkdwn:
    """The day of a digest, its papers, how it went where it did not go, and the reactions to it."""
    day = ask.words.date(delivery.slot.local, SHORT_DAY)
    papers = ask.words.count("%(num)s paper", "%(num)s papers", len(store.deliveries.items(delivery.id)))
    state = "" if delivery.state is DeliveryState.SENT else f" · {delivery.state}"
    reactions = reacted(store, ask, [delivery])
    return escape(f"{day} · {papers}{state}{f' · {reactions}' if reactions else ''}")


def reacted(store: Store, ask: Ask, deliveries: Sequence[Delivery]) -> str:
    """``+1 3, eyes 1``, or nothing."""
    found = store.slack.reactions(ask.workspace.team, [ts for each in deliveries for ts in each.accepted])
    return ", ".join(f"{name} {number}" for name, number in found.items())


def _saved(store: Store, ask: Ask) -> list[Block]:
    kept = store.slack.kept(ask.workspace.team, user=ask.origin.user, since=ask.now - _SAVED_FOR)
    ids = [each.entry_id for each in kept if each.what is Keeping.SAVED][:_SAVED]
    entries = store.entries.get(ids)
    lines = [answers.paper(entries[id], ask.words) for id in ids if id in entries]
    return [header(ask.words.say("Papers you saved")), section(answers.listed(lines))] if lines else []
