"""Topics and categories: ``topics list``, ``show``, ``check`` and ``categories``."""

from __future__ import annotations

from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from notifier.app import App
from notifier.cli.base import Json, command, group, print_json, print_table, say
from notifier.errors import NotFound
from notifier.library import Missed, load_packs, load_taxonomy, load_topics, missed_examples, read_topic
from notifier.matching import SAME, meaning, parse
from notifier.topics import Example, Topic, queries


def register(app: typer.Typer) -> None:
    topics = group("Named queries that rules can use, such as topic:alignment.")
    app.add_typer(topics, name="topics")
    command(topics, "list")(list_)
    command(topics, "show")(show)
    command(topics, "check")(check)
    command(topics, "categories")(categories)


def list_(app: App, json: Json = False) -> None:
    """Show the topics, the bundled and your own."""
    topics = load_topics(app.settings.topics_dir).values()
    if json:
        print_json([{"name": each.name, "title": each.title, "description": each.description} for each in topics])
        return
    print_table(
        ["TOPIC", "TITLE", "DESCRIPTION"],
        [[each.name, each.title, each.description] for each in topics],
        empty="There are no topics.",
    )


def show(
    app: App, name: Annotated[str, typer.Argument(help="The topic, such as alignment.")], json: Json = False
) -> None:
    """Show what a topic means: its query, its parents, and papers that it does and does not match."""
    topics = load_topics(app.settings.topics_dir)
    topic = _named(name, topics)
    words = meaning(parse(topic.query, queries(topics.values())), load_taxonomy().title)
    if json:
        print_json(_data(topic, words))
        return
    say(f"{topic.title} (topic:{topic.name})\n{topic.description}\n")
    say(f"Query     {topic.query}")
    say(f"Meaning   papers where {words}")
    say(f"Synonyms  {', '.join(topic.synonyms) or '-'}")
    say(f"Parents   {', '.join(topic.parents) or '-'}")
    for heading, examples in (("Matches", topic.matches), ("Does not match", topic.misses)):
        say(f"\n{heading}")
        for example in examples:
            say(f"  {_text(example)}")


def check(
    app: App,
    file: Annotated[Path | None, typer.Argument(help="One topic's YAML file. Default: every topic.")] = None,
    json: Json = False,
) -> None:
    """Try every topic's examples and every pack's rules; fails where one does not hold."""
    known = load_topics(app.settings.topics_dir)
    checked = list(known.values())
    if file is not None:
        checked = [read_topic(file, known)]
        known |= {checked[0].name: checked[0]}
    # Raises for a rule that does not parse, as a topic's query does.
    packs = load_packs(app.settings.packs_dir, topics=queries(known.values())) if file is None else {}
    missed = [each for topic in checked for each in missed_examples(topic, known, now=app.clock())]
    if json:
        print_json([_missed_data(each) for each in missed])
    else:
        for each in missed:
            wanted = "has to match and does not" if each.wanted else "must not match and does"
            say(f"{each.topic}: {wanted}: {_text(each.example)}")
        examples = sum(len(topic.matches) + len(topic.misses) for topic in checked)
        say(f"{len(checked)} topics with {examples} examples, {len(missed)} of which do not hold.")
        if file is None:
            say(f"{len(packs)} packs with {sum(len(pack.rules) for pack in packs.values())} rules, all of which parse.")
    if missed:
        raise typer.Exit(1)


def categories(
    app: App,
    within: Annotated[
        str, typer.Argument(help="Only this group or archive, such as Physics, cs or astro-ph. Default: all.")
    ] = "",
    json: Json = False,
) -> None:
    """Show the categories that arXiv has, for category:… in rules."""
    taxonomy = load_taxonomy()
    found = taxonomy.within(within) if within.strip() else list(taxonomy)
    if not found:
        groups = ", ".join(taxonomy.groups)
        raise NotFound(f"arXiv has no group, archive or category '{within}': its groups are {groups}.")
    if json:
        print_json([{**asdict(each), "same_as": SAME.get(each.name)} for each in found])
        return
    print_table(
        ["CATEGORY", "TITLE", "GROUP", "SAME AS"],
        [[each.name, each.title, each.group, SAME.get(each.name, "-")] for each in found],
        empty="There are no categories.",
    )


def _named(name: str, topics: dict[str, Topic]) -> Topic:
    wanted = name.strip().casefold().removeprefix("topic:")
    if wanted in topics:
        return topics[wanted]
    near = get_close_matches(wanted, topics, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "'notifier topics list' shows them."
    raise NotFound(f"There is no topic '{name}': {hint}")


def _text(example: Example) -> str:
    return f"{example.title} / {example.abstract}" if example.abstract else example.title


def _data(topic: Topic, words: str) -> dict[str, object]:
    return {
        "name": topic.name,
        "title": topic.title,
        "description": topic.description,
        "query": topic.query,
        "meaning": words,
        "synonyms": topic.synonyms,
        "parents": topic.parents,
        "matches": [_example_data(each) for each in topic.matches],
        "misses": [_example_data(each) for each in topic.misses],
    }


def _missed_data(missed: Missed) -> dict[str, object]:
    return {"topic": missed.topic, "should_match": missed.wanted, **_example_data(missed.example)}


def _example_data(example: Example) -> dict[str, object]:
    return {"title": example.title, "abstract": example.abstract}
