from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from notifier.model import DigestFollowUp, Earlier, FollowUp, FollowUpKind, Growth, Subscription
from notifier.render.followups import LISTED_FOLLOW_UPS
from notifier.render.mail import HTML_LIMIT
from tests.render.reading import html, mail, page, slack, text, texts
from tests.render.samples import DUE, digest, entry, found, german

MONDAY = DUE - timedelta(days=1)
VERSION, CODE, VOTES = FollowUpKind.VERSION, FollowUpKind.CODE, FollowUpKind.VOTES


def told(number: int, kind: FollowUpKind, value: str, *, since: Any = MONDAY, **counts: int) -> DigestFollowUp:
    paper = entry(number)
    what = FollowUp(entry_id=paper.id, kind=kind, value=value, since=since, **counts)
    return DigestFollowUp(entry=paper, what=what)


THREE = (
    told(7, VERSION, "2", before=1, after=2),
    told(7, CODE, "https://code.example.org/x"),
    told(8, VOTES, "100", before=35, after=155),
)


def only(*follow_ups: DigestFollowUp, person: Subscription | None = None) -> Any:
    made = replace(digest(), items=(), follow_ups=follow_ups)
    return replace(made, subscription=person) if person else made


def threads(one: Any, reference: str) -> set[str | None]:
    earlier = Earlier(followed=(("d_before", "2025-12-14"),), reference=reference)
    return {each.get("thread_ts") for each in slack(replace(one, earlier=earlier))}


def test_in_slack_it_is_said_in_the_thread_of_the_message_that_had_the_paper() -> None:
    assert threads(only(*THREE), "1766000000.000100") == {"1766000000.000100"}


def test_beside_new_papers_or_where_a_message_has_no_thread_it_is_said_in_the_channel() -> None:
    assert threads(digest(follow_ups=THREE), "1766000000.000100") == {None}
    assert threads(only(*THREE), "") == threads(only(*THREE), "webhook:0") == {None}


def test_what_became_of_a_paper_is_one_line_with_its_link() -> None:
    shown = text(mail(digest(follow_ups=THREE))).replace("\r\n", "\n")
    assert "Since then\n\nFalling Well, Part 7 · version 2\nhttps://arxiv.org/abs/2512.00007\n" in shown
    assert "Code: https://code.example.org/x\n" in shown
    assert "\nFalling Well, Part 8 · ▲\u00a0155 (+120 since Monday)\n" in shown


def test_the_section_stands_between_the_entries_and_the_foot() -> None:
    for shown in (
        page(html(mail(digest(follow_ups=THREE)))).words,
        "\n".join(texts(slack(digest(follow_ups=THREE))[0])),
    ):
        entries, since, foot = (shown.index(each) for each in ("Part 1", "Since then", "112 papers checked"))
        assert entries < since < foot


def test_a_mail_links_the_paper_and_the_code_and_speaks_votes() -> None:
    found = page(html(mail(digest(follow_ups=THREE))))
    assert {"https://arxiv.org/abs/2512.00007", "https://code.example.org/x"} <= set(found.hrefs)
    assert "155 votes (+120 since Monday)" in [attributes.get("aria-label") for _, attributes in found.elements]


def test_slack_shows_a_line_each() -> None:
    (section,) = [each for each in texts(slack(digest(follow_ups=THREE))[0]) if each.startswith("Since then")]
    assert section.splitlines()[1:] == [
        "• <https://arxiv.org/abs/2512.00007|Falling Well, Part 7> · version 2 · <https://code.example.org/x|Code>",
        "• <https://arxiv.org/abs/2512.00008|Falling Well, Part 8> · ▲\u00a0155 (+120 since Monday)",
    ]


def test_a_digest_without_follow_ups_says_nothing_of_them() -> None:
    assert "Since then" not in text(mail(digest())) + html(mail(digest()))
    assert "Since then" not in "".join(texts(slack(digest())[0]))


def test_a_digest_of_follow_ups_alone_says_so_in_its_subject() -> None:
    message = mail(only(*THREE))
    assert message["Subject"] == "2 follow-ups · Tue 16 Dec"
    assert "Nothing matched: 112 new papers" in text(message)
    assert page(html(message)).words.count("Falling Well, Part 7 and 1 more") == 1
    assert slack(only(*THREE))[0]["text"] == "2 follow-ups · Tue 16 Dec"


def test_german_follow_ups_are_german() -> None:
    message = mail(only(*THREE, person=german()))
    assert message["Subject"] == "2 Nachträge · Di 16. Dez"
    assert "Seitdem" in text(message) and "▲\u00a0155 (+120 seit Montag)" in text(message)
    assert "Version 2" in "\n".join(texts(slack(only(*THREE, person=german()))[0]))


def test_votes_that_are_long_past_name_the_day() -> None:
    long_ago = told(8, VOTES, "100", since=DUE - timedelta(days=20), before=35, after=155)
    assert "(+120 since 26 November)" in text(mail(only(long_ago)))


def test_many_follow_ups_are_counted_and_the_mail_stays_within_its_limit() -> None:
    address = "https://example.org/" + "a&" * 900
    many = [told(n, CODE, address + str(n)) for n in range(40)]
    long = [replace(each, entry=replace(each.entry, url=address, title="<&" * 200)) for each in many]
    message = mail(digest(*(found(entry(n)) for n in range(60)), follow_ups=tuple(long)))
    assert len(html(message).encode()) <= HTML_LIMIT
    assert f"and {40 - LISTED_FOLLOW_UPS} others" in text(message)


def test_a_hostile_address_of_code_becomes_no_link() -> None:
    hostile = told(7, CODE, "javascript:alert(1)")
    assert "javascript" not in html(mail(only(hostile))) + text(mail(only(hostile)))
    assert "javascript" not in str(slack(only(hostile)))


def test_an_entry_that_comes_late_says_how_it_grew() -> None:
    late = replace(found(entry(upvotes=155)), growth=Growth(gained=120, since=MONDAY, today=DUE))
    assert "▲\u00a0155 (+120 since Monday) · 2\u00a0comments" in text(mail(digest(late))).replace("\r\n", " ")
    assert "▲\u00a0155 (+120 since Monday)" in "".join(texts(slack(digest(late))[0]))
    assert "▲ 155 (+120 seit Montag)" in page(html(mail(digest(late, subscription=german())))).words
