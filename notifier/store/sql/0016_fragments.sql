-- What many frozen messages have in common is kept once. Its key is never given to another text.
CREATE TABLE fragment (
    pk INTEGER PRIMARY KEY AUTOINCREMENT,
    body BLOB NOT NULL,
    hash BLOB NOT NULL UNIQUE
);

-- Counts how often fragments were deleted: whoever remembers keys from before has to ask again.
CREATE TABLE fragment_sweep (number INTEGER NOT NULL);

INSERT INTO fragment_sweep (number) VALUES (0);

-- Where which fragments stand in a body that holds only the rest, as [place, fragment, place, fragment, …], and a
-- hash of it all. NULL: the body is whole.
ALTER TABLE message_part ADD COLUMN pieces TEXT;

ALTER TABLE message_part ADD COLUMN hash BLOB
