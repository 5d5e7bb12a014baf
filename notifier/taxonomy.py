"""The categories that arXiv has, with their titles: what a person can browse, and what a rule is held against. Pure.

A category that is not among them is no error: other sources have categories of their own.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

_CLOSE = 0.8
_PLAIN = re.compile(r"[^\W_]+")
_LIKE_ARXIV = re.compile(r"[a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One name with its title, the archive it lies beneath (which may be itself), and the group of that."""

    name: str
    title: str
    archive: str
    group: str


class Taxonomy:
    """Categories in the order of their file, found by name or title without regard to case."""

    def __init__(self, categories: Mapping[str, Category]) -> None:
        self._by_name = categories
        self._archives = frozenset(each.archive for each in categories.values())

    def __iter__(self) -> Iterator[Category]:
        return iter(self._by_name.values())

    def get(self, name: str) -> Category | None:
        return self._by_name.get(_folded(name))

    def title(self, name: str) -> str:
        """The title, or an empty text for a name that is not known."""
        found = self.get(name)
        return found.title if found else ""

    def looks_alike(self, name: str) -> bool:
        """Whether ``name`` is written as arXiv's are: beneath an archive of its, or letters on both sides of a dot."""
        folded = _folded(name)
        return folded.split(".")[0] in self._archives or bool(_LIKE_ARXIV.fullmatch(folded))

    def near(self, name: str) -> list[Category]:
        """Those that somebody who wrote ``name`` may have meant, all as near; of its archive where that is known."""
        folded = _folded(name)
        within = [key for key, each in self._by_name.items() if each.archive == folded.split(".")[0]]
        ratio = {key: difflib.SequenceMatcher(None, folded, key).ratio() for key in within or self._by_name}
        best = max(ratio.values())
        return [self._by_name[key] for key in ratio if ratio[key] == best] if best >= _CLOSE else []

    def titled(self, title: str) -> list[Category]:
        """The categories with this title; several have the same one, such as Machine Learning."""
        wanted = _PLAIN.findall(title.casefold())
        return [each for each in self if _PLAIN.findall(each.title.casefold()) == wanted]

    def within(self, name: str) -> list[Category]:
        """What lies in a group or an archive, or is the category, of this name or title; none where nothing is so."""
        wanted = _folded(name)
        return (
            [each for each in self if wanted in (_folded(each.group), _folded(each.archive))]
            or [each for each in self if wanted == _folded(each.name)]
            or self.titled(name)
        )

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.group for each in self))


def parse_taxonomy(text: str) -> Taxonomy:
    """From YAML of the form group → archive → name: title. It is bundled: a fault in it is a bug."""
    content = yaml.safe_load(text)
    return Taxonomy(
        {
            _folded(name): Category(name=name, title=title, archive=archive, group=group)
            for group, archives in content.items()
            for archive, names in archives.items()
            for name, title in names.items()
        }
    )


def _folded(name: str) -> str:
    return " ".join(name.casefold().split()).removesuffix(".*")
