-- Instants are UTC text of one fixed width (2026-11-23T07:00:00.000000+00:00), so that they sort as text.
-- Lists are JSON arrays. Integer keys stay inside; what people see is the random id beside them.

CREATE TABLE entry (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    abstract TEXT NOT NULL,
    authors TEXT NOT NULL,
    num_authors INTEGER,
    organization TEXT,
    categories TEXT NOT NULL,
    keywords TEXT NOT NULL,
    published_at TEXT,
    url TEXT,
    pdf_url TEXT,
    code_url TEXT,
    project_url TEXT,
    thumbnail TEXT,
    upvotes INTEGER,
    comments INTEGER,
    stars INTEGER,
    version INTEGER,
    extra TEXT NOT NULL,
    first_seen_at TEXT NOT NULL,
    new_at TEXT,
    changed_at TEXT NOT NULL
);

CREATE INDEX entry_new_at ON entry (new_at);

CREATE INDEX entry_first_seen_at ON entry (first_seen_at);

CREATE INDEX entry_changed_at ON entry (changed_at);

CREATE TABLE entry_key (
    key TEXT PRIMARY KEY,
    entry INTEGER NOT NULL REFERENCES entry ON DELETE CASCADE
) WITHOUT ROWID;

CREATE INDEX entry_key_entry ON entry_key (entry);

CREATE TABLE sighting (
    entry INTEGER NOT NULL REFERENCES entry ON DELETE CASCADE,
    source TEXT NOT NULL,
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    announce TEXT,
    PRIMARY KEY (entry, source)
) WITHOUT ROWID;

CREATE TABLE source (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    url TEXT NOT NULL,
    every_seconds INTEGER NOT NULL,
    etag TEXT,
    last_modified TEXT,
    content_hash TEXT,
    cursor TEXT,
    added_at TEXT NOT NULL,
    next_fetch_at TEXT NOT NULL,
    last_success_at TEXT,
    last_new_at TEXT,
    failing_since TEXT,
    failures INTEGER NOT NULL,
    last_error TEXT
);

CREATE TABLE subscriber (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    timezone TEXT NOT NULL,
    language TEXT NOT NULL,
    created_at TEXT NOT NULL
);

CREATE TABLE subscription (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    subscriber INTEGER NOT NULL REFERENCES subscriber ON DELETE CASCADE,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    every TEXT NOT NULL,
    at TEXT NOT NULL,
    days TEXT NOT NULL,
    max_entries INTEGER NOT NULL,
    send_empty INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    paused INTEGER NOT NULL,
    paused_until TEXT,
    stopped_reason TEXT,
    next_due_at TEXT NOT NULL,
    planned_until TEXT,
    last_slot TEXT,
    last_checked INTEGER,
    -- When its rules last changed: an instant subscription is looked at again after that.
    touched_at TEXT NOT NULL
);

CREATE INDEX subscription_due ON subscription (next_due_at);

CREATE INDEX subscription_subscriber ON subscription (subscriber);

CREATE TABLE rule (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    subscription INTEGER NOT NULL REFERENCES subscription ON DELETE CASCADE,
    query TEXT NOT NULL,
    label TEXT NOT NULL,
    mode TEXT NOT NULL,
    until TEXT,
    version INTEGER NOT NULL,
    broken TEXT,
    created_at TEXT NOT NULL
);

CREATE INDEX rule_subscription ON rule (subscription);

-- No reference to rule: the history outlives what it tells of, but not the subscription.
CREATE TABLE rule_change (
    pk INTEGER PRIMARY KEY,
    subscription INTEGER NOT NULL REFERENCES subscription ON DELETE CASCADE,
    rule_id TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    via TEXT NOT NULL,
    before TEXT,
    after TEXT
);

CREATE INDEX rule_change_subscription ON rule_change (subscription);

CREATE TABLE delivery (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    subscription INTEGER NOT NULL REFERENCES subscription ON DELETE CASCADE,
    slot TEXT NOT NULL,
    due_at TEXT NOT NULL,
    zone TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    period_start TEXT NOT NULL,
    period_end TEXT NOT NULL,
    checked INTEGER NOT NULL,
    late INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at TEXT NOT NULL,
    lease_until TEXT,
    fence INTEGER NOT NULL,
    reason TEXT,
    sent_at TEXT,
    accepted TEXT NOT NULL,
    UNIQUE (subscription, slot)
);

-- Only what is still on its way: the index stays small however long the history grows.
CREATE INDEX delivery_open ON delivery (next_attempt_at) WHERE state IN ('planned', 'deferred', 'claimed');

-- The ledger: one entry goes to one subscription once. The key begins with the entry, so that it also finds all lines
-- of an entry that turned out to be another; those of a subscription are found by its deliveries.
CREATE TABLE delivery_item (
    entry INTEGER NOT NULL REFERENCES entry ON DELETE CASCADE,
    subscription INTEGER NOT NULL,
    delivery INTEGER NOT NULL REFERENCES delivery ON DELETE CASCADE,
    rank INTEGER NOT NULL,
    shown INTEGER NOT NULL,
    reasons TEXT NOT NULL,
    PRIMARY KEY (entry, subscription)
) WITHOUT ROWID;

CREATE INDEX delivery_item_delivery ON delivery_item (delivery);

-- The frozen message, kept until it is accepted.
CREATE TABLE message (
    delivery INTEGER PRIMARY KEY REFERENCES delivery ON DELETE CASCADE,
    format TEXT NOT NULL,
    subject TEXT NOT NULL,
    target TEXT NOT NULL,
    sender TEXT NOT NULL,
    created_at TEXT NOT NULL
);

CREATE TABLE message_part (
    delivery INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
    k INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (delivery, k)
) WITHOUT ROWID
