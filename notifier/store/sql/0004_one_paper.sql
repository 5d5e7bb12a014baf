-- What each source said of an entry: enough to merge it anew, whatever comes first or late. Beside sighting and not in
-- it, because every window reads those rows and none needs these texts.
CREATE TABLE said (
    entry INTEGER NOT NULL REFERENCES entry ON DELETE CASCADE,
    source TEXT NOT NULL,
    sayings TEXT NOT NULL,
    PRIMARY KEY (entry, source)
);

ALTER TABLE sighting ADD COLUMN is_news INTEGER NOT NULL DEFAULT 0;

UPDATE sighting SET is_news = 1 WHERE first_at = (SELECT new_at FROM entry WHERE pk = sighting.entry);

-- Of two entries that were joined the sighting that was news may be gone: then it was the first that is left.
UPDATE sighting SET is_news = 1
WHERE (SELECT new_at FROM entry WHERE pk = sighting.entry) IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM sighting AS other WHERE other.entry = sighting.entry AND other.is_news)
    AND source = (SELECT source FROM sighting AS other WHERE other.entry = sighting.entry ORDER BY first_at, source LIMIT 1);

-- Until now the merged fields alone were kept: they count as what the first source said when it first said it.
INSERT INTO said (entry, source, sayings)
SELECT e.pk, s.source, json_array(json_patch('{}', json_object(
    'at', s.first_at, 'title', e.title, 'abstract', nullif(e.abstract, ''), 'authors', json(e.authors),
    'num_authors', e.num_authors, 'organization', e.organization, 'categories', json(e.categories),
    'keywords', json(e.keywords), 'published_at', e.published_at, 'url', e.url, 'pdf_url', e.pdf_url,
    'code_url', e.code_url, 'project_url', e.project_url, 'thumbnail', e.thumbnail, 'upvotes', e.upvotes,
    'comments', e.comments, 'stars', e.stars, 'version', e.version, 'extra', json_remove(e.extra, '$._versions') || '')))
FROM entry AS e
JOIN sighting AS s ON s.entry = e.pk
    AND s.source = (SELECT source FROM sighting WHERE entry = e.pk ORDER BY first_at, source LIMIT 1);

-- Every title that was ever given, the present one too.
CREATE TABLE entry_title (
    entry INTEGER NOT NULL REFERENCES entry ON DELETE CASCADE,
    title TEXT NOT NULL,
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    PRIMARY KEY (entry, title)
) WITHOUT ROWID;

INSERT INTO entry_title (entry, title, first_at, last_at) SELECT pk, title, first_seen_at, changed_at FROM entry;

-- Votes, comments and stars: at most a point a day, and only when one of them moved.
CREATE TABLE growth (
    entry INTEGER NOT NULL REFERENCES entry ON DELETE CASCADE,
    day TEXT NOT NULL,
    at TEXT NOT NULL,
    upvotes INTEGER,
    comments INTEGER,
    stars INTEGER,
    PRIMARY KEY (entry, day)
) WITHOUT ROWID;

INSERT INTO growth (entry, day, at, upvotes, comments, stars)
SELECT pk, substr(changed_at, 1, 10), changed_at, upvotes, comments, stars FROM entry
WHERE coalesce(upvotes, comments, stars) IS NOT NULL;

-- Which changes of a paper that was sent are told of: 'version,code,votes:100', empty for none.
ALTER TABLE subscription ADD COLUMN follow_ups TEXT NOT NULL DEFAULT '';

-- What a paper was like when it was sent to somebody who asks for follow-ups. The key begins with the entry: planning
-- comes from the few entries that changed.
CREATE TABLE followed (
    entry INTEGER NOT NULL REFERENCES entry ON DELETE CASCADE,
    subscription INTEGER NOT NULL REFERENCES subscription ON DELETE CASCADE,
    since TEXT NOT NULL,
    version INTEGER,
    has_code INTEGER NOT NULL,
    upvotes INTEGER,
    PRIMARY KEY (entry, subscription)
) WITHOUT ROWID;

CREATE INDEX followed_subscription ON followed (subscription);

-- The ledger of follow-ups: each goes to a subscription once.
CREATE TABLE follow_up (
    subscription INTEGER NOT NULL REFERENCES subscription ON DELETE CASCADE,
    entry INTEGER NOT NULL REFERENCES entry ON DELETE CASCADE,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    delivery INTEGER NOT NULL REFERENCES delivery ON DELETE CASCADE,
    since TEXT NOT NULL,
    before INTEGER,
    after INTEGER,
    PRIMARY KEY (subscription, entry, kind, value)
) WITHOUT ROWID;

CREATE INDEX follow_up_delivery ON follow_up (delivery);

CREATE INDEX follow_up_entry ON follow_up (entry)
