-- What a source announced while nobody could read it. Days are those of the source's own calendar, both inclusive;
-- cursor is where closing it goes on; a backfill is a gap that a person names.
CREATE TABLE gap (
    id TEXT PRIMARY KEY,
    source TEXT NOT NULL REFERENCES source ON DELETE CASCADE,
    first TEXT NOT NULL,
    last TEXT NOT NULL,
    reason TEXT NOT NULL,
    scope TEXT NOT NULL,
    is_news INTEGER NOT NULL,
    found_at TEXT NOT NULL,
    cursor TEXT,
    closed_at TEXT,
    how TEXT,
    brought INTEGER NOT NULL,
    last_error TEXT,
    UNIQUE (source, first, last, reason, scope, is_news)
);

-- Entries that became news only when a gap was closed.
CREATE TABLE late (
    entry INTEGER PRIMARY KEY REFERENCES entry ON DELETE CASCADE,
    gap TEXT NOT NULL
);

-- When a service may be asked next, over all processes, and until when it wants to be left alone.
CREATE TABLE service (
    name TEXT PRIMARY KEY,
    next_at TEXT NOT NULL,
    rest_until TEXT
)
