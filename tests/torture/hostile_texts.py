"""Texts and links that try to become something else, made by a generator: deterministic by seed and number."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from html import escape
from urllib.parse import quote

from tests.render.hostile import LINKS, TEXTS

_BREAKS = ("\r\n", "\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x00", "\t", "%0d%0a", "=0D=0A")
_HIDDEN = "\u200b\u200e\u202a\u202e\u2066\u2069\ufeff\u00ad\u061c\U000e0041\u2060\ufe0f\u0301\u0489"
_LIVE = (
    "<!channel>", "<!here|x>", "<!everyone>", "<@U012AB3CD>", "<#C012AB3CD|x>", "<!subteam^SAZ94GDB8>", "@channel",
    "<https://evil.example|https://bank.example>", "<!date^1392734382^{date}^https://evil.example|x>",
    "<mailto:a@b.example|x>", "https://evil.example/x", "www.evil.example",
)  # fmt: skip
_TAGS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>",
    "<a href=javascript:alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>", "<body onload=alert(1)>", "<style>*{display:none}</style>",
    "</title><script>alert(1)</script>", "<!--", "-->", "]]>", "<![endif]-->", "<math><mtext><table><mglyph><style>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "<base href=https://evil.example/>",
    '" autofocus x="',
    "' onmouseover='alert(1)", "`onclick=alert(1)`", "<meta http-equiv=refresh content=0;url=https://evil.example>",
)  # fmt: skip
_HEADERS = (
    "Bcc: eve@example.net", "=?utf-8?q?=0D=0ABcc=3A_eve=40example=2Enet?=", "=?utf-8?b?DQpCY2M6IGV2ZQ==?=", "X-Evil: 1",
    "=?utf-7?q?+ADw-script+AD4-?=", "Content-Type: text/html", "--=_", "\r\n.\r\nMAIL FROM:<eve@example.net>", "From ",
    '" <eve@example.net>, "', "(comment) <eve@example.net>", "eve@example.net, ", "=\r\n", "=3D=20", "=?x?y?z?=",
)  # fmt: skip
_MARKS = (
    "{{7*7}}", "{% include 'x' %}", "%s%n%(x)s", "${x}", "\\textbf{", "$\\frac{1}{", "*b*", "_i_", "`c`", "```", "~~",
    "[x](https://evil.example)",
)  # fmt: skip
_LONG = ("w" * 1_200, "漢" * 700, "é" * 900, "\\" * 300, "{" * 300, "&" * 400, "<" * 400, "a " * 700, "x@" * 300)
_BEGINNINGS = ("https://example.org/", "http://lab.example.org:8080/a?b=", "https://example.org/#", "")
_PIECES = (TEXTS, _BREAKS, tuple(_HIDDEN), _LIVE, _TAGS, _HEADERS, _MARKS, _LONG[:1], string.printable)


def text(rng: random.Random) -> str:
    """One in forty is long."""
    pieces = [rng.choice(rng.choice(_PIECES)) for _ in range(rng.choice((1, 2, 3, 6)))]
    if rng.random() < 0.025:
        pieces.append(rng.choice(_LONG))
    made = "".join(pieces)
    for mutate in rng.choices(_MUTATIONS, k=rng.choice((0, 0, 1, 2))):
        made = mutate(rng, made)
    return made[:4_000]


def link(rng: random.Random) -> str:
    """Two of three would be good ones but for something in them."""
    if rng.random() < 0.3:
        return rng.choice(LINKS)
    return rng.choice(_BEGINNINGS) + text(rng)


def _split(rng: random.Random, made: str) -> str:
    """Something that nobody sees in the middle of a word that a filter looks for."""
    at = rng.randint(0, len(made))
    return made[:at] + rng.choice(rng.choice((_HIDDEN, _BREAKS))) + made[at:]


def _anything(rng: random.Random, made: str) -> str:
    """Any characters of Unicode, lone surrogates too."""
    return made + "".join(chr(rng.randrange(0x110000)) for _ in range(rng.choice((1, 8, 40))))


_MUTATIONS: tuple[Callable[[random.Random, str], str], ...] = (
    _split,
    _split,
    _anything,
    lambda rng, made: "".join(each.swapcase() if rng.random() < 0.5 else each for each in made),
    lambda rng, made: escape(made, quote=rng.random() < 0.5),
    lambda rng, made: "".join(f"&#{ord(each)};" if rng.random() < 0.3 else each for each in made),
    lambda rng, made: quote(made.encode("utf-8", "replace")),
    lambda rng, made: made[::-1],
    lambda rng, made: made * rng.choice((2, 3)),
)
