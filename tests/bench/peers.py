"""Two good engines that keep documents and answer queries, fed our own terms, so that all see the same tokens."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

import tantivy
from tantivy import Occur

from notifier.matching import Query
from notifier.matching.normalize import pieces_of, raw_runs
from notifier.matching.query import And, Compare, Label, Leaf, Not, Or, Text
from notifier.matching.sequence import parts_of
from notifier.model import Entry

Ask = Callable[[], list[int]]
"""One query made ready for a peer: the places of the entries it matches."""


def terms(text: str) -> str:
    return " ".join(piece.atom.term for run in raw_runs(text) for piece in pieces_of(run))


def _phrase(text: Text) -> list[str]:
    return [part.atom.term for part in parts_of(text)]


class Fts5:
    """SQLite's full-text search; columns beside it for what is no text. It reads each query as text."""

    name = "FTS5"

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.db = sqlite3.connect(":memory:")
        self.db.execute("create virtual table text using fts5(title, abstract, tokenize = 'unicode61', detail = full)")
        self.db.execute("create table entry (id integer primary key, category text, upvotes integer)")
        self.db.executemany(
            "insert into text (rowid, title, abstract) values (?, ?, ?)",
            [(i, terms(each.title), terms(each.abstract)) for i, each in enumerate(entries)],
        )
        self.db.executemany(
            "insert into entry values (?, ?, ?)",
            [(i, each.categories[0].casefold(), each.upvotes) for i, each in enumerate(entries)],
        )

    def ask(self, query: Query) -> Ask:
        text, where, values = _sql(query)
        sql = "select rowid from text where text match ?"
        if where:
            sql = f"select text.rowid from text join entry on entry.id = text.rowid where text match ?{where}"  # noqa: S608
        given = (text, *values)
        return lambda: [row[0] for row in self.db.execute(sql, given)]


def _sql(query: Query) -> tuple[str, str, list[object]]:
    if not isinstance(query, And):
        return _match(query), "", []
    texts = [each for each in query.children if not isinstance(each, Label | Compare)]
    where, values = "", list[object]()
    for each in query.children:
        if isinstance(each, Label):
            where, values = where + " and category = ?", [*values, each.value]
        elif isinstance(each, Compare):
            where, values = where + f" and upvotes {each.op} ?", [*values, each.value]
    excluded = [each.query for each in texts if isinstance(each, Not)]
    text = " AND ".join(_match(each) for each in texts if not isinstance(each, Not))
    return " NOT ".join([f"({text})", *(f"({_match(each)})" for each in excluded)]), where, values


def _match(query: Query) -> str:
    match query:
        case Or(children=children):
            return " OR ".join(f"({_match(child)})" for child in children)
        case Text(field=field):
            phrase = " ".join(_phrase(query))
            return f'{{{field}}} : "{phrase}"' if field else f'"{phrase}"'
        case _:
            raise ValueError(f"no such rule in the workload: {query}")


class Tantivy:
    """Tantivy, one segment. Queries are built before the clock runs; without scores it is a quarter faster."""

    name = "tantivy"

    def __init__(self, entries: Sequence[Entry]) -> None:
        builder = tantivy.SchemaBuilder()
        for field in ("title", "abstract"):
            builder.add_text_field(field, tokenizer_name="whitespace")
        builder.add_text_field("category", tokenizer_name="raw")
        builder.add_integer_field("upvotes", indexed=True, fast=True)
        self.schema = builder.build()
        index = tantivy.Index(self.schema)
        writer = index.writer(heap_size=200_000_000, num_threads=1)
        for each in entries:
            category, votes = each.categories[0].casefold(), each.upvotes
            told = {
                "title": terms(each.title),
                "abstract": terms(each.abstract),
                "category": category,
                "upvotes": votes,
            }
            writer.add_document(tantivy.Document(**told))
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        self.searcher = index.searcher()
        self.size = len(entries)
        assert self.searcher.num_segments == 1, "places are only the documents' numbers within one segment"

    def ask(self, query: Query) -> Ask:
        built = tantivy.Query.const_score_query(self._built(query), 1.0)
        search, size = self.searcher.search, self.size
        return lambda: [place.doc for _, place in search(built, size).hits]

    def _built(self, query: Query) -> tantivy.Query:
        match query:
            case Or(children=children):
                return tantivy.Query.boolean_query([(Occur.Should, self._built(child)) for child in children])
            case And(children=children):
                return tantivy.Query.boolean_query(
                    [
                        (Occur.MustNot, self._built(each.query))
                        if isinstance(each, Not)
                        else (Occur.Must, self._built(each))
                        for each in children
                    ]
                )
            case leaf:
                return self._leaf(leaf)

    def _leaf(self, leaf: Leaf) -> tantivy.Query:
        match leaf:
            case Label(value=value):
                return tantivy.Query.term_query(self.schema, "category", value, "basic")
            case Compare(value=value):
                return tantivy.Query.range_query(self.schema, "upvotes", tantivy.FieldType.Integer, int(value), 1 << 40)
            case Text(field=field):
                fields = (field,) if field else ("title", "abstract")
                found = [self._in_field(each, _phrase(leaf)) for each in fields]
                return found[0] if field else tantivy.Query.boolean_query([(Occur.Should, each) for each in found])
            case _:
                raise ValueError(f"no such rule in the workload: {leaf}")

    def _in_field(self, field: str, words: list[str]) -> tantivy.Query:
        if len(words) > 1:
            return tantivy.Query.phrase_query(self.schema, field, list(words))
        return tantivy.Query.term_query(self.schema, field, words[0], "basic")
