-- name: by_keys
SELECT k.key, e.*, (SELECT json_group_array(source) FROM (
    SELECT source FROM sighting WHERE entry = e.pk ORDER BY first_at, source)) AS sources, (
    SELECT announce FROM sighting WHERE entry = e.pk AND announce IS NOT NULL ORDER BY first_at DESC, source LIMIT 1) AS announce
FROM json_each(:keys) AS wanted
JOIN entry_key AS k ON k.key = wanted.value
JOIN entry AS e ON e.pk = k.entry

-- name: by_ids
SELECT e.*, (SELECT json_group_array(source) FROM (
    SELECT source FROM sighting WHERE entry = e.pk ORDER BY first_at, source)) AS sources, (
    SELECT announce FROM sighting WHERE entry = e.pk AND announce IS NOT NULL ORDER BY first_at DESC, source LIMIT 1) AS announce
FROM json_each(:ids) AS wanted
JOIN entry AS e ON e.id = wanted.value

-- name: window
-- The order is the rank of every digest: votes, then newest, then id to make it stable.
SELECT e.*, (SELECT json_group_array(source) FROM (
    SELECT source FROM sighting WHERE entry = e.pk ORDER BY first_at, source)) AS sources, (
    SELECT announce FROM sighting WHERE entry = e.pk AND announce IS NOT NULL ORDER BY first_at DESC, source LIMIT 1) AS announce
FROM entry AS e
WHERE e.new_at > :since AND e.new_at <= :until
ORDER BY coalesce(e.upvotes, 0) DESC, coalesce(e.published_at, e.new_at) DESC, e.id

-- name: seen
SELECT e.*, (SELECT json_group_array(source) FROM (
    SELECT source FROM sighting WHERE entry = e.pk ORDER BY first_at, source)) AS sources, (
    SELECT announce FROM sighting WHERE entry = e.pk AND announce IS NOT NULL ORDER BY first_at DESC, source LIMIT 1) AS announce
FROM entry AS e
WHERE e.first_seen_at > :since AND e.first_seen_at <= :until
ORDER BY e.first_seen_at DESC, e.published_at DESC, e.id

-- name: search_title
-- A title that is the whole of what was asked stands first, then the one with least beside it.
SELECT e.*, (SELECT json_group_array(source) FROM (
    SELECT source FROM sighting WHERE entry = e.pk ORDER BY first_at, source)) AS sources, (
    SELECT announce FROM sighting WHERE entry = e.pk AND announce IS NOT NULL ORDER BY first_at DESC, source LIMIT 1) AS announce
FROM entry_terms AS f
JOIN entry AS e ON e.pk = f.rowid
WHERE entry_terms MATCH :match
ORDER BY lower(e.title) = lower(:text) DESC, length(e.title), e.id
LIMIT :limit

-- name: place
SELECT id, new_at, first_seen_at, coalesce(published_at, '') AS published_at, coalesce(upvotes, 0) AS upvotes,
    coalesce(published_at, new_at) AS dated
FROM entry WHERE id = ?

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
    SELECT announce FROM sighting WHERE entry = e.pk AND announce IS NOT NULL ORDER BY first_at DESC, source LIMIT 1) AS announce
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
    extra = excluded.extra, first_seen_at = excluded.first_seen_at, new_at = excluded.new_at,
    changed_at = max(changed_at, excluded.changed_at)

-- name: rename
UPDATE entry SET id = :new WHERE id = :old

-- name: put_key
INSERT INTO entry_key (key, entry) VALUES (:key, (SELECT pk FROM entry WHERE id = :id))
ON CONFLICT (key) DO UPDATE SET entry = excluded.entry

-- name: put_sighting
INSERT INTO sighting (entry, source, first_at, last_at, announce, is_news)
VALUES ((SELECT pk FROM entry WHERE id = :id), :source, :first_at, :last_at, :announce, :is_news)
ON CONFLICT (entry, source) DO UPDATE SET
    first_at = excluded.first_at, last_at = excluded.last_at, announce = excluded.announce, is_news = excluded.is_news

-- name: put_said
INSERT INTO said (entry, source, sayings) VALUES ((SELECT pk FROM entry WHERE id = :id), :source, :sayings)
ON CONFLICT (entry, source) DO UPDATE SET sayings = excluded.sayings

-- name: put_title
INSERT INTO entry_title (entry, title, first_at, last_at)
VALUES ((SELECT pk FROM entry WHERE id = :id), :title, :first_at, :last_at)
ON CONFLICT (entry, title) DO UPDATE SET
    first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)

-- name: bound_titles
-- A feed that puts a counter or the hour into its titles would fill the disk.
DELETE FROM entry_title
WHERE entry = (SELECT pk FROM entry WHERE id = :id) AND title NOT IN (
    SELECT title FROM entry_title WHERE entry = (SELECT pk FROM entry WHERE id = :id)
    ORDER BY last_at DESC, title LIMIT :most)

-- name: put_point
INSERT INTO growth (entry, day, at, upvotes, comments, stars)
VALUES ((SELECT pk FROM entry WHERE id = :id), substr(:at, 1, 10), :at, :upvotes, :comments, :stars)
ON CONFLICT (entry, day) DO UPDATE SET
    at = excluded.at, upvotes = excluded.upvotes, comments = excluded.comments, stars = excluded.stars
WHERE excluded.at >= at

-- name: bound_points
DELETE FROM growth
WHERE entry = (SELECT pk FROM entry WHERE id = :id) AND (at < :oldest OR day NOT IN (
    SELECT day FROM growth WHERE entry = (SELECT pk FROM entry WHERE id = :id) ORDER BY day DESC LIMIT :most))

-- name: join_keys
UPDATE entry_key SET entry = (SELECT pk FROM entry WHERE id = :into) WHERE entry = (SELECT pk FROM entry WHERE id = :id)

-- name: join_titles
INSERT INTO entry_title (entry, title, first_at, last_at)
SELECT (SELECT pk FROM entry WHERE id = :into), title, first_at, last_at FROM entry_title
WHERE entry = (SELECT pk FROM entry WHERE id = :id)
ON CONFLICT (entry, title) DO UPDATE SET
    first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)

-- name: join_growth
INSERT INTO growth (entry, day, at, upvotes, comments, stars)
SELECT (SELECT pk FROM entry WHERE id = :into), day, at, upvotes, comments, stars FROM growth
WHERE entry = (SELECT pk FROM entry WHERE id = :id)
ON CONFLICT (entry, day) DO UPDATE SET
    at = excluded.at, upvotes = excluded.upvotes, comments = excluded.comments, stars = excluded.stars
WHERE excluded.at > at

-- name: join_followed
UPDATE OR IGNORE followed SET entry = (SELECT pk FROM entry WHERE id = :into)
WHERE entry = (SELECT pk FROM entry WHERE id = :id)

-- name: join_follow_ups
UPDATE OR IGNORE follow_up SET entry = (SELECT pk FROM entry WHERE id = :into)
WHERE entry = (SELECT pk FROM entry WHERE id = :id)

-- name: join_items
-- Where a subscription already had both, the older line of the ledger stays with the surviving entry.
UPDATE OR IGNORE delivery_item SET entry = (SELECT pk FROM entry WHERE id = :into)
WHERE entry = (SELECT pk FROM entry WHERE id = :id)

-- name: join_kept
UPDATE OR IGNORE slack_kept SET entry = (SELECT pk FROM entry WHERE id = :into)
WHERE entry = (SELECT pk FROM entry WHERE id = :id)

-- name: drop
DELETE FROM entry WHERE id = :id

-- name: sightings
SELECT e.id, s.source, s.first_at, s.last_at, s.announce, s.is_news, said.sayings
FROM json_each(:ids) AS wanted
JOIN entry AS e ON e.id = wanted.value
JOIN sighting AS s ON s.entry = e.pk
LEFT JOIN said ON said.entry = s.entry AND said.source = s.source
ORDER BY e.pk, s.first_at, s.source

-- name: titles
SELECT title, first_at, last_at FROM entry_title
WHERE entry = (SELECT pk FROM entry WHERE id = :id) ORDER BY first_at, title

-- name: former_title
SELECT DISTINCT e.id FROM entry_title AS t JOIN entry AS e ON e.pk = t.entry
WHERE t.title <> e.title
    AND NOT EXISTS (SELECT 1 FROM json_each(:words) AS word WHERE instr(lower(t.title), word.value) = 0)
ORDER BY t.last_at DESC, e.id
LIMIT :limit

-- name: growth
SELECT e.id, g.at, g.upvotes, g.comments, g.stars
FROM json_each(:ids) AS wanted
JOIN entry AS e ON e.id = wanted.value
JOIN growth AS g ON g.entry = e.pk
ORDER BY e.pk, g.day

-- name: count_all
SELECT count(*) FROM entry

-- name: last_change
SELECT max(changed_at) FROM entry

-- name: grow_version
UPDATE entry_version SET version = version + 1

-- name: version
SELECT version FROM entry_version

-- name: listed_by_time
SELECT e.pk FROM entry AS e INDEXED BY entry_listed
WHERE e.new_at >= :since AND e.new_at < :until
    AND (:id IS NULL OR (e.new_at, coalesce(e.published_at, '')) < (:new_at, :published_at)
        OR ((e.new_at, coalesce(e.published_at, '')) = (:new_at, :published_at) AND e.id > :id))
ORDER BY e.new_at DESC, e.published_at DESC, e.id
LIMIT :limit

-- name: listed_by_votes
-- The order of the digests. Thousands may lie in the span: they are sorted in the index, and only the page is read.
SELECT e.pk FROM entry AS e INDEXED BY entry_listed
WHERE e.new_at >= :since AND e.new_at < :until
    AND (:id IS NULL OR (coalesce(e.upvotes, 0), coalesce(e.published_at, e.new_at)) < (:upvotes, :dated)
        OR ((coalesce(e.upvotes, 0), coalesce(e.published_at, e.new_at)) = (:upvotes, :dated) AND e.id > :id))
ORDER BY coalesce(e.upvotes, 0) DESC, coalesce(e.published_at, e.new_at) DESC, e.id
LIMIT :limit

-- name: news_count
SELECT count(*) FROM entry WHERE new_at >= :since AND new_at < :until

-- name: news_before
SELECT max(new_at) FROM entry WHERE new_at < :at

-- name: news_from
SELECT min(new_at) FROM entry WHERE new_at >= :at
