from __future__ import annotations

from pathlib import Path

from notifier import rulecache
from notifier.matching import BROKEN, RuleSet

TEXTS = [f"word{n} model" for n in range(rulecache.WORTH_IT + 1)]


def learned(texts: list[str], topics: dict[str, str] | None = None) -> RuleSet:
    rules = RuleSet(topics)
    rules.rows(texts)
    return rules


def test_many_rules_are_kept_and_known_at_the_next_start(tmp_path: Path) -> None:
    rulecache.refreshed(tmp_path, learned(TEXTS), lambda: TEXTS)
    again = rulecache.load(tmp_path, {})
    assert len(again) == len(TEXTS)
    assert BROKEN not in again.rows(TEXTS)
    assert not again.is_fresh


def test_few_rules_leave_no_file(tmp_path: Path) -> None:
    rulecache.refreshed(tmp_path, learned(TEXTS[:10]), lambda: TEXTS[:10])
    assert not (tmp_path / rulecache.FILE).exists()


def test_rules_that_nobody_has_any_more_are_not_kept(tmp_path: Path) -> None:
    kept = rulecache.refreshed(tmp_path, learned(TEXTS), lambda: TEXTS[:100])
    assert len(kept) == len(rulecache.load(tmp_path, {})) == 100


def test_a_changed_topic_makes_the_kept_rules_useless(tmp_path: Path) -> None:
    texts = [*TEXTS, "topic:tuning"]
    rulecache.refreshed(tmp_path, learned(texts, {"tuning": "one"}), lambda: texts)
    assert len(rulecache.load(tmp_path, {"tuning": "one"})) == len(texts)
    assert len(rulecache.load(tmp_path, {"tuning": "other"})) == 0


def test_a_torn_file_is_as_none(tmp_path: Path) -> None:
    rulecache.refreshed(tmp_path, learned(TEXTS), lambda: TEXTS)
    file = tmp_path / rulecache.FILE
    file.write_bytes(file.read_bytes()[:-100])
    assert len(rulecache.load(tmp_path, {})) == 0


def test_a_folder_that_cannot_be_written_costs_the_cache_and_nothing_else(tmp_path: Path) -> None:
    rules = rulecache.refreshed(tmp_path / "missing", learned(TEXTS), lambda: TEXTS)
    assert BROKEN not in rules.rows(TEXTS)
