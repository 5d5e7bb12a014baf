from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
from pydantic import SecretStr

from notifier.errors import Refused
from notifier.model import Address, Cadence, Every, Evidence, Gap, GapReason, Health, Reason, SourceHealth
from notifier.render import Composer, Links
from notifier.render.mail import HTML_LIMIT
from notifier.render.text import columns
from notifier.tokens import NO_KEYS, UNSUBSCRIBE, Keys, sign
from tests.builders import rule
from tests.render.reading import html, mail, page, parsed, text
from tests.render.samples import DUE, NOW, digest, entry, found, german, subscription

WEB = Links(
    base_url="https://papers.example.org",
    sender="Papers <papers@example.org>",
    contact="operator@example.org",
    keys=Keys(SecretStr("k")),
)


def test_subject_counts_papers_and_names_the_labels_that_brought_most() -> None:
    items = [found(entry(1)), found(entry(2)), found(entry(3), "policy", rule="r_p", label="policies")]
    assert mail(digest(*items))["Subject"] == "3 papers · legs, policies · Tue 16 Dec"


def test_mail_carries_the_headers_of_a_list_that_can_be_left_with_one_click() -> None:
    message = mail(digest(), WEB)
    token = sign(Keys(SecretStr("k")), UNSUBSCRIBE, "s_7h2k9q")
    assert message["From"] == "Papers <papers@example.org>"
    assert message["To"] == "Ada <ada@example.org>"
    assert message["Message-ID"] == "<d_4m8x1c.2025-12-16@example.org>"
    assert message["List-Id"] == "<s_7h2k9q.notifier.example.org>"
    assert message["List-Unsubscribe"] == (
        f"<https://papers.example.org/u/{token}>, <mailto:operator@example.org?subject=unsubscribe%20s_7h2k9q>"
    )
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(message["Date"]) == NOW
    assert message.get_content_type() == "multipart/alternative"


def test_list_unsubscribe_stands_on_one_line_unencoded() -> None:
    links = replace(WEB, base_url="https://papers.example.org/" + "long/" * 40)
    (raw,) = Composer(links=links).render(digest(), "email", now=NOW).parts
    (line,) = [line for line in raw.split(b"\r\n") if line.startswith(b"List-Unsubscribe:")]
    assert line.endswith(b"s_7h2k9q>") and b"=?" not in line


def test_without_web_pages_the_mail_names_commands_and_a_mailto_link_only() -> None:
    message = mail(digest())
    assert message["List-Unsubscribe"] == "<mailto:notifier@localhost?subject=unsubscribe%20s_7h2k9q>"
    assert message["List-Unsubscribe-Post"] is None
    assert "notifier rule list s_7h2k9q" in page(html(message)).words
    assert "Unsubscribe: mailto:notifier@localhost?subject=unsubscribe%20s_7h2k9q" in text(message)


def test_a_base_url_without_a_secret_offers_no_one_click_link_that_anyone_could_forge() -> None:
    message = mail(digest(), replace(WEB, keys=NO_KEYS))
    assert message["List-Unsubscribe-Post"] is None
    assert "/u/" not in html(message)


def test_the_same_digest_gives_the_same_bytes() -> None:
    first, second = (Composer(links=WEB).render(digest(), "email", now=NOW) for _ in range(2))
    assert first == second


def test_lines_end_in_crlf_and_stay_under_998_bytes() -> None:
    item = found(entry(abstract="x" * 5000, url="https://example.org/" + "y" * 1900))
    (raw,) = Composer(links=WEB).render(digest(item), "email", now=NOW).parts
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(b"\n" in line or b"\r" in line for line in lines)


def test_an_entry_shows_people_categories_day_votes_and_comments() -> None:
    shown = page(html(mail(digest()))).words
    assert "Lovelace, van der Berg, Hopper and 2 more · cs.RO, cs.LG · 14 Dec · ▲ 35 · 2 comments" in shown


def test_fifty_authors_become_three_and_47_more() -> None:
    item = found(entry(authors=tuple(f"Ada Author{n}" for n in range(50))))
    assert "Author0, Author1, Author2 and 47 more" in text(mail(digest(item)))


def test_an_organisation_stands_for_the_authors() -> None:
    shown = text(mail(digest(found(entry(organization="Google")))))
    assert "Google · cs.RO" in shown and "Lovelace" not in shown


def test_a_bare_number_of_authors_is_said() -> None:
    assert "15 authors ·" in text(mail(digest(found(entry(authors=(), num_authors=15)))))


def test_absent_values_leave_no_holes() -> None:
    bare = found(
        entry(
            abstract="", authors=(), categories=(), published_at=None, url=None, pdf_url=None, code_url=None, upvotes=0,
            comments=None,
        )
    )  # fmt: skip
    shown = html(mail(digest(bare)))
    assert "Falling Well, Part 1" in shown
    assert not any(f'class="{name}"' in shown for name in ("facts", "cut", "links"))


def test_because_names_the_rule_and_what_it_found_where() -> None:
    evidence = (
        Evidence(field="title", spans=((0, 7),), text="Falling"),
        Evidence(field="abstract", spans=((20, 28),), text="falling"),
        Evidence(field="abstract", spans=((30, 38),), text="humanoid"),
        Evidence(field="categories", text="cs.RO"),
        Evidence(field="upvotes", text="upvotes 35 (at least 20)"),
    )
    item = replace(found(entry()), reasons=(Reason(rule_id="r", label="", query="falling", evidence=evidence),))
    assert (
        "because “falling”: Falling in the title; humanoid in the abstract; category cs.RO; upvotes 35 (at least 20)"
        in page(html(mail(digest(item)))).words
    )


def test_more_than_two_rules_are_counted() -> None:
    reasons = tuple(Reason(rule_id=f"r{n}", label=f"rule {n}", query="x") for n in range(4))
    shown = page(html(mail(digest(replace(found(entry()), reasons=reasons))))).words
    assert "because “rule 0”; “rule 1” and 2 other rules" in shown


def test_matched_words_are_marked_in_html_and_text() -> None:
    message = mail(digest())
    assert '<mark class="mark" style="' in html(message) and ">humanoid</mark>" in html(message)
    assert "*humanoid*" in text(message)


def test_tex_in_titles_is_readable() -> None:
    assert "α-PIP² Net" in text(mail(digest(found(entry(title=r"$\alpha$-PIP$^2$ \textbf{Net}")))))


def test_text_lines_fit_into_72_columns() -> None:
    items = [
        found(entry(n, title="A Very Long Title " * 9, authors=("Wolfeschlegelsteinhausen " * 3,))) for n in (1, 2)
    ]
    more = tuple(found(entry(n, title="Another Very Long Title " * 5)) for n in range(3, 50))
    lines = text(mail(digest(*items, more=more, late=True))).splitlines()
    assert all(columns(line) <= 72 or "http" in line or "mailto:" in line for line in lines)


def test_two_digests_have_the_same_structure() -> None:
    one, two = (page(html(mail(digest(found(entry(n)), found(entry(n + 1))), WEB))) for n in (1, 5))
    assert one.tags == two.tags


def test_html_needs_no_pictures_scripts_or_remote_files() -> None:
    tags = page(html(mail(digest(), WEB))).tags
    assert not {"img", "script", "link", "iframe", "form"} & set(tags)


def test_html_is_readable_by_a_screen_reader() -> None:
    elements = page(html(mail(digest(), WEB))).elements
    assert [attributes["lang"] for tag, attributes in elements if tag == "html"] == ["en"]
    assert [tag for tag, _ in elements if tag in ("h1", "h2", "h3")] == ["h1", "h2", "h3"]
    assert all(attributes.get("role") == "presentation" for tag, attributes in elements if tag == "table")
    assert any(attributes.get("aria-label") == "35 votes" for _, attributes in elements)


def test_html_has_its_styles_on_the_elements_and_keeps_the_dark_ones() -> None:
    shown = html(mail(digest()))
    assert "@media (prefers-color-scheme: dark)" in shown
    assert 'class="title" href="https://arxiv.org/abs/2512.00001" style="color: #0b57d0' in shown


def test_two_hundred_long_entries_stay_under_the_limit_and_none_is_lost() -> None:
    items = [
        found(entry(n, abstract="A humanoid falls. " * 300, title=f"Paper {n:03} " + "x" * 250)) for n in range(200)
    ]
    message = mail(digest(*items, checked=900), WEB)
    shown = page(html(message))
    in_full = sum(tag == "h3" for tag in shown.tags)
    assert len(html(message).encode()) <= HTML_LIMIT
    assert in_full > 20
    assert f"+ {200 - in_full} more in this digest" in shown.words
    assert "200 of 900 new papers" in shown.words


def test_more_is_a_link_where_pages_are_served() -> None:
    message = mail(digest(found(entry()), more=(found(entry(2)), found(entry(3)))), WEB)
    assert '<a class="link" href="https://papers.example.org/d/d_4m8x1c"' in html(message)
    assert "+ 2 more in this digest" in text(message)
    assert "Part 2" not in text(message)


def test_more_lists_thirty_titles_where_no_page_is_served() -> None:
    more = tuple(found(entry(n)) for n in range(2, 44))
    shown = text(mail(digest(found(entry()), more=more)))
    assert "Part 31" in shown and "Part 32" not in shown
    assert "and 12 others: notifier deliveries" in shown


def by_rule(*counts: int) -> list[object]:
    return [
        found(entry(10 * rule + n), rule=f"r{rule}", label=f"rule {rule}")
        for rule, count in enumerate(counts)
        for n in range(count)
    ]


def headings(*items: object) -> list[str]:
    shown = html(mail(digest(*items)))  # type: ignore[arg-type]
    return [line.split(">")[1].split("<")[0] for line in shown.splitlines() if line.startswith('<h2 class="group"')]


def test_four_rules_group_the_entries_with_the_most_specific_first() -> None:
    assert headings(*by_rule(3, 1, 4, 2)) == ["rule 1", "rule 3", "rule 0", "rule 2"]


def test_three_rules_make_one_ranked_list() -> None:
    assert headings(*by_rule(3, 1, 4)) == []


def test_footer_says_how_many_were_checked_and_when_each_source_answered() -> None:
    assert (
        "112 papers checked from 2 sources (Mon 15 Dec 08:00 – Tue 16 Dec 08:00 CET). arXiv answered at 06:00 CET."
        in page(html(mail(digest()))).words
    )


def failing(since: datetime) -> SourceHealth:
    return SourceHealth(name="arxiv", title="arXiv", last_success_at=since, health=Health.FAILING, since=since)


@pytest.mark.parametrize(
    ("back", "said"),
    [
        (timedelta(hours=2), "arXiv has not answered since 06:00 CET."),
        (timedelta(days=3), "arXiv has not answered since Saturday."),
        (timedelta(days=20), "arXiv has not answered since 26 November."),
    ],
)
def test_a_source_that_fails_is_named_with_the_time_since(back: timedelta, said: str) -> None:
    assert said in page(html(mail(digest(sources=(failing(DUE - back),))))).words


def empty(**fields: object) -> str:
    return page(html(mail(replace(digest(), items=(), **fields)))).words  # type: ignore[arg-type]


def test_the_three_silences_are_three_sentences() -> None:
    assert "Nothing matched: 112 new papers, none for your rules." in empty()
    assert "No new papers were announced." in empty(checked=0)
    broken = empty(checked=0, sources=(failing(DUE - timedelta(days=3)),))
    assert "arXiv has not answered since Saturday. There may be new papers that could not be read." in broken


def test_an_empty_digest_says_so_in_its_subject() -> None:
    assert mail(replace(digest(), items=()))["Subject"] == "Nothing new · Tue 16 Dec"


def test_a_late_digest_says_from_when_it_reaches() -> None:
    shown = page(html(mail(digest(late=True, period_start=DUE - timedelta(days=3))))).words
    assert "stands for everything since Saturday 13 December, 08:00 CET." in shown
    assert "Sat 13 Dec 08:00 – Tue 16 Dec 08:00 CET" in shown


def test_a_rule_that_no_longer_parses_is_named() -> None:
    broken = rule("robots AND (", broken="a bracket is not closed (column 12)")
    shown = " ".join(text(mail(digest(warnings=(broken,)))).split())
    assert "The rule “robots AND (” no longer parses and is left out until it is mended: a bracket is not" in shown


def test_a_digest_that_has_only_broken_rules_to_tell_says_so_in_its_subject() -> None:
    broken = rule("robots AND (", broken="a bracket is not closed")
    notice = replace(digest(warnings=(broken, broken), blind=True), items=())
    assert mail(notice)["Subject"] == "2 rules to be mended · Tue 16 Dec"
    shown = page(html(mail(notice))).words
    assert "No rule that includes papers can be read, so none were looked for." in shown
    assert "Nothing matched" not in shown and "No papers were checked" in shown


def test_of_many_broken_rules_the_first_are_named_and_the_others_counted() -> None:
    broken = tuple(rule(f"robots{n} (", broken="open bracket") for n in range(8))
    shown = page(html(mail(digest(warnings=broken)))).words
    assert ("robots4 (" in shown, "robots5 (" in shown, "3 more rules do not parse." in shown) == (True, False, True)


def test_footer_says_why_and_for_which_address() -> None:
    weekly = subscription(cadence=Cadence(every=Every.WEEKLY))
    shown = page(html(mail(digest(subscription=weekly)))).words
    assert "You get this because ada@example.org has a weekly digest here (s_7h2k9q)." in shown


def test_an_hourly_digest_names_its_hour() -> None:
    hourly = subscription(cadence=Cadence(every=Every.HOURLY))
    assert mail(digest(subscription=hourly))["Subject"].endswith("Tue 16 Dec, 08:00")


def test_a_publication_day_does_not_move_with_the_readers_zone() -> None:
    item = found(entry(published_at=datetime(2024, 12, 14, 23, 30, tzinfo=UTC)))
    assert "14\u00a0Dec\u00a02024" in text(mail(digest(item)))


def test_mail_goes_to_the_subscriptions_own_address_with_its_domain_in_punycode() -> None:
    elsewhere = subscription(address=Address(kind="email", target="leser@bücher.example"))
    message = Composer(links=WEB).render(digest(subscription=elsewhere), "email", now=NOW)
    assert message.target == "leser@xn--bcher-kva.example"
    assert parsed(message)["To"] == "Ada <leser@xn--bcher-kva.example>"
    assert message.sender == "papers@example.org"


@pytest.mark.parametrize("target", ["nobody", "a@b\r\nBcc: x@y", "a@b, c@d", "<a@b>", "a b@c"])
def test_a_target_that_is_no_address_is_refused(target: str) -> None:
    elsewhere = subscription(address=Address(kind="email", target=target))
    with pytest.raises(Refused, match="s_7h2k9q goes to"):
        mail(digest(subscription=elsewhere))


def test_an_address_that_needs_smtputf8_is_written_as_it_is() -> None:
    elsewhere = subscription(address=Address(kind="email", target="jürgen@example.org"))
    (raw,) = Composer(links=WEB).render(digest(subscription=elsewhere), "email", now=NOW).parts
    assert "To: Ada <jürgen@example.org>\r\n".encode() in raw


def test_an_entry_is_rendered_once_for_all_subscribers() -> None:
    composer = Composer(links=WEB)
    first = digest(subscription=subscription(subscriber={"email": "a@example.org"}))
    reason = replace(first.items[0].reasons[0], rule_id="r_of_somebody_else", version=7)
    second = replace(
        first,
        subscription=subscription(subscriber={"email": "b@example.org"}),
        items=(replace(first.items[0], reasons=(reason,)),),
    )
    for each in (first, second):
        composer.render(each, "email", now=NOW)
    formats = composer._format("email", "en")
    assert formats._entry.cache_info().hits == 1  # type: ignore[attr-defined]


def health(health: Health, since: datetime | None = DUE - timedelta(days=3), **fields: object) -> SourceHealth:
    base = SourceHealth(name="arxiv", title="arXiv", last_success_at=DUE, health=health, since=since)
    return replace(base, **fields)  # type: ignore[arg-type]


GAP = Gap(
    id="g_1",
    source="arxiv",
    first=date(2025, 12, 11),
    last=date(2025, 12, 14),
    reason=GapReason.MISSED,
    found_at=DUE,
)


@pytest.mark.parametrize(
    ("source", "english", "german_words"),
    [
        (health(Health.FRESH), "arXiv answered at 08:00 CET.", "arXiv hat um 08:00 CET geantwortet."),
        (health(Health.QUIET), "arXiv answered at 08:00 CET.", "arXiv hat um 08:00 CET geantwortet."),
        (health(Health.FAILING), "arXiv has not answered since Saturday.", "arXiv antwortet seit Samstag nicht."),
        (health(Health.NOT_READ), "arXiv has not answered yet.", "arXiv hat noch nie geantwortet."),
        (
            health(Health.STALE),
            "arXiv has brought nothing new since Saturday.",
            "arXiv bringt seit Samstag nichts Neues.",
        ),
        (health(Health.STALE, None), "arXiv has brought nothing new yet.", "arXiv hat noch nichts Neues gebracht."),
        (
            health(Health.GONE),
            "arXiv is gone and has not been read since Saturday.",
            "arXiv ist verschwunden und wird seit Samstag nicht gelesen.",
        ),
        (health(Health.NOT_ANNOUNCED), "arXiv announces nothing today.", "arXiv kündigt heute nichts an."),
        (
            health(Health.FRESH, missing=(GAP,)),
            "Papers that arXiv announced (Thu 11 Dec – Sun 14 Dec) are still to come.",
            "Paper, die arXiv angekündigt hat (Do 11. Dez – So 14. Dez), kommen noch.",
        ),
    ],
    ids=lambda value: value.health.name if isinstance(value, SourceHealth) else "",
)
def test_each_state_of_a_source_has_its_sentence(source: SourceHealth, english: str, german_words: str) -> None:
    assert english in page(html(mail(digest(sources=(source,))))).words
    assert english in " ".join(text(mail(digest(sources=(source,)))).split())
    assert german_words in page(html(mail(digest(sources=(source,), subscription=german())))).words


def test_of_many_sources_in_trouble_three_are_named_and_the_others_counted() -> None:
    several = tuple(replace(health(Health.FAILING), name=f"s{n}", title=f"Lab {n}") for n in range(6))
    shown = page(html(mail(digest(sources=(health(Health.FRESH), *several))))).words
    assert "papers checked from 7 sources" in shown
    assert "Lab 2 has not answered since Saturday. 3 more sources cannot be relied on today. arXiv answered" in shown


def test_nothing_announced_nothing_read_and_nothing_matched_are_different_silences() -> None:
    weekend, failing_one = health(Health.NOT_ANNOUNCED), health(Health.FAILING)
    silences = (
        empty(checked=0, sources=(weekend,)),
        empty(checked=0, sources=(failing_one, weekend)),
        empty(checked=143, sources=(weekend,)),
    )
    doubt = "There may be new papers that could not be read."
    assert [doubt in each for each in silences] == [False, True, False]
    assert ["Nothing matched: 143 new papers" in each for each in silences] == [False, False, True]
    assert all("arXiv announces nothing today." in each for each in silences)
    assert not any("No new papers were announced." in each for each in silences)
