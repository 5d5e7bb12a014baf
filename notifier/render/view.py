"""What templates are given: words and links, already chosen, cut and cleaned, still without markup.

Each field is plain text in the reader's language. Templates decide how it looks, never what it says.
"""

from __future__ import annotations

from dataclasses import dataclass

from notifier.render.excerpt import Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One item of the line under a title; ``spoken`` is for screen readers where a sign stands for a word."""

    text: str
    spoken: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """A rule by its label, in the quotation marks of the language, and what of the entry it found
    (empty for a rule that takes everything)."""

    label: str
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    title: str
    url: str | None
    facts: tuple[Fact, ...]
    because: tuple[Because, ...]
    other_rules: str
    """ "and 2 other rules", or empty."""
    excerpt: tuple[Piece, ...]
    summary: str
    """What a source's machine made of the abstract, where the operator wants it; always marked as such."""
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """Entries under one label, which is empty for the one ranked list."""

    label: str
    entries: tuple[EntryView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreView:
    """What stands behind the cap: a page where there is one, else ``entries`` and how many are left out."""

    text: str
    url: str | None
    entries: tuple[Link, ...]
    rest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpView:
    """What became of one paper that was sent: its facts since then, and its code where that is new."""

    title: str
    url: str | None
    facts: tuple[Fact, ...]
    code: Link | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FooterView:
    checked: str
    health: tuple[str, ...]
    why: str
    subscription: str
    rules_url: str | None
    pause_url: str | None
    unsubscribe_url: str
    rules_command: str
    pause_command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView:
    language: str
    subject: str
    heading: str
    """For Slack's header: the subject without labels."""
    preheader: str
    date: str
    found: str
    period: str
    """From when to when, where the digest stands for more than its usual day; else empty."""
    next: str
    notices: tuple[str, ...]
    """Sentences that come before the entries: late, honest silence, rules that no longer parse."""
    more: MoreView | None
    follow_ups: tuple[FollowUpView, ...]
    other_follow_ups: str
    """ "and 3 others", or empty."""
    footer: FooterView


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterView:
    """A letter; what its kind does not have is empty."""

    language: str
    subject: str
    to: str
    site: str
    """The name that the mails come from."""
    link: str | None
    press: str
    """What the link does, for its button."""
    until: str
    """Until when the link works, in the reader's zone."""
    why: str
    """Why this mail was sent, and whom to ask."""
    summary: str
    reason: str
    channel: str
    subscription: str
