-- When a source brought what it had not shown before: its rhythm follows from it. One row an hour.
CREATE TABLE source_news (
    source TEXT NOT NULL REFERENCES source ON DELETE CASCADE,
    hour TEXT NOT NULL,
    at TEXT NOT NULL,
    brought INTEGER NOT NULL,
    PRIMARY KEY (source, hour)
) WITHOUT ROWID;

-- What is known of the time before; the first note that follows cuts it to its length.
INSERT INTO source_news (source, hour, at, brought)
SELECT source, substr(first_at, 1, 13), max(first_at), count(*) FROM sighting
WHERE source IN (SELECT name FROM source)
GROUP BY source, substr(first_at, 1, 13)
