"""Text as it is compared: TeX, accents, Unicode forms and invisible characters folded away, then cut into atoms.

``clean`` replaces odd spots and leaves everything else in place, so that every position can be led back to
the original (``Cleaned.original``). An atom is the smallest thing a rule can name: a run of letters and
digits, one character of a script written without spaces, or one of a few signs such as ``C++`` and ``*PO``.
Atoms that no white space parts are *glued*: ``fine-tuning`` is two glued atoms.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from notifier.matching.lemma import lemma

# Marks that only decorate a letter. Vowel signs and the Japanese voicing marks carry meaning and stay.
_MARKS = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
# What follows a character and composes with it: marks, voicing marks, jamo vowels and finals.
_JOINING = _MARKS + "\u1160-\u11ff\u3099\u309a\ufe00-\ufe0f"

# Scripts written without spaces (and Hangul, whose words carry endings): compared character by character.
CHARACTERWISE = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u318f\u31a0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)

# Unicode's names spell lambda "lamda".
_GREEK = {
    letter: unicodedata.name(letter).split()[-1].lower().replace("lamda", "lambda")
    for letter in "αβγδεζηθικλμνξοπρςστυφχψω"
}
_TEX_LETTERS = {
    **{name: letter for letter, name in _GREEK.items()},
    **{name.title(): letter.upper() for letter, name in _GREEK.items()},
    "varepsilon": "ε",
    "vartheta": "θ",
    "varphi": "φ",
    "varrho": "ρ",
    "varsigma": "σ",
    "varpi": "π",
    "o": "o",
    "O": "O",
    "l": "l",
    "L": "L",
    "i": "i",
    "j": "j",
    "ss": "ss",
    "ae": "ae",
    "AE": "AE",
    "oe": "oe",
    "OE": "OE",
    "aa": "a",
    "AA": "A",
    "ell": "l",
    "LaTeX": "LaTeX",
    "TeX": "TeX",
}
# Commands that only dress their argument vanish without parting a word.
_TEX_STYLE = re.compile(
    r"(?:text|math)(?:bf?|it|tt|sc|sf|rm|normal|superscript|subscript|bb|cal|frak|scr)?|emph|boldsymbol|bm|bf|it|tt|rm|sc|sf"
    r"|em|operatorname|underline|(?:wide)?(?:hat|tilde)|bar|vec|overline|mbox|ensuremath|left|right|big|Big|displaystyle"
)
_ODD = re.compile(
    r"\\(?:['\"`^~=.]\s*\{?\\?|[cvHkubdr]\s*\{\\?)(?P<letter>[A-Za-z])\}?"
    r"|\\(?P<command>[A-Za-z]+)"
    r"|\\(?P<escaped>[\s\S])"
    r"|[${}]"
    rf"|[^\x00-\x7f][{_JOINING}]*"
)
_LATIN_MARK = re.compile(f"[{_MARKS}]")
_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u034f", ""),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
        **dict.fromkeys("‘’‚‛ʼ′", "'"),
        **dict.fromkeys("“”„‟″", '"'),
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ı": "i",
        "ħ": "h",
        "ŧ": "t",
    }
)

# Text is cut into runs first, because a run's atoms need finding only once however often it occurs.
_KEPT = "-_^'+#*"
_RUN = re.compile(r"[\w\-^'+#*]+")
_RUN_TABLE = "".join(chr(code) if chr(code).isalnum() or chr(code) in _KEPT else " " for code in range(128))
_SIGNED = r"[A-Za-z]\+\+|[A-Za-z]\#(?!\w)|[A-Z]\*(?![\w*])"
_PIECE = rf"(?:{_SIGNED}|[^\W_{CHARACTERWISE}]+)"
_CHAIN = re.compile(rf"[{CHARACTERWISE}]|(?<![\w*])\*[A-Z]{{2,}}(?![\w*])|{_PIECE}(?:[-_^']{_PIECE})*")
_JOINT = re.compile(r"[-_^]")
_POSSESSIVE = re.compile(r"'[sS]\b")
_CHARACTERWISE = re.compile(f"[{CHARACTERWISE}]")


PRIME = 4_294_967_291
"""Below 2^32, so that the products of ``text_hash`` values fit 64 bits."""


def text_hash(text: str) -> int:
    """hash(left + right) = hash(left) * 256^bytes(right) + hash(right), modulo PRIME."""
    return int.from_bytes(text.encode("utf-8", "surrogatepass"), "big") % PRIME


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Atom:
    """``surface`` as it stands (cleaned), ``folded`` without case, ``term`` with its inflection folded.

    ``hashes`` are the hash and the length in bytes of ``folded``, then of ``term``. Atoms are shared, and
    compared by identity; two of the same surface do no harm.
    """

    surface: str
    folded: str
    term: str
    hashes: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The atoms of one piece of text; ``glued[i]`` says that atom i stands joined to atom i - 1.

    ``spans`` are half-open character ranges in the original text.
    """

    atoms: tuple[Atom, ...]
    glued: tuple[bool, ...]
    spans: tuple[tuple[int, int], ...]


class _Clusters(dict[str, str]):
    """A character with its marks, to what it is compared as."""

    def __missing__(self, cluster: str) -> str:
        plain = _LATIN_MARK.sub("", unicodedata.normalize("NFKD", cluster)).translate(_CHARACTERS)
        folded = unicodedata.normalize("NFC", plain)
        if len(self) < 100_000:
            self[cluster] = folded
        return folded


_clusters = _Clusters()


def _replace(match: re.Match[str]) -> str:
    odd = match.group()
    if odd[0] > "\x7f":
        return _clusters[odd]
    if (letter := match["letter"]) is not None:
        return letter
    if (command := match["command"]) is not None:
        return "" if _TEX_STYLE.fullmatch(command) else _TEX_LETTERS.get(command, " ")
    if (escaped := match["escaped"]) is not None:
        return "-" if escaped == "-" else _clusters[escaped] if escaped > "\x7f" else escaped
    return ""


def clean(text: str) -> str:
    if text.isascii() and "\\" not in text and "$" not in text and "{" not in text and "}" not in text:
        return text
    return _ODD.sub(_replace, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """Cleaned text with the way back: each piece starts at ``starts[i]`` here and covers ``sources[i]`` there."""

    text: str
    starts: tuple[int, ...]
    sources: tuple[tuple[int, int], ...]
    same: tuple[bool, ...]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The original range of the non-empty cleaned range ``start:end``."""
        first, last = bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1) - 1
        left = self.sources[first][0] + (start - self.starts[first] if self.same[first] else 0)
        right = self.sources[last][0] + end - self.starts[last] if self.same[last] else self.sources[last][1]
        return left, right


def cleaned(text: str) -> Cleaned:
    """``clean`` with the way back to the original positions."""
    pieces: list[str] = []
    starts: list[int] = []
    sources: list[tuple[int, int]] = []
    same: list[bool] = []
    at = length = 0

    def put(piece: str, source: tuple[int, int], kept: bool) -> None:
        nonlocal length
        if piece:
            pieces.append(piece)
            starts.append(length)
            sources.append(source)
            same.append(kept)
            length += len(piece)

    for odd in _ODD.finditer(text):
        put(text[at : odd.start()], (at, odd.start()), True)
        put(_replace(odd), odd.span(), False)
        at = odd.end()
    put(text[at:], (at, len(text)), True)
    return Cleaned(text="".join(pieces), starts=tuple(starts), sources=tuple(sources), same=tuple(same))


SEPARATOR = "\0"
"""Stands as a run of its own behind each text of ``separated_runs``; no text holds it as a run."""


def raw_runs(text: str) -> list[str]:
    """The runs of a text: what stands between white space and punctuation."""
    return _spaced(text).split()


def separated_runs(texts: Iterable[str]) -> list[str]:
    """The runs of all ``texts``; cutting them in one go costs half of what it does text by text."""
    return f" {SEPARATOR} ".join([*map(_spaced, texts), ""]).split()


def _spaced(text: str) -> str:
    text = clean(text)
    return text.translate(_RUN_TABLE) if text.isascii() else " ".join(_RUN.findall(text))


@dataclass(frozen=True, slots=True)
class Piece:
    """One atom of a run, where it begins there, and whether it is glued to the piece before."""

    atom: Atom
    glued: bool
    start: int
    end: int


def pieces_of(run: str) -> tuple[Piece, ...]:
    # Text without spaces makes long runs that never come again.
    return _pieces_cached(run) if len(run) <= 64 else pieces_in(run)


def pieces_in(run: str) -> tuple[Piece, ...]:
    """``pieces_of`` without its memory."""
    found: list[Piece] = []
    for chain in _CHAIN.finditer(run):
        at = chain.start()
        for number, surface in enumerate(_JOINT.split(chain.group())):
            found.append(Piece(atom(surface), number > 0, at, at + len(surface)))
            at += len(surface) + 1
    return tuple(found)


_pieces_cached = lru_cache(maxsize=2**16)(pieces_in)


@lru_cache(maxsize=2**18)
def atom(surface: str) -> Atom:
    folded = fold(surface)
    plain = _POSSESSIVE.sub("", surface).replace("'", "") or surface.replace("'", "")
    term = folded if is_character(folded) else lemma(folded)
    hashes = (text_hash(folded), _width(folded), text_hash(term), _width(term))
    return Atom(surface=plain, folded=folded, term=term, hashes=hashes)


def _width(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def fold(surface: str) -> str:
    """Without case, apostrophes and possessive; a lone Greek letter becomes its name. Idempotent."""
    plain = _POSSESSIVE.sub("", surface).replace("'", "") or surface.replace("'", "")
    folded = plain.casefold()
    if not folded.isascii():
        folded = clean(folded).casefold()
        folded = _GREEK.get(folded, folded)
    return folded


def is_character(folded: str) -> bool:
    """Whether this atom is one character of a script that is matched by substring."""
    return len(folded) == 1 and _CHARACTERWISE.match(folded) is not None


def tokens(text: str) -> Tokens:
    source = cleaned(text)
    found = [(run.start(), piece) for run in _RUN.finditer(source.text) for piece in pieces_of(run.group())]
    return Tokens(
        atoms=tuple(piece.atom for _, piece in found),
        glued=tuple(piece.glued for _, piece in found),
        spans=tuple(source.original(at + piece.start, at + piece.end) for at, piece in found),
    )
