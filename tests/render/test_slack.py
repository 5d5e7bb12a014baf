import json
from dataclasses import replace
from datetime import timedelta

from pydantic import SecretStr

from notifier.model import Address, Digest, Health, SourceHealth
from notifier.render import Composer, Links
from notifier.render.mrkdwn import cut, escape, link, strong
from notifier.tokens import Keys
from tests.render.reading import slack, texts
from tests.render.samples import NOW, digest, entry, found, subscription

WEB = Links(base_url="https://papers.example.org", keys=Keys(SecretStr("k")))


def channel(*items: object, **fields: object) -> Digest:
    there = subscription(address=Address(kind="slack", target="C024BE91L"))
    return digest(*items, subscription=there, **fields)  # type: ignore[arg-type]


def test_a_message_has_head_entries_and_foot_and_asks_for_no_unfurling() -> None:
    (part,) = slack(channel(), WEB)
    assert part["text"] == "1 paper · legs · Tue 16 Dec"
    assert (part["unfurl_links"], part["unfurl_media"]) == (False, False)
    assert [block["type"] for block in part["blocks"]] == [
        "header", "context", "section", "context", "section", "context", "actions",
    ]  # fmt: skip
    assert texts(part)[:3] == [
        "1 paper · Tue 16 Dec",
        "1 of 112 new papers · s_7h2k9q · next: Wed 17 Dec 08:00 CET",
        "*<https://arxiv.org/abs/2512.00001|Falling Well, Part 1>*",
    ]


def test_meta_and_because_share_one_context_line() -> None:
    (part,) = slack(channel())
    assert texts(part)[3].splitlines()[0].startswith("Lovelace, van der Berg, Hopper and 2 more · cs.RO")
    assert texts(part)[3].splitlines()[-1] == "because “legs”: humanoid in the abstract"


def test_matched_words_are_bold_but_not_inside_a_word() -> None:
    assert "*humanoid*" in texts(slack(channel())[0])[4]
    assert "*" not in texts(slack(channel(found(entry(), "uman")))[0])[4]


def test_parts_are_keyed_by_delivery_and_number() -> None:
    parts = slack(channel(*(found(entry(n)) for n in range(60))))
    assert len(parts) > 1
    assert [part["metadata"] for part in parts] == [
        {"event_type": "notifier_digest", "event_payload": {"delivery": "d_4m8x1c", "part": number}}
        for number in range(len(parts))
    ]
    assert parts[1]["text"].endswith(f"(2/{len(parts)})")


def test_every_part_keeps_the_limits_and_no_entry_is_lost() -> None:
    items = [found(entry(n, title=f"Paper {n:03} " + "&" * 280, abstract="A <humanoid> & " * 200)) for n in range(90)]
    parts = slack(channel(*items, more=tuple(found(entry(n)) for n in range(100, 180))))
    for part in parts:
        assert len(part["blocks"]) <= 45
        assert len(json.dumps(part["blocks"], ensure_ascii=False)) <= 12_000
        assert all(0 < len(text) <= 2_900 for text in texts(part))
    shown = "".join(text for part in parts for text in texts(part))
    assert all(f"Paper {n:03}" in shown for n in range(90))


def test_more_and_rules_are_buttons_where_pages_are_served() -> None:
    (part,) = slack(channel(found(entry()), more=(found(entry(2)),)), WEB)
    assert [(button["text"]["text"], button["url"]) for button in part["blocks"][-1]["elements"]] == [
        ("+ 1 more in this digest", "https://papers.example.org/d/d_4m8x1c"),
        ("Edit rules", "https://papers.example.org/s/s_7h2k9q"),
    ]


def test_more_is_a_list_and_rules_a_command_where_no_page_is_served() -> None:
    (part,) = slack(channel(found(entry()), more=tuple(found(entry(n)) for n in range(2, 44))))
    shown = "\n".join(texts(part))
    assert "• <https://arxiv.org/abs/2512.00031|Falling Well, Part 31>" in shown
    assert "and 12 others: notifier deliveries" in shown
    assert "`notifier rule list s_7h2k9q`" in shown
    assert all(block["type"] != "actions" for block in part["blocks"])


def test_long_digests_have_dividers_and_short_ones_none() -> None:
    few, many = (slack(channel(*(found(entry(n)) for n in range(count))))[0] for count in (3, 9))
    assert not any(block["type"] == "divider" for block in few["blocks"])
    assert any(block["type"] == "divider" for block in many["blocks"])


def test_an_empty_digest_is_a_message_too() -> None:
    (part,) = slack(replace(channel(), items=()))
    assert "Nothing matched: 112 new papers, none for your rules." in texts(part)


def test_the_target_is_the_channel() -> None:
    message = Composer(links=WEB).render(channel(), "slack", now=NOW)
    assert (message.target, message.format) == ("C024BE91L", "slack")


def test_every_markup_text_is_sent_verbatim() -> None:
    (part,) = slack(channel(), WEB)
    objects = [block["text"] for block in part["blocks"] if block["type"] == "section"]
    assert objects and all(each == {"type": "mrkdwn", "text": each["text"], "verbatim": True} for each in objects)


def test_cutting_never_tears_a_link_or_an_entity() -> None:
    text = "ab &amp; <https://example.org|a b> end"
    for limit in range(1, len(text) + 1):
        kept = cut(text, limit)
        assert len(kept) <= limit
        bare = kept.removesuffix("…")
        assert bare.count("<") == bare.count(">")
        assert bare.count("&") == bare.count("&amp;")


def test_a_link_cannot_be_left_from_inside() -> None:
    assert link("a|b>c", "https://example.org/x|y") == "<https://example.org/x%7Cy|a¦b&gt;c>"
    assert link("text", "javascript:alert(1)") == "text"


def test_bold_needs_a_text_without_stars() -> None:
    assert strong(" *PO ") == " *PO "
    assert strong(" a<b ") == " *a&lt;b* "


def test_escaping_is_done_once() -> None:
    assert escape(escape("a & b")) == "a &amp; b"


def test_the_foot_tells_how_sources_are() -> None:
    since = NOW - timedelta(days=3)
    several = (
        SourceHealth(name="arxiv", title="arXiv", last_success_at=NOW, health=Health.NOT_ANNOUNCED),
        SourceHealth(name="lab", title="<lab>", last_success_at=since, health=Health.FAILING, since=since),
    )
    (part,) = slack(channel(sources=several))
    foot = next(each for each in texts(part) if "papers checked from 2 sources" in each)
    assert "&lt;lab&gt; has not answered since Saturday. arXiv announces nothing today." in foot


def test_in_threads_the_first_message_has_head_and_foot_and_the_papers_follow() -> None:
    one = digest(*(found(entry(number)) for number in range(1, 4)))
    whole, threaded = (
        Composer(links=Links(), threads=threads).render(one, "slack", now=NOW) for threads in (False, True)
    )
    first, rest = (json.loads(part) for part in threaded.parts)
    assert len(whole.parts) == 1
    assert first["blocks"][0]["type"] == "header" and "Falling Well" not in json.dumps(first["blocks"])
    assert [f"Part {n}" in json.dumps(rest["blocks"]) for n in (1, 2, 3)] == [True] * 3
    assert len(first["blocks"]) + len(rest["blocks"]) == len(json.loads(whole.parts[0])["blocks"])
