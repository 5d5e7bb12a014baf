-- name: add_subscriber
INSERT INTO subscriber (id, email, name, timezone, language, created_at)
VALUES (:id, :email, :name, :timezone, :language, :created_at)

-- name: get_subscriber
SELECT * FROM subscriber WHERE email = :email

-- name: all_subscribers
SELECT * FROM subscriber ORDER BY email

-- name: page_of_subscribers
SELECT * FROM subscriber
WHERE email > :after AND (:text = '' OR instr(lower(email), :text) OR instr(lower(name), :text))
ORDER BY email
LIMIT :limit

-- name: subscriptions_of
SELECT p.id, count(*) AS number
FROM json_each(:ids) AS wanted
JOIN subscriber AS p ON p.id = wanted.value
JOIN subscription AS s ON s.subscriber = p.pk
GROUP BY p.id

-- name: put_subscriber
UPDATE subscriber SET name = :name, timezone = :timezone, language = :language WHERE id = :id

-- name: remove_subscriber
DELETE FROM subscriber WHERE email = :email

-- name: forget_tickets_of
DELETE FROM ticket WHERE email = :email

-- name: forget_letters_to
DELETE FROM letter WHERE lower(recipient) = lower(:email)

-- name: put_subscription
INSERT INTO subscription (id, subscriber, channel, target, every, at, days, quiet, weekends, max_entries, send_empty, follow_ups, created_at, paused,
    paused_until, stopped_reason, next_due_at, planned_until, last_slot, last_checked, touched_at)
VALUES (:id, (SELECT pk FROM subscriber WHERE id = :subscriber), :channel, :target, :every, :at, :days, :quiet, :weekends, :max_entries,
    :send_empty, :follow_ups, :created_at, :paused, :paused_until, :stopped_reason, :next_due_at, :planned_until, :last_slot,
    :last_checked, :created_at)
ON CONFLICT (id) DO UPDATE SET
    channel = excluded.channel, target = excluded.target, every = excluded.every, at = excluded.at,
    days = excluded.days, quiet = excluded.quiet, weekends = excluded.weekends, max_entries = excluded.max_entries, send_empty = excluded.send_empty,
    follow_ups = excluded.follow_ups,
    paused = excluded.paused, paused_until = excluded.paused_until, stopped_reason = excluded.stopped_reason,
    next_due_at = excluded.next_due_at

-- name: get_subscriptions
SELECT s.*, p.id AS p_id, p.email, p.name, p.timezone, p.language, p.created_at AS p_created_at
FROM json_each(:ids) AS wanted
JOIN subscription AS s ON s.id = wanted.value
JOIN subscriber AS p ON p.pk = s.subscriber

-- name: all_subscriptions
SELECT s.*, p.id AS p_id, p.email, p.name, p.timezone, p.language, p.created_at AS p_created_at
FROM subscription AS s JOIN subscriber AS p ON p.pk = s.subscriber
WHERE :email IS NULL OR p.email = :email
ORDER BY p.email, s.created_at, s.pk

-- name: page_of_subscriptions
SELECT s.*, p.id AS p_id, p.email, p.name, p.timezone, p.language, p.created_at AS p_created_at
FROM subscription AS s JOIN subscriber AS p ON p.pk = s.subscriber
WHERE s.id > :after
ORDER BY s.id
LIMIT :limit

-- name: addressed_subscriptions
SELECT s.*, p.id AS p_id, p.email, p.name, p.timezone, p.language, p.created_at AS p_created_at
FROM subscription AS s JOIN subscriber AS p ON p.pk = s.subscriber
WHERE s.channel = :channel AND s.target IN (SELECT value FROM json_each(:targets))
ORDER BY s.created_at, s.pk

-- name: due_subscriptions
-- An instant subscription is always due; it is looked at only when an entry or one of its rules has changed since.
SELECT s.*, p.id AS p_id, p.email, p.name, p.timezone, p.language, p.created_at AS p_created_at
FROM subscription AS s JOIN subscriber AS p ON p.pk = s.subscriber
WHERE s.next_due_at <= :now
    AND (s.paused = 0 OR s.paused_until <= :now)
    AND (s.every <> 'instant' OR s.planned_until IS NULL OR s.planned_until < s.touched_at
        OR s.planned_until < (SELECT max(changed_at) FROM entry WHERE changed_at <= :now))
    -- A private one that leaves out what a shared one shows comes after it, when that is planned and no more due.
    AND s.pk NOT IN (
        SELECT private.pk
        FROM member AS m
        CROSS JOIN subscription AS shared ON shared.pk = m.subscription
        CROSS JOIN subscription AS private ON private.subscriber = m.subscriber AND private.pk <> shared.pk
        WHERE m.shares_ledger
            AND shared.next_due_at <= :now
            AND (shared.paused = 0 OR shared.paused_until <= :now)
            AND (shared.every <> 'instant' OR shared.planned_until IS NULL OR shared.planned_until < shared.touched_at
                OR shared.planned_until < (SELECT max(changed_at) FROM entry WHERE changed_at <= :now))
            AND EXISTS (
                SELECT 1 FROM member AS o WHERE o.subscription = shared.pk AND o.subscriber <> shared.subscriber)
            AND NOT EXISTS (
                SELECT 1 FROM member AS o WHERE o.subscription = private.pk AND o.subscriber <> private.subscriber)
    )
ORDER BY s.next_due_at, s.pk
LIMIT :limit

-- name: remove_subscription
DELETE FROM subscription WHERE id = :id

-- name: put_rule
INSERT INTO rule (id, subscription, query, label, mode, until, version, broken, created_at, place)
VALUES (:id, (SELECT pk FROM subscription WHERE id = :subscription), :query, :label, :mode, :until, :version, :broken,
    :created_at, (SELECT coalesce(max(place), 0) FROM rule
        WHERE subscription = (SELECT pk FROM subscription WHERE id = :subscription)))
ON CONFLICT (id) DO UPDATE SET
    query = excluded.query, label = excluded.label, mode = excluded.mode, until = excluded.until,
    version = excluded.version, broken = excluded.broken

-- name: touch
UPDATE subscription SET touched_at = :now WHERE id = :subscription

-- name: get_rule
SELECT r.*, s.id AS s_id FROM rule AS r JOIN subscription AS s ON s.pk = r.subscription WHERE r.id = :id

-- name: rules_of
SELECT r.*, s.id AS s_id
FROM json_each(:ids) AS wanted
JOIN subscription AS s ON s.id = wanted.value
JOIN rule AS r ON r.subscription = s.pk
ORDER BY r.place, r.pk

-- name: arrange
UPDATE rule SET place = :place WHERE id = :id

-- name: queries
SELECT DISTINCT query FROM rule

-- name: naming_categories
SELECT DISTINCT query FROM rule
WHERE mode = 'include' AND broken IS NULL AND (query LIKE '%category%' OR query LIKE '%topic%')

-- name: remove_rule
DELETE FROM rule WHERE id = :id

-- name: add_change
INSERT INTO rule_change (subscription, rule_id, at, actor, via, before, after)
VALUES ((SELECT pk FROM subscription WHERE id = :subscription), :rule_id, :at, :actor, :via, :before, :after)

-- name: changes_of
SELECT * FROM rule_change WHERE subscription = (SELECT pk FROM subscription WHERE id = :id) ORDER BY pk

-- name: feed_secret
SELECT f.secret FROM feed AS f JOIN subscription AS s ON s.pk = f.subscription WHERE s.id = :id

-- name: feed_subscription
SELECT s.id FROM feed AS f JOIN subscription AS s ON s.pk = f.subscription WHERE f.secret = :secret

-- name: put_feed
INSERT INTO feed (subscription, secret, created_at)
VALUES ((SELECT pk FROM subscription WHERE id = :id), :secret, :now)
ON CONFLICT (subscription) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at

-- name: remove_feed
DELETE FROM feed WHERE subscription = (SELECT pk FROM subscription WHERE id = :id)
