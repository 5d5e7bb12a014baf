from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.matching import Groups, Index, evaluate, fanout, parse, select
from tests.matching.strategies import NOW

ENTRIES, RULES = 150, 4
_bits = st.sets(st.integers(0, ENTRIES - 1), max_size=60)
_numbers = st.lists(st.integers(0, RULES - 1), max_size=3)


def _row(positions: set[int]) -> list[int]:
    words = [0] * -(-ENTRIES // 64)
    for position in positions:
        words[position >> 6] |= 1 << (position & 63)
    return words


@settings(max_examples=100)
@given(
    st.lists(_bits, min_size=RULES, max_size=RULES),
    st.lists(st.tuples(_numbers, _numbers, _bits, st.integers(0, 1)), max_size=9),
    _bits,
    st.none() | st.integers(0, 5),
)
def test_selection_is_include_without_mute_in_window_not_seen(
    rules: list[set[int]],
    subscriptions: list[tuple[list[int], list[int], set[int], int]],
    window: set[int],
    limit: int | None,
) -> None:
    whole = set(range(ENTRIES))
    windows = [whole, window]
    found = select(
        np.array([_row(rule) for rule in rules], np.uint64),
        Groups.of([include for include, *_ in subscriptions]),
        Groups.of([mute for _, mute, *_ in subscriptions]),
        seen=Groups.of([sorted(seen) for *_, seen, _ in subscriptions]),
        windows=np.array([_row(each) for each in windows], np.uint64),
        window_of=np.array([number for *_, number in subscriptions], np.int32),
        limit=limit,
    )
    for number, (include, mute, seen, inside) in enumerate(subscriptions):
        wanted = set().union(*(rules[each] for each in include)) - set().union(*(rules[each] for each in mute))
        expected = sorted((wanted & windows[inside]) - seen)
        members = found.members[found.indptr[number] : found.indptr[number + 1]].tolist()
        assert members == (expected if limit is None else expected[:limit])
        assert found.counts[number] == len(expected)


def test_blocks_of_subscriptions_give_what_one_block_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.array([_row({1, 70}), _row({2})], np.uint64)
    include = Groups.of([[0], [1], [], [0, 1]] * 50)
    mute = Groups.of([[]] * 200)
    at_once = select(rows, include, mute)
    monkeypatch.setattr(fanout, "_CELLS", 20)
    in_blocks = select(rows, include, mute)
    assert at_once.members.tolist() == in_blocks.members.tolist()
    assert at_once.indptr.tolist() == in_blocks.indptr.tolist()


def test_nothing_to_choose_from_gives_nothing() -> None:
    rows = evaluate(Index([], now=NOW), [parse("x"), parse("-x")])
    assert rows.shape == (2, 0)
    found = select(rows, Groups.of([[0], [1]]), Groups.of([[], []]))
    assert found.indptr.tolist() == [0, 0, 0]
    assert found.counts.tolist() == [0, 0]
