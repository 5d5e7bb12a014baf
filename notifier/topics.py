"""Topics and packs: named queries with their examples, and starter sets of rules; from YAML text to frozen values.

Pure: where the files lie is ``library``'s business, what a query means is ``matching``'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from notifier.errors import TopicError
from notifier.model import Mode

# A name stands behind ``topic:`` in a rule, so it has to be one word of the rule language.
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A paper, as far as a topic needs it to show what it means."""

    title: str
    abstract: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A named query. ``matches`` and ``misses`` are papers its query must and must not match."""

    name: str
    title: str
    description: str
    query: str
    synonyms: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    """Names of wider topics, for finding one's way; they do not change what the query matches."""
    matches: tuple[Example, ...] = ()
    misses: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackRule:
    query: str
    label: str
    mode: Mode = Mode.INCLUDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A starter set of rules that a new subscription can begin with."""

    name: str
    title: str
    description: str
    rules: tuple[PackRule, ...]


def parse_topic(name: str, text: str, *, file: str | None = None) -> Topic:
    """The topic that the YAML ``text`` of the file ``name``.yaml describes.

    Raises TopicError that names ``file`` (else ``name``.yaml) and the place in it.
    """
    content = _checked(_TopicFile, name, text, file or f"{name}.yaml")
    return Topic(
        name=name,
        title=content.title,
        description=content.description,
        query=content.query,
        synonyms=content.synonyms,
        parents=content.parents,
        matches=tuple(each.example for each in content.examples.match),
        misses=tuple(each.example for each in content.examples.miss),
    )


def parse_pack(name: str, text: str, *, file: str | None = None) -> Pack:
    """The pack that the YAML ``text`` of the file ``name``.yaml describes; raises like ``parse_topic``."""
    content = _checked(_PackFile, name, text, file or f"{name}.yaml")
    rules = tuple(PackRule(query=each.query, label=each.label, mode=each.mode) for each in content.rules)
    return Pack(name=name, title=content.title, description=content.description, rules=rules)


def queries(topics: Iterable[Topic]) -> Mapping[str, str]:
    """Name to query text, the form in which ``matching`` takes topics."""
    return {topic.name: topic.query for topic in topics}


# A folded YAML block ends with a line break and a query may run over several lines: both are one line of text.
_Line = Annotated[str, BeforeValidator(lambda value: " ".join(value.split()) if isinstance(value, str) else value)]
_Text = Annotated[_Line, StringConstraints(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _ExampleItem(_Strict):
    title: _Text
    abstract: _Line = ""

    @property
    def example(self) -> Example:
        return Example(title=self.title, abstract=self.abstract)


def _titled(value: Any) -> Any:
    return {"title": value} if isinstance(value, str) else value


_Examples = tuple[Annotated[_ExampleItem, BeforeValidator(_titled)], ...]


class _ExampleLists(_Strict):
    match: _Examples = ()
    miss: _Examples = ()


class _TopicFile(_Strict):
    title: _Text
    description: _Text
    query: _Text
    synonyms: tuple[_Text, ...] = ()
    parents: tuple[_Text, ...] = ()
    examples: _ExampleLists = _ExampleLists()


class _RuleItem(_Strict):
    query: _Text
    label: _Text
    mode: Mode = Mode.INCLUDE


class _PackFile(_Strict):
    title: _Text
    description: _Text
    rules: Annotated[tuple[_RuleItem, ...], Field(min_length=1)]


_File = TypeVar("_File", bound=BaseModel)
# libyaml's reads the bundled topics ten times faster; it is not in every build of PyYAML.
_LONGEST = 200_000
_MOST_BRACKETS = 1_000
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _checked(kind: type[_File], name: str, text: str, file: str) -> _File:
    if not _NAME.fullmatch(name):
        raise TopicError(f"{file}: the file's name has to be lower-case words joined by hyphens. Rename it.")
    content = _loaded(text, file)
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise TopicError(_sentence(error.errors()[0], file)) from None


def _loaded(text: str, file: str) -> dict[Any, Any]:
    # libyaml's loader recurses on the C stack: deep enough a nest would end the process.
    if len(text) > _LONGEST or text.count("[") + text.count("{") > _MOST_BRACKETS:
        raise TopicError(f"{file} is too long or holds too many brackets for a topic or pack. Shorten it.")
    try:
        content = yaml.load(text, _Loader)  # noqa: S506 - both are safe loaders
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise TopicError(f"{file}{line} is not valid YAML ({error.problem}). Mend that line.") from None
    except yaml.YAMLError as error:
        raise TopicError(f"{file} is not valid YAML ({str(error).splitlines()[0]}). Mend it.") from None
    if not isinstance(content, dict):
        raise TopicError(f"{file} has to hold keys such as title and description. Add them.")
    return content


def _sentence(error: Any, file: str) -> str:
    place = " ".join(f"item {part + 1}" if isinstance(part, int) else str(part) for part in error["loc"])
    if error["type"] == "missing":
        return f"{file}: '{place}' is missing. Add it."
    if error["type"] == "extra_forbidden":
        return f"{file}: '{place}' is not a key that is known here. Remove it or mend its spelling."
    message = error["msg"].removeprefix("Value error, ")
    return f"{file}: '{place}' is wrong: {message[0].lower()}{message[1:]}. Mend it."
