-- What became news in a time is counted, and sorted by age or by votes, in the index alone. It also finds what the
-- smaller one found.
DROP INDEX entry_new_at;

CREATE INDEX entry_listed ON entry (new_at DESC, published_at DESC, id, upvotes);

-- Grows with every change of any entry, so that what was made of them is known to be of now.
CREATE TABLE entry_version (version INTEGER NOT NULL);

INSERT INTO entry_version (version) VALUES (0);

-- The order a person gives the rules; those who gave none are in order of creation.
ALTER TABLE rule ADD COLUMN place INTEGER NOT NULL DEFAULT 0;

-- The secret part of the address of a subscription's feed: kept as it is, because its owner is shown it again.
CREATE TABLE feed (
    subscription INTEGER PRIMARY KEY REFERENCES subscription ON DELETE CASCADE,
    secret TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL
)
