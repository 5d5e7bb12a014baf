"""Terms that no paper has, with the nearest one that some have."""

from __future__ import annotations

import difflib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from notifier.lint.findings import Advice, Finding, Flags, Term, name_of, written_of
from notifier.matching import Index, Query
from notifier.matching.names import name_words
from notifier.matching.normalize import atom, is_character
from notifier.matching.query import Author, Kind, Label, Leaf, Regex, Text, Topic
from notifier.taxonomy import Taxonomy

_CLOSE = 0.8


def unseen(
    terms: Sequence[Term], hits: Mapping[Query, Flags], index: Index, taxonomy: Taxonomy, *, but: Container[str]
) -> Iterator[Finding]:
    """``but`` are terms, as written, of which something better was said."""
    for term in terms:
        if written_of(term.query) in but or hits[term.query].any():
            continue
        if found := _absent(term.query, index, taxonomy):
            reason, instead = found
            hint = f": did you mean {instead}?" if instead else "."
            text = f"{reason} in {len(index.entries)} papers{hint}"
            yield Finding(advice=Advice.UNSEEN, term=written_of(term.query), text=text, instead=instead)


def _absent(leaf: Leaf | Topic, index: Index, taxonomy: Taxonomy) -> tuple[str, str | None] | None:
    match leaf:
        case Text():
            return _absent_text(leaf, index)
        case Author(words=words):
            names = {" ".join(name_words(name)[-len(words) :]) for entry in index.entries for name in entry.authors}
            return f"{name_of(leaf)} was never seen", _nearest(" ".join(words), names)
        case Label(field="category", value=value) if title := taxonomy.title(value):
            return f"{name_of(leaf)} ({title}) was never seen", None
        case Label(field="category" | "source" as field, value=value):
            known = {
                each for entry in index.entries for each in (entry.categories if field == "category" else entry.sources)
            }
            near = difflib.get_close_matches(value, [each.casefold() for each in known], n=1, cutoff=0.7)
            written = next((each for each in known if near and each.casefold() == near[0]), None)
            return f"{name_of(leaf)} was never seen", f"{field}:{written}" if written else None
        case Regex() | Topic():
            return f"{name_of(leaf)} matched nothing", None
        case _:
            return None


def _absent_text(leaf: Text, index: Index) -> tuple[str, str | None]:
    atoms = [atom(part.removeprefix("-")) for part in leaf.parts]
    missing = [each for each in atoms if each.term not in index.term_numbers]
    if not missing or leaf.kind is Kind.PREFIX or any(is_character(each.folded) for each in atoms):
        apart = ", though each of its words was," if len(atoms) > 1 and not missing else ""
        return f"{name_of(leaf)} was never seen{apart}", None
    word = missing[0].folded
    name = name_of(leaf) if len(atoms) == 1 else f"“{word}” of {name_of(leaf)}"
    return f"{name} was never seen", _nearest(word, {each.folded for each in index.atoms})


def _nearest(word: str, known: Iterable[str]) -> str | None:
    """Mistakes in the first letter are rare, and comparing with all words of an archive takes seconds."""
    if len(word) < 4:
        return None
    alike = sorted(each for each in known if each[:1] == word[0] and abs(len(each) - len(word)) <= 2)
    found = difflib.get_close_matches(word, alike, n=1, cutoff=_CLOSE)
    return found[0] if found else None
