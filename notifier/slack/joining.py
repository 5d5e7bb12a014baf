"""Subscribing from inside Slack, for a channel or for oneself, and leaving."""

from __future__ import annotations

from dataclasses import replace

from notifier import account, edit
from notifier.errors import UsageError
from notifier.model import Subscriber, Subscription
from notifier.ports import Store
from notifier.render.blocks import actions, button, section
from notifier.render.mrkdwn import escape, strong
from notifier.slack import answers, grammar
from notifier.slack.asking import Ask, chosen, nothing_yet
from notifier.slack.calls import Call, tell
from notifier.slack.grammar import Command, Whose
from notifier.slack.work import Change, Result, Tools


def subscribe(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    wanted = grammar.subscription(command.rest, command.whose)
    is_here = ask.is_channel and wanted.whose is not Whose.ME
    if wanted.whose is Whose.HERE and not ask.is_channel:
        raise UsageError(ask.words.say("This is no channel: use /papers subscribe me daily 9:00."))
    if is_here and ask.is_stranger:
        raise UsageError(ask.words.say("This channel belongs to another workspace: ask somebody of it."))

    def change() -> list[Call]:
        owner = _team(store, ask, tools) if is_here else _person(store, ask, tools)
        place = ask.workspace.target(ask.origin.channel if is_here else ask.origin.user)
        wish = account.Wish(channel=f"slack:{place}", cadence=wanted.cadence, max_entries=tools.max_entries)
        made = account.subscribe(store, owner.email, wish, now=ask.now)
        said = ask.words.say("Subscribed: %(when)s.", when=answers.when(made))
        # To whom it now belongs, it is in reach.
        asker = ask if is_here else replace(ask, subscriber=owner)
        return [tell(ask, said, [section(strong(said)), *answers.subscription_blocks(made, (), asker)])]

    return change


def _person(store: Store, ask: Ask, tools: Tools) -> Subscriber:
    if ask.subscriber is not None:
        return ask.subscriber
    if not ask.profile.email:
        raise UsageError(nothing_yet(ask, Whose.ME))
    person = account.add_subscriber(
        store,
        ask.profile.email,
        name=ask.profile.name,
        timezone=ask.profile.zone,
        language=ask.words.language,
        now=ask.now,
    )
    store.slack.link(ask.workspace.team, ask.origin.user, person.id, now=ask.now)
    return person


def _team(store: Store, ask: Ask, tools: Tools) -> Subscriber:
    """The channel itself as a subscriber: it belongs to nobody alone."""
    address = account.team_address(ask.origin.channel, ask.workspace.team)
    if known := store.subscribers.get(address):
        return known
    named = ask.origin.channel_name
    name = f"#{named}" if named and ask.places[1:] else ask.words.say("a channel")
    return account.add_subscriber(
        store,
        address,
        name=f"{name} ({ask.workspace.name})",
        timezone=ask.zone.key,
        language=ask.words.language,
        now=ask.now,
    )


def unsubscribe(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    """Asks once, and says what will be lost."""
    say, subscription = ask.words.say, chosen(store, ask, command)
    number = len(edit.rules_of(store, subscription.id))
    said = ask.words.count(
        "This removes the subscription with its %(num)s rule and the record of its digests. Pausing keeps them.",
        "This removes the subscription with its %(num)s rules and the record of its digests. Pausing keeps them.",
        number,
    )
    buttons = [
        button("notifier_unsubscribe", say("Remove it"), value=subscription.id, style="danger"),
        button("notifier_pause", say("Pause"), value=subscription.id),
    ]
    return [tell(ask, said, [section(escape(said)), *actions(buttons)])]


def removed(store: Store, ask: Ask, subscription: Subscription) -> Change:
    def change() -> list[Call]:
        account.unsubscribe(store, subscription.id)
        said = ask.words.say("Removed %(id)s: it gets nothing more.", id=subscription.id)
        return [tell(ask, said, renews=True)]

    return change
