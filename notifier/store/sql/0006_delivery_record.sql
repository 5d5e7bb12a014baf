ALTER TABLE delivery ADD COLUMN cause TEXT;

ALTER TABLE delivery ADD COLUMN failing_since TEXT;

ALTER TABLE delivery ADD COLUMN unknowns INTEGER NOT NULL DEFAULT 0;

-- What a later digest may take over, by subscription.
CREATE INDEX delivery_deferred ON delivery (subscription) WHERE state = 'deferred';

CREATE INDEX delivery_unknown ON delivery (unknowns) WHERE unknowns > 0;

-- The latest attempts of each delivery that were begun. One without an end is under way, or its process is gone.
CREATE TABLE delivery_attempt (
    delivery INTEGER NOT NULL REFERENCES delivery ON DELETE CASCADE,
    fence INTEGER NOT NULL,
    began_at TEXT NOT NULL,
    ended_at TEXT,
    state TEXT,
    unknown INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    PRIMARY KEY (delivery, fence)
) WITHOUT ROWID
