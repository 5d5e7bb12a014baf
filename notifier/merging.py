"""What all sources say of one paper becomes one entry, whatever arrives first, late or twice. Pure.

Two steps, each a choice by a total order over values, so that neither order nor repetition can matter: of each source
its word on a field, then of all sources' words the one that takes precedence (``PRECEDENCE`` is the whole of it). What
a source leaves unsaid takes nothing back. A saying that speaks for no field is forgotten, which changes no choice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from notifier.identity import ARXIV_CATEGORY, arxiv_id, canonical_categories, canonical_keywords, extra_text
from notifier.model import Entry, Saying


class Word(NamedTuple):
    """One source's value of one field, and the version and instant it was said of and at."""

    source: str
    version: int
    at: datetime
    value: Any


def _richness(value: Any) -> tuple[int, int, Any]:
    """Longer lists, then more text, then any fixed order: what matters is that two values never tie."""
    return len(value), len(value) if isinstance(value, str) else sum(map(len, value)), value


def _text_rank(value: Any) -> Any:
    return _richness(value) if isinstance(value, (str, tuple)) else value


def _latest(word: Word) -> Any:
    """The newest version speaks, then what was said last."""
    return word.version, word.at, _text_rank(word.value)


def _said_last(word: Word) -> Any:
    return word.at, word.value


def _longest(word: Word) -> Any:
    """Only a newer version may say less."""
    return word.version, _richness(word.value)


def _highest(word: Word) -> Any:
    return word.value


def _first(words: Sequence[Word], rank: Callable[[Word], Any]) -> Word:
    # Most papers come once and from one source: ranking the only word took half the time of merging.
    return words[0] if len(words) == 1 else max(words, key=rank)


def _richest_of_newest(words: Sequence[Word]) -> Any:
    return _first(words, _longest).value


def _largest(words: Sequence[Word]) -> Any:
    return max(word.value for word in words)


def _earliest(words: Sequence[Word]) -> Any:
    return min(word.value for word in words)


def _best_link(words: Sequence[Word]) -> Any:
    return max((word.value for word in words), key=_link_rank) if len(words) > 1 else words[0].value


def _link_rank(url: str) -> tuple[bool, bool, int, str]:
    return bool(arxiv_id(url)) and "arxiv.org/" in url, url.startswith("https:"), -len(url), url


def _where_people_vote(words: Sequence[Word]) -> Any:
    """A dump or a mirror that tells votes, too, is behind the page where they are cast."""
    return max(words, key=lambda word: (word.source == "huggingface", word.at, word.value)).value


def _arxiv_first(words: Sequence[Word]) -> tuple[str, ...]:
    """arXiv's primary category leads, then one that looks like arXiv's; the others are united behind it."""
    primary = min(
        (word.source != "arxiv", not ARXIV_CATEGORY.fullmatch(word.value[0]), word.value[0]) for word in words
    )[-1]
    return canonical_categories((primary, *(each for word in words for each in word.value)))


def _united_keywords(words: Sequence[Word]) -> tuple[str, ...]:
    return canonical_keywords(each for word in words for each in word.value)


def _united_extra(words: Sequence[Word]) -> str:
    united: dict[str, Any] = {}
    for word in words:
        for name, value in json.loads(word.value).items():
            united[name] = max(united.get(name, value), value, key=_json_rank)
    return extra_text(united)


def _json_rank(value: Any) -> tuple[int, str]:
    text = extra_text({"": value})
    return len(text), text


PRECEDENCE: Mapping[str, tuple[Callable[[Word], Any], Callable[[Sequence[Word]], Any]]] = {
    # field        of one source  of all sources
    "title": (_latest, _richest_of_newest),
    "abstract": (_longest, _richest_of_newest),
    "authors": (_latest, _richest_of_newest),
    "num_authors": (_latest, _largest),
    "organization": (_latest, _richest_of_newest),
    "categories": (_latest, _arxiv_first),
    "keywords": (_latest, _united_keywords),
    "published_at": (_latest, _earliest),
    "url": (_latest, _best_link),
    "pdf_url": (_latest, _richest_of_newest),
    "code_url": (_latest, _richest_of_newest),
    "project_url": (_latest, _richest_of_newest),
    "thumbnail": (_latest, _richest_of_newest),
    "upvotes": (_said_last, _where_people_vote),
    "comments": (_said_last, _where_people_vote),
    "stars": (_said_last, _where_people_vote),
    "version": (_highest, _largest),
    "extra": (_latest, _united_extra),
}
_UNSAID = (None, "", (), "{}")


def kept(sayings: Iterable[Saying]) -> tuple[Saying, ...]:
    """Of one source's sayings those that speak for at least one field, oldest first: mostly just the last."""
    several = list(dict.fromkeys(sayings))
    if len(several) == 1:
        return tuple(several)
    speaking = {id(saying): saying for field in PRECEDENCE if (saying := _speaker(field, several)) is not None}
    return tuple(sorted(speaking.values(), key=lambda saying: saying.at))


def _speaker(field: str, sayings: Sequence[Saying]) -> Saying | None:
    """Of those that say the same the latest, so that the earlier can be forgotten."""
    rank = PRECEDENCE[field][0]
    found = [((rank(word), each.at), i) for i, each in enumerate(sayings) if (word := _word(field, "", each))]
    return sayings[max(found)[1]] if found else None


def _word(field: str, source: str, saying: Saying) -> Word | None:
    value = getattr(saying.entry, field)
    if value in _UNSAID:
        return None
    return Word(source, saying.entry.version or 1, saying.at, value)


def merged(id: str, said: Mapping[str, Sequence[Saying]]) -> Entry:
    """The entry that these sayings, by source, come to. Sources and instants of sighting are not its matter."""
    sources = sorted(said)
    if len(sources) == len(said[sources[0]]) == 1:
        return _of_one(id, said[sources[0]][0].entry)
    fields: dict[str, Any] = {}
    for field, (rank, choose) in PRECEDENCE.items():
        words = [_first(words, rank) for source in sources if (words := _words(field, source, said[source]))]
        if words:
            fields[field] = choose(words)
    return Entry(id=id, **fields)


def _of_one(id: str, entry: Entry) -> Entry:
    """What ``PRECEDENCE`` comes to where there is nothing to choose, as for most papers."""
    fields = {field: value for field in PRECEDENCE if (value := getattr(entry, field)) not in _UNSAID}
    for field, canonical in _CANONICAL.items():
        if field in fields:
            fields[field] = canonical(fields[field])
    return Entry(id=id, **fields)


_CANONICAL: Mapping[str, Callable[[Any], Any]] = {
    "categories": canonical_categories,
    "keywords": canonical_keywords,
    "extra": lambda text: extra_text(json.loads(text)),
}


def _words(field: str, source: str, sayings: Sequence[Saying]) -> list[Word]:
    return [word for each in sayings if (word := _word(field, source, each)) is not None]
