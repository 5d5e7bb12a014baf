"""What ``/papers`` does with rules and digests, each verb a piece of work."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from notifier import account, edit
from notifier.checkup import told
from notifier.errors import RuleError, UsageError
from notifier.explain import preview, why
from notifier.lookup import entry_of
from notifier.model import Mode, Rule, Subscription
from notifier.ports import Store
from notifier.render.blocks import Block, actions, button, code, section
from notifier.render.catalog import message
from notifier.render.mrkdwn import Mrkdwn, escape
from notifier.render.text import plain
from notifier.search import search
from notifier.slack import answers, grammar, joining
from notifier.slack.asking import Ask, chosen, nothing_yet, reach
from notifier.slack.calls import Call, tell
from notifier.slack.grammar import Command
from notifier.slack.work import Result, Tools, Verb
from notifier.trying import Trial, try_rule

TRIED = timedelta(days=30)
_VALUE = 1_900
"""A button carries 2,000 characters; a longer query is to be typed again."""
_STEPS = 12


def help_(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    say = ask.words.say
    lines = [Mrkdwn(f"{code(f'/papers {usage}')} {escape(say(text))}") for usage, text in _HELP]
    head = escape(say("In a channel these are about the channel's digest; /papers me … is about yours."))
    return [tell(ask, say("What /papers can do"), [section(head), section("\n".join(lines))])]


def list_(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    found = reach(store, ask, command.whose)
    if not found:
        raise UsageError(nothing_yet(ask, command.whose))
    blocks: list[Block] = []
    for each in found:
        rules = edit.examined_rules(store, tools.topics, each.id)
        blocks += answers.subscription_blocks(each, rules, ask)
    return [tell(ask, ask.words.say("The subscriptions here"), blocks)]


def add(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    return _add(store, ask, tools, chosen(store, ask, command), command.rest, Mode.INCLUDE)


def mute(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    return _add(store, ask, tools, chosen(store, ask, command), command.rest, Mode.MUTE)


def _add(store: Store, ask: Ask, tools: Tools, subscription: Subscription, text: str, mode: Mode) -> Result:
    query, until = grammar.mute(text, ask.zone, ask.now) if mode is Mode.MUTE else (text, None)
    return add_rule(store, ask, tools, subscription, query, mode, until)


def add_rule(
    store: Store,
    ask: Ask,
    tools: Tools,
    subscription: Subscription,
    query: str,
    mode: Mode,
    until: datetime | None,
) -> Result:
    """With what it means, what it would have brought, and a way back."""
    trial = _tried(store, ask, tools, subscription, query, mode)

    def change() -> list[Call]:
        edit.add_rule(
            store, tools.topics, subscription.id, query, mode=mode, until=until, author=ask.author, now=ask.now
        )
        pattern = message("Muted for %(name)s:") if mode is Mode.MUTE else message("Added for %(name)s:")
        said = ask.words.say(pattern, name=answers.name_of(subscription, ask))
        undo = button("notifier_undo", ask.words.say("Undo"), value=subscription.id)
        head = section(Mrkdwn(f"{escape(said)} {code(plain(query, 600))}"))
        return [tell(ask, said, [head, *answers.trial_blocks(trial, ask), *actions([undo])], renews=True)]

    return change


def _tried(store: Store, ask: Ask, tools: Tools, subscription: Subscription, query: str, mode: Mode) -> Trial:
    """Raises UsageError with a mark under the column where the query does not parse."""
    try:
        return try_rule(
            store, tools.topics, subscription.id, query, mode=mode, last=TRIED, most=answers.TITLES, now=ask.now
        )
    except RuleError as error:
        raise RuleNotTaken(ask, query, error) from error


class RuleNotTaken(UsageError):
    """A rule that does not parse; ``blocks`` show where."""

    def __init__(self, ask: Ask, query: str, error: RuleError) -> None:
        said = ask.words.say("Rule not saved: %(why)s.", why=str(error))
        super().__init__(said)
        self.blocks = [section(escape(said))]
        if query.isprintable() and len(query) <= 100:
            pointed = f"{query}\n{' ' * (error.column - 1)}^".replace("`", "ˋ")
            self.blocks.append(section(Mrkdwn(f"```{escape(pointed)}```")))


def remove(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    """By its id or by its text."""
    subscription = chosen(store, ask, command)
    rule = _named(edit.rules_of(store, subscription.id), command.rest)
    if rule is None:
        raise UsageError(
            ask.words.say("No rule is called “%(text)s”: /papers list shows them.", text=plain(command.rest, 200))
        )

    def change() -> list[Call]:
        edit.remove_rule(store, rule.id, author=ask.author, now=ask.now)
        said = ask.words.say("Removed from %(name)s:", name=answers.name_of(subscription, ask))
        undo = button("notifier_undo", ask.words.say("Undo"), value=subscription.id)
        return [tell(ask, said, [section(Mrkdwn(f"{escape(said)} {code(plain(rule.query, 600))}")), *actions([undo])])]

    return change


def _named(rules: Sequence[Rule], text: str) -> Rule | None:
    wanted = " ".join(text.split()).casefold()
    for rule in rules:
        if wanted and wanted in (rule.id, rule.label.casefold(), " ".join(rule.query.split()).casefold()):
            return rule
    return None


def test(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    subscription = chosen(store, ask, command)
    trial = _tried(store, ask, tools, subscription, command.rest, Mode.INCLUDE)
    said = ask.words.say("Nothing is saved yet.")
    return [
        tell(
            ask,
            said,
            [
                section(code(plain(command.rest, 600))),
                *answers.trial_blocks(trial, ask),
                *_keep_button(ask, subscription.id, command.rest),
            ],
        )
    ]


def _keep_button(ask: Ask, subscription_id: str, query: str) -> list[Block]:
    value = f"{subscription_id} {query}"
    add = button("notifier_add", ask.words.say("Add this rule"), value=value, style="primary")
    return actions([add] if len(value) <= _VALUE else [])


def search_(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    try:
        found = search(store, tools.topics, command.rest, limit=answers.HITS, now=ask.now)
    except RuleError as error:
        raise RuleNotTaken(ask, command.rest, error) from error
    subscriptions = reach(store, ask, command.whose)
    keep = _keep_button(ask, subscriptions[0].id, command.rest) if len(subscriptions) == 1 else []
    return [tell(ask, ask.words.say("What was found"), [*answers.found_blocks(found, ask), *keep])]


def why_(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    found = [chosen(store, ask, command)] if command.subscription else reach(store, ask, command.whose)
    if not found:
        raise UsageError(nothing_yet(ask, command.whose))
    entry = entry_of(store, command.rest)
    blocks: list[Block] = []
    for each in found:
        story = why(store, tools.topics, entry, each.id, look_back=tools.look_back, now=ask.now)
        blocks += answers.why_blocks(story, ask)
    return [tell(ask, ask.words.say("Why, or why not"), blocks)]


def preview_(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    return previewed(store, ask, tools, chosen(store, ask, command))


def previewed(store: Store, ask: Ask, tools: Tools, subscription: Subscription) -> list[Call]:
    sources = told(store, ask.now)
    digest = preview(store, tools.topics, subscription.id, look_back=tools.look_back, sources=sources, now=ask.now)
    message = tools.renderer.render(digest, "slack", now=ask.now)
    first = json.loads(message.parts[0])
    return [tell(ask, first["text"], first["blocks"])]


def pause(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    subscription = chosen(store, ask, command)
    until = grammar.instant(command.rest, ask.zone, ask.now) if command.rest else None

    def change() -> list[Call]:
        paused = account.pause(store, subscription.id, until=until, now=ask.now)
        return [_settled(ask, paused)]

    return change


def resume(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    subscription = chosen(store, ask, command)

    def change() -> list[Call]:
        return [_settled(ask, account.resume(store, subscription.id, now=ask.now))]

    return change


def _settled(ask: Ask, subscription: Subscription) -> Call:
    """How a subscription is now, in a line."""
    name, state = answers.name_of(subscription, ask), answers.next_one(subscription, ask)
    said = f"{name[:1].upper()}{name[1:]}: {answers.when(subscription)}; {state}."
    buttons = actions(answers.subscription_buttons(subscription, ask))
    return tell(ask, said, [section(escape(said)), *buttons], renews=True)


def undo(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    subscription = chosen(store, ask, command)

    def change() -> list[Call]:
        steps = edit.undo(store, tools.topics, subscription.id, author=ask.author, now=ask.now)
        said = ask.words.say("Taken back for %(name)s:", name=answers.name_of(subscription, ask))
        lines = [code(plain(step.rule.query, 300)) for step in steps]
        return [tell(ask, said, [section(Mrkdwn(f"{escape(said)}\n{answers.listed(lines)}"))], renews=True)]

    return change


def history(store: Store, ask: Ask, tools: Tools, command: Command) -> Result:
    subscription = chosen(store, ask, command)
    steps = edit.history(store, subscription.id)[-_STEPS:]
    said = ask.words.say("Who changed what")
    lines = [_step(step, ask) for step in reversed(steps)]
    if not lines:
        lines = [escape(ask.words.say("No rule was ever added."))]
    return [tell(ask, said, [section(answers.listed(lines))])]


def _step(step: edit.Step, ask: Ask) -> Mrkdwn:
    say = ask.words.say
    what = say("removed") if step.after is None else say("added") if step.before is None else say("changed")
    through = f"{step.author.via}, {say('undo')}" if step.undo else step.author.via
    who = escape(f"{answers.day(step.at, ask)}, {plain(step.author.name, 80)} ({through}): {what}")
    return Mrkdwn(f"{who} {code(plain(step.rule.query, 200))}")


VERBS: Mapping[str, Verb] = MappingProxyType(
    {
        "help": help_,
        "list": list_,
        "add": add,
        "mute": mute,
        "remove": remove,
        "test": test,
        "search": search_,
        "why": why_,
        "preview": preview_,
        "pause": pause,
        "resume": resume,
        "undo": undo,
        "history": history,
        "subscribe": joining.subscribe,
        "unsubscribe": joining.unsubscribe,
    }
)

_HELP = (
    ("subscribe this channel daily 9:00", message("a digest for this channel; with me, one for you")),
    ("list", message("the subscriptions here, with their rules")),
    ('add "preference optimization" OR DPO', message("a rule: what digests are to have")),
    ("mute survey until friday", message("what they are not to have, for a while or for good")),
    ("remove survey", message("removes a rule, by its text or id")),
    ("test RULE", message("what a rule would match; saves nothing")),
    ("search QUERY", message("looks through all papers")),
    ("why LINK", message("why a paper is, or is not, in the digest")),
    ("preview", message("the next digest as it would be now")),
    ("pause until friday · resume", message("no digests for a while; then all in one")),
    ("undo · history", message("takes the latest change back; who changed what")),
    ("edit", message("a form for hour, days, length and rules")),
    ("saved", message("papers you saved")),
    ("link you@example.org", message("brings your own subscriptions here, by a mailed code")),
    ("unsubscribe", message("removes a subscription")),
)
