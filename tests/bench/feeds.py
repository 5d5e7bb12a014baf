"""Feeds as large as a benchmark wants them, in the three shapes that most feeds of papers have."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from email.utils import format_datetime
from html import escape

from notifier.model import Entry
from tests.bench.workload import papers
from tests.builders import NOW
from tests.sources.samples import arxiv_item, arxiv_rss, atom, rss

_PEOPLE = ("Ada Lovelace", "J\u00e1nos Bolyai", "Emmy Noether", "Srinivasa Ramanujan", "Sofya Kovalevskaya")


def feeds(number: int, items: int, seed: int) -> list[bytes]:
    """arXiv's RSS, a journal's RSS and a blog's Atom in turn, each of ``items`` papers that no other has."""
    rng = random.Random(seed)
    made = papers(rng, number * items)
    shapes = (_arxiv, _journal, _blog)
    return [shapes[n % len(shapes)](made[n * items : (n + 1) * items], n * items) for n in range(number)]


def _arxiv(entries: Sequence[Entry], first: int) -> bytes:
    return arxiv_rss(
        *(
            arxiv_item(
                # Five digits are not enough for all: the months go on where they end.
                f"{2501 + (first + n) // 90_000}.{10_000 + (first + n) % 90_000}",
                title=each.title,
                abstract=each.abstract,
                creator=", ".join(_people(n)),
                categories=" ".join(each.categories),
            )
            for n, each in enumerate(entries)
        )
    )


def _journal(entries: Sequence[Entry], first: int) -> bytes:
    return rss(*(_journal_item(each, first + n) for n, each in enumerate(entries)))


def _journal_item(each: Entry, number: int) -> str:
    described = f"<p>{escape(each.abstract)}</p><p><em>Volume {number}</em>, see <a href='https://j.example'>us</a></p>"
    return f"""<item><title>{escape(each.title)}</title>
<link>https://journal.example.org/articles/{number}?utm_source=rss</link>
<guid isPermaLink="false">10.5555/journal.{number}</guid>
<dc:creator>{", ".join(_people(number))}</dc:creator><category>{each.categories[0]}</category>
<pubDate>{format_datetime(NOW - timedelta(minutes=number))}</pubDate>
<description>{escape(described)}</description></item>"""


def _blog(entries: Sequence[Entry], first: int) -> bytes:
    return atom(*(_blog_entry(each, first + n) for n, each in enumerate(entries)))


def _blog_entry(each: Entry, number: int) -> str:
    authors = "".join(f"<author><name>{name}</name></author>" for name in _people(number))
    return f"""<entry><title>{escape(each.title)}</title><link href="https://blog.example.org/{number}"/>
<id>tag:blog.example.org,2025:{number}</id>{authors}<category term="{each.categories[0]}"/>
<published>{(NOW - timedelta(minutes=number)).isoformat()}</published>
<updated>{NOW.isoformat()}</updated><summary type="html">{escape(escape(each.abstract))}</summary></entry>"""


def _people(number: int) -> list[str]:
    return [_PEOPLE[(number + n) % len(_PEOPLE)] for n in range(1 + number % 4)]
