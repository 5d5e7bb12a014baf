"""What is said inside Slack: blocks made of nouns, in the asker's language. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from notifier.cadence import describe
from notifier.explain import Why
from notifier.library import load_taxonomy
from notifier.lint import Finding
from notifier.matching import meaning
from notifier.model import Entry, Every, Mode, Rule, Subscription
from notifier.render.blocks import Block, actions, button, code, context, section
from notifier.render.catalog import LONG_DATE, SHORT_DAY, Catalog, message
from notifier.render.entries import title
from notifier.render.mrkdwn import Mrkdwn, cut, escape, link, strong
from notifier.render.text import plain, web_url
from notifier.search import Found
from notifier.slack.asking import Ask
from notifier.trying import Trial

TITLES = 5
HITS = 10
_RULES = 30
_ADVICE = 3
_VERDICTS = 20
_LONG = 600
"""Characters of a query that are shown; the whole stands in the form."""


def paper(entry: Entry, words: Catalog) -> Mrkdwn:
    return link(title(entry, words, 200), web_url(entry.url) or web_url(entry.pdf_url))


def listed(lines: Iterable[str]) -> Mrkdwn:
    return Mrkdwn("\n".join(f"• {line}" for line in lines))


def name_of(subscription: Subscription, ask: Ask) -> str:
    """What the asker calls it: this channel, or where it goes."""
    if ask.is_channel and subscription.address.target in ask.places:
        return ask.words.say("this channel")
    address = subscription.address
    if address.kind == "slack" and address.target.rpartition("/")[2] == ask.origin.user:
        return ask.words.say("your messages here")
    return plain(str(address), 100)


def when(subscription: Subscription) -> str:
    return describe(subscription.cadence, subscription.subscriber.timezone)


def day(moment: datetime, ask: Ask) -> str:
    words, local = ask.words, moment.astimezone(ask.zone)
    return f"{words.date(local, SHORT_DAY)} {words.clock(local)}"


def next_one(subscription: Subscription, ask: Ask) -> str:
    """When the next digest comes, or why none does."""
    say = ask.words.say
    if subscription.stopped_reason:
        return say("stopped: %(reason)s", reason=plain(subscription.stopped_reason, 200))
    if subscription.paused and subscription.paused_until is None:
        return say("paused")
    if subscription.paused and subscription.paused_until:
        until = subscription.paused_until.astimezone(ask.zone)
        return say("paused until %(day)s", day=ask.words.date(until, LONG_DATE))
    if subscription.cadence.every is Every.INSTANT:
        return say("as papers come")
    return say("next: %(when)s", when=day(subscription.next_due_at, ask))


def subscription_blocks(subscription: Subscription, rules: Sequence[Rule], ask: Ask) -> list[Block]:
    """One subscription with its rules, and what can be done with it."""
    say = ask.words.say
    name = name_of(subscription, ask)
    head = (
        f"{strong(name[:1].upper() + name[1:])} · {escape(when(subscription))} · {escape(next_one(subscription, ask))}"
    )
    lines = [_rule_line(rule, ask) for rule in rules[:_RULES]]
    if len(rules) > _RULES:
        lines.append(escape(say("and %(number)s more", number=len(rules) - _RULES)))
    if not rules:
        lines.append(escape(say("No rules yet, so it gets nothing: /papers add a few words.")))
    return [
        section(head),
        section(listed(lines)),
        context(code(subscription.id)),
        *actions(subscription_buttons(subscription, ask)),
    ]


def subscription_buttons(subscription: Subscription, ask: Ask) -> list[Block]:
    say, id = ask.words.say, subscription.id
    rest = (
        button("notifier_resume", say("Resume"), value=id)
        if subscription.paused
        else button("notifier_pause", say("Pause"), value=id)
    )
    return [
        button("notifier_edit", say("Edit"), value=id),
        button("notifier_preview", say("Preview"), value=id),
        rest,
    ]


def _rule_line(rule: Rule, ask: Ask) -> Mrkdwn:
    say = ask.words.say
    notes = [
        say("mute") if rule.mode is Mode.MUTE else "",
        say("until %(day)s", day=ask.words.date(rule.until.astimezone(ask.zone), LONG_DATE)) if rule.until else "",
        plain(rule.label, 80),
        say("off, because it does not parse: %(why)s", why=plain(rule.broken, 200)) if rule.broken else "",
    ]
    noted = escape(", ".join(filter(None, notes)))
    query = code(plain(rule.query, _LONG))
    return Mrkdwn(f"{query} {noted}".rstrip())


def trial_blocks(trial: Trial, ask: Ask) -> list[Block]:
    """What a rule means, matches and changes, and what to think over."""
    say, count = ask.words.say, ask.words.count
    is_mute = trial.mode is Mode.MUTE
    words = meaning(trial.query, load_taxonomy().title)
    pattern = message("Leaves out papers where %(what)s.") if is_mute else message("Papers where %(what)s.")
    said = say(pattern, what=words)
    matched = count(
        "%(matched)s of %(num)s paper of the last 30 days matches.",
        "%(matched)s of %(num)s papers of the last 30 days match.",
        trial.checked,
        matched=ask.words.number(trial.matched),
    )
    effect = (
        count("It takes %(num)s from the digests.", "It takes %(num)s from the digests.", len(trial.takes))
        if is_mute
        else count("It adds %(num)s to the digests.", "It adds %(num)s to the digests.", len(trial.adds))
    )
    blocks = [section(escape(f"{cut(said, 1_500)}\n{matched} {effect}"))]
    shown = [each.entry for each in trial.matches[:TITLES]]
    if shown:
        blocks.append(section(listed(paper(entry, ask.words) for entry in shown)))
    if trial.near_misses and not shown:
        near = [Mrkdwn(f"{paper(e.entry, ask.words)} · {escape(plain(e.failed, 120))}") for e in trial.near_misses[:3]]
        blocks.append(section(f"{escape(say('Nearly:'))}\n{listed(near)}"))
    return [*blocks, *advice_blocks(trial.findings, ask)]


def advice_blocks(findings: Sequence[Finding], ask: Ask) -> list[Block]:
    lines = [escape(ask.words.say("Advice: %(text)s", text=plain(each.text, 400))) for each in findings[:_ADVICE]]
    return [context("\n".join(lines))] if lines else []


def found_blocks(found: Found, ask: Ask) -> list[Block]:
    say = ask.words.say
    number = ask.words.number(found.matched) if found.exact else say("%(n)s or more", n=ask.words.number(found.matched))
    head = ask.words.count(
        "%(matched)s of %(num)s paper matches.",
        "%(matched)s of %(num)s papers match.",
        found.searched,
        matched=number,
    )
    blocks = [section(escape(head))]
    if found.hits:
        blocks.append(section(listed(_hit(each.entry, ask) for each in found.hits)))
    if found.gave_up_at is not None:
        since = ask.words.date(found.gave_up_at.astimezone(ask.zone), LONG_DATE)
        text = say("Only papers first seen since %(day)s were looked at: add a word that has to be there.", day=since)
        blocks.append(context(escape(text)))
    return blocks


def _hit(entry: Entry, ask: Ask) -> Mrkdwn:
    seen = entry.new_at or entry.first_seen_at
    said = f" · {escape(ask.words.date(seen.astimezone(ask.zone), SHORT_DAY))}" if seen else ""
    return Mrkdwn(f"{paper(entry, ask.words)}{said}")


def why_blocks(found: Why, ask: Ask) -> list[Block]:
    say = ask.words.say
    lines = [
        Mrkdwn(
            f"{code(plain(each.rule.name, 100))}: "
            f"{escape(say('holds') if each.holds else say('does not hold'))}, {escape(plain(each.words, 300))}"
        )
        for each in found.verdicts[:_VERDICTS]
    ]
    head = Mrkdwn(
        f"{paper(found.entry, ask.words)}\n{escape(name_of(found.subscription, ask))}: {escape(found.answer)}"
    )
    return [section(head), *([section(listed(lines))] if lines else [])]
