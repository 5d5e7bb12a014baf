-- What came in from Slack, taken before it is acknowledged. What is done keeps its key, so that it runs once.
CREATE TABLE slack_inbox (
    pk INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    payload TEXT NOT NULL,
    received_at TEXT NOT NULL,
    due_at TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    calls TEXT,
    done_at TEXT,
    outcome TEXT
);

CREATE INDEX slack_inbox_due ON slack_inbox (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX slack_inbox_done ON slack_inbox (done_at) WHERE done_at IS NOT NULL;

CREATE TABLE slack_workspace (
    team TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    token_name TEXT NOT NULL,
    bot_user TEXT NOT NULL,
    token TEXT,
    installed_at TEXT NOT NULL,
    gone_at TEXT,
    gone_reason TEXT
) WITHOUT ROWID;

CREATE TABLE slack_member (
    team TEXT NOT NULL,
    user TEXT NOT NULL,
    subscriber INTEGER NOT NULL REFERENCES subscriber ON DELETE CASCADE,
    linked_at TEXT NOT NULL,
    PRIMARY KEY (team, user)
) WITHOUT ROWID;

CREATE INDEX slack_member_subscriber ON slack_member (subscriber);

CREATE TABLE slack_code (
    team TEXT NOT NULL,
    user TEXT NOT NULL,
    email TEXT NOT NULL,
    digest TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    tries INTEGER NOT NULL,
    PRIMARY KEY (team, user)
) WITHOUT ROWID;

CREATE TABLE slack_kept (
    team TEXT NOT NULL,
    user TEXT NOT NULL,
    entry INTEGER NOT NULL REFERENCES entry ON DELETE CASCADE,
    what TEXT NOT NULL,
    channel TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (team, user, entry, what)
) WITHOUT ROWID;

-- Who is forgotten as a subscriber is forgotten here, too.
CREATE TRIGGER slack_member_gone AFTER DELETE ON slack_member BEGIN DELETE FROM slack_kept WHERE team = OLD.team AND user = OLD.user; DELETE FROM slack_reaction WHERE team = OLD.team AND user = OLD.user; END;

CREATE INDEX slack_kept_channel ON slack_kept (team, channel, at);

CREATE INDEX slack_kept_entry ON slack_kept (entry);

CREATE TABLE slack_reaction (
    team TEXT NOT NULL,
    channel TEXT NOT NULL,
    ts TEXT NOT NULL,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (team, ts, channel, user, name)
) WITHOUT ROWID;

-- What is told once: a summary of a week, that a workspace is gone.
CREATE TABLE slack_told (
    key TEXT PRIMARY KEY,
    at TEXT NOT NULL
) WITHOUT ROWID;

-- Whose digests a channel of Slack gets.
CREATE INDEX subscription_target ON subscription (channel, target)
