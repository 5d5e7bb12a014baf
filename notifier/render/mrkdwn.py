"""Slack's own markup: escape what comes from outside, link, and cut where nothing is torn apart.

Slack asks for ``& < >`` only (https://docs.slack.dev/messaging/formatting-message-text). With ``<`` gone, no
``<!channel>``, ``<@U…>`` or link can come from a title; blocks are sent ``verbatim``, so ``@here`` stays text as well.
"""

from __future__ import annotations

import re

from notifier.render.text import LONGEST_URL, web_url

_UNIT = re.compile(r"<[^<>]*>|&(?:amp|lt|gt);|[\s\S]")


class Mrkdwn(str):
    """Text that is markup already and must not be escaped again."""

    __slots__ = ()


def escape(value: object) -> Mrkdwn:
    """Escape ``value`` unless it is markup; also Jinja's ``finalize``, so that templates cannot forget it."""
    if isinstance(value, Mrkdwn):
        return value
    return Mrkdwn(str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def link(text: str, url: str | None) -> Mrkdwn:
    """``<url|text>``; the text alone where there is no http(s) address."""
    # A bar ends the address, and angle brackets end the link: percent-encode them there.
    address = (web_url(url) or "").replace("|", "%7C").replace("<", "%3C").replace(">", "%3E")
    target, label = escape(address), escape(text.replace("|", "¦"))
    if not target or not label or len(target) > LONGEST_URL:
        return label
    return Mrkdwn(f"<{target}|{label}>")


def strong(text: str) -> Mrkdwn:
    """Bold, where Slack would show it: its stars need something inside, and none of their own kind."""
    bare = text.strip()
    if not bare or "*" in bare:
        return Mrkdwn(escape(text))
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return Mrkdwn(f"{before}*{escape(bare)}*{after}")


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters, never ending inside a link or an entity."""
    if len(text) <= limit:
        return text
    kept, used = [], 0
    for unit in _UNIT.findall(text):
        if used + len(unit) > limit - 1:
            break
        kept.append(unit)
        used += len(unit)
    return "".join(kept).rstrip() + "…"
