-- Single mails that are no digest. What they say is kept only until they have an end: some of it lets people in.
CREATE TABLE letter (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    recipient TEXT NOT NULL,
    kind TEXT NOT NULL,
    language TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at TEXT NOT NULL,
    lease_until TEXT,
    fence INTEGER NOT NULL,
    -- The fence of an attempt that was begun and has no end.
    begun INTEGER,
    reason TEXT,
    cause TEXT,
    failing_since TEXT,
    unknowns INTEGER NOT NULL,
    sent_at TEXT,
    accepted TEXT NOT NULL,
    -- The message as it was first sent, until the end.
    subject TEXT,
    sender TEXT,
    body BLOB,
    composed_at TEXT
);

CREATE INDEX letter_due ON letter (next_attempt_at) WHERE state IN ('planned', 'deferred', 'claimed');

CREATE INDEX letter_recipient ON letter (recipient, created_at)
