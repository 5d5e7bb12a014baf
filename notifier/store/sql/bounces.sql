-- name: note
INSERT INTO bounce (address, at, kind, delivery, status, reason)
VALUES (:address, :at, :kind, :delivery, :status, :reason)
ON CONFLICT DO NOTHING

-- name: of
SELECT * FROM bounce WHERE address = :address AND at > :since ORDER BY at

-- name: newest
SELECT * FROM bounce ORDER BY at DESC LIMIT :limit

-- name: suppress
INSERT INTO suppression (address, since, reason, kind, question, asked_at, asked_until)
VALUES (:address, :since, :reason, :kind, :question, :asked_at, :asked_until)
ON CONFLICT (address) DO UPDATE SET
    since = excluded.since, reason = excluded.reason, kind = excluded.kind, question = excluded.question,
    asked_at = excluded.asked_at, asked_until = excluded.asked_until

-- name: get
SELECT * FROM suppression WHERE address = :address

-- name: by_question
SELECT * FROM suppression WHERE question = :question

-- name: release
DELETE FROM suppression WHERE address = :address

-- name: forget
-- What led to it is not to suppress the address again at the next soft bounce.
DELETE FROM bounce WHERE address = :address

-- name: suppressed
SELECT * FROM suppression ORDER BY address

-- name: address_of
SELECT lower(CASE WHEN s.target <> '' THEN s.target ELSE p.email END) AS address
FROM delivery AS d
JOIN subscription AS s ON s.pk = d.subscription AND s.channel = 'email'
JOIN subscriber AS p ON p.pk = s.subscriber
WHERE d.id = :delivery
UNION ALL
SELECT lower(recipient) FROM letter WHERE id = :delivery
