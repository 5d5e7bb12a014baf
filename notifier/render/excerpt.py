"""The two or three sentences of an abstract that show why it matched, the matched words marked. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

Span = tuple[int, int]

SENTENCES = 3
_LONGEST_SOURCE = 20_000
"""Characters that are looked at; no abstract is longer, and a hostile one must not cost time."""

_END = re.compile(r"[.!?…][\"'”’)\]]*(?=\s+[^\sa-z])|[。！？]")
_SPACE = re.compile(r"\s*")
_SPACES = re.compile(r"\s+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|et al|cf|vs|resp|approx|Fig|Figs|Eq|Eqs|Sec|Tab|Ref|Refs|No|Dr|Prof|St|[A-Z]))\.$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    text: str
    marked: bool = False


def excerpt(text: str, spans: Iterable[Span], *, limit: int) -> tuple[Piece, ...]:
    """Cut ``text`` to whole sentences around ``spans`` (half-open), of at most ``limit`` characters and two ellipses.

    A sentence that is longer than that alone is cut at words around its first match. Empty text gives no pieces.
    """
    text = text[:_LONGEST_SOURCE].rstrip()
    marks = merged(spans, len(text))
    if not text or limit <= 0:
        return ()
    start, end = (0, len(text)) if len(text) <= limit else _window(text, marks, limit)
    pieces = _pieces(text, marks, start, end)
    if start > 0:
        pieces = [Piece(text="…\u00a0"), *pieces]
    if end < len(text):
        pieces = [*pieces, Piece(text="\u00a0…" if text[end - 1] in ".!?…" or text[end : end + 1].isspace() else "…")]
    return tuple(pieces)


def merged(spans: Iterable[Span], length: int) -> list[Span]:
    """Sorted, inside the text, not empty, those that touch or overlap made one."""
    out: list[Span] = []
    for start, end in sorted((max(0, start), min(length, end)) for start, end in spans):
        if start >= end:
            continue
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def sentences(text: str) -> list[Span]:
    """Ranges of the sentences, without the space between them."""
    out, start = [], 0
    for match in _END.finditer(text):
        if not _ABBREVIATION.search(text, start, match.end()):
            out.append((start, match.end()))
            space = _SPACE.match(text, match.end())
            start = space.end() if space else match.end()
    if start < len(text):
        out.append((start, len(text)))
    return out


def _window(text: str, marks: list[Span], limit: int) -> Span:
    ranges = sentences(text)
    candidates = [
        (last - first, (ranges[first][0], ranges[last][1]))
        for first in range(len(ranges))
        for last in range(first, min(first + SENTENCES, len(ranges)))
        if ranges[last][1] - ranges[first][0] <= limit
    ]
    _, best = max(candidates, key=lambda each: _worth(each[0], each[1], marks), default=(0, None))
    if best is None or (marks and not _inside(best, marks)):
        return _cut_at_words(text, marks, ranges, limit)
    return best


def _worth(sentences: int, window: Span, marks: list[Span]) -> tuple[float, ...]:
    """Most marks first, then most sentences, then the match nearest to the middle; without marks the beginning."""
    held = _inside(window, marks)
    if not held:
        return 0, -window[0], sentences
    middle = sum(start for start, _ in held) / len(held)
    return len(held), sentences, -abs((window[0] + window[1]) / 2 - middle), -window[0]


def _inside(window: Span, marks: list[Span]) -> list[Span]:
    return [mark for mark in marks if window[0] <= mark[0] and mark[1] <= window[1]]


def _cut_at_words(text: str, marks: list[Span], ranges: list[Span], limit: int) -> Span:
    anchor = marks[0][0] if marks else 0
    begin = max((start for start, _ in ranges if start <= anchor), default=0)
    start = begin if anchor - begin < limit // 2 else _word_start(text, anchor - limit // 3)
    end = min(len(text), start + limit)
    return start, end if end == len(text) else _word_end(text, start, end)


def _word_start(text: str, at: int) -> int:
    space = text.find(" ", at, at + 40)
    return space + 1 if space >= 0 else at


def _word_end(text: str, start: int, at: int) -> int:
    space = text.rfind(" ", max(start + 1, at - 40), at + 1)
    return space if space > start else at


def _pieces(text: str, marks: list[Span], start: int, end: int) -> list[Piece]:
    pieces, at = [], start
    for left, right in marks:
        left, right = max(left, start), min(right, end)
        if left >= right:
            continue
        pieces += [Piece(text=text[at:left]), Piece(text=text[left:right], marked=True)]
        at = right
    pieces.append(Piece(text=text[at:end]))
    return [Piece(text=_SPACES.sub(" ", piece.text), marked=piece.marked) for piece in pieces if piece.text]
