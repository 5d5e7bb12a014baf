"""Categories that arXiv does not have, and titles written for their names.

A title is not taken for the category it names: several have the same one, and other sources (bioRxiv, say) have
categories whose names are such words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from notifier.lint.findings import Advice, Finding, Flags, Term, name_of, written_of
from notifier.matching import SAME, Index, Query
from notifier.matching.query import Label
from notifier.taxonomy import Taxonomy


def misnamed(terms: Sequence[Term], hits: Mapping[Query, Flags], index: Index, taxonomy: Taxonomy) -> Iterator[Finding]:
    """Only of categories that no paper has: what a source uses is a category, whatever arXiv says."""
    for term in terms:
        leaf = term.query
        if not isinstance(leaf, Label) or leaf.field != "category" or taxonomy.get(leaf.value) or hits[leaf].any():
            continue
        if found := _titled(leaf, taxonomy) or _unknown(leaf, index, taxonomy):
            text, instead = found
            yield Finding(advice=Advice.MISNAMED, term=written_of(leaf), text=text, instead=instead)


def _titled(leaf: Label, taxonomy: Taxonomy) -> tuple[str, str | None] | None:
    named = [f"category:{each.name}" for each in taxonomy.titled(leaf.value) if each.name not in SAME]
    if not named:
        return None
    return f"{name_of(leaf)} is a title, and categories go by their names: write {' or '.join(named)}.", named[0]


def _unknown(leaf: Label, index: Index, taxonomy: Taxonomy) -> tuple[str, str | None] | None:
    near = taxonomy.near(leaf.value)
    if not near and not taxonomy.looks_alike(leaf.value):
        return None
    if not near:
        archive = taxonomy.get(leaf.value.split(".")[0])
        list_ = f"notifier topics categories {archive.name if archive else ''}".rstrip()
        return f"arXiv has no category {leaf.shown}: '{list_}' shows those it has.", None
    used = Counter(name for entry in index.entries for name in entry.categories)
    # Of several that are as near the one that papers have most is the likeliest.
    nearest = max(near, key=lambda each: used[each.name])
    return (
        f"arXiv has no category {leaf.shown}: did you mean {nearest.name} ({nearest.title})?",
        f"category:{nearest.name}",
    )
