-- A word in a cookie or a link is kept as its SHA-256: who reads the database logs in as nobody.
CREATE TABLE session (
    hash TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    subscriber INTEGER NOT NULL REFERENCES subscriber ON DELETE CASCADE,
    browser TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX session_subscriber ON session (subscriber);

CREATE TABLE ticket (
    hash TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    email TEXT NOT NULL,
    "values" TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX ticket_email ON ticket (email);

CREATE INDEX ticket_expires_at ON ticket (expires_at);

CREATE TABLE member (
    subscription INTEGER NOT NULL REFERENCES subscription ON DELETE CASCADE,
    subscriber INTEGER NOT NULL REFERENCES subscriber ON DELETE CASCADE,
    -- What the shared subscription showed is left out of the member's own digests.
    shares_ledger INTEGER NOT NULL,
    joined_at TEXT NOT NULL,
    PRIMARY KEY (subscription, subscriber)
) WITHOUT ROWID;

CREATE INDEX member_subscriber ON member (subscriber)
