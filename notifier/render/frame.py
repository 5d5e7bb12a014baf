"""All of a mail but its entries: laid out once for each shape of it, filled in for each digest.

Two frames have one shape where the same of their texts are there. The layout is what the template makes of marks in
place of the texts, so a template may ask whether a text is there, repeat, join and wrap, but not look into it. The
bundled ones do no more (tests compare both ways); an operator's may, and is rendered each time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, is_dataclass
from functools import lru_cache
from itertools import count, groupby
from typing import Any

from markupsafe import escape

from notifier.render.mime import Fragment, split, whole_lines
from notifier.render.text import wrap

# Controls that no cleaned text holds.
_TEXT = re.compile("\x00(\\d+)\x00")
_WRAPPED = re.compile("\x01([^\x02]*)\x02([^\x03]*)\x03")
_BREAK = "\x04"
_LAYOUTS = 512


@dataclass(frozen=True, slots=True)
class _Line:
    """A text with ``%s`` for what is filled in, and which those are."""

    text: str
    numbers: tuple[int, ...]

    def filled(self, texts: Sequence[str]) -> str:
        return self.text % tuple([texts[number] for number in self.numbers])


@dataclass(frozen=True, slots=True)
class _Layout:
    """``head`` and ``tail`` in order, None where lines of ``moving`` come; ``wrapped`` are more texts, with indents."""

    head: tuple[Fragment | None, ...]
    tail: tuple[Fragment | None, ...]
    moving: _Line
    wrapped: tuple[tuple[_Line, str], ...]


class Frame:
    """``render`` makes the texts before and after the entries; with ``markup`` what is filled in is escaped."""

    def __init__(self, render: Callable[[Any], tuple[str, str]], *, markup: bool) -> None:
        self._render = render
        self._markup = markup
        self._layout = lru_cache(_LAYOUTS)(self._laid_out)

    def fill(self, view: Shaped) -> tuple[list[Fragment], list[Fragment]]:
        """What comes before the entries, and after them."""
        layout = self._layout(view)
        texts = [str(escape(text)) for text in view.texts] if self._markup else view.texts
        wrapped = [wrap(line.filled(texts), indent) for line, indent in layout.wrapped]
        fresh = iter(_fragments(layout.moving.filled([*texts, *wrapped])))
        head, tail = ([each or next(fresh) for each in runs] for runs in (layout.head, layout.tail))
        return head, tail

    def _laid_out(self, shaped: Shaped) -> _Layout:
        wrapped: list[tuple[_Line, str]] = []

        def number(found: re.Match[str]) -> str:
            wrapped.append((_line(found[2]), found[1]))
            return f"\x00{len(shaped.texts) + len(wrapped) - 1}\x00"

        head, tail = (_runs(_WRAPPED.sub(number, text)) for text in self._render(_marked(shaped.view, count())))
        moving = f"{_BREAK}\n".join(text for text, moves in (*head, *tail) if moves)
        still = [
            tuple(None if moves else whole_lines(text, kept=True) for text, moves in runs) for runs in (head, tail)
        ]
        return _Layout(head=still[0], tail=still[1], moving=_line(moving), wrapped=tuple(wrapped))


def _line(text: str) -> _Line:
    numbers = tuple(int(each) for each in _TEXT.findall(text))
    return _Line(_TEXT.sub("%s", text.replace("%", "%%")), numbers)


def _runs(text: str) -> list[tuple[str, bool]]:
    """Lines that are always the same, and lines with something to fill in: whole ones can be encoded by themselves."""
    lines = groupby(text.rstrip("\n").split("\n"), key=lambda line: "\x00" in line)
    return [("\n".join(some) + "\n", moves) for moves, some in lines]


def _still(runs: Sequence[tuple[str, bool]]) -> tuple[Fragment | None, ...]:
    return tuple(None if moves else whole_lines(text, kept=True) for text, moves in runs)


class Shaped:
    """A view, equal to all that have its shape; ``texts`` are what is not empty in it."""

    __slots__ = ("shape", "texts", "view")

    def __init__(self, view: Any) -> None:
        self.view = view
        self.texts: list[str] = []
        shape: list[int] = []
        _take_apart(view, self.texts, shape)
        self.shape = tuple(shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shaped) and self.shape == other.shape

    def __hash__(self) -> int:
        return hash(self.shape)


def wrap_later(text: str, indent: str = "") -> str:
    """The filter of templates that are rendered with marks."""
    return f"\x01{indent}\x02{text}\x03" if "\x00" in text else wrap(text, indent)


def _take_apart(value: Any, texts: list[str], shape: list[int]) -> None:
    if isinstance(value, str):
        shape.append(1 if value else 0)
        if value:
            texts.append(value)
    elif value is None:
        shape.append(2)
    elif isinstance(value, tuple):
        shape.append(10 + len(value))
        for each in value:
            _take_apart(each, texts, shape)
    else:
        for name in value.__dataclass_fields__:
            _take_apart(getattr(value, name), texts, shape)


def _marked(value: Any, numbers: Any) -> Any:
    if isinstance(value, str):
        return f"\x00{next(numbers)}\x00" if value else value
    if isinstance(value, tuple):
        return tuple(_marked(each, numbers) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{name: _marked(getattr(value, name), numbers) for name in value.__dataclass_fields__})
    return value


def _fragments(filled: str) -> list[Fragment]:
    """Of all at once: the encoding is local to lines."""
    return split(filled, _BREAK) if filled else []
