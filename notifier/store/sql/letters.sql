-- name: put
INSERT INTO letter (id, recipient, kind, language, content, created_at, expires_at, state, attempts, next_attempt_at,
    fence, unknowns, accepted)
VALUES (:id, :recipient, :kind, :language, :content, :created_at, :expires_at, 'planned', 0, :created_at, 0, 0, '[]')
ON CONFLICT (id) DO NOTHING

-- name: next_due
-- Without the write lock: mostly there is nothing, and it is asked often.
SELECT min(next_attempt_at) FROM letter
WHERE state IN ('planned', 'deferred', 'claimed') AND (state <> 'claimed' OR lease_until <= :now)

-- name: due
SELECT l.*, x.reason AS suppressed
FROM letter AS l LEFT JOIN suppression AS x ON x.address = lower(l.recipient)
WHERE l.state IN ('planned', 'deferred', 'claimed') AND l.next_attempt_at <= :now
    AND (l.state <> 'claimed' OR l.lease_until <= :now)
ORDER BY l.next_attempt_at, l.pk
LIMIT :limit

-- name: move
-- Compare-and-set: which state follows which is decided outside, on the row as it was read.
UPDATE letter SET state = :state, attempts = :attempts, next_attempt_at = :next_attempt_at,
    lease_until = :lease_until, fence = :fence, reason = :reason, cause = :cause, failing_since = :failing_since,
    unknowns = :unknowns, sent_at = :sent_at, accepted = :accepted, begun = NULL
WHERE id = :id AND state = :was_state AND fence = :was_fence

-- name: begin
UPDATE letter SET begun = fence, lease_until = :lease_until
WHERE id = :id AND fence = :fence AND state = 'claimed'

-- name: freeze
UPDATE letter SET subject = :subject, sender = :sender, body = :body, composed_at = :composed_at WHERE id = :id

-- name: empty
UPDATE letter SET content = '[]', subject = NULL, sender = NULL, body = NULL WHERE id = :id

-- name: get
SELECT * FROM letter WHERE id = :id

-- name: message
SELECT * FROM letter WHERE id = :id AND body IS NOT NULL

-- name: all
SELECT * FROM letter
WHERE :states = '[]' OR state IN (SELECT value FROM json_each(:states))
ORDER BY created_at DESC, pk DESC
LIMIT :limit

-- name: count
SELECT count(*) FROM letter WHERE recipient = :to AND created_at > :since

-- name: forget
DELETE FROM letter WHERE created_at < :before AND state NOT IN ('planned', 'deferred', 'claimed')
