"""What goes over the wire of papers, rules and why they match; one shape for each noun."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from notifier.matching import MAX_LENGTH
from notifier.model import Entry, Evidence, Mode, Reason, Rule
from notifier.web.api.instants import Instant

_ENTRY: dict[str, Any] = {
    "id": "arxiv:2512.14696",
    "title": "CRISP: Contact-Guided Real2Sim from Monocular Video with Planar Scene Primitives",
    "abstract": "We introduce CRISP, a method that recovers simulatable human motion.",
    "authors": ["Zihan Wang"],
    "author_count": 7,
    "organization": None,
    "categories": ["cs.CV"],
    "keywords": [],
    "published_at": "2025-12-16T00:00:00Z",
    "url": "https://arxiv.org/abs/2512.14696",
    "pdf_url": "https://arxiv.org/pdf/2512.14696",
    "code_url": None,
    "project_url": None,
    "thumbnail": None,
    "upvotes": 35,
    "comments": 2,
    "stars": None,
    "version": 1,
    "announce": "new",
    "sources": ["huggingface"],
    "first_seen_at": "2025-12-17T05:00:12Z",
    "news_at": "2025-12-17T05:00:12Z",
    "extra": {},
}


class EntryOut(BaseModel):
    """One paper or post, as all its sources tell it. What no source told is null or empty."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ENTRY]})

    id: str
    title: str
    abstract: str
    authors: list[str]
    author_count: int | None = Field(description="Also where a source tells only how many there are.")
    organization: str | None
    categories: list[str]
    keywords: list[str]
    published_at: datetime | None
    url: str | None
    pdf_url: str | None
    code_url: str | None
    project_url: str | None
    thumbnail: str | None
    upvotes: int | None
    comments: int | None
    stars: int | None
    version: int | None
    announce: str | None = Field(description="How a source announced it last: new, cross, replace, replace-cross.")
    sources: list[str]
    first_seen_at: datetime | None
    news_at: datetime | None = Field(description="When it became news; null where it was only in a first reading.")
    extra: dict[str, Any] = Field(description="What sources told beyond these fields.")

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls(**fields_of(entry))


def fields_of(entry: Entry) -> dict[str, Any]:
    own = {name: getattr(entry, name) for name in EntryOut.model_fields if hasattr(entry, name)}
    return own | {"news_at": entry.new_at, "extra": json.loads(entry.extra)}


class EvidenceOut(BaseModel):
    """Why one clause of a rule holds."""

    field: str = Field(examples=["title"])
    text: str = Field(description="What stands there, or the clause itself where it is no text.", examples=["Real2Sim"])
    spans: list[tuple[int, int]] = Field(description="Half-open ranges of characters in that field.")

    @classmethod
    def of(cls, evidence: Evidence) -> Self:
        return cls(field=evidence.field, text=evidence.text, spans=list(evidence.spans))


class HitOut(EntryOut):
    """A paper that matches, and why."""

    evidence: list[EvidenceOut]

    @classmethod
    def hit(cls, entry: Entry, evidence: tuple[Evidence, ...]) -> Self:
        return cls(**fields_of(entry), evidence=[EvidenceOut.of(each) for each in evidence])


class ReasonOut(BaseModel):
    """A rule that brought a paper, as it stood then."""

    rule: str
    label: str
    query: str
    evidence: list[EvidenceOut]

    @classmethod
    def of(cls, reason: Reason) -> Self:
        evidence = [EvidenceOut.of(each) for each in reason.evidence]
        return cls(rule=reason.rule_id, label=reason.label, query=reason.query, evidence=evidence)


class RuleIn(BaseModel):
    """A rule as somebody wants it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"query": '"preference optimization" OR DPO', "label": "DPO"}]},
    )

    query: str = Field(min_length=1, max_length=MAX_LENGTH, description="In the rule language.")
    label: str = Field("", max_length=200, description="How digests call it; empty: the query itself.")
    mode: Mode = Field(Mode.INCLUDE, description="`include`, or `mute`, which leaves out what it matches.")
    until: Instant | None = Field(None, description="When a mute ends.")


class RuleOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "r_k3m9x2tq7p",
                    "subscription": "s_8w4hd2zqnb",
                    "query": '"preference optimization" OR DPO',
                    "label": "DPO",
                    "mode": "include",
                    "until": None,
                    "version": 1,
                    "off": None,
                    "created_at": "2025-12-16T07:00:00Z",
                }
            ]
        }
    )

    id: str
    subscription: str
    query: str
    label: str
    mode: Mode
    until: datetime | None
    version: int
    off: str | None = Field(description="Why it no longer parses and is left out; null for one that works.")
    created_at: datetime

    @classmethod
    def of(cls, rule: Rule) -> Self:
        return cls(
            id=rule.id,
            subscription=rule.subscription_id,
            query=rule.query,
            label=rule.label,
            mode=rule.mode,
            until=rule.until,
            version=rule.version,
            off=rule.broken,
            created_at=rule.created_at,
        )
