"""The bundled topics and packs hold what they promise; a wrong file is named with its place."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from notifier.errors import TopicError
from notifier.library import load_packs, load_topics
from notifier.matching import explain, parse
from notifier.model import Entry, Mode
from notifier.topics import Example, parse_pack, parse_topic, queries

TOPICS = load_topics()
PACKS = load_packs()
QUERIES = queries(TOPICS.values())
NOW = datetime(2025, 12, 24, 8, tzinfo=UTC)
TOPIC = "title: Bees\ndescription: Honeybees.\nquery: bee OR honeybee\n"


def examples(kind: str) -> list[object]:
    return [
        pytest.param(topic.name, example, id=f"{topic.name}-{example.title[:40]}")
        for topic in TOPICS.values()
        for example in getattr(topic, kind)
    ]


def holds(name: str, example: Example) -> bool:
    entry = Entry(id="example", title=example.title, abstract=example.abstract)
    return explain(parse(f"topic:{name}", QUERIES), entry, now=NOW) is not None


@pytest.mark.parametrize(("name", "example"), examples("matches"))
def test_a_topic_matches_the_papers_it_is_about(name: str, example: Example) -> None:
    assert holds(name, example)


@pytest.mark.parametrize(("name", "example"), examples("misses"))
def test_a_topic_misses_the_papers_that_only_sound_like_it(name: str, example: Example) -> None:
    assert not holds(name, example)


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_a_topic_is_complete(topic) -> None:
    assert len(topic.matches) >= 3 and len(topic.misses) >= 2
    assert topic.synonyms
    assert (topic.description.endswith(".") and topic.description.count(". ") == 0) or "Not " in topic.description


def test_topics_have_unique_names_and_titles_and_known_parents() -> None:
    assert len(TOPICS) >= 36
    assert len({topic.title.casefold() for topic in TOPICS.values()}) == len(TOPICS)
    assert {parent for topic in TOPICS.values() for parent in topic.parents} <= set(TOPICS)


def test_no_topic_is_its_own_ancestor() -> None:
    def ancestors(name: str, below: tuple[str, ...]) -> None:
        assert name not in below
        for parent in TOPICS[name].parents:
            ancestors(parent, (*below, name))

    for name in TOPICS:
        ancestors(name, ())


@pytest.mark.parametrize("pack", PACKS.values(), ids=lambda pack: pack.name)
def test_every_rule_of_a_pack_parses_and_some_rule_includes(pack) -> None:
    for rule in pack.rules:
        parse(rule.query, QUERIES)
    assert any(rule.mode is Mode.INCLUDE for rule in pack.rules)
    assert len({rule.label for rule in pack.rules}) == len(pack.rules)


def test_an_example_may_be_a_title_alone_or_with_an_abstract() -> None:
    text = TOPIC + "examples:\n  match:\n    - Bees\n    - title: Hives\n      abstract: Where bees live.\n"
    expected = (Example(title="Bees"), Example(title="Hives", abstract="Where bees live."))
    assert parse_topic("bees", text).matches == expected


def test_a_query_may_run_over_several_lines() -> None:
    text = "title: Bees\ndescription: Honeybees.\nquery: |\n  bee\n  OR honeybee\n"
    assert parse_topic("bees", text).query == "bee OR honeybee"


def test_a_pack_rule_includes_unless_it_mutes() -> None:
    text = "title: T\ndescription: D.\nrules:\n- {query: bee, label: Bees}\n- {query: wasp, label: Wasps, mode: mute}\n"
    assert [rule.mode for rule in parse_pack("hive", text).rules] == [Mode.INCLUDE, Mode.MUTE]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("bees", "title: [", "bees.yaml, line 2 is not valid YAML"),
        ("bees", "- bee", "bees.yaml has to hold keys"),
        ("bees", "", "bees.yaml has to hold keys"),
        ("bees", "title: Bees\nquery: bee\n", "bees.yaml: 'description' is missing. Add it."),
        ("bees", TOPIC + "quary: bee\n", "'quary' is not a key that is known here"),
        ("bees", TOPIC + "examples: {match: [{abstract: x}]}\n", "'examples match item 1 title' is missing"),
        ("bees", TOPIC.replace("bee OR honeybee", "[bee]"), "bees.yaml: 'query' is wrong"),
        ("bees", TOPIC.replace("bee OR honeybee", "' '"), "bees.yaml: 'query' is wrong"),
        ("Honey Bees", TOPIC, "Honey Bees.yaml: the file's name has to be lower-case words"),
        ("bees", "title: \x00", "bees.yaml is not valid YAML"),
    ],
)
def test_a_wrong_topic_file_is_named_with_the_place(name: str, text: str, words: str) -> None:
    with pytest.raises(TopicError) as caught:
        parse_topic(name, text)
    assert words in str(caught.value)


def test_a_pack_with_an_unknown_mode_is_named_with_the_place() -> None:
    with pytest.raises(TopicError, match=r"hive\.yaml: 'rules item 1 mode' is wrong"):
        parse_pack("hive", "title: T\ndescription: D.\nrules:\n- {query: bee, label: Bees, mode: shout}\n")


def test_the_operators_topics_add_to_the_bundled_ones_and_replace_them(tmp_path: Path) -> None:
    (tmp_path / "bees.yaml").write_text(TOPIC, "utf-8")
    (tmp_path / "robotics.yml").write_text(TOPIC.replace("Bees", "Our robots"), "utf-8")
    (tmp_path / "notes.txt").write_text("not a topic", "utf-8")
    topics = load_topics(tmp_path)
    assert set(topics) == {*TOPICS, "bees"}
    assert topics["robotics"].title == "Our robots"
    assert list(topics) == sorted(topics)


def test_the_operators_packs_add_to_the_bundled_ones(tmp_path: Path) -> None:
    (tmp_path / "hive.yaml").write_text("title: T\ndescription: D.\nrules: [{query: bee, label: Bees}]\n", "utf-8")
    assert set(load_packs(tmp_path)) == {*PACKS, "hive"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"title: [", "is not valid YAML"),
        (b"title: \xff", "is not UTF-8 text"),
        (TOPIC.replace("bee OR", "(bee OR").encode(), "the query does not parse"),
        (TOPIC.replace("bee OR honeybee", "topic:no-such-topic").encode(), "the query does not parse"),
        (TOPIC.replace("bee OR honeybee", "topic:bees").encode(), "the query does not parse"),
        (TOPIC.encode() + b"parents: [insects]\n", "parent 'insects' is not a topic"),
    ],
)
def test_a_broken_topic_of_the_operators_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "bees.yaml"
    file.write_bytes(content)
    with pytest.raises(TopicError) as caught:
        load_topics(tmp_path)
    assert str(file) in str(caught.value) and words in str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TopicError, match=r"missing cannot be read \(No such file or directory\)"):
        load_topics(tmp_path / "missing")


def test_a_nest_deep_enough_to_end_the_process_is_refused() -> None:
    with pytest.raises(TopicError, match="too many brackets"):
        parse_topic("deep", "[" * 100_000)
