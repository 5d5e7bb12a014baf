"""Many sayings, one entry."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.collect import absorb
from notifier.identity import canonical_categories, canonical_keywords, extra_text
from notifier.merging import PRECEDENCE, kept, merged
from notifier.model import Announce, Entry, Saying, Sighting
from notifier.store import SqliteStore

DAY = datetime(2025, 12, 1, tzinfo=UTC)


def said(day: int = 0, **given: Any) -> Saying:
    return Saying(at=DAY + timedelta(days=day), entry=Entry(**{"id": "", "title": "A"} | given))


def entry(**sources: list[Saying] | Saying) -> Entry:
    return merged(
        "arxiv:2512.01234", {name: [each] if isinstance(each, Saying) else each for name, each in sources.items()}
    )


def test_every_field_that_a_source_can_tell_has_its_precedence() -> None:
    kept_elsewhere = {"id", "sources", "first_seen_at", "new_at", "announce"}
    assert {field.name for field in fields(Entry)} - kept_elsewhere == PRECEDENCE.keys()


def test_the_richer_field_wins_whoever_said_it_when() -> None:
    one = said(abstract="Short.", authors=("A B",), organization="Labs")
    two = said(1, abstract="Much longer.", authors=("A B", "C D"), code_url="https://x.org/c")
    for both in (entry(x=one, y=two), entry(x=two, y=one)):
        assert (both.abstract, both.authors) == ("Much longer.", ("A B", "C D"))
        assert (both.organization, both.code_url) == ("Labs", "https://x.org/c")


def test_a_source_corrects_itself_but_never_shortens_an_abstract_within_a_version() -> None:
    before = said(title="A tpyo in the title", abstract="Long enough.", url="https://x.org/a")
    now = said(1, title="A title", abstract="Short.", url="https://x.org/a-longer-one")
    corrected = entry(lab=[before, now])
    assert (corrected.title, corrected.abstract, corrected.url) == (
        "A title",
        "Long enough.",
        "https://x.org/a-longer-one",
    )


def test_a_newer_version_may_shorten_an_abstract_but_not_leave_it_out() -> None:
    known = said(abstract="A long abstract.", version=1)
    assert entry(x=[known, said(1, abstract="Short.", version=2)]).abstract == "Short."
    assert entry(x=[known, said(1, version=2)]).abstract == "A long abstract."
    assert entry(x=known, y=said(1, abstract="Short.")).abstract == "A long abstract."


def test_an_older_version_takes_nothing_back_even_where_it_is_said_later() -> None:
    later = said(1, title="An older title", abstract="Still useful.", version=1)
    both = entry(x=[said(title="New", version=2), later])
    assert (both.title, both.abstract, both.version) == ("New", "Still useful.", 2)


def test_an_old_answer_that_arrives_late_does_not_overwrite() -> None:
    assert entry(x=[said(5, upvotes=35), said(1, upvotes=9)]).upvotes == 35


def test_counts_take_what_was_said_last_and_the_page_where_people_vote_before_all() -> None:
    counted = entry(x=said(upvotes=9, comments=3, stars=1), y=said(1, upvotes=7, comments=0))
    assert (counted.upvotes, counted.comments, counted.stars) == (7, 0, 1)
    assert entry(huggingface=said(upvotes=9), dump=said(4, upvotes=2)).upvotes == 9


def test_arxivs_primary_category_leads_and_the_others_are_united() -> None:
    feed, arxiv = said(categories=("robots", "cs.AI")), said(1, categories=("cs.LG", "cs.AI"))
    assert entry(blog=feed, arxiv=arxiv).categories == ("cs.LG", "cs.AI", "robots")
    assert entry(blog=feed, other=said(categories=("cs.RO",))).categories[0] == "cs.RO"


def test_arxivs_page_is_the_address_of_a_paper() -> None:
    arxiv, other = said(url="https://arxiv.org/abs/2512.01234"), said(1, url="https://x.org/a")
    assert entry(x=arxiv, y=other).url == entry(x=other, y=arxiv).url == arxiv.entry.url


def test_extra_is_united() -> None:
    both = entry(x=said(extra='{"a":1,"b":"x"}'), y=said(extra='{"b":"longer","c":null}'))
    assert json.loads(both.extra) == {"a": 1, "b": "longer", "c": None}


def test_of_a_source_that_repeats_itself_one_saying_is_kept() -> None:
    repeated = [said(day, upvotes=day, abstract="Same.") for day in range(50)]
    assert kept(repeated) == (repeated[-1],)


words = st.sampled_from(["", "a", "b", "long", "words", "Long"])
dates = st.none() | st.integers(0, 3).map(lambda days: DAY + timedelta(days=days))
links = st.sampled_from([None, "https://x.org/a", "http://x.org/bb", "https://arxiv.org/abs/2512.01234"])
lists = st.lists(st.sampled_from(["cs.LG", "cs.AI", "robots", "Robots", "math.CO"]), max_size=3)
counts = st.none() | st.integers(0, 9)
# Chains of names: a sighting with two of them joins what was apart.
names = st.sampled_from(
    [
        ("doi:10.1/x",),
        ("doi:10.1/y", "lab:1"),
        ("doi:10.1/x", "lab:1"),
        ("lab:1", "lab:2"),
        ("lab:2", "arxiv:2512.01234"),
    ]
)


@dataclass(frozen=True)
class Seen:
    """One sighting in one fetch: ``hour`` is when it was asked for."""

    hour: int
    source: str
    baseline: bool
    sighting: Sighting


@st.composite
def sightings(draw: st.DrawFn) -> Seen:
    keys = draw(names)
    extra = draw(st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 12) | words, max_size=2))
    told = Entry(
        id=keys[0],
        title=draw(words) or "t",
        abstract=draw(words),
        authors=tuple(draw(st.lists(words.filter(bool), max_size=2))),
        num_authors=draw(counts),
        organization=draw(words) or None,
        categories=canonical_categories(draw(lists)),
        keywords=canonical_keywords(draw(lists)),
        published_at=draw(dates),
        url=draw(links),
        pdf_url=draw(links),
        code_url=draw(links),
        upvotes=draw(counts),
        comments=draw(counts),
        stars=draw(counts),
        version=draw(st.none() | st.integers(1, 2)),
        extra=extra_text(extra),
    )
    announce = draw(st.none() | st.sampled_from(Announce))
    source = draw(st.sampled_from(["arxiv", "huggingface"]))
    # Whether a fetch is the baseline belongs to the fetch, not to the sighting.
    hour = draw(st.integers(0, 2))
    return Seen(hour, source, hour == 0, Sighting(entry=told, keys=keys, announce=announce))


@cache
def empty_database() -> bytes:
    """Migrated once: this is most of what opening a new one costs."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        SqliteStore(file).close()
        return file.read_bytes()


def after(fetches: list[list[Seen]]) -> dict[str, Any]:
    """Everything that is told of the entries after these fetches, each of one source at one hour."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "merge.db"
        file.write_bytes(empty_database())
        store = SqliteStore(file)
        for fetch in fetches:
            first = fetch[0]
            absorb(
                store,
                [each.sighting for each in fetch],
                source=first.source,
                baseline=first.baseline,
                now=DAY + timedelta(hours=first.hour),
            )
        entries = store.entries.seen(DAY - timedelta(days=1), DAY + timedelta(days=1))
        told = store.entries.sightings([each.id for each in entries])
        keys = store.entries.by_keys(["arxiv:2512.01234", "doi:10.1/x", "doi:10.1/y", "lab:1", "lab:2"])
        found = {
            each.id: (
                each,
                [(one.source, one.first_at, one.last_at, one.announce, one.is_news) for one in told[each.id]],
                store.entries.titles(each.id),
                sorted(key for key, known in keys.items() if known.id == each.id),
            )
            for each in entries
        }
        store.close()
        return found


def fetches(order: list[Seen], cuts: list[bool]) -> Iterator[list[Seen]]:
    """``order`` cut into fetches: where a cut is wished, and where source or hour change."""
    for _, run in itertools.groupby(
        zip(order, itertools.accumulate(cuts), strict=True), key=lambda pair: (pair[0].hour, pair[0].source, pair[1])
    ):
        yield [seen for seen, _ in run]


@settings(max_examples=80)
@given(st.data(), st.lists(sightings(), min_size=1, max_size=6))
def test_any_order_repetition_and_cut_into_fetches_gives_the_same_entries(data: st.DataObject, all: list[Seen]) -> None:
    again = [*all, *data.draw(st.lists(st.sampled_from(all), max_size=4))]
    order = data.draw(st.permutations(again))
    cuts = data.draw(st.lists(st.booleans(), min_size=len(order), max_size=len(order)))
    assert after(list(fetches(order, cuts))) == after([[each] for each in all])


@settings(max_examples=60)
@given(st.lists(sightings(), min_size=2, max_size=5))
def test_within_a_version_an_abstract_never_gets_shorter(all: list[Seen]) -> None:
    told: dict[str, list[Saying]] = {}
    before = Entry(id="", title="")
    for seen in all:
        told.setdefault(seen.source, []).append(Saying(at=DAY, entry=replace(seen.sighting.entry, id="")))
        now = merged("", told)
        assert len(now.abstract) >= len(before.abstract) or (seen.sighting.entry.version or 1) > 1
        before = now


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3), sightings()), max_size=8))
def test_what_is_forgotten_changes_no_choice(all: list[tuple[int, Seen]]) -> None:
    told = [Saying(at=DAY + timedelta(days=day), entry=replace(seen.sighting.entry, id="")) for day, seen in all]
    first = said()
    piecewise: tuple[Saying, ...] = (first,)
    for each in told:
        piecewise = kept((*piecewise, each))
    assert merged("", {"x": piecewise}) == merged("", {"x": [first, *told]})
    assert len(piecewise) <= len(PRECEDENCE)


@settings(max_examples=60)
@given(sightings())
def test_one_saying_is_the_same_as_the_same_said_twice(seen: Seen) -> None:
    saying = Saying(at=DAY, entry=replace(seen.sighting.entry, id=""))
    assert merged("x", {"lab": [saying]}) == merged("x", {"lab": [saying, saying]})
