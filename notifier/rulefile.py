"""Rules as a YAML document that people keep in version control, and what it, or a pack, would change.

Pure: text and rules in, text and differences out; reading files is the shell's business, writing rules ``edit``'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from notifier.errors import RuleError, UsageError
from notifier.matching import Query, Topics, parse
from notifier.model import Mode, Rule
from notifier.topics import Pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One rule of a document. Without ``id`` it is the rule of the same query and mode, else a new one.

    ``until`` without an offset is meant in the zone of the subscription's owner.
    """

    id: str
    query: str
    label: str
    mode: Mode
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    subscription_id: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a document would change. A rule in ``added`` has an empty id where the document gives none."""

    added: tuple[Rule, ...] = ()
    changed: tuple[tuple[Rule, Rule], ...] = ()
    """Before and after."""
    removed: tuple[Rule, ...] = ()
    unchanged: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def dump(subscription_id: str, rules: Iterable[Rule]) -> str:
    """YAML that ``load`` reads back to the same rules; what is at its default is left out.

    Rules that are off are named in comments at the top, with the reason.
    """
    rules = list(rules)
    off = "".join(f"# {rule.id} is off: {_one_line(rule.broken)}\n" for rule in rules if rule.broken)
    content = {"subscription": subscription_id, "rules": [_written(rule) for rule in rules]}
    # One line a query, however long, so that a change is one line in a diff.
    return off + yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10**9)


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


class _Dumper(yaml.SafeDumper):
    """Text with a character that ends a line (U+0085 too) or does not show is quoted, so that it comes back."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _Dumper.represent_text)


def _written(rule: Rule) -> dict[str, object]:
    written: dict[str, object] = {"id": rule.id, "query": rule.query}
    if rule.label:
        written["label"] = rule.label
    if rule.mode is not Mode.INCLUDE:
        written["mode"] = str(rule.mode)
    if rule.until is not None:
        written["until"] = rule.until
    return written


def load(text: str, *, file: str) -> Document:
    """Raises UsageError that names ``file`` and the place in it; whether queries parse is ``check``'s question."""
    try:
        content = _File.model_validate(_yaml(text, file))
    except ValidationError as error:
        raise UsageError(_sentence(error.errors()[0], file)) from None
    items = tuple(
        Item(id=each.id, query=each.query, label=each.label, mode=each.mode, until=each.until) for each in content.rules
    )
    _demand_unique(items, file)
    return Document(subscription_id=content.subscription, items=items)


def difference(document: Document, rules: Sequence[Rule], *, zone: ZoneInfo, now: datetime) -> Difference:
    """What makes ``rules``, the whole of a subscription's, into the document's. The order of items says nothing."""
    standing = {rule.id: rule for rule in rules}
    added, changed, unchanged = [], [], 0
    for item in _with_ids(document.items, rules):
        before = standing.pop(item.id, None)
        after = _rule(item, before, document.subscription_id, zone, now)
        if before is None:
            added.append(after)
        elif after != before:
            changed.append((before, replace(after, version=before.version + 1, broken=None)))
        else:
            unchanged += 1
    return Difference(added=tuple(added), changed=tuple(changed), removed=tuple(standing.values()), unchanged=unchanged)


def addition(pack: Pack, subscription_id: str, rules: Sequence[Rule], topics: Topics, *, now: datetime) -> Difference:
    """What ``pack`` adds to ``rules``, the whole of a subscription's; one that says the same under any label is there.

    Raises RuleError where a rule of the pack does not parse.
    """
    there = {(rule.mode, query) for rule in rules if (query := _parsed(rule, topics)) is not None}
    added = []
    for each in pack.rules:
        said = (each.mode, parse(each.query, topics))
        if said not in there:
            there.add(said)
            made = Rule(id="", subscription_id=subscription_id, query=each.query, created_at=now)
            added.append(replace(made, label=each.label, mode=each.mode))
    return Difference(added=tuple(added), unchanged=len(pack.rules) - len(added))


def _parsed(rule: Rule, topics: Topics) -> Query | None:
    """None for one that no longer parses."""
    try:
        return parse(rule.query, topics)
    except RuleError:
        return None


def check(document: Document, rules: Iterable[Rule], topics: Topics, *, file: str) -> None:
    """Raises UsageError that names the first rule that does not parse, and the column.

    A rule that stands in the subscription just so, and is off because it stopped parsing, hinders no import.
    """
    off = {(rule.id, rule.query) for rule in rules if rule.broken}
    for number, item in enumerate(document.items, 1):
        name = f"rule {number} ({item.id or item.label or item.query[:60]})"
        if item.until is not None and item.mode is not Mode.MUTE:
            raise UsageError(f"{file}, {name}: only a mute can end at a date: add 'mode: mute', or remove 'until'.")
        try:
            parse(item.query, topics)
        except RuleError as error:
            if (item.id, item.query) not in off:
                raise UsageError(f"{file}, {name}: {error}. Mend it; nothing was changed.") from error


def _with_ids(items: Sequence[Item], rules: Sequence[Rule]) -> list[Item]:
    """Give items without id the id of a rule that says the same, so that importing a file twice changes nothing."""
    named = {item.id for item in items}
    free: dict[tuple[str, Mode], list[str]] = {}
    for rule in rules:
        if rule.id not in named:
            free.setdefault((rule.query, rule.mode), []).append(rule.id)
    found = []
    for item in items:
        same = free.get((item.query, item.mode), [])
        found.append(item if item.id or not same else replace(item, id=same.pop(0)))
    return found


def _rule(item: Item, before: Rule | None, subscription_id: str, zone: ZoneInfo, now: datetime) -> Rule:
    until = item.until
    if until is not None and until.tzinfo is None:
        until = until.replace(tzinfo=zone)
    rule = before or Rule(id=item.id, subscription_id=subscription_id, query=item.query, created_at=now)
    return replace(rule, query=item.query, label=item.label, mode=item.mode, until=until)


def _demand_unique(items: Sequence[Item], file: str) -> None:
    seen: set[str] = set()
    for number, item in enumerate(items, 1):
        if item.id and item.id in seen:
            raise UsageError(f"{file}: rule {number} has the id {item.id} of an earlier one. Remove one of the two.")
        seen.add(item.id)


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _joined(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value


def _instant(value: Any) -> Any:
    """Only ISO 8601: pydantic alone would take a number for seconds since 1970."""
    if not isinstance(value, str) or not value.strip():
        return value or None
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError(f"'{value}' is no date or time such as 2026-11-23 or 2026-11-23T08:00:00+01:00") from None


def _unequivocal(value: str) -> str:
    if not value.isprintable():
        raise ValueError("it holds signs that cannot be printed")
    return value


_Strict = ConfigDict(extra="forbid", frozen=True)
_Id = Annotated[str, BeforeValidator(_stripped), StringConstraints(pattern=r"^(r_[0-9a-z]{4,40})?$")]


class _Item(BaseModel):
    model_config = _Strict

    id: _Id = ""
    query: Annotated[str, BeforeValidator(_stripped), StringConstraints(min_length=1)]
    label: Annotated[str, BeforeValidator(_joined)] = ""
    mode: Mode = Mode.INCLUDE
    until: Annotated[datetime | None, BeforeValidator(_instant)] = None


class _File(BaseModel):
    model_config = _Strict

    subscription: Annotated[
        str, BeforeValidator(_stripped), StringConstraints(min_length=1), AfterValidator(_unequivocal)
    ]
    rules: tuple[_Item, ...]


class _Loader(yaml.BaseLoader):
    """All scalars are text, so ``query: yes`` is a word and no truth; a key that stands twice is refused.

    libyaml's loader is faster and dies of deep nesting, with the whole process.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"the key '{key.value}' stands twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _yaml(text: str, file: str) -> object:
    try:
        content = yaml.load(text, _Loader)  # noqa: S506 - it makes nothing but text, lists and mappings
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageError(f"{file}{line} is not valid YAML ({error.problem}). Mend that line.") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{file} is not valid YAML ({str(error).splitlines()[0]}). Mend it.") from None
    except RecursionError:
        raise UsageError(f"{file} is nested too deeply. Write 'subscription' and a flat list of 'rules'.") from None
    if not isinstance(content, dict):
        raise UsageError(f"{file} has to hold the keys 'subscription' and 'rules'; 'notifier rules export' writes one.")
    return content


def _sentence(error: Any, file: str) -> str:
    place = " ".join(f"rule {part + 1}" if isinstance(part, int) else str(part) for part in error["loc"])
    place = place.removeprefix("rules ") if place != "rules" else place
    if error["type"] == "missing":
        return f"{file}: '{place}' is missing. Add it."
    if error["type"] == "extra_forbidden":
        return f"{file}: '{place}' is not a key that is known here. Remove it or mend its spelling."
    if error["type"] == "string_pattern_mismatch":
        return f"{file}: '{place}' is no rule id such as r_k3m9x2tq7p. Leave it out to make a new rule."
    message = error["msg"].removeprefix("Value error, ")
    return f"{file}: '{place}' is wrong: {message[0].lower()}{message[1:]}. Mend it."
