-- What search narrows with: the matcher's own terms (notifier/matching/terms.py), one row an entry, rowid = entry.pk.
-- Contentless, because the texts stand in entry: a third of the size. A row goes by the 'delete' command, which is given
-- the terms it was made of. ascii: terms come folded, and every other byte is part of a word.
CREATE VIRTUAL TABLE entry_terms USING fts5(
    title, abstract, keywords, organization, authors, categories, variants,
    content = '', columnsize = 0, tokenize = "ascii tokenchars '+#*|'"
);

-- Which terms occur at all.
CREATE VIRTUAL TABLE entry_term USING fts5vocab(entry_terms, instance);

-- Which version of the terms the table was filled with; empty until it is, and when two versions have written to it.
CREATE TABLE entry_terms_state (made_by TEXT NOT NULL);

INSERT INTO entry_terms_state (made_by) VALUES ('');

-- The order of every search, complete, so that a page is found without reading the entries before it.
DROP INDEX entry_first_seen_at;

CREATE INDEX entry_seen ON entry (first_seen_at DESC, published_at DESC, id)
