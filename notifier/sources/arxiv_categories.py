"""Which of arXiv's categories to ask for: those of the source's address, and those that rules name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote, urlsplit

from notifier import resources
from notifier.taxonomy import Taxonomy, parse_taxonomy

_NAME = re.compile(r"[a-z]+(?:-[a-z]+)*(?:\.[a-z]+(?:-[a-z]+)*|\.\*)?", re.IGNORECASE)
_FEED_HOSTS = ("rss.arxiv.org", "export.arxiv.org")
_FEED_PATH = re.compile(r"/(?:rss|atom)/(?P<categories>[^/]+)/?")
_LONGEST = 1_500
"""Characters of a joined request: what clients and servers on the way surely pass on."""
PHYSICS = frozenset(
    "astro-ph cond-mat gr-qc hep-ex hep-lat hep-ph hep-th math-ph nlin nucl-ex nucl-th physics quant-ph".split()  # noqa: SIM905
)
"""The archives that make up the group physics; every other archive is a group of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What ``arxiv:cs.CL+cs.LG`` means; ``mirror`` is where the three services are, where not at arXiv's own."""

    categories: tuple[str, ...] = ()
    mirror: str | None = None

    def __str__(self) -> str:
        categories = f":{'+'.join(self.categories)}" if self.categories else ""
        return f"arxiv{categories}{f'@{self.mirror}' if self.mirror else ''}"


def parse_address(text: str) -> Address | None:
    """``arxiv``, ``arxiv:cs.CL+math``, the same with ``@https://mirror``, or the address of an arXiv feed."""
    text = text.strip()
    found = re.fullmatch(r"arxiv(?::(?P<names>[^@\s]+))?(?:@(?P<mirror>https?://\S+))?", text, re.IGNORECASE)
    names, mirror = (found["names"] or "", found["mirror"]) if found else (_feed_names(text), None)
    if names is None:
        return None
    categories = tuple(name for name in re.split(r"[+,]", names) if name)
    if not all(map(_NAME.fullmatch, categories)):
        return None
    return Address(categories=_canonical(categories), mirror=mirror.rstrip("/") if mirror else None)


def _feed_names(text: str) -> str | None:
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    found = _FEED_PATH.fullmatch(unquote(parts.path)) if parts.scheme in ("http", "https") else None
    return found["categories"] if found and parts.hostname in _FEED_HOSTS else None


def widened(url: str, categories: Collection[str]) -> str:
    """The address that asks for ``categories`` as well; those that arXiv does not have belong to other sources."""
    address = parse_address(url)
    if address is None:
        return url
    known = (found.name for name in categories if (found := taxonomy().get(name)))
    return str(Address(categories=_canonical((*address.categories, *known)), mirror=address.mirror))


@cache
def taxonomy() -> Taxonomy:
    return parse_taxonomy((resources.folder("rules") / "categories.yaml").read_text("utf-8"))


def _canonical(names: Iterable[str]) -> tuple[str, ...]:
    """In arXiv's own spelling and without repeats; what an archive holds is not named beside it."""
    spelled = {_spelled(name) for name in names}
    kept = sorted(name for name in spelled if archive_of(name) == name or archive_of(name) not in spelled)
    while len("+".join(kept)) > _LONGEST:
        archives = [archive_of(name) for name in kept if "." in name]
        largest = max(sorted(set(archives)), key=archives.count)
        kept = sorted({largest, *(name for name in kept if archive_of(name) != largest)})
    return tuple(kept)


def _spelled(name: str) -> str:
    found = taxonomy().get(name)
    return found.name if found else name.removesuffix(".*")


def archive_of(category: str) -> str:
    return category.split(".")[0]


def covers(asked: str, category: str) -> bool:
    """Whether ``asked``, a category or an archive, takes in ``category``."""
    return asked == category or ("." not in asked and archive_of(category) == asked)
