"""What a source is called where nobody named it."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from notifier.clean import plain

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_.:-]{0,58}[a-z0-9])?")
_SERVICE = re.compile(r"(arxiv|biorxiv|medrxiv)(?=[:@]|$)", re.IGNORECASE)
_LONGEST = 40
_COMMON = frozenset({"", "feed", "feeds", "rss", "atom", "xml", "index", "json"})


def name_of(url: str) -> str:
    """``huggingface``, or the host of an address with what of its path tells feeds apart."""
    if service := _SERVICE.match(url.strip()):
        return service[1].lower()
    if "://" not in url:
        # Absolute, so that "." has a name as well.
        return Path(url.strip()).expanduser().absolute().stem.replace(":", "-") or "folder"
    parts = urlsplit(url.strip())
    host = (parts.hostname or "").removeprefix("www.")
    if host == "rss.arxiv.org":
        return "arxiv"
    words = [word for word in re.split(r"[/.?=&]+", parts.path) if word not in _COMMON]
    return "-".join([host, *words[-1:]])


def name_from(text: str, url: str, taken: Container[str]) -> str:
    """A name for what a list calls ``text``: short, easy to type, and not in ``taken``.

    One that is such a name already is kept, so that a list of our own gives the same names again.
    """
    text = plain(text, limit=200)
    name = text if _NAME.fullmatch(text) else _slug(text) or name_of(url)
    return next(each for each in _numbered(name) if each not in taken)


def _slug(text: str) -> str:
    slug = re.sub(r"[\W_]+", "-", text.replace("'", "").replace("’", "").casefold()).strip("-")
    return slug if len(slug) <= _LONGEST else slug[:_LONGEST].rsplit("-", 1)[0]


def _numbered(name: str) -> Iterator[str]:
    return (name if n == 1 else f"{name}-{n}" for n in count(1))
