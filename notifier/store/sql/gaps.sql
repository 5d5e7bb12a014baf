-- name: note
INSERT INTO gap (id, source, first, last, reason, scope, is_news, found_at, cursor, closed_at, how, brought, last_error)
VALUES (:id, :source, :first, :last, :reason, :scope, :is_news, :found_at, :cursor, :closed_at, :how, :brought,
    :last_error)
ON CONFLICT DO NOTHING

-- name: put
UPDATE gap SET found_at = :found_at, cursor = :cursor, closed_at = :closed_at, how = :how, brought = :brought,
    last_error = :last_error
WHERE id = :id

-- name: same
SELECT * FROM gap
WHERE source = :source AND first = :first AND last = :last AND reason = :reason AND scope = :scope AND is_news = :is_news

-- name: open
-- A backfill goes on when a person says so.
SELECT * FROM gap WHERE source = :source AND closed_at IS NULL AND reason <> 'backfill' ORDER BY first, found_at, id

-- name: all
SELECT * FROM gap WHERE :source IS NULL OR source = :source ORDER BY found_at DESC, first DESC, id

-- name: mark_late
INSERT INTO late (entry, gap) VALUES ((SELECT pk FROM entry WHERE id = :id), :gap) ON CONFLICT DO NOTHING

-- name: late
SELECT e.id FROM json_each(:ids) AS wanted
JOIN entry AS e ON e.id = wanted.value
JOIN late ON late.entry = e.pk

-- name: service
SELECT next_at, rest_until FROM service WHERE name = :name

-- name: put_service
INSERT INTO service (name, next_at, rest_until) VALUES (:name, :next_at, :rest_until)
ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at, rest_until = excluded.rest_until
