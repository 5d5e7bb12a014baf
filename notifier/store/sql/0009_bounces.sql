-- Mail that came back; of one delivery each kind counts once.
CREATE TABLE bounce (
    address TEXT NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    delivery TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (address, at, kind, delivery)
) WITHOUT ROWID;

CREATE UNIQUE INDEX bounce_of_delivery ON bounce (delivery, kind);

-- Addresses that get nothing, looked at by every claim.
CREATE TABLE suppression (
    address TEXT PRIMARY KEY,
    since TEXT NOT NULL,
    reason TEXT NOT NULL
) WITHOUT ROWID
