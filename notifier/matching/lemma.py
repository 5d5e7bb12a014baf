"""Inflection folded, derivation kept: models = model, but organ is not organization.

simplemma's English dictionary decides; it is loaded at the first word (0.4 s), not at import. Words it
does not know (RLHF, LoRA) are compared as they are, without a plural ending.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

from notifier.matching.spelling import american

_LONGEST = 40
"""Longer runs are not words but noise; they are compared as they stand."""

# So short a word is an acronym as often as a form of another: to the dictionary "ai" is a form of "be".
_SHORT = 3

# Where the dictionary names another word than papers mean, or stops half-way.
_EXCEPTIONS = {
    "axes": "axis",
    "benchmarking": "benchmark",
    "best": "best",
    "better": "better",
    "data": "data",
    "gan": "gan",
    "gans": "gan",
    "lenses": "lens",
    "media": "media",
    "us": "us",
}
_PREFIXES = (
    "anti", "auto", "co", "counter", "cross", "de", "fine", "hyper", "inter", "intra", "macro", "meta", "micro", "mini",
    "mis", "mono", "multi", "non", "out", "over", "photo", "post", "pre", "re", "self", "semi", "sub", "super", "un",
)  # fmt: skip


@cache
def _dictionary() -> Callable[[str], str | None]:
    from simplemma.strategies import DictionaryLookupStrategy

    strategy = DictionaryLookupStrategy()
    return lambda word: strategy.get_lemma(word, "en")


@lru_cache(maxsize=2**18)
def is_known(word: str) -> bool:
    """Whether the dictionary has this lower-case word."""
    return _dictionary()(word) is not None


@lru_cache(maxsize=2**18)
def lemma(word: str) -> str:
    """What stands for every inflected form and spelling of ``word`` (lower case); only good for comparing."""
    if len(word) <= _SHORT and word.isalpha():
        return word
    if len(word) > _LONGEST or len(word) < 2 or not word.isalpha():
        return _without_plural(word) if 2 < len(word) <= _LONGEST and word[-2:-1].isdigit() else word
    found = _looked_up(word)
    if found is None:
        found = _looked_up(american(word)) or _of_parts(word) or _without_plural(word)
    return american(found)


def _looked_up(word: str) -> str | None:
    """The dictionary's lemma, followed to its end: embeddings, embedding, embed."""
    if word in _EXCEPTIONS:
        return _EXCEPTIONS[word]
    found = _dictionary()(word)
    if found is None:
        return None
    for _ in range(3):
        following = _EXCEPTIONS.get(found) or _dictionary()(found)
        if following is None or following == found:
            break
        found = following
    return found.lower()


def _of_parts(word: str) -> str | None:
    """An unknown compound ends like its last part: pretraining = pretrain, autoencoders = autoencoder."""
    for cut in range(2, len(word) - 3):
        head, tail = word[:cut], word[cut:]
        if (head in _PREFIXES or (cut > 2 and is_known(head))) and (found := _looked_up(tail)) and found != tail:
            return head + found
    return None


def _without_plural(word: str) -> str:
    if len(word) < 3 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("xes", "ches", "shes", "zes", "sses")):
        return word[:-2]
    return word[:-1]
