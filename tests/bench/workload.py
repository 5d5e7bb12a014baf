"""Papers and rules made from a seed: text of the bundled samples, mixed, with a long tail of rare words."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import notifier
from notifier.matching.normalize import tokens
from notifier.model import Entry

_SAMPLES = Path(notifier.__file__).parent / "samples" / "entries.jsonl"
_ONSETS = "b bl br c ch cl cr d dr f fl fr g gl gr h j k l m n p pl pr r s sc sh sk sl sm sn sp st str t th tr v w"
_MIDDLES = "a e i o u ai ea ee oa ou"
_CODAS = "b ck d ft g l lt m mp n nd nt p pt r rd rk rm rn rt sk st t th x"
_RARE_WORDS = 20_000
_RARE_SHARE = 0.35
"""Of the words of a sentence that are replaced by a rare one: 76 samples have 1,750 words, real archives many more."""
_CATEGORIES = ("cs.CL", "cs.LG", "cs.CV", "stat.ML", "math.OC", "q-bio.NC")
_OPERATORS = ("and", "or", "not")
COMMON_SHARE = 0.2
"""Words that more of the papers have are no rules: ``rule test`` advises against them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    entries: list[Entry]
    rules: list[str]


def workload(entries: int, rules: int, seed: int, *, common_share: float = COMMON_SHARE) -> Workload:
    """Zipf-repeated rules: 40% words, 25% phrases, 20% AND/OR, 10% NOT, 5% a field or a threshold."""
    rng = random.Random(seed)
    made = papers(rng, entries)
    asked = _Asked(rng, made, common_share)
    pool = list(dict.fromkeys(asked.rule() for _ in range(rules // 2)))
    popularity = list(accumulate(1 / (rank + 10) ** 0.7 for rank in range(len(pool))))
    # Copies, because rules that come out of a database are never the same object twice.
    drawn = rng.choices(pool, cum_weights=popularity, k=rules)
    return Workload(entries=made, rules=[text[:1] + text[1:] for text in drawn])


def papers(rng: random.Random, size: int) -> list[Entry]:
    told = [json.loads(line) for line in _SAMPLES.read_text("utf-8").splitlines()]
    titles = [each["title"].split() for each in told]
    sentences = [sentence.split() for each in told for sentence in each.get("abstract", "").split(". ") if sentence]
    rare = _rare_words(rng)
    weights = list(accumulate(1 / (rank + 30) for rank in range(len(rare))))

    def mixed(words: list[str]) -> str:
        return " ".join(
            rng.choices(rare, cum_weights=weights)[0] if rng.random() < _RARE_SHARE else word for word in words
        )

    return [
        Entry(
            id=f"bench:{number}",
            title=mixed(rng.choice(titles)),
            abstract=". ".join(mixed(rng.choice(sentences)) for _ in range(rng.randint(6, 10))),
            categories=(rng.choice(_CATEGORIES),),
            upvotes=int(rng.paretovariate(0.8)) % 500,
        )
        for number in range(size)
    ]


def _rare_words(rng: random.Random) -> list[str]:
    onsets, middles, codas = _ONSETS.split(), _MIDDLES.split(), _CODAS.split()
    made: dict[str, None] = {}
    while len(made) < _RARE_WORDS:
        syllables = rng.choices((1, 2, 3), (2, 5, 3))[0]
        made["".join(rng.choice(onsets) + rng.choice(middles) for _ in range(syllables)) + rng.choice(codas)] = None
    return list(made)


class _Asked:
    """What people ask for: words that papers have, the commoner the likelier, and what stands side by side in them."""

    def __init__(self, rng: random.Random, papers: list[Entry], common_share: float) -> None:
        self._rng = rng
        self._texts = [_plain(paper.abstract) for paper in papers]
        counts = Counter(word for text in self._texts for word in set(text))
        most = common_share * len(papers)
        self._words = [word for word, count in counts.most_common() if count <= most and word not in _OPERATORS]
        self._weights = list(accumulate(1 / (rank + 90) for rank in range(len(self._words))))
        self._usual = frozenset(word for word, count in counts.items() if count > most)

    def rule(self) -> str:
        rng, word = self._rng, self._word
        draw = rng.random()
        if draw < 0.40:
            return word()
        if draw < 0.65:
            return self._phrase()
        if draw < 0.85:
            several = [rng.choice((word, word, self._phrase))() for _ in range(rng.choice((2, 2, 3)))]
            return rng.choice((" ", " OR ")).join(several)
        if draw < 0.95:
            return f"{word()} -{word()}"
        narrowed = (f"title:{word()}", f"{word()} category:{rng.choice(_CATEGORIES)}", f"{word()} upvotes>=20")
        return rng.choice(narrowed)

    def _word(self) -> str:
        return self._rng.choices(self._words, cum_weights=self._weights)[0]

    def _phrase(self) -> str:
        """Two or three neighbours, not all of them among the words that every paper has."""
        while True:
            text, size = self._rng.choice(self._texts), self._rng.choice((2, 2, 3))
            start = self._rng.randrange(max(1, len(text) - size))
            if not self._usual.issuperset(found := text[start : start + size]):
                return f'"{" ".join(found)}"'


def _plain(text: str) -> list[str]:
    folded = [each.folded for each in tokens(text).atoms]
    return [word for word in folded if word.isascii() and word.isalnum()]
