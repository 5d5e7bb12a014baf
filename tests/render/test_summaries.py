"""Summaries that a machine wrote: only where the operator wants them, and never without saying so."""

import json

import pytest

from notifier.render import Composer, Links
from tests.render.reading import html, parsed, text, texts
from tests.render.samples import NOW, digest, entry, found, german

SUMMARY = "A policy for <b>falling</b> humanoids."
ITEM = found(entry(extra=json.dumps({"ai_summary": SUMMARY})))
WITH = Composer(links=Links(), summaries=True)


def test_a_mail_shows_them_marked_and_escaped() -> None:
    message = parsed(WITH.render(digest(ITEM), "email", now=NOW))
    assert f"AI summary: {SUMMARY}" in text(message)
    assert "AI summary: A policy for &lt;b&gt;falling&lt;/b&gt; humanoids." in html(message)


def test_slack_shows_them_marked() -> None:
    (part,) = WITH.render(digest(ITEM), "slack", now=NOW).parts
    assert any("AI summary: A policy" in each for each in texts(json.loads(part)))


def test_in_german_they_are_marked_in_german() -> None:
    assert "KI-Zusammenfassung: A policy" in text(
        parsed(WITH.render(digest(ITEM, subscription=german()), "email", now=NOW))
    )


@pytest.mark.parametrize(
    ("composer", "item"),
    [(Composer(links=Links()), ITEM), (WITH, found(entry())), (WITH, found(entry(extra='{"ai_summary": 7}')))],
)
def test_without_the_setting_or_a_summary_nothing_is_said(composer: Composer, item: object) -> None:
    message = parsed(composer.render(digest(item), "email", now=NOW))  # type: ignore[arg-type]
    assert "AI summary" not in text(message) + html(message)
