"""Every rule text that was asked for, compiled once and kept from window to window.

A set is made of segments, each compiled by itself, the first by far the largest. New texts make a new segment, and
a segment that has grown to a quarter of the one before it is compiled into that one: so one more rule costs about a
millisecond, and a window is walked a few times at most.
"""

from __future__ import annotations

import gc
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from notifier.errors import RuleError
from notifier.matching.compiled import Compiled, Compiler
from notifier.matching.evaluation import match
from notifier.matching.index import Index, Row
from notifier.matching.parser import Topics, parse
from notifier.matching.query import Query

_MERGED_FROM = 4
"""A segment is merged into the one before it when that one is less than so many times as large."""
_BLOCK = 1 << 14
_REMEMBERED_FROM = 1 << 10
_MOST_REMEMBERED = 1 << 22
"""Rows in blocks, 16 MB."""
_SEPARATOR = "\0"
BROKEN = -1
"""The row of a text that does not parse."""


@dataclass(frozen=True, slots=True)
class Parsed(Sequence[Query]):
    """Texts as the queries they stand for, each parsed when it is looked at: few ever are."""

    texts: Sequence[str]
    topics: Topics

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, place: int) -> Query:  # type: ignore[override]
        return parse(self.texts[place], self.topics)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Texts that parse, and what they were compiled to; ``compiled.of`` has the row of each."""

    texts: Sequence[str]
    compiled: Compiled


class RuleSet:
    """Belongs to one thread. ``topics`` are part of what its texts mean: others make another set."""

    def __init__(self, topics: Topics | None = None) -> None:
        self.topics: Topics = topics or {}
        self.segments: list[Segment] = []
        self.errors: dict[str, str] = {}
        self.blocks: dict[bytes, NDArray[np.int32]] = {}
        """Rows of whole lists of texts, by digest: rules are asked for in the same order day after day."""
        self.is_fresh = False
        """Whether its first segment was compiled since it was taken from the shelf, or last put there."""
        self._rows: dict[str, int] | None = None

    def __len__(self) -> int:
        """How many different texts there are."""
        return sum(len(segment.texts) for segment in self.segments) + len(self.errors)

    def rows(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """The row of each text in ``Matches``, or BROKEN (see ``errors``). New ones are compiled."""
        size = -(-len(texts) // max(1, -(-len(texts) // _BLOCK))) or 1
        blocks = [texts[start : start + size] for start in range(0, len(texts), size)]
        found = [self._block(block) for block in blocks]
        known = [rows for rows in found if rows is not None]
        if len(known) < len(found):
            missing = (text for block, rows in zip(blocks, found, strict=True) if rows is None for text in block)
            self._learn([text for text in dict.fromkeys(missing) if text not in self._row_of])
            # Compiling may have moved the rows of other blocks.
            return self.rows(texts)
        return np.concatenate(known).astype(np.int64) if known else np.zeros(0, np.int64)

    def kept(self, texts: Container[str]) -> RuleSet:
        """A set with those of ``texts`` that parse, all in one segment; this one where it is such a set already."""
        known = [text for segment in self.segments for text in segment.texts if text in texts]
        if len(self.segments) <= 1 and len(known) + len(self.errors) == len(self):
            return self
        kept = RuleSet(self.topics)
        kept.put(compile_texts(known, self.topics)[0])
        return kept

    def put(self, segment: Segment) -> None:
        if segment.texts:
            if self._rows is not None:
                self._rows |= zip(segment.texts, (segment.compiled.of + self._size).tolist(), strict=True)
            self.segments.append(segment)

    @property
    def _size(self) -> int:
        return sum(segment.compiled.rows for segment in self.segments)

    @property
    def _row_of(self) -> dict[str, int]:
        """Made when first asked for: a set from the shelf whose rules are as they were never needs it."""
        if self._rows is None:
            self._rows = dict.fromkeys(self.errors, BROKEN)
            segments, self.segments = self.segments, []
            for segment in segments:
                self.put(segment)
        return self._rows

    def _block(self, texts: Sequence[str]) -> NDArray[np.int32] | None:
        digest = _digest(texts) if len(texts) >= _REMEMBERED_FROM else None
        if digest is not None and (known := self.blocks.get(digest)) is not None:
            return known
        found = list(map(self._row_of.get, texts))
        if None in found:
            return None
        rows = np.array(found, np.int32)
        if digest is not None and rows.min() >= 0 and rows.max() < self.segments[0].compiled.rows:
            if sum(map(len, self.blocks.values())) > _MOST_REMEMBERED:
                self.blocks.clear()
            self.blocks[digest] = rows
        return rows

    def _learn(self, texts: Sequence[str]) -> None:
        segment, errors = compile_texts(texts, self.topics)
        while self.segments and len(self.segments[-1].texts) < _MERGED_FROM * len(segment.texts):
            before = self.segments.pop()
            segment, _ = compile_texts([*before.texts, *segment.texts], self.topics)
        if not self.segments:
            self.blocks.clear()
            self.is_fresh = True
        self.errors |= errors
        self._row_of.update(dict.fromkeys(errors, BROKEN))
        self.put(segment)


def _digest(texts: Sequence[str]) -> bytes:
    """Of a list of texts; one that anybody could make collide would give them other people's rules.

    Lists with a separator inside a text are never remembered, because such a text does not parse.
    """
    joined = f"{len(texts)}{_SEPARATOR}{_SEPARATOR.join(texts)}"
    return sha256(joined.encode("utf-8", "surrogatepass")).digest()


def compile_texts(texts: Sequence[str], topics: Topics) -> tuple[Segment, dict[str, str]]:
    """A segment of the texts that parse, and for the others what is wrong with them."""
    compiler, errors = Compiler(), dict[str, str]()
    good: list[str] = []
    with collector_paused():
        for text in texts:
            try:
                if not compiler.add_text(text):
                    compiler.add(parse(text, topics))
            except RuleError as error:
                errors[text] = str(error)
            else:
                good.append(text)
        return Segment(texts=good, compiled=compiler.compiled(Parsed(good, topics))), errors


@contextmanager
def collector_paused() -> Iterator[None]:
    """For work that makes millions of objects without cycles, among which the collector finds nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Matches:
    """The rows of a set over one window; follows the set as that grows."""

    def __init__(self, rules: RuleSet, index: Index) -> None:
        self._rules, self._index = rules, index
        self._of_segment: dict[int, tuple[Segment, Row]] = {}
        self._rows: Row = np.zeros((0, index.words), np.uint64)

    def rows(self) -> Row:
        """Shape (rows of the set, index.words): bit i of a row says that the text matches ``index.entries[i]``."""
        segments = self._rules.segments
        if list(self._of_segment) != list(map(id, segments)):
            # The segment is kept beside its rows, because the id of one that is gone may come again.
            kept = {
                id(each): self._of_segment.get(id(each)) or (each, match(self._index, each.compiled))
                for each in segments
            }
            self._of_segment = kept
            parts = [rows for _, rows in kept.values()]
            self._rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return self._rows
