-- name: by_keys
SELECT k.key, e.*, (SELECT json_group_array(source) FROM (
    SELECT source FROM sighting WHERE entry = e.pk ORDER BY first_at, source)) AS sources, (
    SELECT announce FROM sighting WHERE entry = e.pk AND announce IS NOT NULL ORDER BY first_at DESC LIMIT 1) AS announce
FROM json_each(:keys) AS wanted
JOIN entry_key AS k ON k.key = wanted.value
JOIN entry AS e ON e.pk = k.entry

-- name: by_ids
SELECT e.*, (SELECT json_group_array(source) FROM (
    SELECT source FROM sighting WHERE entry = e.pk ORDER BY first_at, source)) AS sources, (
    SELECT announce FROM sighting WHERE entry = e.pk AND announce IS NOT NULL ORDER BY first_at DESC LIMIT 1) AS announce
FROM json_each(:ids) AS wanted
JOIN entry AS e ON e.id = wanted.value

-- name: window
-- The order is the rank of every digest: votes, then newest, then id to make it stable.
SELECT e.*, (SELECT json_group_array(source) FROM (
    SELECT source FROM sighting WHERE entry = e.pk ORDER BY first_at, source)) AS sources, (
    SELECT announce FROM sighting WHERE entry = e.pk AND announce IS NOT NULL ORDER BY first_at DESC LIMIT 1) AS announce
FROM entry AS e
WHERE e.new_at > :since AND e.new_at <= :until
ORDER BY coalesce(e.upvotes, 0) DESC, coalesce(e.published_at, e.new_at) DESC, e.id

-- name: seen
SELECT e.*, (SELECT json_group_array(source) FROM (
    SELECT source FROM sighting WHERE entry = e.pk ORDER BY first_at, source)) AS sources, (
    SELECT announce FROM sighting WHERE entry = e.pk AND announce IS NOT NULL ORDER BY first_at DESC LIMIT 1) AS announce
FROM entry AS e
WHERE e.first_seen_at > :since AND e.first_seen_at <= :until
ORDER BY e.first_seen_at DESC, e.published_at DESC, e.id

-- name: search_title
-- A title that is the whole of what was asked stands first, then the one with least beside it.
SELECT e.*, (SELECT json_group_array(source) FROM (
    SELECT source FROM sighting WHERE entry = e.pk ORDER BY first_at, source)) AS sources, (
    SELECT announce FROM sighting WHERE entry = e.pk AND announce IS NOT NULL ORDER BY first_at DESC LIMIT 1) AS announce
FROM entry_terms AS f
JOIN entry AS e ON e.pk = f.rowid
WHERE entry_terms MATCH :match
ORDER BY lower(e.title) = lower(:text) DESC, length(e.title), e.id
LIMIT :limit

-- name: newest
-- The index holds the whole order and what is asked of time, so few rows are read before the page is full.
SELECT e.pk FROM entry AS e INDEXED BY entry_seen
WHERE e.first_seen_at > ? AND e.first_seen_at <= ? AND {where}
ORDER BY e.first_seen_at DESC, e.published_at DESC, e.id

-- name: newest_of_few
-- By key, then sorted.
SELECT e.pk FROM json_each(?) AS few CROSS JOIN entry AS e ON e.pk = few.value
WHERE e.first_seen_at > ? AND e.first_seen_at <= ? AND {where}
ORDER BY e.first_seen_at DESC, e.published_at DESC, e.id

-- name: count
SELECT count(*) FROM entry AS e INDEXED BY entry_seen
WHERE e.first_seen_at > ? AND e.first_seen_at <= ? AND {where}

-- name: count_of_few
SELECT count(*) FROM json_each(?) AS few CROSS JOIN entry AS e ON e.pk = few.value
WHERE e.first_seen_at > ? AND e.first_seen_at <= ? AND {where}

-- name: count_by_terms
SELECT count(*) FROM entry_terms WHERE entry_terms MATCH :match

-- name: found_by_terms
SELECT rowid FROM entry_terms WHERE entry_terms MATCH :match LIMIT :most

-- name: newest_seen
SELECT max(first_seen_at) FROM entry

-- name: by_pks
SELECT e.*, (SELECT json_group_array(source) FROM (
    SELECT source FROM sighting WHERE entry = e.pk ORDER BY first_at, source)) AS sources, (
    SELECT announce FROM sighting WHERE entry = e.pk AND announce IS NOT NULL ORDER BY first_at DESC LIMIT 1) AS announce
FROM json_each(:pks) AS wanted
JOIN entry AS e ON e.pk = wanted.value
ORDER BY wanted.key

-- name: put
INSERT INTO entry (id, title, abstract, authors, num_authors, organization, categories, keywords, published_at, url,
    pdf_url, code_url, project_url, thumbnail, upvotes, comments, stars, version, extra, first_seen_at, new_at, changed_at)
VALUES (:id, :title, :abstract, :authors, :num_authors, :organization, :categories, :keywords, :published_at, :url,
    :pdf_url, :code_url, :project_url, :thumbnail, :upvotes, :comments, :stars, :version, :extra, :first_seen_at,
    :new_at, :changed_at)
ON CONFLICT (id) DO UPDATE SET
    title = excluded.title, abstract = excluded.abstract, authors = excluded.authors,
    num_authors = excluded.num_authors, organization = excluded.organization, categories = excluded.categories,
    keywords = excluded.keywords, published_at = excluded.published_at, url = excluded.url, pdf_url = excluded.pdf_url,
    code_url = excluded.code_url, project_url = excluded.project_url, thumbnail = excluded.thumbnail,
    upvotes = excluded.upvotes, comments = excluded.comments, stars = excluded.stars, version = excluded.version,
    extra = excluded.extra, new_at = excluded.new_at, changed_at = excluded.changed_at

-- name: rename
UPDATE entry SET id = :new WHERE id = :old

-- name: put_key
INSERT INTO entry_key (key, entry) VALUES (:key, (SELECT pk FROM entry WHERE id = :id))
ON CONFLICT (key) DO UPDATE SET entry = excluded.entry

-- name: put_sighting
INSERT INTO sighting (entry, source, first_at, last_at, announce)
VALUES ((SELECT pk FROM entry WHERE id = :id), :source, :now, :now, :announce)
ON CONFLICT (entry, source) DO UPDATE SET last_at = excluded.last_at, announce = coalesce(announce, excluded.announce)

-- name: join_keys
UPDATE entry_key SET entry = (SELECT pk FROM entry WHERE id = :into) WHERE entry = (SELECT pk FROM entry WHERE id = :id)

-- name: join_sightings
UPDATE OR IGNORE sighting SET entry = (SELECT pk FROM entry WHERE id = :into)
WHERE entry = (SELECT pk FROM entry WHERE id = :id)

-- name: join_items
-- Where a subscription already had both, the older line of the ledger stays with the surviving entry.
UPDATE OR IGNORE delivery_item SET entry = (SELECT pk FROM entry WHERE id = :into)
WHERE entry = (SELECT pk FROM entry WHERE id = :id)

-- name: drop
DELETE FROM entry WHERE id = :id

-- name: sightings
SELECT source, first_at, last_at, announce FROM sighting
WHERE entry = (SELECT pk FROM entry WHERE id = :id) ORDER BY first_at, source

-- name: count_all
SELECT count(*) FROM entry

-- name: last_change
SELECT max(changed_at) FROM entry
