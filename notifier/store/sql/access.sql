-- name: add_session
INSERT INTO session (hash, id, subscriber, browser, created_at, expires_at)
VALUES (:hash, :id, (SELECT pk FROM subscriber WHERE id = :subscriber), :browser, :created_at, :expires_at)

-- name: forget_sessions
DELETE FROM session WHERE expires_at <= :now

-- name: get_session
SELECT p.*, v.id AS v_id, v.browser, v.created_at AS v_created_at, v.expires_at
FROM session AS v JOIN subscriber AS p ON p.pk = v.subscriber
WHERE v.hash = :hash AND v.expires_at > :now

-- name: sessions_of
SELECT p.*, v.id AS v_id, v.browser, v.created_at AS v_created_at, v.expires_at
FROM session AS v JOIN subscriber AS p ON p.pk = v.subscriber
WHERE p.email = :email AND v.expires_at > :now
ORDER BY v.created_at DESC, v.id

-- name: end_sessions
DELETE FROM session
WHERE subscriber = (SELECT pk FROM subscriber WHERE email = :email)
    AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids)))

-- name: add_ticket
INSERT INTO ticket (hash, kind, email, "values", created_at, expires_at)
VALUES (:hash, :kind, :email, :values, :created_at, :expires_at)

-- name: forget_tickets
DELETE FROM ticket WHERE expires_at <= :now

-- name: get_ticket
SELECT * FROM ticket WHERE hash = :hash AND kind = :kind AND expires_at > :now

-- name: remove_ticket
DELETE FROM ticket WHERE hash = :hash AND kind = :kind

-- name: tickets_waiting
SELECT count(*) FROM ticket WHERE email = :email AND kind = :kind AND expires_at > :now

-- name: members_of
SELECT p.*
FROM member AS m
JOIN subscription AS s ON s.pk = m.subscription
JOIN subscriber AS p ON p.pk = m.subscriber
WHERE s.id = :id
    -- Who made it may have a row for the ledger alone.
    AND m.subscriber <> s.subscriber
ORDER BY p.email

-- name: add_member
INSERT INTO member (subscription, subscriber, shares_ledger, joined_at)
SELECT s.pk, p.pk, 0, :now
FROM subscription AS s JOIN subscriber AS p ON p.email = :email AND p.pk <> s.subscriber
WHERE s.id = :id
ON CONFLICT DO NOTHING

-- name: share_ledger
INSERT INTO member (subscription, subscriber, shares_ledger, joined_at)
SELECT s.pk, p.pk, :shares, :now
FROM subscription AS s JOIN subscriber AS p ON p.email = :email
WHERE s.id = :id
    AND (p.pk = s.subscriber OR EXISTS (SELECT 1 FROM member WHERE subscription = s.pk AND subscriber = p.pk))
ON CONFLICT (subscription, subscriber) DO UPDATE SET shares_ledger = excluded.shares_ledger

-- name: shares_ledger
SELECT m.shares_ledger
FROM member AS m
JOIN subscription AS s ON s.pk = m.subscription AND s.id = :id
JOIN subscriber AS p ON p.pk = m.subscriber AND p.email = :email

-- name: remove_member
DELETE FROM member
WHERE subscription = (SELECT pk FROM subscription WHERE id = :id)
    AND subscriber = (SELECT pk FROM subscriber WHERE email = :email)

-- name: shared_subscriptions
SELECT s.*, p.id AS p_id, p.email, p.name, p.timezone, p.language, p.created_at AS p_created_at
FROM member AS m
JOIN subscriber AS me ON me.pk = m.subscriber AND me.email = :email
JOIN subscription AS s ON s.pk = m.subscription AND s.subscriber <> me.pk
JOIN subscriber AS p ON p.pk = s.subscriber
ORDER BY s.created_at, s.pk
