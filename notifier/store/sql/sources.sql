-- name: put
INSERT INTO source (name, kind, url, every_seconds, etag, last_modified, content_hash, cursor, added_at, next_fetch_at,
    last_success_at, last_new_at, failing_since, failures, last_error, missing_since, paused_at, paused_reason,
    moving_to, moving_since, moving_times, moved_from)
VALUES (:name, :kind, :url, :every_seconds, :etag, :last_modified, :content_hash, :cursor, :added_at, :next_fetch_at,
    :last_success_at, :last_new_at, :failing_since, :failures, :last_error, :missing_since, :paused_at, :paused_reason,
    :moving_to, :moving_since, :moving_times, :moved_from)
ON CONFLICT (name) DO UPDATE SET
    kind = excluded.kind, url = excluded.url, every_seconds = excluded.every_seconds, etag = excluded.etag,
    last_modified = excluded.last_modified, content_hash = excluded.content_hash, cursor = excluded.cursor,
    next_fetch_at = excluded.next_fetch_at, last_success_at = excluded.last_success_at,
    last_new_at = excluded.last_new_at, failing_since = excluded.failing_since, failures = excluded.failures,
    last_error = excluded.last_error, missing_since = excluded.missing_since, paused_at = excluded.paused_at,
    paused_reason = excluded.paused_reason, moving_to = excluded.moving_to, moving_since = excluded.moving_since,
    moving_times = excluded.moving_times, moved_from = excluded.moved_from

-- name: get
SELECT * FROM source WHERE name = :name

-- name: all
SELECT * FROM source ORDER BY name

-- name: due
SELECT * FROM source WHERE paused_at IS NULL AND next_fetch_at <= :now ORDER BY next_fetch_at, name

-- name: remove
DELETE FROM source WHERE name = :name

-- name: note_news
INSERT INTO source_news (source, hour, at, brought) VALUES (:source, :hour, :at, :brought)
ON CONFLICT (source, hour) DO UPDATE SET at = max(at, excluded.at), brought = brought + excluded.brought

-- name: forget_news
DELETE FROM source_news WHERE source = :source AND hour < :oldest AND hour NOT IN
    (SELECT hour FROM source_news WHERE source = :source ORDER BY hour DESC LIMIT :least)

-- name: news
SELECT source, at, brought FROM source_news ORDER BY source, hour
