"""Terms that papers have only inside something else: an address, a formula, markup, another script, a longer word.

Such a term finds papers for a link or a sign in them rather than for what they are about, so it is worth a second look.
Each occurrence is judged by itself, and one that stands free clears the term.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from notifier.lint.findings import FEWEST_HITS, Advice, Finding, Flags, Term, name_of, written_of
from notifier.matching import Index, Query, explain
from notifier.matching.normalize import CHARACTERWISE
from notifier.matching.query import Text
from notifier.model import Entry

_SIGN = re.compile(f"[{CHARACTERWISE}]")
_REGIONS = (
    (
        "web addresses",
        re.compile(r"(?:https?|ftp)://[^\s<>\"']+|\bwww\.[^\s<>\"']+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/\S*"),
    ),
    ("mail addresses", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    (
        "identifiers",
        re.compile(
            r"\b10\.\d{4,9}/\S+|\b(?:arXiv|doi):\S+|\b\w*[^\W_]_[^\W_]\w*|\w+::[\w:]+"
            r"|\b[\w-]+\.(?:py|ipynb|cpp|json|ya?ml|csv|txt|md|pdf|zip)\b",
            re.IGNORECASE,
        ),
    ),
    # Where a dollar opens and closes a formula, rather than stands before a price, is Pandoc's rule.
    ("formulas", re.compile(r"\$\$.+?\$\$|\$(?=\S)[^$]{1,400}?(?<=\S)\$(?!\d)|\\\(.+?\\\)|\\\[.+?\\\]", re.DOTALL)),
    (
        "TeX commands",
        re.compile(
            r"\\(?:cite\w*|ref|eqref|label|url|href|input|includegraphics)\*?(?:\[[^\]]*\])?\{[^{}]*\}|\\[A-Za-z]+"
        ),
    ),
    (
        "markup",
        re.compile(
            r"</?(?:p|br|a|i|b|em|strong|su[bp]|span|div|img|[uo]l|li|h[1-6]|code|pre|t(?:able|[dr])|(?:jats|mml):\w+)"
            r"\b[^<>]{0,400}>|&(?:[A-Za-z]{2,8}|#\w{1,6});"
        ),
    ),
)
_WORDS_IN_FORMULA = re.compile(r"\\(?:text\w*|mathrm|mathsf|mbox|emph|operatorname)\s*\{([^{}]*)\}")
_OTHER_SCRIPT = "Chinese, Japanese, Korean or Thai text"
_AROUND = 20
"""Characters to either side that say in which script an occurrence stands."""
_PARTICLES = frozenset("的之与和及在了是等中对为并或は이가은는을를의에와과로도")
"""What follows or precedes any word, and so makes no longer word with it."""
_SHOWN_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Occurrence:
    text: str
    start: int
    end: int


def inside(terms: Sequence[Term], hits: Mapping[Query, Flags], index: Index) -> Iterator[Finding]:
    for term in terms:
        leaf = term.query
        if not isinstance(leaf, Text) or not hits[leaf].any():
            continue
        entries = [index.entries[place] for place in np.flatnonzero(hits[leaf]).tolist()]
        found = (
            _in_longer_word(leaf, entries, index)
            if all(_SIGN.fullmatch(part.removeprefix("-")) for part in leaf.parts)
            else _in_regions(leaf, entries, index)
        )
        if found:
            text, instead = found
            yield Finding(advice=Advice.INSIDE, term=written_of(leaf), text=text, instead=instead)


def _occurrences(leaf: Text, entries: Iterable[Entry], index: Index) -> Iterator[_Occurrence | None]:
    """Each place where the term stands in a text; None for a keyword, which is one by itself."""
    for entry in entries:
        for each in explain(leaf, entry, now=index.now) or ():
            text = {"title": entry.title, "abstract": entry.abstract}.get(each.field)
            if text is None or not each.spans:
                yield None
                continue
            for start, end in each.spans:
                yield _Occurrence(text=text, start=start, end=end)


def _in_regions(leaf: Text, entries: Sequence[Entry], index: Index) -> tuple[str, str | None] | None:
    kinds: dict[str, None] = {}
    for each in _occurrences(leaf, entries, index):
        kind = each and _region(each)
        if not kind:
            return None
        kinds[kind] = None
    if not kinds or (_OTHER_SCRIPT in kinds and len(entries) < FEWEST_HITS):
        return None
    never = "" if _OTHER_SCRIPT in kinds else ", never as a word of a sentence"
    return f"{name_of(leaf)} only ever stands inside {' and '.join(kinds)} ({_papers(entries)}){never}.", None


def _region(found: _Occurrence) -> str | None:
    """What the whole occurrence stands inside; None where it stands free."""
    for kind, pattern in _REGIONS:
        for region in pattern.finditer(found.text):
            if region.start() <= found.start and found.end <= region.end() and not _is_word_in(region, found):
                return kind
    around = found.text[max(0, found.start - _AROUND) : found.start] + found.text[found.end : found.end + _AROUND]
    letters = [char for char in around if char.isalpha()]
    return _OTHER_SCRIPT if 2 * sum(bool(_SIGN.match(char)) for char in letters) > len(letters) else None


def _is_word_in(formula: re.Match[str], found: _Occurrence) -> bool:
    """``$\\textit{in vivo}$`` is a way to write italics."""
    return any(
        formula.start() + words.start(1) <= found.start and found.end <= formula.start() + words.end(1)
        for words in _WORDS_IN_FORMULA.finditer(formula.group())
    )


def _in_longer_word(leaf: Text, entries: Sequence[Entry], index: Index) -> tuple[str, str | None] | None:
    """Scripts without spaces have no words to see; what always continues in the same way is taken for part of one."""
    if len(entries) < FEWEST_HITS:
        return None
    places = list(_occurrences(leaf, entries, index))
    befores, afters = [], []
    for each in places:
        if each is None:
            return None
        befores.append(_run(each.text[: each.start][::-1], each.text[each.start]))
        afters.append(_run(each.text[each.end :], each.text[each.end - 1]))
    shown = places[0].text[places[0].start : places[0].end] if places[0] else ""
    longer = _common(befores)[::-1] + shown + _common(afters)
    if longer != shown:
        return f"{name_of(leaf)} only ever stands inside “{longer}” ({_papers(entries)}).", longer
    if len(shown) > 1 or not all(before or after for before, after in zip(befores, afters, strict=True)):
        return None
    words = dict.fromkeys(b[:1] + shown if b else shown + a[:1] for b, a in zip(befores, afters, strict=True))
    listed = ", ".join(f"“{word}”" for word in list(words)[:_SHOWN_WORDS])
    return f"{name_of(leaf)} only ever stands inside longer words, such as {listed} ({_papers(entries)}).", None


def _run(text: str, beside: str) -> str:
    """How far ``text`` goes on in the script of the character ``beside`` it."""
    script = _script(beside)
    for at, char in enumerate(text[:_AROUND]):
        if _script(char) != script or char in _PARTICLES:
            return text[:at]
    return text[:_AROUND]


def _common(runs: Sequence[str]) -> str:
    """What all begin with."""
    pairs = zip(min(runs), max(runs), strict=False)
    return "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _script(char: str) -> str:
    """``CJK`` (Han), ``HIRAGANA``, ``KATAKANA``, ``HANGUL``, ``THAI``: the first word of Unicode's name; else empty."""
    if char in "々ー":
        return "CJK" if char == "々" else "KATAKANA"
    return unicodedata.name(char, "").split(" ")[0] if _SIGN.match(char) else ""


def _papers(entries: Sequence[Entry]) -> str:
    return "1 paper" if len(entries) == 1 else f"{len(entries)} papers"
