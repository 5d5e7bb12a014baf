"""One paper, many names: the keys an entry goes by, and the one spelling of what it is described with.

A key is a string; two entries that share one are the same paper. arXiv ids, Hugging Face paper ids, arXiv's DOIs
(``10.48550/arXiv.…``), feed guids (``oai:arXiv.org:…``) and the addresses of the many mirrors all lead to
``arxiv:2512.01234``. The version is never part of a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

# https://info.arxiv.org/help/arxiv_identifier.html: YYMM.NNNN from 0704 to 1412, YYMM.NNNNN from 1501, before that
# archive[.SC]/YYMMNNN.
_ARCHIVES = (
    "acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|cond-mat|cs|dg-ga"
    "|funct-an|gr-qc|hep-ex|hep-lat|hep-ph|hep-th|math|math-ph|mtrl-th|nlin|nucl-ex|nucl-th|patt-sol|physics|plasm-ph"
    "|q-alg|q-bio|quant-ph|solv-int|supr-con"
)
_ARXIV_ID = (
    r"(?:(?P<new>(?:07(?:0[4-9]|1[0-2])|(?:0[89]|1[0-4])(?:0[1-9]|1[0-2]))\.\d{4}|(?:1[5-9]|[2-9]\d)(?:0[1-9]|1[0-2])\.\d{5})"
    rf"|(?P<archive>{_ARCHIVES})(?:\.[a-z]{{2}})?/(?P<old>\d{{7}}))(?:v(?P<version>[1-9]\d?))?"
)
_ARXIV_PREFIX = r"(?:oai:arxiv\.org:|arxiv:\s?|(?:doi:\s?)?10\.48550/arxiv\.)"
_ARXIV_NAME = re.compile(rf"{_ARXIV_PREFIX}?{_ARXIV_ID}(?:\.pdf)?", re.IGNORECASE)
_ARXIV_IN_TEXT = re.compile(rf"{_ARXIV_PREFIX}{_ARXIV_ID}(?![\w])", re.IGNORECASE)
_ARXIV_HOSTS = (
    "arxiv.org", "ar5iv.org", "ar5iv.labs.arxiv.org", "xxx.lanl.gov", "alphaxiv.org", "huggingface.co", "hf.co",
    "scirate.com", "doi.org", "dx.doi.org",
)  # fmt: skip
_ARXIV_PATH = re.compile(
    rf"/(?:(?:abs|pdf|html|ps|format|e-print|src|papers?|overview|arxiv|resources)/)?{_ARXIV_PREFIX}?{_ARXIV_ID}"
    r"(?:\.pdf|\.html?)?",
    re.IGNORECASE,
)

_DOI = r"10\.\d{4,9}/[^\s?#\"<>]+"
_DOI_NAME = re.compile(rf"(?:doi:\s?|info:doi/)?({_DOI})", re.IGNORECASE)
_DOI_PATH = re.compile(rf"/(?:.+/)?doi/(?:(?:abs|full|pdf|epdf|pdfdirect|book|reader)/)?({_DOI})", re.IGNORECASE)
_RXIV_PATH = re.compile(r"/content/(10\.\d{4,9}/[0-9.]+?)(?:v(\d+))?(?:\.[a-z][\w.-]*)?", re.IGNORECASE)
_URL_IN_TEXT = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)

_TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|dclid|msclkid|yclid|igshid|mc_[ce]id|mkt_tok|_hs(?:enc|mi)|ref_src|cmpid|ncid|spm|rss",
    re.IGNORECASE,
)
# A guid that carries its own namespace is taken as unique in the world; any other only within its source.
_WORLDWIDE = re.compile(r"(?:urn|tag|oai|info|ark|hdl):.+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_REMEMBERED = 500
"""Characters: what is longer is looked at each time, so that hostile names do not fill the memory."""


def arxiv_id(name: str | None) -> tuple[str, int | None] | None:
    """The arXiv id and version that ``name`` (an id, guid, DOI or address, nothing around it) stands for.

    The id has no version and no subject class: ``("2512.01234", 2)``, ``("math/0309136", None)``.
    """
    if not name:
        return None
    return _arxiv_id(name) if len(name) <= _REMEMBERED else _arxiv_id.__wrapped__(name)


# One paper's few names are asked about a dozen times on its way in.
@lru_cache(256)
def _arxiv_id(name: str) -> tuple[str, int | None] | None:
    found = _arxiv_match(name.strip())
    if not found:
        return None
    paper = found["new"] or f"{found['archive'].lower()}/{found['old']}"
    return paper, int(found["version"]) if found["version"] else None


def _arxiv_match(name: str) -> re.Match[str] | None:
    if "://" not in name:
        bare = re.match(r"(?:www\.)?(?:arxiv\.org|huggingface\.co|doi\.org|alphaxiv\.org)/", name, re.IGNORECASE)
        return _arxiv_match(f"https://{name}") if bare else _ARXIV_NAME.fullmatch(name)
    host, path = _host_and_path(name)
    known = any(host == known or host.endswith(f".{known}") for known in _ARXIV_HOSTS)
    return _ARXIV_PATH.fullmatch(path) if known else None


def _host_and_path(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").rstrip("."), unquote(parts.path).rstrip("/")
    except ValueError:
        return "", ""


def doi_of(name: str | None) -> tuple[str, int | None] | None:
    """The DOI (lower case) and, for a bioRxiv or medRxiv address, the version that ``name`` stands for.

    arXiv's own DOIs are no DOIs here: they are arXiv ids.
    """
    if not name:
        return None
    return _doi_of(name) if len(name) <= _REMEMBERED else _doi_of.__wrapped__(name)


@lru_cache(256)
def _doi_of(name: str) -> tuple[str, int | None] | None:
    if arxiv_id(name):
        return None
    name, version = name.strip(), None
    if "://" in name:
        host, path = _host_and_path(name)
        if host in ("doi.org", "dx.doi.org", "www.doi.org"):
            found = _DOI_NAME.fullmatch(path[1:])
        elif host.endswith(("biorxiv.org", "medrxiv.org")) and (found := _RXIV_PATH.fullmatch(path)):
            version = int(found[2]) if found[2] else None
        else:
            found = _DOI_PATH.fullmatch(path)
    else:
        found = _DOI_NAME.fullmatch(unquote(name) if "%" in name else name)
    return (found[1].rstrip(".,;").lower(), version) if found else None


def normal_link(url: str | None) -> str | None:
    """An address without what does not change the page: scheme, case of the host, port, tracking, fragment.

    None for what names no single page: no http(s) address, or a site's front page.
    """
    try:
        parts = urlsplit((url or "").strip())
        host, port = (parts.hostname or "").rstrip(".").removeprefix("www."), parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host:
        return None
    query = urlencode(sorted(pair for pair in parse_qsl(parts.query, True) if not _TRACKING.fullmatch(pair[0])))
    path = re.sub(r"/{2,}", "/", parts.path).rstrip("/")
    if not path and not query:
        return None
    netloc = host if port in (None, 80, 443) else f"{host}:{port}"
    return f"https://{netloc}{path}{'?' + query if query else ''}"


def keys(
    *,
    id: str | None = None,
    doi: str | None = None,
    guid: str | None = None,
    url: str | None = None,
    source: str,
    title: str,
    published: datetime | None = None,
) -> tuple[str, ...]:
    """The names of one paper, strongest first, without repeats; never empty. The first becomes ``Entry.id``.

    ``id`` is kept as its source gave it; a ``guid`` without a namespace of its own counts within ``source``
    only; title and day stand in where a source gives neither a guid nor a link that can be relied upon.
    """
    names = (id, doi, guid, url)
    arxiv = next((f"arxiv:{found[0]}" for name in names if (found := arxiv_id(name))), None)
    dois = [f"doi:{found[0]}" for name in names if (found := doi_of(name))]
    own = id if id and not arxiv_id(id) and not doi_of(id) else None
    guid_key, link_key = _guid_key(guid, source), normal_link(url)
    strong = [arxiv, *dois, own, guid_key, link_key]
    if not (arxiv or dois or own or (guid_key and link_key)):
        strong.append(_title_key(title, published, source))
    return tuple(dict.fromkeys(key for key in strong if key))


def _guid_key(guid: str | None, source: str) -> str | None:
    if not guid or arxiv_id(guid) or doi_of(guid):
        return None
    return normal_link(guid) or (guid if _WORLDWIDE.fullmatch(guid) else f"{source}:{guid}")


def _title_key(title: str, published: datetime | None, source: str) -> str:
    words = " ".join(re.findall(r"\w+", title.casefold())) or title
    day = f"{published:%Y-%m-%d}" if published else ""
    return f"title:{source}:{day}:{blake2b(words.encode('utf-8', 'replace'), digest_size=8).hexdigest()}"


def version_of(*names: str | None) -> int | None:
    """The highest version that any of these ids, guids or addresses names."""
    found = [each[1] for name in names if (each := arxiv_id(name) or doi_of(name)) and each[1]]
    return max(found, default=None)


def parse_reference(text: str) -> tuple[str, ...]:
    """Keys for what a person pastes: an id, a DOI, an address, or a sentence with one of them in it.

    A single word that is none of these is taken as an id of a source's own. Empty for other text.
    """
    text = text.strip().strip("<>\"'")
    if not text:
        return ()
    if not re.search(r"\s", text):
        return _reference_keys(text)
    return _reference_in_text(text)


def _reference_keys(name: str) -> tuple[str, ...]:
    if found := arxiv_id(name):
        return (f"arxiv:{found[0]}", *([key] if (key := normal_link(name)) else []))
    if found := doi_of(name):
        return (f"doi:{found[0]}", *([key] if (key := normal_link(name)) else []))
    return tuple(dict.fromkeys(key for key in (normal_link(name), name) if key))


def _reference_in_text(text: str) -> tuple[str, ...]:
    if arxiv_id(text) or doi_of(text):
        return _reference_keys(text)
    if address := _URL_IN_TEXT.search(text):
        return _reference_keys(address[0].rstrip(".,;:!?)]}'"))
    if name := _ARXIV_IN_TEXT.search(text):
        return _reference_keys(name[0])
    if name := re.search(_DOI, text):
        return _reference_keys(name[0].rstrip(".,;:!?)]}'"))
    return ()


ARXIV_CATEGORY = re.compile(rf"(?:{_ARCHIVES}|econ|eess|stat)(?:\.[A-Za-z-]{{2,}})?")


def canonical_categories(categories: Iterable[str]) -> tuple[str, ...]:
    """The first, which is the primary one, then the others in the order of the alphabet, without repeats."""
    given = tuple(categories)
    return given[:1] + tuple(sorted(set(given) - set(given[:1])))


def canonical_keywords(keywords: Iterable[str]) -> tuple[str, ...]:
    """Without repeats that differ only in case, in the order of the alphabet."""
    spelled: dict[str, str] = {}
    for keyword in keywords:
        folded = keyword.casefold()
        spelled[folded] = min(keyword, spelled.get(folded, keyword))
    return tuple(spelled[folded] for folded in sorted(spelled))


def extra_text(extra: Mapping[str, Any]) -> str:
    """``Entry.extra`` in the one spelling that equal contents have; lone surrogates are left out."""
    text = json.dumps(extra, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "ignore").decode()
