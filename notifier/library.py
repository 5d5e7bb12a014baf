"""The shelves of topics and packs: the bundled first, then the operator's folder, which adds and replaces by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TypeVar

from notifier import resources
from notifier.errors import RuleError, TopicError
from notifier.matching import Topics, explain, parse
from notifier.model import Entry
from notifier.taxonomy import Taxonomy, parse_taxonomy
from notifier.topics import Example, Pack, Topic, parse_pack, parse_topic, queries

_Kept = TypeVar("_Kept", Topic, Pack)


def load_topics(overrides: Path | None = None) -> dict[str, Topic]:
    """All topics by name, in order of their names. Raises TopicError that names the file at fault.

    The operator's queries and parents are tried here; the bundled ones are held by tests.
    """
    own = _read(overrides, parse_topic) if overrides else {}
    topics = dict(sorted((_bundled("topics", parse_topic) | own).items()))
    for topic in own.values():
        _check(topic, topics, f"{overrides}/{topic.name}.yaml")
    return topics


def load_packs(overrides: Path | None = None, *, topics: Topics | None = None) -> dict[str, Pack]:
    """All packs by name, in order of their names. Raises TopicError that names the file at fault.

    Given ``topics``, of which the operator may have replaced some, every rule is tried with them.
    """
    own = _read(overrides, parse_pack) if overrides else {}
    packs = dict(sorted((_bundled("packs", parse_pack) | own).items()))
    if topics is not None:
        for pack in packs.values():
            _check_pack(pack, topics, f"{overrides}/{pack.name}.yaml" if pack.name in own else f"{pack.name}.yaml")
    return packs


@cache
def load_taxonomy() -> Taxonomy:
    """arXiv's categories with their titles."""
    return parse_taxonomy((resources.folder("rules") / "categories.yaml").read_text("utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """An example that does not hold; ``wanted`` says whether it should have matched."""

    topic: str
    example: Example
    wanted: bool


def read_topic(file: Path, others: Mapping[str, Topic]) -> Topic:
    """The topic of one file, which may replace one of ``others``. Raises TopicError that names the file."""
    topic = parse_topic(file.stem, _text(file), file=str(file))
    _check(topic, {**others, topic.name: topic}, str(file))
    return topic


def missed_examples(topic: Topic, topics: Mapping[str, Topic], *, now: datetime) -> list[Missed]:
    """The examples of ``topic``, one of ``topics``, that its query takes for the contrary."""
    query = parse(f"topic:{topic.name}", queries(topics.values()))
    examples = [(example, True) for example in topic.matches] + [(example, False) for example in topic.misses]
    return [
        Missed(topic=topic.name, example=example, wanted=wanted)
        for example, wanted in examples
        if (explain(query, _entry(example), now=now) is not None) is not wanted
    ]


def _entry(example: Example) -> Entry:
    return Entry(id="example", title=example.title, abstract=example.abstract)


@cache
def _bundled(kind: str, read: Callable[..., _Kept]) -> dict[str, _Kept]:
    """What comes with the program does not change while it runs."""
    return _read(resources.folder("rules") / kind, read)


def _read(folder: Path, read: Callable[..., _Kept]) -> dict[str, _Kept]:
    return {name: read(name, text, file=file) for name, text, file in _texts(folder)}


def _texts(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Name, text and path of each YAML file in ``folder``."""
    try:
        files = sorted(each for each in folder.iterdir() if each.suffix in {".yaml", ".yml"})
    except OSError as error:
        raise _unreadable(error) from None
    for file in files:
        yield file.stem, _text(file), str(file)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise TopicError(f"{file} is not UTF-8 text. Save it as UTF-8.") from None
    except OSError as error:
        raise _unreadable(error) from None


def _unreadable(error: OSError) -> TopicError:
    return TopicError(f"{error.filename} cannot be read ({error.strerror}). Check the path and its rights.")


def _check(topic: Topic, topics: dict[str, Topic], file: str) -> None:
    for parent in topic.parents:
        if parent not in topics:
            raise TopicError(f"{file}: parent '{parent}' is not a topic. Mend its spelling or remove it.")
    try:
        parse(f"topic:{topic.name}", queries(topics.values()))
    except RuleError as error:
        raise TopicError(f"{file}: the query does not parse: {error}. Mend it.") from error


def _check_pack(pack: Pack, topics: Topics, file: str) -> None:
    for number, rule in enumerate(pack.rules, 1):
        try:
            parse(rule.query, topics)
        except RuleError as error:
            raise TopicError(f"{file}: rule {number} ({rule.label}) does not parse: {error}. Mend it.") from error
