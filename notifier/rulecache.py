"""The file that spares a program with many rules their compiling when it starts. It may be deleted at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import structlog

from notifier import matching
from notifier.matching import RuleSet, Topics
from notifier.matching.shelf import dump
from notifier.matching.shelf import load as taken_from_shelf

log = structlog.get_logger()

FILE = "rules.cache"
WORTH_IT = 5_000
"""Different texts; fewer are compiled in a tenth of a second."""


def load(folder: Path, topics: Topics) -> RuleSet:
    """The set that was kept in ``folder``, or an empty one where there is none that still holds."""
    try:
        data = (folder / FILE).read_bytes()
    except OSError:
        return RuleSet(topics)
    return taken_from_shelf(data, topics, key=_key(topics)) or RuleSet(topics)


def refreshed(folder: Path, rules: RuleSet, queries: Callable[[], Iterable[str]]) -> RuleSet:
    """``rules``; or where so much has come to them that they were compiled anew, a set of ``queries`` only, kept."""
    if not rules.is_fresh or len(rules) < WORTH_IT:
        return rules
    kept = rules.kept(frozenset(queries()))
    kept.is_fresh = False
    try:
        _write(folder / FILE, dump(kept, key=_key(kept.topics)))
    except OSError as error:
        log.warning("rules not cached", file=str(folder / FILE), error=str(error))
    return kept


def _write(file: Path, data: bytes) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_bytes(data)
    fresh.replace(file)


def _key(topics: Topics) -> str:
    told = "\0".join(part for item in sorted(topics.items()) for part in item)
    return sha256(f"{_language()}\0{told}".encode("utf-8", "surrogatepass")).hexdigest()


@cache
def _language() -> str:
    """What the compiled form depends on beside the rules and topics: our own code, and the dictionary."""
    code = sha256()
    for file in sorted(Path(*matching.__path__).glob("*.py")):
        code.update(file.read_bytes())
    return f"{code.hexdigest()} {version('simplemma')}"
