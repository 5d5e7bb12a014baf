"""Pure helpers on plain text: make it harmless, cut it, wrap it, and let only web links through."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import quote, urlsplit

COLUMNS = 72
"""Width of the text part; the usual measure that survives one level of quoting in 80 columns."""

_SHORT = 120
LONGEST_URL = 2000
"""What every mail client and Slack still opens (Slack's own limit for a button is 3,000)."""

# Controls (C0, C1, DEL), line and paragraph separators, and the marks that turn the direction of what follows.
_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Not the no-break space, which keeps an ellipsis with its word.
_BREAKABLE = re.compile(r"[ \n\t\r]+")
# Below it each character takes one column.
_UNUSUAL = re.compile("[^\x00-\u02ff\u2010-\u2026]")
_SPACE = re.compile(r"\s+")
_URL_SAFE = "!#$%&'()*+,/:;=?@[]~"


def same_length(text: str) -> str:
    """Replace every harmful character by one harmless one, so that spans into ``text`` stay right."""
    return _SURROGATE.sub("\ufffd", _HARMFUL.sub(" ", text))


def plain(text: str, limit: int = 300) -> str:
    """One line of harmless text of at most ``limit`` characters."""
    # Names, labels and words of evidence come again in most digests.
    return _short(text, limit) if len(text) <= _SHORT else _cleaned(text, limit)


@lru_cache(8192)
def _short(text: str, limit: int) -> str:
    return _cleaned(text, limit)


def _cleaned(text: str, limit: int) -> str:
    return clip(_SPACE.sub(" ", same_length(text[: limit * 4])).strip(), limit)


def clip(text: str, limit: int) -> str:
    """Cut at a word where one ends in the last third, and say so with an ellipsis."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    at = head.rfind(" ", limit * 2 // 3)
    return head[: at if at > 0 else None].rstrip(" ,;:-–—") + "…"


def web_url(url: str | None) -> str | None:
    """``url`` in ASCII if it is an ordinary http or https address, else None.

    Addresses with a user name are dropped: they are how a link pretends to lead somewhere else.
    """
    if not url or len(url) > LONGEST_URL or _HARMFUL.search(url) or _SURROGATE.search(url):
        return None
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or not _plain_host(host):
        return None
    ascii_host = domain_ascii(parts.netloc)
    if ascii_host is None:
        return None
    rest = parts._replace(netloc="", scheme="").geturl()
    address = f"{parts.scheme}://{ascii_host}{quote(rest, safe=_URL_SAFE)}"
    return address if len(address) <= LONGEST_URL else None


def domain_ascii(domain: str) -> str | None:
    """``domain`` in punycode, or None if it is none."""
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None


def _plain_host(host: str) -> bool:
    return not re.search(r"[\s<>\"'`|\\^{}%&]", host)


@lru_cache(1024)
def wrap(text: str, indent: str = "") -> str:
    """Break ``text`` into lines of 72 columns (a wide character takes two); a link is never broken."""
    room = COLUMNS - columns(indent)
    lines: list[list[str]] = [[]]
    used = 0
    for word in _words(text, room):
        width = columns(word)
        if lines[-1] and used + width > room:
            lines.append([])
            used = 0
        lines[-1].append(word)
        used += width + 1
    return "\n".join(f"{indent}{' '.join(line)}" if line else "" for line in lines)


def columns(text: str) -> int:
    if not _UNUSUAL.search(text):
        return len(text)
    return sum(_width(each) for each in text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _words(text: str, width: int) -> list[str]:
    words: list[str] = []
    for word in _BREAKABLE.split(text.strip()):
        link = word.startswith(("https://", "http://", "mailto:"))
        words += [word] if link or columns(word) <= width else _pieces(word, width)
    return words


def _pieces(word: str, width: int) -> list[str]:
    pieces, start, used = [], 0, 0
    for at, character in enumerate(word):
        size = _width(character)
        if used + size > width:
            pieces.append(word[start:at])
            start, used = at, 0
        used += size
    return [*pieces, word[start:]]
