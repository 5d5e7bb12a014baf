-- name: add
-- A slot that has a delivery keeps it, whoever plans it again.
INSERT INTO delivery (id, subscription, slot, due_at, zone, state, created_at, period_start, period_end, checked, late,
    attempts, next_attempt_at, lease_until, fence, reason, cause, failing_since, unknowns, sent_at, accepted)
VALUES (:id, (SELECT pk FROM subscription WHERE id = :subscription), :slot, :due_at, :zone, :state, :created_at,
    :period_start, :period_end, :checked, :late, :attempts, :next_attempt_at, :lease_until, :fence, :reason, :cause,
    :failing_since, :unknowns, :sent_at, :accepted)
ON CONFLICT (subscription, slot) DO NOTHING

-- name: keys_of_deliveries
SELECT d.id, d.pk, d.subscription FROM json_each(:ids) AS wanted JOIN delivery AS d ON d.id = wanted.value

-- name: keys_of_entries
SELECT e.id, e.pk FROM json_each(:ids) AS wanted JOIN entry AS e ON e.id = wanted.value

-- name: add_item
-- By integer keys: with a look-up of both ids in each row, a large plan spent most of its time here.
INSERT INTO delivery_item (entry, subscription, delivery, rank, shown, reasons) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (entry, subscription) DO NOTHING

-- name: add_follow_up
INSERT INTO follow_up (subscription, entry, kind, value, delivery, since, before, after)
SELECT d.subscription, e.pk, :kind, :value, d.pk, :since, :before, :after
FROM delivery AS d JOIN entry AS e ON e.id = :entry
WHERE d.id = :delivery
ON CONFLICT (subscription, entry, kind, value) DO NOTHING

-- name: move_on
-- What was told of is the past that the next follow-up is measured by.
UPDATE followed SET
    version = CASE WHEN :kind = 'version' THEN :after ELSE version END,
    has_code = has_code OR :kind = 'code',
    upvotes = CASE WHEN :kind = 'votes' THEN :after ELSE upvotes END
WHERE entry = (SELECT pk FROM entry WHERE id = :entry)
    AND subscription = (SELECT subscription FROM delivery WHERE id = :delivery)

-- name: follow_items
INSERT INTO followed (entry, subscription, since, version, has_code, upvotes)
SELECT i.entry, i.subscription, d.created_at, e.version, e.code_url IS NOT NULL, e.upvotes
FROM json_each(:ids) AS wanted
JOIN delivery AS d ON d.id = wanted.value
JOIN delivery_item AS i ON i.delivery = d.pk
JOIN entry AS e ON e.pk = i.entry
WHERE true
ON CONFLICT (entry, subscription) DO NOTHING

-- name: unfollow
DELETE FROM followed WHERE subscription IN (
    SELECT s.pk FROM json_each(:ids) AS wanted JOIN subscription AS s ON s.id = wanted.value)

-- name: follow_sent
INSERT INTO followed (entry, subscription, since, version, has_code, upvotes)
SELECT i.entry, i.subscription, :now, e.version, e.code_url IS NOT NULL, e.upvotes
FROM json_each(:ids) AS wanted
JOIN subscription AS s ON s.id = wanted.value AND s.follow_ups <> ''
JOIN delivery AS d ON d.subscription = s.pk AND d.created_at > :since
JOIN delivery_item AS i ON i.delivery = d.pk
JOIN entry AS e ON e.pk = i.entry

-- name: followed
-- From the few entries that changed to who follows them. A paper in a digest that never went out was not sent.
WITH wanted AS MATERIALIZED (
    SELECT s.pk, s.id, w.value ->> 0 AS version, w.value ->> 1 AS code, w.value ->> 2 AS votes
    FROM json_each(:wanted) AS w JOIN subscription AS s ON s.id = w.key)
SELECT w.id AS s_id, e.id AS entry_id, f.since, f.version, f.has_code, f.upvotes, e.version AS now_version,
    e.code_url AS now_code_url, e.upvotes AS now_upvotes
FROM entry AS e
JOIN followed AS f ON f.entry = e.pk
JOIN wanted AS w ON w.pk = f.subscription
JOIN delivery_item AS i ON i.entry = f.entry AND i.subscription = f.subscription
JOIN delivery AS d ON d.pk = i.delivery
WHERE e.changed_at > :changed_after AND d.created_at > :since AND d.state NOT IN ('failed', 'cancelled', 'superseded')
    AND (w.version AND e.version > coalesce(f.version, 1)
        OR w.code AND e.code_url IS NOT NULL AND NOT f.has_code
        OR e.upvotes >= w.votes AND coalesce(f.upvotes, 0) < w.votes)
ORDER BY f.since DESC, e.id

-- name: follow_ups
SELECT d.id AS delivery_id, e.id AS entry_id, f.kind, f.value, f.since, f.before, f.after
FROM json_each(:ids) AS wanted
JOIN delivery AS d ON d.id = wanted.value
JOIN follow_up AS f ON f.delivery = d.pk
JOIN entry AS e ON e.pk = f.entry
ORDER BY d.pk, f.since DESC, e.id, f.kind DESC

-- name: followed_up
SELECT DISTINCT d.id AS delivery_id, b.id, b.slot, b.due_at, b.accepted
FROM json_each(:ids) AS wanted
JOIN delivery AS d ON d.id = wanted.value
JOIN follow_up AS f ON f.delivery = d.pk
JOIN delivery_item AS i ON i.entry = f.entry AND i.subscription = f.subscription
JOIN delivery AS b ON b.pk = i.delivery AND b.pk <> d.pk AND b.state = 'sent'
ORDER BY b.due_at, b.pk

-- name: last_before
SELECT d.id AS delivery_id, b.id, b.slot
FROM json_each(:ids) AS wanted
JOIN delivery AS d ON d.id = wanted.value
JOIN delivery AS b ON b.pk = (
    SELECT e.pk FROM delivery AS e
    WHERE e.subscription = d.subscription AND e.slot < d.slot AND e.state = 'sent'
    ORDER BY e.slot DESC LIMIT 1)

-- name: advance
UPDATE subscription SET next_due_at = :next_due_at, planned_until = :planned_until, last_slot = :last_slot,
    last_checked = :last_checked
WHERE id = :id

-- name: ledger
SELECT s.id AS subscription, e.id AS entry
FROM json_each(:ids) AS wanted
JOIN subscription AS s ON s.id = wanted.value
-- What became news after an instant can only be in deliveries made after it.
JOIN delivery AS d ON d.subscription = s.pk AND d.created_at > :since
JOIN delivery_item AS i ON i.delivery = d.pk
JOIN entry AS e ON e.pk = i.entry
WHERE e.new_at > :since

-- name: shared_ledger
-- What subscriptions that a person owns with others show, for the private ones of who asked for that. What will never
-- arrive there is not counted, so it may still come in a private digest.
SELECT s.id AS subscription, e.id AS entry
FROM json_each(:ids) AS wanted
JOIN subscription AS s ON s.id = wanted.value
JOIN member AS m ON m.subscriber = s.subscriber AND m.shares_ledger AND m.subscription <> s.pk
JOIN delivery AS d ON d.subscription = m.subscription AND d.created_at > :since
    AND d.state NOT IN ('failed', 'cancelled', 'superseded')
JOIN delivery_item AS i ON i.delivery = d.pk AND i.shown
JOIN entry AS e ON e.pk = i.entry
WHERE e.new_at > :since
    AND NOT EXISTS (SELECT 1 FROM member AS o WHERE o.subscription = s.pk AND o.subscriber <> s.subscriber)

-- name: deferred
-- Served by its own small index: what has an end is not looked at, however long the history grows.
SELECT d.*, s.id AS s_id
FROM json_each(:ids) AS wanted
JOIN subscription AS s ON s.id = wanted.value
JOIN delivery AS d ON d.subscription = s.pk AND d.state = 'deferred'
ORDER BY d.due_at, d.pk

-- name: due
-- With what a claim has to know of each, read under the write lock that it is made under.
SELECT d.*, s.id AS s_id,
    EXISTS (SELECT 1 FROM delivery_attempt AS a
        WHERE a.delivery = d.pk AND a.fence = d.fence AND a.ended_at IS NULL) AS begun,
    -- A digest without papers has no rules of its own: any that includes papers will do.
    NOT EXISTS (SELECT 1 FROM rule AS r
        WHERE r.subscription = d.subscription AND r.mode = 'include' AND (
            r.id IN (SELECT json_extract(reason.value, '$[0]')
                FROM delivery_item AS i, json_each(i.reasons) AS reason WHERE i.delivery = d.pk)
            OR NOT EXISTS (SELECT 1 FROM delivery_item AS i
                WHERE i.delivery = d.pk AND i.reasons <> '[]'))) AS unwanted,
    CASE WHEN s.channel = 'email' THEN (SELECT x.reason FROM suppression AS x WHERE x.address = lower(
        CASE WHEN s.target <> '' THEN s.target ELSE (SELECT email FROM subscriber WHERE pk = s.subscriber) END
    )) END AS suppressed
FROM delivery AS d JOIN subscription AS s ON s.pk = d.subscription
WHERE d.state IN ('planned', 'deferred', 'claimed') AND d.next_attempt_at <= :now
    AND (d.state <> 'claimed' OR d.lease_until <= :now)
    AND (s.paused = 0 OR s.paused_until <= :now)
ORDER BY d.next_attempt_at, d.pk
LIMIT :limit

-- name: move
-- Compare-and-set: which state follows which is decided outside, on the row as it was read.
UPDATE delivery SET state = :state, attempts = :attempts, next_attempt_at = :next_attempt_at,
    lease_until = :lease_until, fence = :fence, reason = :reason, cause = :cause, failing_since = :failing_since,
    unknowns = :unknowns, sent_at = :sent_at, accepted = :accepted
WHERE id = :id AND state = :was_state AND fence = :was_fence

-- name: take
-- Claims that change nothing else, all at once. Each is [id, fence before, attempts, fence, lease_until].
UPDATE delivery SET state = 'claimed', attempts = c.value ->> 2, fence = c.value ->> 3, lease_until = c.value ->> 4
FROM json_each(:claims) AS c
WHERE delivery.id = c.value ->> 0 AND delivery.fence = c.value ->> 1

-- name: begin
-- Each is [id, fence, lease_until, accepted].
UPDATE delivery SET lease_until = start.value ->> 2, accepted = start.value -> 3
FROM json_each(:starts) AS start
WHERE delivery.id = start.value ->> 0 AND delivery.fence = start.value ->> 1 AND delivery.state = 'claimed'
RETURNING delivery.id, delivery.pk

-- name: accept
-- All that arrived at once, as delivery.concluded moves each of them. Each is [id, fence, at, accepted].
UPDATE delivery SET state = 'sent', lease_until = NULL, reason = NULL, cause = NULL, sent_at = o.value ->> 2,
    accepted = CASE WHEN json_array_length(o.value, '$[3]') < json_array_length(delivery.accepted)
        THEN delivery.accepted ELSE o.value -> 3 END
FROM json_each(:outcomes) AS o
WHERE delivery.id = o.value ->> 0 AND delivery.fence = o.value ->> 1 AND delivery.state = 'claimed'
RETURNING delivery.id

-- name: begin_attempts
-- Each is [delivery, fence, at].
INSERT INTO delivery_attempt (delivery, fence, began_at)
SELECT a.value ->> 0, a.value ->> 1, a.value ->> 2 FROM json_each(:attempts) AS a WHERE true
ON CONFLICT (delivery, fence) DO NOTHING

-- name: end_attempts
-- Each is [id, fence, at, state, unknown, reason].
UPDATE delivery_attempt SET ended_at = a.value ->> 2, state = a.value ->> 3, unknown = a.value ->> 4,
    reason = a.value ->> 5
FROM json_each(:attempts) AS a JOIN delivery AS d ON d.id = a.value ->> 0
WHERE delivery_attempt.delivery = d.pk AND delivery_attempt.fence = a.value ->> 1
    AND delivery_attempt.ended_at IS NULL

-- name: forget_attempts
-- A channel that is away for weeks would fill the table with the same line.
DELETE FROM delivery_attempt WHERE delivery = :delivery AND fence <= :fence - :kept

-- name: attempts
SELECT a.* FROM delivery_attempt AS a JOIN delivery AS d ON d.pk = a.delivery WHERE d.id = :id ORDER BY a.fence

-- name: counts
SELECT state, count(*) AS number FROM delivery GROUP BY state

-- name: unknowns
SELECT coalesce(sum(unknowns), 0) FROM delivery WHERE unknowns > 0

-- name: release_follow_ups
DELETE FROM follow_up WHERE delivery = (SELECT pk FROM delivery WHERE id = :id)

-- name: release
-- The entries of what will never be sent, and cannot have arrived, may come in another digest.
DELETE FROM delivery_item WHERE delivery = (SELECT pk FROM delivery WHERE id = :id)

-- name: stop_subscription
UPDATE subscription SET paused = 1, paused_until = NULL, stopped_reason = :reason
WHERE id = :id AND stopped_reason IS NULL

-- name: get
SELECT d.*, s.id AS s_id
FROM json_each(:ids) AS wanted
JOIN delivery AS d ON d.id = wanted.value JOIN subscription AS s ON s.pk = d.subscription

-- name: all
-- By the small index of those that are asked for, where there is one; else in the order of the days.
SELECT d.*, s.id AS s_id
FROM delivery AS d {by} JOIN subscription AS s ON s.pk = d.subscription
WHERE {among}
    AND (:states = '[]' OR d.state IN (SELECT value FROM json_each(:states)))
    AND (:since IS NULL OR d.due_at >= :since)
    AND (:after IS NULL OR (d.due_at, d.pk) < (SELECT due_at, pk FROM delivery WHERE id = :after))
ORDER BY d.due_at DESC, d.pk DESC
LIMIT :limit

-- name: never_arrived
SELECT d.id FROM subscription AS s JOIN delivery AS d ON d.subscription = s.pk
WHERE s.id = :id AND d.state IN ('planned', 'deferred') AND d.unknowns = 0 AND d.accepted = '[]'

-- name: past
SELECT d.*, s.id AS s_id
FROM subscription AS s JOIN delivery AS d ON d.subscription = s.pk
WHERE s.id = :id AND d.state IN ('sent', 'failed', 'held')
ORDER BY d.due_at DESC, d.pk DESC
LIMIT :limit

-- name: items
SELECT d.id AS delivery_id, e.id AS entry, i.rank, i.shown, i.reasons
FROM json_each(:ids) AS wanted
JOIN delivery AS d ON d.id = wanted.value
JOIN delivery_item AS i ON i.delivery = d.pk
JOIN entry AS e ON e.pk = i.entry
ORDER BY d.pk, i.rank

-- name: of_entry
SELECT d.*, s.id AS s_id, e.id AS entry, i.rank, i.shown, i.reasons
FROM delivery_item AS i
JOIN delivery AS d ON d.pk = i.delivery
JOIN subscription AS s ON s.pk = i.subscription
JOIN entry AS e ON e.pk = i.entry
WHERE s.id = :subscription AND e.id = :entry
