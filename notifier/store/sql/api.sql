-- name: add_token
INSERT INTO api_token (id, digest, name, scopes, subscriber, made_by, created_at, expires_at, used_at)
VALUES (:id, :digest, :name, :scopes, (SELECT pk FROM subscriber WHERE email = :owner), :made_by, :created_at,
    :expires_at, :used_at)

-- name: get_token
SELECT t.*, coalesce(p.email, '') AS owner FROM api_token AS t LEFT JOIN subscriber AS p ON p.pk = t.subscriber
WHERE t.id = :id

-- name: tokens
SELECT t.*, coalesce(p.email, '') AS owner FROM api_token AS t LEFT JOIN subscriber AS p ON p.pk = t.subscriber
WHERE :owner IS NULL OR coalesce(p.email, '') = :owner
ORDER BY t.created_at DESC, t.id

-- name: touch_token
UPDATE api_token SET used_at = :at WHERE id = :id

-- name: remove_token
DELETE FROM api_token WHERE id = :id

-- name: get_answer
SELECT * FROM answer WHERE token = :token AND key = :key

-- name: put_answer
INSERT INTO answer (token, key, request, status, body, at) VALUES (:token, :key, :request, :status, :body, :at)

-- name: forget_answers
DELETE FROM answer WHERE at < :before

-- name: note_operation
INSERT INTO operation (at, actor, act, subject) VALUES (:at, :actor, :act, :subject)

-- name: newest_operations
SELECT * FROM operation ORDER BY pk DESC LIMIT :limit
