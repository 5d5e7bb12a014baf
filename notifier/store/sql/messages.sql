-- name: put
INSERT INTO message (delivery, format, subject, target, sender, created_at) VALUES (?, ?, ?, ?, ?, ?)

-- name: put_part
INSERT INTO message_part (delivery, k, body, pieces, hash) VALUES (?, ?, ?, ?, ?)

-- name: of_deliveries
SELECT d.id, m.*, d.accepted
FROM json_each(:ids) AS wanted JOIN delivery AS d ON d.id = wanted.value JOIN message AS m ON m.delivery = d.pk

-- name: parts
SELECT d.id, p.body, p.pieces, p.hash
FROM json_each(:ids) AS wanted JOIN delivery AS d ON d.id = wanted.value JOIN message_part AS p ON p.delivery = d.pk
ORDER BY d.pk, p.k

-- name: thaw
-- What has an end is not sent again, so its bytes need not stay.
DELETE FROM message WHERE delivery IN (
    SELECT d.pk FROM json_each(:ids) AS wanted JOIN delivery AS d ON d.id = wanted.value)

-- name: sweeps
SELECT number FROM fragment_sweep

-- name: swept
UPDATE fragment_sweep SET number = number + 1

-- name: add_fragments
INSERT INTO fragment (body, hash) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING

-- name: keys
SELECT pk FROM fragment WHERE hash = ?

-- name: fragments
SELECT pk, body, hash FROM fragment WHERE pk IN (SELECT value FROM json_each(?))

-- name: pieces
SELECT pieces FROM message_part WHERE pieces IS NOT NULL LIMIT ?

-- name: forget_others
DELETE FROM fragment WHERE pk NOT IN (SELECT value FROM json_each(?))
