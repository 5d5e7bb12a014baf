-- What a subscription's webhook is signed with; one that is being replaced signs along until then.
CREATE TABLE signing_secret (
    subscription INTEGER NOT NULL REFERENCES subscription ON DELETE CASCADE,
    since TEXT NOT NULL,
    secret TEXT NOT NULL,
    until TEXT,
    PRIMARY KEY (subscription, since)
) WITHOUT ROWID
