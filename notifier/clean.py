"""What comes from outside, as harmless plain text and links.

Text that leaves here has no markup to interpret, no control, bidirectional or invisible characters, no lone
surrogates, no line breaks, and is NFC. It is still text: whoever puts it into HTML, a header or Slack escapes
it there.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import nh3

TITLE_LIMIT = 1_000
TEXT_LIMIT = 20_000
LINK_LIMIT = 2_000

# Surrogates, C0/C1 controls that are no white space, and format characters that reorder or hide text. The joiners
# U+200C and U+200D stay: Persian, Indic scripts and emoji need them.
_UNWANTED = re.compile(
    "[\ud800-\udfff\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
_ELLIPSIS = "…"


def plain(text: str, *, limit: int = TEXT_LIMIT) -> str:
    """Plain text as one clean line of at most ``limit`` characters; ``<`` is a character like any other."""
    # Four times the limit leaves room for what is removed, and bounds the work on a hostile megabyte.
    text = text[: limit * 4]
    # Most texts are harmless, and ASCII can be told so at once.
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", _UNWANTED.sub("", text))
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + _ELLIPSIS


def data(value: Any) -> Any:
    """A value of JSON with every text in it, names too, free of what reorders, hides or ends lines."""
    match value:
        case str():
            return " ".join(_UNWANTED.sub("", value).splitlines())
        case list() | tuple():
            return [data(each) for each in value]
        case dict():
            return {data(str(name)): data(each) for name, each in value.items()}
    return value


_BLOCKS = (
    "address|article|aside|blockquote|br|caption|center|dd|div|dl|dt|figcaption|figure|footer|h[1-6]|header|hr|li|main"
    "|nav|ol|option|p|pre|section|summary|table|tbody|td|tfoot|th|thead|tr|ul"
)
_INLINE = (
    "a|abbr|acronym|audio|b|bdi|bdo|big|button|cite|code|data|del|details|dfn|em|embed|fieldset|font|form|i|iframe|img"
    "|input|ins|jats:[a-z]+|kbd|label|mark|math|object|q|s|samp|select|small|source|span|strike|strong"
    "|sub|sup|svg|textarea|time|track|tt|u|var|video|wbr|body|head|html|link|meta|title"
)
_ATTRIBUTE = r"""\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+)"""
_TAG = re.compile(rf"</?(?:(?P<block>{_BLOCKS})|(?:{_INLINE}))(?:{_ATTRIBUTE})*+\s*/?>", re.IGNORECASE)
_STRAY = re.compile(r"<(?!/?(?:script|style)\b|!--|!\[CDATA\[)", re.IGNORECASE)


def from_html(text: str, *, limit: int = TEXT_LIMIT) -> str:
    """HTML as one clean line of plain text: tags go, what they enclose stays (but for scripts and styles).

    A ``<`` that opens no HTML tag ("a<b and c>d", "p < 0.05") is kept as the character it was meant to be.
    """
    text = text[: limit * 8]
    if "<" in text:
        # nh3 takes UTF-8, which has no lone surrogates.
        text = text.encode("utf-8", "ignore").decode("utf-8")
        # Tags go before nh3 sees them: its parser needs quadratic time for a deep nest of open elements.
        text = _TAG.sub(lambda tag: " " if tag["block"] else "", text)
        text = _STRAY.sub("&lt;", _escape_unclosed("style", _escape_unclosed("script", text)))
        text = nh3.clean(text, tags=set(), clean_content_tags={"script", "style"})
    return plain(html.unescape(text), limit=limit)


def _escape_unclosed(tag: str, text: str) -> str:
    """A script nobody closes would swallow the rest of the text."""
    last_close = max(text.lower().rfind(f"</{tag}"), 0)
    tail = re.sub(f"<(?={tag})", "&lt;", text[last_close:], flags=re.IGNORECASE)
    return text[:last_close] + tail


_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.?|\[[0-9a-f:.]+\]")
_FORBIDDEN_IN_LINK = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def link(url: str | None) -> str | None:
    """``url`` if it is an absolute http(s) address without a user name, in ASCII; else None.

    Spaces and characters outside ASCII in path and query are percent-encoded, a host name becomes punycode.
    """
    if not url or len(url := url.strip()) > LINK_LIMIT or _FORBIDDEN_IN_LINK.search(url):
        return None
    try:
        parts = urlsplit(url)
        host, port = _ascii_host(parts.hostname or "", bracketed="[" in parts.netloc), parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    netloc = host if port is None else f"{host}:{port}"
    path, query, fragment = (_quoted(part) for part in (parts.path, parts.query, parts.fragment))
    result = urlunsplit((parts.scheme, netloc, path, query, fragment))
    return result if len(result) <= LINK_LIMIT else None


def _quoted(part: str) -> str:
    return quote(part, safe="!#$%&'()*+,/:;=?@[]~-._")


def _ascii_host(host: str, *, bracketed: bool) -> str | None:
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    host = f"[{host}]" if bracketed else host
    return host if _HOST.fullmatch(host) else None


_ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307",
    '"': "\u0308", "r": "\u030a", "H": "\u030b", "v": "\u030c", "d": "\u0323", "c": "\u0327", "k": "\u0328",
    "b": "\u0331",
}  # fmt: skip
_LETTERS = {
    "ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ",
    "aa": "å", "AA": "Å", "i": "i", "j": "j",
}  # fmt: skip
_LETTER = re.compile(r"\{\\(ss|[oOlLij]|ae|AE|oe|OE|aa|AA)\s*\}|\\(ss|[oOlLij]|ae|AE|oe|OE|aa|AA)(?:\{\}|\b\s?)")
_ACCENT = re.compile(r"""\{?\\(?:([`'^~=."])\s*|([uvHcdbkr])(?:\s+|(?=\{)))(?:\{\s*([^\W\d_])\s*\}|([^\W\d_]))\}?""")


def untex(name: str) -> str:
    r"""A person's name with TeX accents (``Schr\"{o}dinger``, ``{\L}ukasz``) as Unicode letters."""
    if "\\" not in name:
        return name
    name = _LETTER.sub(lambda m: _LETTERS[m[1] or m[2]], name)
    name = _ACCENT.sub(lambda m: (m[3] or m[4]) + _ACCENTS[m[1] or m[2]], name)
    return unicodedata.normalize("NFC", name.replace("{", "").replace("}", ""))
