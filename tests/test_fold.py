from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from notifier.fold import count, fold
from notifier.model import Announce, Entry, Sighting
from tests.builders import NOW, entry, sighting


def folded(*sightings: Sighting, known: dict[str, Entry] | None = None, baseline: bool = False) -> list[Entry]:
    return [each.entry for each in fold(sightings, known or {}, source="feed", baseline=baseline, now=NOW)]


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
    old = entry(sources=("other",), first_seen_at=NOW - timedelta(days=9))
    (made,) = folded(sighting(), known={old.id: old})
    assert (made.new_at, made.sources) == (NOW, ("other", "feed"))


def test_a_baseline_shown_again_by_its_own_source_stays_no_news() -> None:
    old = entry(sources=("feed",), first_seen_at=NOW - timedelta(days=9))
    (made,) = folded(sighting(upvotes=3), known={old.id: old})
    assert (made.new_at, made.upvotes) == (None, 3)


def test_news_stays_news_of_its_first_day() -> None:
    old = entry(sources=("feed",), first_seen_at=NOW - timedelta(days=2), new_at=NOW - timedelta(days=2))
    (made,) = folded(sighting(upvotes=3), known={old.id: old})
    assert made.new_at == NOW - timedelta(days=2)


def test_sightings_linked_by_a_third_are_one_entry() -> None:
    made = folded(
        sighting(1, keys=("arxiv:2512.00001",)),
        sighting(2, keys=("doi:10.1/x",), id="doi:10.1/x"),
        sighting(3, keys=("arxiv:2512.00001", "doi:10.1/x"), id="arxiv:2512.00001"),
    )
    assert [each.id for each in made] == ["arxiv:2512.00001"]


def test_a_stronger_name_renames_the_stored_entry() -> None:
    old = entry(id="feed:1", sources=("feed",), first_seen_at=NOW, new_at=NOW)
    (each,) = fold(
        [sighting(1, keys=("arxiv:2512.00001", "feed:1"))], {"feed:1": old}, source="arxiv", baseline=False, now=NOW
    )
    assert (each.known_id, each.entry.id, each.changed) == ("feed:1", "arxiv:2512.00001", True)


def test_counts_tell_new_updated_and_unchanged_apart() -> None:
    stored = replace(entry(2), sources=("feed",), first_seen_at=NOW, new_at=NOW)
    voted = replace(entry(3), sources=("feed",), first_seen_at=NOW, new_at=NOW)
    known = {stored.id: stored, voted.id: voted}
    counts = count(
        fold([sighting(1), sighting(2), sighting(3, upvotes=5)], known, source="feed", baseline=False, now=NOW)
    )
    assert (counts.new, counts.updated, counts.unchanged) == (1, 1, 1)


@given(st.permutations([("arxiv:1", "a"), ("a", "b"), ("b", "c"), ("z",)]))
def test_grouping_does_not_depend_on_order(keys: list[tuple[str, ...]]) -> None:
    made = folded(*(sighting(i, keys=each, id=each[0]) for i, each in enumerate(keys)))
    assert len(made) == 2
