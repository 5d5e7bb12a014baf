"""Parsing a feed in a process apart: what goes to it and what comes back (``__main__`` is the far end).

A job is two messages, what is known of the body and the body; the answer is one. All but the body is JSON.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from pydantic import TypeAdapter

from notifier.errors import SourceError
from notifier.model import Rejected
from notifier.sources import feed_items, json_feed
from notifier.sources.apart import Apart, Stopped
from notifier.sources.feed_items import Parsed
from notifier.sources.http import host_of

log = structlog.get_logger()

_BEGINNING = 128 * 1024
"""Bytes of a feed that could not be read whole: a hundred items, and what is quadratic stays small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    content_type: str
    url: str
    source: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``parsed``; else ``refused``, the sentence of a SourceError, or ``fault``, the traceback of anything else."""

    parsed: Parsed | None = None
    refused: str = ""
    fault: str = ""


_JOB = TypeAdapter(Job)
_ANSWER = TypeAdapter(Answer)


async def parse_apart(job: Job, body: bytes, *, apart: Apart) -> Parsed:
    """What the body comes to, in bounded time and memory. Raises SourceError where it comes to nothing."""
    try:
        return await _ask(job, body, apart)
    except Stopped as stopped:
        host = host_of(job.url)
        failure = SourceError(f"{host} sent a feed that {stopped}: tell its operator, or remove the source.")
        note = Rejected(line=1, reason=f"the feed {stopped}: only its beginning was read")
    if len(body) <= _BEGINNING:
        raise failure
    try:
        beginning = await _ask(job, body[:_BEGINNING], apart)
    except Stopped:
        raise failure from None
    if not beginning.sightings:
        raise failure
    return replace(beginning, rejected=(note, *beginning.rejected))


async def _ask(job: Job, body: bytes, apart: Apart) -> Parsed:
    answer = _ANSWER.validate_json(await apart.ask(_JOB.dump_json(job), body))
    if answer.parsed:
        return answer.parsed
    if answer.fault:
        log.error("feed parser failed", source=job.source, fault=answer.fault)
    raise SourceError(answer.refused or f"The feed of {host_of(job.url)} is damaged beyond reading: tell its operator.")


def parse(job: Job, body: bytes) -> Parsed:
    """As JSON Feed where it is JSON, else as RSS or Atom. Raises SourceError."""
    reader = json_feed.parse if json_feed.is_json(body) else feed_items.parse
    return reader(body, job.content_type, job.url, source=job.source, now=job.now)


def answer(head: bytes, body: bytes) -> bytes:
    return _ANSWER.dump_json(_answer(_JOB.validate_json(head), body))


def _answer(job: Job, body: bytes) -> Answer:
    try:
        return Answer(parsed=parse(job, body))
    except SourceError as error:
        return Answer(refused=str(error))
    except MemoryError:
        raise
    except Exception:
        # On hostile bytes a fault of ours must cost one feed and not the others; it is logged on the near side.
        return Answer(fault=traceback.format_exc()[-4000:])
