"""The mark of a paper that came late."""

from dataclasses import replace

from tests.render.reading import html, mail, page, slack, text, texts
from tests.render.samples import digest, entry, found, german


def test_a_late_paper_is_marked_in_mail_text_and_slack_and_the_others_are_not() -> None:
    both = digest(found(entry()), replace(found(entry(2)), late=True))
    message = mail(both)
    for shown in (page(html(message)).words, text(message), "\n".join(texts(slack(both)[0]))):
        assert shown.count("· late") == 1
        assert shown.index("Part 2") < shown.index("· late")


def test_the_mark_is_german_in_a_german_mail() -> None:
    message = mail(digest(replace(found(entry()), late=True), subscription=german()))
    assert "verspätet" in page(html(message)).words and "verspätet" in text(message)
