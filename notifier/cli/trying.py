"""Rules on trial: ``rule test`` and ``rule stats``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Annotated

import typer
from rich.text import Text

from notifier.app import App
from notifier.cli.base import Json, command, console, print_json, print_table, say
from notifier.cli.reading import entry_data, evidence_data, print_hit, time_span
from notifier.cli.rules import pointer, rule_group
from notifier.cli.subscriptions import SubscriptionId
from notifier.errors import RuleError, UsageError
from notifier.library import load_taxonomy
from notifier.lint import Finding
from notifier.matching import format_query, meaning
from notifier.model import Entry, Mode
from notifier.trying import Load, Loads, NearMiss, Trial, loads, try_rule

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_WIDTH = 32
_DAYS_SHOWN = 45
"""More days than these are shown by the week."""
_MATCHES_SHOWN = 10
_TITLES_SHOWN = 5


def register(_: typer.Typer) -> None:
    command(rule_group, "test")(test)
    command(rule_group, "stats")(stats)


def test(
    app: App,
    id: SubscriptionId,
    query: Annotated[str, typer.Argument(help="In the rule language.")],
    mute: Annotated[bool, typer.Option("--mute", help="Try it as a mute.")] = False,
    last: Annotated[str, typer.Option(help="How far back, such as 30d.")] = "30d",
    json: Json = False,
) -> None:
    """Show what a rule would do to a subscription; saves nothing."""
    with app.store() as store:
        try:
            trial = try_rule(
                store,
                app.topics,
                id,
                query,
                mode=Mode.MUTE if mute else Mode.INCLUDE,
                last=time_span(last),
                most=None if json else _MATCHES_SHOWN,
                now=app.clock(),
            )
        except RuleError as error:
            raise UsageError(f"The query does not parse: {error}.{pointer(query, error.column)}") from error
    if json:
        print_json(_trial_data(trial))
    else:
        _show_trial(trial, last)


def _show_trial(trial: Trial, last: str) -> None:
    say(f"Papers where {meaning(trial.query, load_taxonomy().title)}.\n")
    if trial.matched:
        for line in chart(trial.days):
            say(line)
        say("")
    say(f"{trial.matched} of {trial.checked} papers seen in the last {last} match.")
    for match in trial.matches:
        print_hit(match.entry, match.evidence)
    _and_more(trial.matched - len(trial.matches))
    if trial.mode is Mode.MUTE:
        _show_papers(f"As a mute it takes {len(trial.takes)} from {trial.subscription.id}.", trial.takes)
    else:
        _show_papers(f"It adds {len(trial.adds)} to {trial.subscription.id}.", trial.adds)
    if trial.baseline:
        say(
            f"{trial.baseline} matches were only seen in a source's first reading or as revisions: no digest gets them."
        )
    _show_near(trial.near_misses)
    if trial.findings:
        say("\nAdvice:")
        for finding in trial.findings:
            say(f"  {finding.text}")


def _show_papers(head: str, entries: Sequence[Entry]) -> None:
    say(f"\n{head}")
    for entry in entries[:_TITLES_SHOWN]:
        say(f"  {entry.title}")
    _and_more(len(entries) - _TITLES_SHOWN)


def _show_near(near: Sequence[NearMiss]) -> None:
    if near:
        say("\nNear misses, for which only one clause fails:")
        for miss in near[:_TITLES_SHOWN]:
            say(f"  {miss.entry.title}")
            console().print(Text(f"    {miss.entry.id} · {miss.failed}", style="dim"))
        _and_more(len(near) - _TITLES_SHOWN)


def _and_more(number: int) -> None:
    if number > 0:
        say(f"  … and {number} more")


def chart(days: Sequence[tuple[date, int]]) -> Iterator[str]:
    """A line a day, or a line a week (named by its Monday) where there are many, with a bar and the number."""
    counts = _by_week(days) if len(days) > _DAYS_SHOWN else dict(days)
    most = max(counts.values(), default=0)
    for day, count in counts.items():
        yield f"{day:%Y-%m-%d %a}  {count:>{len(str(most))}}  {_bar(count, most)}".rstrip()


def _by_week(days: Sequence[tuple[date, int]]) -> dict[date, int]:
    weeks: dict[date, int] = {}
    for day, count in days:
        monday = day - timedelta(days=day.weekday())
        weeks[monday] = weeks.get(monday, 0) + count
    return weeks


def _bar(count: int, most: int) -> str:
    """At least an eighth of a block for anything above none."""
    eighths = -(-count * _WIDTH * 8 // most) if most else 0
    return _EIGHTHS[8] * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def stats(
    app: App,
    id: SubscriptionId,
    last: Annotated[str, typer.Option(help="How far back, such as 30d.")] = "30d",
    json: Json = False,
) -> None:
    """Show what each rule of a subscription brings, or leaves out."""
    with app.store() as store:
        found = loads(store, app.topics, id, last=time_span(last), now=app.clock())
    if json:
        print_json(_loads_data(found))
        return
    print_table(
        ["RULE", "MODE", "NAME", "A WEEK", "SHARE", "ONLY IT"],
        [
            *(_load_line(each) for each in found.rules),
            *([rule.id, rule.mode, rule.name, "off", "-", "-"] for rule in found.broken),
        ],
        empty=f"No rules yet, so it gets nothing: notifier rule add {id} 'QUERY'",
    )
    for rule in found.broken:
        say(f"{rule.id} is off: {rule.broken}")
    if found.rules:
        weekly = found.sent * 7 / found.days
        say(
            f"\n{found.sent} of {found.checked} papers seen in the last {last} are for {id}, {_number(weekly)} a week. "
            "A mute's share is what it leaves out of what the others include."
        )


def _load_line(each: Load) -> list[str]:
    rule = each.rule
    return [rule.id, rule.mode, rule.name, _number(each.a_week), f"{each.share:.0%}", str(each.alone)]


def _number(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _trial_data(trial: Trial) -> dict[str, object]:
    return {
        "subscription": trial.subscription.id,
        "query": format_query(trial.query),
        "mode": trial.mode,
        "checked": trial.checked,
        "matched": trial.matched,
        "days": {day.isoformat(): count for day, count in trial.days},
        "entries": [{**entry_data(each.entry), "evidence": evidence_data(each.evidence)} for each in trial.matches],
        "adds": [entry.id for entry in trial.adds],
        "takes": [entry.id for entry in trial.takes],
        "baseline": trial.baseline,
        "near_misses": [{"id": e.entry.id, "title": e.entry.title, "failed": e.failed} for e in trial.near_misses],
        "advice": [_finding_data(each) for each in trial.findings],
    }


def _finding_data(each: Finding) -> dict[str, object]:
    return {
        "advice": each.advice,
        "text": each.text,
        "term": each.term,
        "instead": each.instead,
        "rule": each.rule_id,
    }


def _loads_data(found: Loads) -> dict[str, object]:
    return {
        "subscription": found.subscription.id,
        "checked": found.checked,
        "sent": found.sent,
        "days": round(found.days, 2),
        "rules": [
            {
                "id": each.rule.id,
                "mode": each.rule.mode,
                "query": each.rule.query,
                "matched": each.matched,
                "a_week": round(each.a_week, 2),
                "share": round(each.share, 4),
                "alone": each.alone,
            }
            for each in found.rules
        ],
        "broken": [{"id": rule.id, "query": rule.query, "reason": rule.broken} for rule in found.broken],
    }
