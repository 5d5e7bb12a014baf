-- Tokens of the API, by the hash of their secret. Without a subscriber: of the operator.
CREATE TABLE api_token (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    subscriber INTEGER REFERENCES subscriber ON DELETE CASCADE,
    made_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    used_at TEXT
) WITHOUT ROWID;

CREATE INDEX api_token_subscriber ON api_token (subscriber);

-- What a request with an idempotency key was answered, for as long as it may be sent again.
CREATE TABLE answer (
    token TEXT NOT NULL REFERENCES api_token ON DELETE CASCADE,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (token, key)
) WITHOUT ROWID;

CREATE INDEX answer_at ON answer (at);

-- What operators did on their pages, and who.
CREATE TABLE operation (
    pk INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    act TEXT NOT NULL,
    subject TEXT NOT NULL
);

-- Lists and charts go by the day that a digest was due on.
CREATE INDEX delivery_due_at ON delivery (due_at);

-- What ended without being sent: few, and looked for among many.
CREATE INDEX delivery_unsent ON delivery (due_at) WHERE state IN ('failed', 'held', 'cancelled', 'superseded')
