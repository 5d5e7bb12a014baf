"""arXiv: its announcements by feed, and what they missed from the query API or OAI-PMH.

The feed shows one evening's announcement, from midnight to midnight US Eastern, at most 2,000 items. What is new in it
is decided by ids that the last answer did not have, never by its dates, which lag. An evening that nobody read, or
that was longer than the feed, becomes a gap: one evening is closed from the API, several by OAI-PMH.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from notifier import arxiv_calendar
from notifier.clean import plain
from notifier.errors import SourceError
from notifier.identity import arxiv_id
from notifier.model import Fetched, Gap, GapReason, Missed, Page, Rejected, Sighting, SourceState
from notifier.sources import arxiv_api, arxiv_oai
from notifier.sources.arxiv_categories import Address, archive_of, parse_address, taxonomy, widened
from notifier.sources.arxiv_memory import Memory, freshness, items_of
from notifier.sources.arxiv_services import Services
from notifier.sources.feed_items import Parsed
from notifier.sources.feed_worker import Job, parse_apart
from notifier.sources.http import Http, Reply, failure, host_of
from notifier.sources.kind import Kind

CAP = 2_000
"""Items a feed shows at most: new ones first, then cross-lists, then replacements."""
_HELD = timedelta(days=3)
"""Moderators hold papers back for a day or two; these are asked for with the days they were submitted on."""
_SETTLED = timedelta(hours=6)
"""So long after midnight a feed has surely been rebuilt; it happens an hour late at times."""
_ASK_AGAIN = timedelta(days=7)
_OAI_WEIGHT = 4
"""OAI-PMH takes 30 to 90 s for a page with records."""
_IDS_AT_ONCE = 50
_REFUSALS = 5
_EMPTY_PAGES = 3
_REFUSED = re.compile(r"Bad (archive|subject class) '([^']{1,40})'(?:.{0,80}?the archive '([^']{1,40})')?", re.DOTALL)
_DAY = timedelta(days=1)


class Arxiv:
    takes_baseline = False
    """A feed holds one evening: its papers are today's news, as they are of Daily Papers."""

    def __init__(self, url: str, *, http: Http, name: str) -> None:
        address = parse_address(url) or Address()
        self._categories = address.categories
        self._services = Services.at(address.mirror, http)
        self._name = name

    @property
    def scope(self) -> str:
        return "+".join(self._categories)

    def settled(self, state: SourceState, *, now: datetime) -> date:
        """Submissions of later days may be in announcements that the feed has yet to show."""
        seen = Memory.read(state).seen or arxiv_calendar.evening_shown(now) - _DAY
        return arxiv_calendar.submissions(seen, seen)[1].date() - _DAY

    async def fetch(self, state: SourceState, *, now: datetime) -> Fetched:
        memory = Memory.read(state)
        reply, asked, unknown = await self._feed(memory, state, now)
        if reply.is_not_modified:
            after = _after(memory, asked, unknown, None, now)
            return Fetched(
                state=replace(state, cursor=after.written()), unchanged=True, missed=_missed(memory, after, now)
            )
        parsed = await self._parsed(reply, now)
        after = _after(memory, asked, unknown, parsed.sightings, now)
        return Fetched(
            sightings=parsed.sightings,
            rejected=(*_left_out(unknown, self._categories), *parsed.rejected),
            state=SourceState(etag=reply.headers.get("etag"), cursor=after.written()),
            unchanged=after.items == memory.items and after.asked == memory.asked,
            missed=(*_missed(memory, after, now), *_incomplete(parsed, asked, now)),
        )

    async def _feed(
        self, memory: Memory, state: SourceState, now: datetime
    ) -> tuple[Reply, tuple[str, ...], dict[str, date]]:
        """The feed of all categories; those that arXiv refuses are left out and not asked for again for a week."""
        today = now.astimezone(UTC).date()
        unknown = {name: day for name, day in memory.unknown.items() if today - day < _ASK_AGAIN}
        for _ in range(_REFUSALS):
            asked = tuple(name for name in self._categories if name not in unknown)
            if not asked:
                raise SourceError(_nothing_to_ask(self._name, unknown))
            etag = state.etag if asked == memory.asked else None
            reply = await self._services.feed(asked, etag=etag, now=now)
            if reply.status != 400:
                return reply, asked, unknown
            if not (refused := _refused(reply, asked)):
                raise failure(reply, now)
            unknown |= dict.fromkeys(refused, today)
        raise SourceError(f"{host_of(reply.url)} refuses one category after the other: check the source's address.")

    async def _parsed(self, reply: Reply, now: datetime) -> Parsed:
        if reply.body.strip():
            content_type = reply.headers.get("content-type", "")
            job = Job(content_type=content_type, url=reply.url, source=self._name, now=now)
            parsed = await parse_apart(job, reply.body, apart=self._services.http.apart)
            if parsed.is_feed:
                return parsed
        raise SourceError(f"{host_of(reply.url)} answered with a page that is no feed: it is asked again later.")

    async def page(self, gap: Gap, *, now: datetime) -> Page:
        scope = tuple(filter(None, gap.scope.split("+")))
        if not scope:
            raise SourceError(f"Source '{self._name}' names no categories: give some, as in 'arxiv:cs.CL+cs.LG'.")
        evenings = arxiv_calendar.evenings_between(gap.first - _DAY, gap.last + _DAY)
        if gap.reason in (GapReason.MISSED, GapReason.FAILED) and len(evenings) > 1:
            return await self._oai_page(gap, scope, now)
        return await self._api_page(gap, scope, now)

    async def look_up(self, ids: Sequence[str], *, now: datetime) -> tuple[Sighting, ...]:
        """The papers with these ids (any spelling); one that arXiv does not have is absent."""
        wanted = [found[0] for id in ids if (found := arxiv_id(id))]
        sightings: list[Sighting] = []
        for at in range(0, len(wanted), _IDS_AT_ONCE):
            several = wanted[at : at + _IDS_AT_ONCE]
            parameters: dict[str, str | int] = {"id_list": ",".join(several), "max_results": len(several)}
            reply = await self._services.query(parameters, now=now)
            sightings += arxiv_api.read(reply, scope=None, source=self._name).sightings
        return tuple(sightings)

    async def _api_page(self, gap: Gap, scope: Sequence[str], now: datetime) -> Page:
        """Slice by slice of a day, in each one query after the other, in each page after page."""
        asks = [ask for start, end in _slices(gap) for ask in arxiv_api.queries(scope, start, end)]
        number, start = (int(part) for part in (gap.cursor or "0.0").split("."))
        answer = await self._answer(asks[number], start, scope, now)
        start += answer.received
        if start >= min(answer.total, arxiv_api.MOST) or not answer.received:
            number, start = number + 1, 0
        return Page(
            sightings=answer.sightings,
            rejected=answer.rejected,
            cursor=f"{number}.{start}" if number < len(asks) else None,
            how="api",
            share=number / len(asks),
        )

    async def _answer(self, ask: str, start: int, scope: Sequence[str], now: datetime) -> arxiv_api.Answer:
        """A page that is empty though there is more is a hiccup of theirs: it is asked for again."""
        parameters: dict[str, str | int] = {
            "search_query": ask,
            "start": start,
            "max_results": arxiv_api.PAGE,
            "sortBy": "submittedDate",
            "sortOrder": "ascending",
        }
        for _ in range(_EMPTY_PAGES):
            reply = await self._services.query(parameters, now=now)
            answer = await asyncio.to_thread(arxiv_api.read, reply, scope=scope, source=self._name)
            if answer.received or answer.total <= start:
                return answer
        raise SourceError("arXiv's API answers with empty pages where there are papers: it is asked again later.")

    async def _oai_page(self, gap: Gap, scope: Sequence[str], now: datetime) -> Page:
        names = arxiv_oai.sets(scope)
        place, _, token = (gap.cursor or "0|").partition("|")
        number = int(place)
        # No end is given: a record that was touched since would be beyond it.
        first = {"metadataPrefix": "arXiv", "set": names[number], "from": gap.first.isoformat()}
        reply = await self._services.records({"resumptionToken": token} if token else first, now=now)
        opened, closed = arxiv_calendar.submissions(gap.first, gap.last)
        span = arxiv_oai.Span(first=(opened - _HELD).date(), last=closed.date(), changed=opened.date())
        found = await asyncio.to_thread(arxiv_oai.read, reply, span, scope=scope, source=self._name)
        if found.is_stale and not token:
            raise SourceError(f"{host_of(reply.url)} refuses its own token: it is asked again later.")
        # Tokens last for a day: behind one that has run out the set begins anew.
        if not found.is_stale and not found.token:
            number += 1
        done = number == len(names)
        return Page(
            sightings=found.sightings,
            cursor=None if done else f"{number}|{found.token}",
            how="oai",
            share=number / len(names),
            weight=_OAI_WEIGHT if found.sightings or found.token else 1,
        )


def _after(
    memory: Memory,
    asked: tuple[str, ...],
    unknown: Mapping[str, date],
    sightings: Sequence[Sighting] | None,
    now: datetime,
) -> Memory:
    """What is known behind an answer; ``sightings`` is None where it was that of the time before."""
    items = items_of(sightings or ())
    unseen = [each for key, each in items.items() if key not in memory.items]
    is_empty = memory.is_empty if sightings is None else not sightings
    return Memory(
        seen=_seen(memory, has_unseen=bool(unseen), is_empty=is_empty, now=now),
        asked=asked,
        fresh=freshness(memory.fresh, asked, unseen, now),
        unknown=unknown,
        items=frozenset(items) or memory.items,
        is_empty=is_empty,
    )


def _seen(memory: Memory, *, has_unseen: bool, is_empty: bool, now: datetime) -> date:
    """The latest evening that counts as read.

    Soon after midnight an answer may still be that of the evening before, unless this one was read already. Later, an
    empty feed is taken at its word; one that still shows only what it showed is not.
    """
    evening = arxiv_calendar.evening_shown(now)
    is_next = memory.seen is not None and not arxiv_calendar.evenings_between(memory.seen, evening)
    has_settled = now - arxiv_calendar.shown_since(evening) >= _SETTLED
    is_read = (has_unseen and (is_next or has_settled)) or (is_empty and has_settled)
    seen = evening if is_read else evening - _DAY
    return max(seen, memory.seen or seen)


def _missed(before: Memory, after: Memory, now: datetime) -> tuple[Missed, ...]:
    """The evenings that the feed no longer shows and that no answer had; of categories asked for then as now."""
    scope = "+".join(name for name in after.asked if name in before.asked)
    if before.seen is None or not scope:
        return ()
    days = arxiv_calendar.evenings_between(before.seen, arxiv_calendar.evening_shown(now))
    return (Missed(first=days[0], last=days[-1], reason=GapReason.MISSED, scope=scope),) if days else ()


def _incomplete(parsed: Parsed, asked: Sequence[str], now: datetime) -> tuple[Missed, ...]:
    """Of an evening that was longer than its feed, or broke off; the replacements it lacks are no news."""
    if len(parsed.sightings) >= CAP:
        reason = GapReason.CAP
    elif parsed.is_cut:
        reason = GapReason.SHORT
    else:
        return ()
    evening = arxiv_calendar.evening_shown(now)
    while not arxiv_calendar.may_announce(evening):
        evening -= _DAY
    return (Missed(first=evening, last=evening, reason=reason, scope="+".join(asked)),)


def _slices(gap: Gap) -> list[tuple[datetime, datetime]]:
    """Submission days of a backfill, or of what evenings announced, with the days before for what was held back."""
    if gap.reason is GapReason.BACKFILL:
        start, end = (datetime.combine(day, time(), UTC) for day in (gap.first, gap.last + _DAY))
    else:
        opened, end = arxiv_calendar.submissions(gap.first, gap.last)
        start = opened - _HELD
    starts = [start + n * _DAY for n in range(-((start - end) // _DAY))]
    return [(each, min(each + _DAY, end) - timedelta(minutes=1)) for each in starts]


def _refused(reply: Reply, asked: Sequence[str]) -> set[str]:
    """What an error feed calls bad, else what arXiv's own list does not have; empty where neither tells."""
    said = html.unescape(reply.body[:65_536].decode("utf-8", "replace"))
    bad: set[str] = set()
    for what, name, archive in _REFUSED.findall(said):
        full = name if what == "archive" else f"{archive}.{name}"
        bad |= {each for each in asked if full.casefold() in (each.casefold(), archive_of(each).casefold())}
    return bad | {each for each in asked if taxonomy().get(each) is None}


def _left_out(unknown: Mapping[str, date], categories: Sequence[str]) -> list[Rejected]:
    return [
        Rejected(line=number, reason=f"arXiv has no category '{plain(name, limit=40)}': it was left out")
        for number, name in enumerate(categories, start=1)
        if name in unknown
    ]


def _nothing_to_ask(name: str, unknown: Mapping[str, date]) -> str:
    if unknown:
        return f"arXiv has none of the categories of source '{name}' ({', '.join(sorted(unknown))}): name others."
    return (
        f"Source '{name}' names no categories and no rule does: write 'category:cs.CL' in a rule, "
        "or add the source as 'arxiv:cs.CL+cs.LG'."
    )


KIND = Kind(
    claims=lambda text: parse_address(text) is not None,
    open=Arxiv,
    widen=widened,
    freshness=lambda state: Memory.read(state).fresh,
)
