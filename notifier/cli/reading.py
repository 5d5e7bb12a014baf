"""Looking: ``match``, ``preview`` and ``why``."""

from __future__ import annotations

import re
import tempfile
import webbrowser
from collections.abc import Iterable, Sequence
from datetime import timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from notifier.app import App
from notifier.checkup import told
from notifier.cli.base import Json, command, console, local, local_day, print_json, print_table, say, warn
from notifier.cli.rules import pointer
from notifier.cli.subscriptions import SubscriptionId
from notifier.errors import RuleError, UsageError
from notifier.explain import Why, preview, why
from notifier.lookup import entry_of
from notifier.model import Digest, DigestItem, Entry, Evidence, Reason
from notifier.search import Found, search

_LATEST_POINTS = 7


def register(app: typer.Typer) -> None:
    command(app, "match")(match_)
    command(app, "preview")(preview_)
    command(app, "why")(why_)


def match_(
    app: App,
    query: Annotated[str, typer.Argument(help="In the rule language.")],
    last: Annotated[str | None, typer.Option(help="How far back, such as 30d; default: everything stored.")] = None,
    limit: Annotated[int, typer.Option(help="How many to show, newest first.", min=1, max=1_000)] = 20,
    json: Json = False,
) -> None:
    """Search the stored entries in the rule language; shows the newest matches, with the evidence."""
    span = time_span(last) if last else None
    with app.store() as store:
        try:
            found = search(store, app.topics, query, last=span, limit=limit, now=app.clock())
        except RuleError as error:
            raise UsageError(f"The query does not parse: {error}.{pointer(query, error.column)}") from error
    if json:
        print_json([{**entry_data(hit.entry), "evidence": evidence_data(hit.evidence)} for hit in found.hits])
        return
    for hit in found.hits:
        print_hit(hit.entry, hit.evidence)
    say(_summed_up(found, last))


def _summed_up(found: Found, last: str | None) -> str:
    count = f"{found.matched:,}" if found.exact else f"{found.matched:,} or more"
    seen = f" seen in the last {last}" if last else ""
    summary = f"{count} of {found.searched:,} papers{seen} match."
    if found.gave_up_at is not None:
        # Nobody waits for a query that nothing can be looked up for.
        since = local(found.gave_up_at)
        return f"{summary} Only those first seen since {since} were looked at: add a word that has to be there."
    if found.matched > len(found.hits):
        shown = len(found.hits)
        summary += f" The newest {shown} {'is' if shown == 1 else 'are'} shown; --limit shows more."
    return summary


def print_hit(entry: Entry, evidence: Sequence[Evidence]) -> None:
    screen = console()
    screen.print(_marked(entry, evidence))
    screen.print(Text(f"  {entry.id} · seen {local(entry.first_seen_at)} · {_because(evidence)}", style="dim"))


def _marked(entry: Entry, evidence: Iterable[Evidence]) -> Text:
    """The title with what matched in it shown bold."""
    title = Text(entry.title)
    for each in evidence:
        if each.field == "title":
            for start, end in each.spans:
                title.stylize("bold yellow", start, end)
    return title


def _because(evidence: Iterable[Evidence]) -> str:
    return "; ".join(dict.fromkeys(f"{each.field}: {each.text}" if each.spans else each.text for each in evidence))


def preview_(
    app: App,
    id: SubscriptionId,
    open_: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    json: Json = False,
) -> None:
    """Show the next digest as it would be now; sends and records nothing."""
    now = app.clock()
    with app.store() as store:
        digest = preview(store, app.topics, id, look_back=app.settings.look_back, sources=told(store, now), now=now)
    if json:
        print_json(_digest_data(digest))
        return
    # Whatever the channel, the mail's form is the one a shell and a browser can show.
    mail = app.renderer().render(digest, "email", now=now)
    parsed = BytesParser(EmailMessage, policy=policy.default).parsebytes(mail.parts[0])
    if open_:
        _open(parsed)
        return
    say(f"Subject: {mail.subject}\n")
    body = parsed.get_body(("plain",))
    say(str(body.get_content()).replace("\r\n", "\n") if body else "")


def _open(mail: EmailMessage) -> None:
    body = mail.get_body(("html",))
    with tempfile.NamedTemporaryFile("w", suffix=".html", prefix="notifier-", encoding="utf-8", delete=False) as file:
        file.write(str(body.get_content()) if body else "")
    if webbrowser.open(Path(file.name).as_uri()):
        say(f"Opened {file.name}.")
    else:
        warn(f"No browser could be started: open {file.name} yourself.")


def why_(
    app: App,
    entry: Annotated[str, typer.Argument(help="Its id, arXiv id, DOI, URL or words of its title.", metavar="ENTRY")],
    id: SubscriptionId,
    json: Json = False,
) -> None:
    """Say why a paper is, is not, or is not yet in a subscription's digests."""
    with app.store() as store:
        found = why(store, app.topics, entry_of(store, entry), id, look_back=app.settings.look_back, now=app.clock())
    if json:
        print_json(_why_data(found))
        return
    zone = found.subscription.subscriber.timezone
    say(found.entry.title)
    say(f"  {found.entry.id}")
    for seen in found.sightings:
        announced = f" as {seen.announce}" if seen.announce else ""
        say(f"  seen by {seen.source}{announced} {local(seen.first_at, zone)}")
    for each in found.titles:
        days = " to ".join(dict.fromkeys(local_day(moment, zone) for moment in (each.first_at, each.last_at)))
        say(f"  also titled “{each.title}” ({days})")
    if grown := [each for each in found.growth if each.upvotes is not None]:
        votes = " → ".join(str(each.upvotes) for each in grown[-_LATEST_POINTS:])
        say(f"  votes {votes} (since {local_day(grown[-_LATEST_POINTS:][0].at, zone)})")
    say("")
    print_table(
        ["RULE", "MODE", "QUERY", "HOLDS", "WHY"],
        [[v.rule.id, v.rule.mode, v.rule.name, "yes" if v.holds else "no", _few(v.words)] for v in found.verdicts],
        empty="The subscription has no rules.",
    )
    say(f"\n{found.answer}")


def _few(words: str, count: int = 6) -> str:
    """A topic can fail for dozens of words; --json has them all."""
    parts = words.split("; ")
    return words if len(parts) <= count else "; ".join([*parts[:count], f"and {len(parts) - count} more"])


def entry_data(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "title": entry.title,
        "abstract": entry.abstract,
        "authors": entry.authors,
        "num_authors": entry.author_count,
        "organization": entry.organization,
        "categories": entry.categories,
        "keywords": entry.keywords,
        "published_at": entry.published_at,
        "url": entry.url,
        "pdf_url": entry.pdf_url,
        "code_url": entry.code_url,
        "upvotes": entry.upvotes,
        "comments": entry.comments,
        "stars": entry.stars,
        "version": entry.version,
        "sources": entry.sources,
        "first_seen_at": entry.first_seen_at,
    }


def evidence_data(evidence: Iterable[Evidence]) -> list[dict[str, object]]:
    return [{"field": each.field, "spans": each.spans, "text": each.text} for each in evidence]


def _reason_data(reason: Reason) -> dict[str, object]:
    return {
        "rule": reason.rule_id,
        "label": reason.label,
        "query": reason.query,
        "version": reason.version,
        "evidence": evidence_data(reason.evidence),
    }


def _item_data(item: DigestItem, *, shown: bool) -> dict[str, object]:
    because = [_reason_data(each) for each in item.reasons]
    return {**entry_data(item.entry), "shown": shown, "late": item.late, "because": because}


def _digest_data(digest: Digest) -> dict[str, object]:
    return {
        "subscription": digest.subscription.id,
        "slot": str(digest.slot),
        "checked": digest.checked,
        "entries": [
            *(_item_data(item, shown=True) for item in digest.items),
            *(_item_data(item, shown=False) for item in digest.more),
        ],
        "follow_ups": [
            {
                "id": each.what.entry_id,
                "kind": each.what.kind,
                "value": each.what.value,
                "since": each.what.since,
                "before": each.what.before,
                "after": each.what.after,
            }
            for each in digest.follow_ups
        ],
        "warnings": [{"rule": each.id, "name": each.name, "reason": each.broken} for each in digest.warnings],
    }


def _why_data(found: Why) -> dict[str, object]:
    return {
        "entry": entry_data(found.entry),
        "subscription": found.subscription.id,
        "answer": found.answer,
        "sightings": [
            {"source": s.source, "first_at": s.first_at, "last_at": s.last_at, "announce": s.announce}
            for s in found.sightings
        ],
        "titles": [{"title": t.title, "first_at": t.first_at, "last_at": t.last_at} for t in found.titles],
        "growth": [{"at": p.at, "upvotes": p.upvotes, "comments": p.comments, "stars": p.stars} for p in found.growth],
        "rules": [
            {
                "id": v.rule.id,
                "mode": v.rule.mode,
                "query": v.rule.query,
                "holds": v.holds,
                "words": v.words,
                "evidence": evidence_data(v.evidence),
            }
            for v in found.verdicts
        ],
        "delivery": found.delivery.id if found.delivery else None,
        "state": found.delivery.state if found.delivery else None,
    }


def time_span(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,5}) ?(d|h|w)?", text.strip())
    if not found or int(found[1]) == 0:
        raise UsageError(f"--last '{text}' is no time span: write it like 30d, 12h or 2w.")
    return timedelta(hours=int(found[1]) * {"h": 1, "d": 24, "w": 168}[found[2] or "d"])
