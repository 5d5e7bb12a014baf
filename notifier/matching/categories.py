"""Names that mean one category: arXiv files some under two archives, and closed old archives into a category each.

After ``CATEGORY_ALIASES`` and ``ARCHIVES_SUBSUMED`` of arxiv-base (``arxiv/taxonomy/definitions.py``).
"""

from __future__ import annotations

SAME = {
    "cs.NA": "math.NA",
    "cs.SY": "eess.SY",
    "math.IT": "cs.IT",
    "math.MP": "math-ph",
    "q-fin.EC": "econ.GN",
    "stat.TH": "math.ST",
    "acc-phys": "physics.acc-ph",
    "adap-org": "nlin.AO",
    "alg-geom": "math.AG",
    "ao-sci": "physics.ao-ph",
    "atom-ph": "physics.atom-ph",
    "bayes-an": "physics.data-an",
    "chao-dyn": "nlin.CD",
    "chem-ph": "physics.chem-ph",
    "cmp-lg": "cs.CL",
    "comp-gas": "nlin.CG",
    "dg-ga": "math.DG",
    "funct-an": "math.FA",
    "mtrl-th": "cond-mat.mtrl-sci",
    "patt-sol": "nlin.PS",
    "plasm-ph": "physics.plasm-ph",
    "q-alg": "math.QA",
    "solv-int": "nlin.SI",
    "supr-con": "cond-mat.supr-con",
}
"""Each other name, with the one that arXiv uses."""


def _twins() -> dict[str, str]:
    pairs = [(other.casefold(), name.casefold()) for other, name in SAME.items()]
    return dict(pairs) | {name: other for other, name in pairs}


# No category has more than one other name.
_TWINS = _twins()


def names_of(category: str) -> tuple[str, ...]:
    """``category`` and its other name where it has one, folded."""
    folded = " ".join(category.casefold().split())
    return (folded, _TWINS[folded]) if folded in _TWINS else (folded,)
