from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from notifier.fold import count, fold
from notifier.model import Announce, Entry, Sighting
from notifier.ports import SightedEntry
from tests.builders import NOW, sighting


def folded(*sightings: Sighting, known: Iterable[SightedEntry] = (), baseline: bool = False) -> list[Entry]:
    return [each.entry for each in again(*sightings, known=known, baseline=baseline)]


def again(
    *sightings: Sighting,
    known: Iterable[SightedEntry] = (),
    source: str = "feed",
    baseline: bool = False,
    now: datetime = NOW,
) -> list[SightedEntry]:
    stored = list(known)
    by_key = {key: each.entry for each in stored for key in each.keys}
    told = {each.entry.id: each.sightings for each in stored}
    return fold(sightings, by_key, told, source=source, baseline=baseline, now=now)


def before(*sightings: Sighting, days: int, source: str = "feed", baseline: bool = False) -> list[SightedEntry]:
    return again(*sightings, source=source, baseline=baseline, now=NOW - timedelta(days=days))


def test_a_first_sighting_is_news_now() -> None:
    (made,) = folded(sighting())
    assert (made.first_seen_at, made.new_at, made.sources) == (NOW, NOW, ("feed",))


def test_a_baseline_is_seen_but_is_no_news() -> None:
    (made,) = folded(sighting(), baseline=True)
    assert (made.first_seen_at, made.new_at) == (NOW, None)


def test_a_revision_of_a_paper_never_seen_is_no_news() -> None:
    (made,) = folded(sighting(announce=Announce.REPLACE))
    assert made.new_at is None


def test_what_was_only_in_a_baseline_becomes_news_when_another_source_shows_it() -> None:
    (made,) = folded(sighting(), known=before(sighting(), days=9, source="other", baseline=True))
    assert (made.new_at, made.sources) == (NOW, ("other", "feed"))


def test_a_baseline_shown_again_by_its_own_source_stays_no_news() -> None:
    (made,) = folded(sighting(upvotes=3), known=before(sighting(), days=9, baseline=True))
    assert (made.new_at, made.upvotes) == (None, 3)


def test_news_stays_news_of_its_first_day() -> None:
    (made,) = folded(sighting(upvotes=3), known=before(sighting(), days=2))
    assert made.new_at == NOW - timedelta(days=2)


def test_a_later_version_is_an_update_of_the_entry() -> None:
    (each,) = again(
        sighting(title="B", version=2, announce=Announce.REPLACE), known=before(sighting(version=1), days=2)
    )
    assert (each.known_id, each.changed) == ("arxiv:2512.00001", True)
    assert (each.entry.title, each.entry.version, each.entry.announce) == ("B", 2, None)
    assert each.entry.new_at == NOW - timedelta(days=2)


def test_sightings_linked_by_a_third_are_one_entry() -> None:
    made = folded(
        sighting(1, keys=("arxiv:2512.00001",)),
        sighting(2, keys=("doi:10.1/x",), id="doi:10.1/x"),
        sighting(3, keys=("arxiv:2512.00001", "doi:10.1/x"), id="arxiv:2512.00001"),
    )
    assert [each.id for each in made] == ["arxiv:2512.00001"]


def test_a_stronger_name_renames_the_stored_entry() -> None:
    old = before(sighting(1, id="feed:1", keys=("feed:1",)), days=1)
    (each,) = again(sighting(1, keys=("arxiv:2512.00001", "feed:1")), known=old, source="arxiv")
    assert (each.known_id, each.entry.id, each.changed) == ("feed:1", "arxiv:2512.00001", True)


def test_of_sightings_stored_before_only_those_that_moved_are_written() -> None:
    old = before(sighting(), days=1, source="other")
    (each,) = again(sighting(), known=old)
    assert [one.source for one in each.sightings] == ["feed"]


def test_counts_tell_new_updated_and_unchanged_apart() -> None:
    counts = count(
        again(sighting(1), sighting(2), sighting(3, upvotes=5), known=before(sighting(2), sighting(3), days=1))
    )
    assert (counts.new, counts.updated, counts.unchanged) == (1, 1, 1)


def test_only_votes_comments_and_stars_make_an_entry_grow() -> None:
    old = before(sighting(1, upvotes=3), sighting(2, upvotes=3), sighting(3), days=1)
    grown = again(sighting(1, upvotes=5), sighting(2, upvotes=3, title="B"), sighting(3, title="B"), known=old)
    assert [each.grew for each in grown] == [True, False, False]


@given(st.permutations([("arxiv:1", "a"), ("a", "b"), ("b", "c"), ("z",)]))
def test_grouping_does_not_depend_on_order(keys: list[tuple[str, ...]]) -> None:
    made = folded(*(sighting(i, keys=each, id=each[0]) for i, each in enumerate(keys)))
    assert len(made) == 2
