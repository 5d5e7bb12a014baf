-- name: put
INSERT INTO source (name, kind, url, every_seconds, etag, last_modified, content_hash, cursor, added_at, next_fetch_at,
    last_success_at, last_new_at, failing_since, failures, last_error)
VALUES (:name, :kind, :url, :every_seconds, :etag, :last_modified, :content_hash, :cursor, :added_at, :next_fetch_at,
    :last_success_at, :last_new_at, :failing_since, :failures, :last_error)
ON CONFLICT (name) DO UPDATE SET
    kind = excluded.kind, url = excluded.url, every_seconds = excluded.every_seconds, etag = excluded.etag,
    last_modified = excluded.last_modified, content_hash = excluded.content_hash, cursor = excluded.cursor,
    next_fetch_at = excluded.next_fetch_at, last_success_at = excluded.last_success_at,
    last_new_at = excluded.last_new_at, failing_since = excluded.failing_since, failures = excluded.failures,
    last_error = excluded.last_error

-- name: get
SELECT * FROM source WHERE name = :name

-- name: all
SELECT * FROM source ORDER BY name

-- name: due
SELECT * FROM source WHERE next_fetch_at <= :now ORDER BY next_fetch_at, name

-- name: remove
DELETE FROM source WHERE name = :name
